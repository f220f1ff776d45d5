// SPDX-License-Identifier: Apache-2.0
//
// The command line of `trawl profile`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/filter_options.h"
#include "cli/option_reader.h"
#include "cli/option_table.h"
#include "cli/size_format.h"
#include "cli/when.h"

namespace trawl::cli {

extern const Command kProfileCommand;

// In the order of `--sections=all`; their words are in profile_options.cc.
enum class ProfileSection : std::uint8_t {
  summary,
  types,
  extensions,
  sizes,
  modified,
  accessed,
  depths,
  names,
  folders,
  largest,
  oldest,
  newest,
  empty,
  owners,
  groups,
  links,
  duplicates,
};

struct ProfileArguments : RunArguments {
  std::string path = ".";
  std::optional<std::size_t> top;
  int max_depth = INT32_MAX;
  bool exact = false;
  bool follow = false;
  bool one_file_system = false;
  bool json = false;
  bool list_errors = false;
  std::optional<std::string> html;          // "-" is standard output
  std::optional<std::size_t> tree_folders;  // else none in JSON, kPageFolders in the page
  std::vector<ProfileSection> sections;
  SizeFormat size_format = SizeFormat::human();
  When color = When::automatic;
  FilterArguments filter;

  bool page_on_output() const { return html == "-"; }
  bool has_report() const { return !json && !page_on_output(); }
};

struct ProfileCommandLine : ParsedCommand {
  ProfileArguments arguments;
};

// Writes messages to standard error; uses getopt_long and its globals, and so one thread at a time.
ProfileCommandLine parse_profile_options(int argc, char** argv);

}  // namespace trawl::cli
