// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl stat [OPTION]... [PATH]...`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/option_reader.h"
#include "cli/option_table.h"

namespace trawl::cli {

extern const Command kStatCommand;

enum class StatForm : std::uint8_t { long_lines, json, csv, fields, gnu, gnu_printf };

struct StatCommandOptions : RunArguments {
  StatForm form = StatForm::long_lines;
  std::string format;  // of the last three
  bool null_terminated = false;
  bool follow = false;
  std::optional<std::string> files_from;
  std::vector<std::string> paths;
};

struct StatCommand : ParsedCommand {
  StatCommandOptions options;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
StatCommand parse_stat_options(int argc, char** argv);

}  // namespace trawl::cli
