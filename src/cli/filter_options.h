// SPDX-License-Identifier: Apache-2.0
//
// Options of all commands that walk: what they leave out.
#pragma once

#include "cli/common_options.h"
#include "cli/option_table.h"

namespace trawl::cli {

constexpr Option exclude_option(std::uint8_t section) {
  return {.id = kExclude,
          .names = {"exclude"},
          .argument = Argument::required,
          .word = "PATTERN",
          .help = "leave out what matches PATTERN",
          .manual =
              "Leave out what matches the shell pattern PATTERN, with all that is below it. It "
              "is compared with the whole path and with each end of the path that begins "
              "behind a slash; wildcards match slashes too. May be given several times.",
          .section = section,
          .repeatable = true};
}

constexpr Option exclude_from_option(std::uint8_t section) {
  return {.id = 'X',
          .names = {"exclude-from"},
          .argument = Argument::required,
          .word = "FILE",
          .help = "leave out what matches a pattern in FILE",
          .manual = "The same for each line of FILE; `-` is standard input.",
          .section = section,
          .completion = Completion::files,
          .repeatable = true};
}

}  // namespace trawl::cli
