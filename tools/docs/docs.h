// SPDX-License-Identifier: Apache-2.0
//
// What is made of the option tables of all commands: completions, and the options in the manual
// pages. Hidden options are in none of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.h"

namespace trawl::docs {

using cli::Argument;
using cli::Command;
using cli::Completion;
using cli::Option;

// The picture, whose name is empty, comes first.
const std::vector<const Command*>& commands();
std::string names_of_subcommands(std::string_view between);

std::vector<const Option*> shown_options(const Command& command);

// "-x", "--one-file-system".
std::vector<std::string> spellings(const Option& option);

// One line without a full stop.
std::string brief(const Option& option);

std::vector<std::string> split(std::string_view text, char at);

// Replaces each of `what` in `text` by itself behind `escape`.
std::string escaped(std::string_view text, std::string_view what, std::string_view escape);

std::string bash_completion();
std::string fish_completion();
std::string zsh_completion();

// In roff: what stands below .SH OPTIONS, or a part of it.
std::string manual_options(const Command& command);

}  // namespace trawl::docs
