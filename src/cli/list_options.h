// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl list [OPTION]... [PATH]...`.
#pragma once

#include <trawl/file_list.h>
#include <trawl/walk.h>

#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/entry_format.h"
#include "cli/filter_options.h"
#include "cli/option_reader.h"
#include "cli/option_table.h"

namespace trawl::cli {

extern const Command kListCommand;

struct ListArguments : RunArguments {
  std::unique_ptr<EntryFormat> format;  // of lines
  std::optional<char> path_end;         // lines are paths alone, with this behind them
  std::optional<std::string> arrow;     // instead of lines, a table for this file
  Fields fields = Fields::none;         // asked of each entry
  Order order = Order::unordered;
  bool relative = false;
  unsigned types = UINT_MAX;  // 1 << FileType of those that are listed
  int min_depth = 0;
  int max_depth = INT_MAX;
  Follow follow = Follow::never;
  bool one_file_system = false;
  bool safe_links = false;
  FilterArguments filter;
  std::vector<std::string> paths;

  bool lists(FileType type) const { return (types >> static_cast<unsigned>(type) & 1U) != 0; }
};

struct ListCommand : ParsedCommand {
  ListArguments arguments;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
ListCommand parse_list_options(int argc, char** argv);

}  // namespace trawl::cli
