// SPDX-License-Identifier: Apache-2.0
//
// The command line of the picture, `trawl [OPTION]... [PATH]...`.
#pragma once

#include "cli/exclude.h"
#include "cli/statistics.h"
#include "cli/when.h"

#include <trawl/usage.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trawl::cli {

enum class SortBy : std::uint8_t { size, count, name };

struct PictureOptions {
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
  StatsFormat stats = StatsFormat::none;
  std::optional<std::string> trace;  // file for the timeline
  When color = When::automatic;
  When progress = When::automatic;
  unsigned threads = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> stall_timeout;
  Excludes excludes;
  std::vector<std::string> paths;
};

struct PictureCommand {
  PictureOptions options;
  std::optional<int> status;  // if set, print `out` and exit with it
  std::string out;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
PictureCommand parse_picture_options(int argc, char** argv);

}  // namespace trawl::cli
