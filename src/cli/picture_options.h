// SPDX-License-Identifier: Apache-2.0
//
// The command line of the picture, `trawl [OPTION]... [PATH]...`.
#pragma once

#include <trawl/usage.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/filter_options.h"
#include "cli/option_reader.h"
#include "cli/option_table.h"
#include "cli/when.h"

namespace trawl::cli {

extern const Command kPictureCommand;

enum class SortBy : std::uint8_t { size, count, name };

struct PictureOptions : RunArguments {
  Measure measure = Measure::disk_usage;
  int depth = INT32_MAX;
  std::optional<std::size_t> top;  // lines; else as many as fit
  double min_share = 0;            // per cent of the whole
  SortBy sort = SortBy::size;
  bool reverse = false;
  bool one_file_system = false;
  bool follow = false;
  bool json = false;
  bool list_errors = false;
  When color = When::automatic;
  FilterArguments filter;
  std::vector<std::string> paths;
};

struct PictureCommand : ParsedCommand {
  PictureOptions options;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
PictureCommand parse_picture_options(int argc, char** argv);

}  // namespace trawl::cli
