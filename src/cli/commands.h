// SPDX-License-Identifier: Apache-2.0
//
// The commands of trawl: a new one has a line in commands.cc, and so is known to main, `trawl
// help`, the completions and the help of `trawl`.
#pragma once

#include <span>

#include "cli/option_table.h"

namespace trawl::cli {

struct CommandEntry {
  const Command* table;
  int (*main)(int argc, char** argv);  // returns the exit status
};

CommandEntry picture_command();               // `trawl` alone
std::span<const CommandEntry> subcommands();  // `trawl NAME`, in the order of help

}  // namespace trawl::cli
