// SPDX-License-Identifier: Apache-2.0
#include "docs.h"

#include <algorithm>

#include "cli/commands.h"

namespace trawl::docs {

const std::vector<const Command*>& commands() {
  static const std::vector<const Command*> all = [] {
    std::vector<const Command*> tables{cli::picture_command().table};
    for (const cli::CommandEntry& each : cli::subcommands()) {
      tables.push_back(each.table);
    }
    return tables;
  }();
  return all;
}

std::string names_of_subcommands(std::string_view between) {
  std::string names;
  for (const Command* each : commands()) {
    if (!each->name().empty()) {
      names.append(names.empty() ? "" : between).append(each->name());
    }
  }
  return names;
}

std::vector<const Option*> shown_options(const Command& command) {
  std::vector<const Option*> shown;
  for (const Option& option : command.options) {
    if (option.help != nullptr) {
      shown.push_back(&option);
    }
  }
  return shown;
}

std::vector<std::string> spellings(const Option& option) {
  std::vector<std::string> all;
  each_letter(option, [&all](char letter) { all.push_back({'-', letter}); });
  each_name(option, [&all](const char* name) { all.push_back("--" + std::string(name)); });
  return all;
}

std::string brief(const Option& option) {
  if (option.brief != nullptr) {
    return option.brief;
  }
  const std::string_view help = option.help;
  return std::string(help.substr(0, std::min({help.find("; "), help.find(": "), help.find(" (")})));
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(at));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    parts.emplace_back(part);
  }
  return parts;
}

std::string escaped(std::string_view text, std::string_view what, std::string_view escape) {
  std::string out;
  for (const char c : text) {
    if (what.find(c) != what.npos) {
      out += escape;
    }
    out += c;
  }
  return out;
}

}  // namespace trawl::docs
