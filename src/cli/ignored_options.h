// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl ignored [OPTION]... PATH...`: that of git check-ignore.
#pragma once

#include <string>
#include <vector>

#include "cli/option_reader.h"
#include "cli/option_table.h"

namespace trawl::cli {

extern const Command kIgnoredCommand;

inline constexpr int kIgnoredFatal = 128;  // git's status for all that is wrong

struct IgnoredOptions {
  bool quiet = false;
  bool verbose = false;
  bool non_matching = false;
  bool null_terminated = false;
  bool from_input = false;
  bool no_index = false;
  std::vector<std::string> ignore_names;
  std::vector<std::string> ignore_files;
  std::vector<std::string> paths;
};

struct IgnoredCommand : ParsedCommand {
  IgnoredOptions options;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
IgnoredCommand parse_ignored_options(int argc, char** argv);

}  // namespace trawl::cli
