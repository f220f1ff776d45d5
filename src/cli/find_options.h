// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl find [OPTION]... [PATTERN [PATH]...]`, which is that of fd.
#pragma once

#include <trawl/path_filter.h>
#include <trawl/predicate.h>
#include <trawl/walk.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/find_exec.h"
#include "cli/find_output.h"
#include "cli/option_reader.h"
#include "cli/option_table.h"

namespace trawl::cli {

extern const Command kFindCommand;

struct FindArguments {
  // Where.
  std::vector<std::string> roots;
  bool lacks_roots = false;  // some PATH is no directory, which was said
  Follow follow = Follow::roots;
  bool one_file_system = false;
  FilterOptions filter;
  std::vector<std::string> ignore_contain;
  int max_depth = INT_MAX;

  // What. Without a plan, everything.
  std::optional<Plan> plan;
  int min_depth = 0;
  bool prune = false;
  std::uint64_t max_results = UINT64_MAX;

  // What becomes of it.
  bool quiet = false;
  bool explain = false;
  PathStyle paths;
  LineStyle lines;
  Ranking ranking;
  ExecSettings exec;

  RunArguments run;

  // Left out are only what the patterns and tests leave out.
  bool filters() const {
    return filter.hidden || filter.git || !filter.names.empty() || !filter.files.empty() ||
           !filter.exclude.empty();
  }
};

struct FindCommandLine : ParsedCommand {
  FindArguments arguments;
};

// Writes messages to standard error; changes to --base-directory. Uses getopt_long and its globals,
// and so one thread at a time.
FindCommandLine parse_find_options(int argc, char** argv);

}  // namespace trawl::cli
