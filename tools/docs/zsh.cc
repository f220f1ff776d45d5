// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include "docs.h"

namespace trawl::docs {

namespace {

constexpr char kBegin[] = R"(#compdef trawl
# SPDX-License-Identifier: Apache-2.0
# Zsh completion for trawl. From the tables of options in src/cli; `./dev docs` writes it.
)";

// In single quotes.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "'\\''" : std::string{c};
  }
  return out + '\'';
}

std::string action(const Option& option) {
  switch (option.completion) {
    case Completion::nothing:
      return " ";
    case Completion::words:
      return option.comma_list ? "_values -s , " + std::string(option.word) + ' ' + option.words
                               : '(' + std::string(option.words) + ')';
    case Completion::files:
      return "_files";
    case Completion::directories:
      return "_files -/";
    case Completion::users:
      return "_users";
    case Completion::groups:
      return "_groups";
    case Completion::commands:
      return "_command_names -e";
  }
  return "";
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_named(const Option& option, const std::string& name) {
  const std::vector<std::string> all = spellings(option);
  return std::ranges::find(all, (name.size() == 1 ? "-" : "--") + name) != all.end();
}

bool says_conflict(const Option& option, const Option& other) {
  const std::vector<std::string> names = split(option.conflicts, ' ');
  return std::ranges::any_of(names, [&](const std::string& name) { return is_named(other, name); });
}

// What is not offered once the option was given.
std::string excluded(const Command& command, const Option& option) {
  if (std::string_view(option.conflicts) == "*") {
    return "- *";
  }
  const std::vector<const Option*> shown = shown_options(command);
  for (const std::string& name : split(option.conflicts, ' ')) {
    if (std::ranges::none_of(shown, [&](const Option* each) { return is_named(*each, name); })) {
      throw std::logic_error(std::string(command.program) + " has no option " + name);
    }
  }
  std::string words;
  const auto exclude = [&words](const Option& other) {
    for (const std::string& spelling : spellings(other)) {
      words += (words.empty() ? "" : " ") + spelling;
    }
  };
  if (!option.repeatable && spellings(option).size() > 1) {
    exclude(option);
  }
  for (const Option* other : shown) {
    if (other != &option && (says_conflict(option, *other) || says_conflict(*other, option))) {
      exclude(*other);
    }
  }
  return words;
}

// What zsh says that it completes.
std::string message(const Option& option) {
  const std::string_view word = option.word;
  return word == "N" ? "number" : word == "F" ? "file" : lower(option.word);
}

// An argument of _arguments.
std::string specification(const Command& command, const Option& option) {
  std::string before = excluded(command, option);
  before = (before.empty() ? "" : '(' + before + ')') + (option.repeatable ? "*" : "");
  std::string after = '[' + escaped(brief(option), "[]\\", "\\") + ']';
  if (option.argument != Argument::none) {
    after += (option.argument == Argument::optional ? "::" : ":") + message(option) + ':' +
             action(option);
  }
  std::vector<std::string> names = spellings(option);
  for (std::string& name : names) {
    const bool is_long = name.starts_with("--");
    switch (option.argument) {
      case Argument::none:
        break;
      case Argument::required:
        name += is_long ? "=" : "+";
        break;
      case Argument::optional:
        name += is_long ? "=-" : "-";
        break;
    }
  }
  if (names.size() == 1) {
    return quoted(before + names[0] + after);
  }
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ",") + name;
  }
  return (before.empty() ? "" : quoted(before)) + '{' + list + '}' + quoted(after);
}

std::string operands(const Command& command) {
  Option operand{.word = command.operand, .completion = command.operands};
  std::string out;
  if (command.first_operand != nullptr) {
    out += quoted("1:" + lower(command.first_operand) + ": ") + " \\\n    ";
  }
  return out + quoted("*:" + lower(command.operand) + ':' + action(operand));
}

// "name[brief]" or "name:brief" of each subcommand.
std::string described(std::string_view before, std::string_view after, std::string_view between) {
  std::string out;
  for (const Command* command : commands()) {
    if (!command->name().empty()) {
      out.append(out.empty() ? "" : between);
      out +=
          quoted(std::string(command->name()).append(before).append(command->brief).append(after));
    }
  }
  return out;
}

}  // namespace

std::string zsh_completion() {
  std::string out = kBegin;
  for (const Command* command : commands()) {
    const std::string name(command->name().empty() ? "picture" : command->name());
    out += "\n_trawl_" + name + "() {\n  _arguments -s -S \\\n";
    for (const Option* option : shown_options(*command)) {
      out += "    " + specification(*command, *option) + " \\\n";
    }
    out += "    " + operands(*command) + "\n}\n";
  }
  return out + R"(
_trawl() {
  if (( CURRENT > 2 )) && [[ $words[2] == ()" +
         names_of_subcommands("|") + R"() ]]; then
    local command=$words[2]
    shift words
    (( --CURRENT ))
    _trawl_$command
  elif (( CURRENT == 3 )) && [[ $words[2] == help ]]; then
    _values command \
      )" +
         described("[", "]", " \\\n      ") + R"(
  elif (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
    local -a commands=(
      )" +
         described(":", "", "\n      ") + R"(
      'help:show the options'
    )
    _alternative 'commands:command:{ _describe command commands }' 'paths:path:_files'
  else
    _trawl_picture
  fi
}

_trawl "$@"
)";
}

}  // namespace trawl::docs
