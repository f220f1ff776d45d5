// SPDX-License-Identifier: Apache-2.0
//
// Options of all commands that walk and are not like fd: what they leave out.
#pragma once

#include <trawl/path_filter.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/common_options.h"
#include "cli/exclude.h"
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

constexpr Option ignore_file_option(std::uint8_t section) {
  return {.id = kRulesFile,
          .names = {"ignore-file"},
          .argument = Argument::required,
          .word = "FILE",
          .help = "leave out what the rules in FILE say, which are like those of a .gitignore",
          .brief = "leave out what the rules in FILE say",
          .manual =
              "Leave out what the rules in FILE say, as if it were a _.gitignore_ in each "
              "operand. May be given several times; rules in a later FILE win. What a file of "
              "rules can't be read for is said on standard error, and makes the exit status 1.",
          .section = section,
          .completion = Completion::files,
          .repeatable = true};
}

constexpr Option respect_ignore_option(std::uint8_t section) {
  return {.id = kRespectIgnore,
          .names = {"respect-ignore"},
          .help = "leave out what git ignores, and what files named .ignore say",
          .brief = "leave out what git ignores",
          .manual =
              "Leave out what git's rules say: those in _.gitignore_ of each directory and of "
              "those above it up to the top of the repository, in _info/exclude_ of the "
              "repository, and in the file that core.excludesFile names. Outside of "
              "repositories _.gitignore_ counts too. Rules in files named _.ignore_ win over "
              "git's. Operands themselves are never left out by rules, nor is _.git_.",
          .section = section};
}

constexpr Option exclude_caches_option(std::uint8_t section) {
  return {.id = kExcludeCaches,
          .names = {"exclude-caches"},
          .help = "leave out what is beside a CACHEDIR.TAG",
          .manual =
              "Leave out what is in a directory with a _CACHEDIR.TAG_ that is one "
              "(https://bford.info/cachedir/), but not the directory and the tag.",
          .section = section};
}

// What these say.
struct FilterArguments {
  Excludes excludes;
  FilterOptions rules;

  // Null if nothing is to be left out. The arguments must outlive it.
  std::unique_ptr<PathFilter> make() const;
};

// Reads them, but exclude-from, about which du and the others complain in their own ways.
void set_filter(int id, const char* argument, FilterArguments& out);

std::string message_of(const FilterError& error);
// A message for each ignore file that could not be read.
std::vector<std::string> messages_of(const PathFilter* filter);

}  // namespace trawl::cli
