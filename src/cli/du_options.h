// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl du`: GNU du's, option for option, and our own long options beside it.
//
// Ours never change what GNU's mean: a long option, abbreviated or not, is looked up among GNU's
// first, and only one that GNU does not know is looked up among ours.
#pragma once

#include <trawl/usage.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/filter_options.h"
#include "cli/option_reader.h"
#include "cli/option_table.h"
#include "cli/size_format.h"

namespace trawl::cli {

extern const Command kDuCommand;

struct DuOptions : RunArguments {
  bool all = false;
  bool apparent_size = false;
  bool inodes = false;
  bool count_links = false;
  bool separate_directories = false;
  bool grand_total = false;
  bool null_terminated = false;
  bool one_file_system = false;
  Follow follow = Follow::never;
  std::uint64_t max_depth = UINT64_MAX;
  std::int64_t threshold = 0;  // negative: at most so much; else at least
  SizeFormat size_format;
  UsageTime time = UsageTime::none;
  std::string time_format;
  FilterArguments filter;
  std::vector<std::string> files;
  std::optional<std::string> files0_from;

  bool json = false;
};

struct DuCommand : ParsedCommand {
  DuOptions options;
};

// argv[0] is the name that messages start with. Reads the environment, writes messages to standard
// error, uses getopt_long and its globals, and so one thread at a time.
DuCommand parse_du_options(int argc, char** argv);

}  // namespace trawl::cli
