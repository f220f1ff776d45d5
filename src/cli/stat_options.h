// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl stat [OPTION]... [PATH]...`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/statistics.h"
#include "cli/when.h"

namespace trawl::cli {

enum class StatForm : std::uint8_t { long_lines, json, csv, fields, gnu, gnu_printf };

struct StatCommandOptions {
  StatForm form = StatForm::long_lines;
  std::string format;  // of the last three
  bool null_terminated = false;
  bool follow = false;
  unsigned threads = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> stall_timeout;
  StatsFormat stats = StatsFormat::none;
  When progress = When::automatic;
  std::optional<std::string> files_from;
  std::vector<std::string> paths;
};

struct StatCommand {
  StatCommandOptions options;
  std::optional<int> status;  // if set, print `out` and exit with it
  std::string out;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
StatCommand parse_stat_options(int argc, char** argv);

}  // namespace trawl::cli
