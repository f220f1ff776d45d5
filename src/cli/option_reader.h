// SPDX-License-Identifier: Apache-2.0
//
// What the readers of our commands' options have in common: how they read and complain, and the
// options of common_options.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/common_options.h"
#include "cli/filter_options.h"
#include "cli/option_table.h"
#include "cli/statistics.h"
#include "cli/when.h"

namespace trawl::cli {

// What the common options say.
struct RunArguments {
  unsigned threads = 0;
  std::optional<std::chrono::nanoseconds> timeout;
  std::optional<std::chrono::nanoseconds> stall_timeout;
  StatsFormat stats = StatsFormat::none;
  std::optional<std::string> trace;  // file for the timeline
  When progress = When::automatic;
};

// A command line that was read.
struct ParsedCommand {
  std::optional<int> status;  // if set, print `out` and exit with it
  std::string out;
};

class OptionReader {
 protected:
  // Messages begin with `program`, which must live as long.
  OptionReader(const Command& command, const char* program)
      : command_(command), program_(program) {}
  explicit OptionReader(const Command& command) : OptionReader(command, command.program) {}

  // Calls `set(id, argument)` for each option, argument null if there is none, until it returns
  // false. What is wrong for getopt_long has the id '?', and was said. Operands begin at optind.
  template <typename Set>
  static bool read(int argc, char** argv, const Getopt& getopt, const Set& set) {
    optind = 0;
    for (int id; (id = getopt_long(argc, argv, getopt.letters, getopt.names, nullptr)) != -1;) {
      if (!set(id, optarg)) {
        return false;
      }
    }
    return true;
  }

  // Each returns whether the option could be set; if not, it has said why on standard error.
  bool say(const std::string& message) const;  // always false
  bool refuse(std::string_view option, const char* argument, std::string_view wanted) const;
  bool set_when(When& out, std::string_view option, const char* argument) const;
  bool set_exclude_from(FilterArguments& out, const char* file) const;
  // Also false, with the status and what is to be printed, for --help and --version.
  bool set_common(int id, const char* argument, RunArguments& out, ParsedCommand& parsed) const;

 private:
  bool set_duration(std::optional<std::chrono::nanoseconds>& out, std::string_view option,
                    const char* argument) const;

  const Command& command_;
  const char* program_;
};

}  // namespace trawl::cli
