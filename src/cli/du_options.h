// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl du`: GNU du's, option for option, and our own long options beside it.
//
// Ours never change what GNU's mean: a long option, abbreviated or not, is looked up among GNU's first,
// and only one that GNU does not know is looked up among ours.
#pragma once

#include "cli/exclude.h"
#include "cli/size_format.h"
#include "cli/statistics.h"
#include "cli/when.h"

#include <trawl/usage.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace trawl::cli {



struct DuOptions {
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
  Excludes excludes;
  std::vector<std::string> files;
  std::optional<std::string> files0_from;

  unsigned threads = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> stall_timeout;
  bool json = false;
  StatsFormat stats = StatsFormat::none;
  std::optional<std::string> trace;  // file for the timeline
  When progress = When::automatic;
};

struct DuCommand {
  DuOptions options;
  std::optional<int> status;  // if set, print `out` and exit with it
  std::string out;
};

// argv[0] is the name that messages start with. Reads the environment, writes messages to standard
// error, uses getopt_long and its globals, and so one thread at a time.
DuCommand parse_du_options(int argc, char** argv);

}  // namespace trawl::cli
