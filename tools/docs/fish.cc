// SPDX-License-Identifier: Apache-2.0
#include "docs.h"

namespace trawl::docs {

namespace {

constexpr char kBegin[] = R"(# SPDX-License-Identifier: Apache-2.0
# Fish completion for trawl. From the tables of options in src/cli; `./dev docs` writes it.

function __trawl_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- "$words[2]" $argv
end

function __trawl_is_not
    not __trawl_is $argv
end

function __trawl_is_first
    test (count (commandline -opc)) -eq 1
end

function __trawl_is_help
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test "$words[2]" = help
end

)";

std::string quoted(std::string_view text) { return '\'' + escaped(text, "'\\", "\\") + '\''; }

// The command that lists what there is; empty: words or nothing.
std::string listing(Completion completion) {
  switch (completion) {
    case Completion::nothing:
    case Completion::words:
    case Completion::files:
      return "";
    case Completion::directories:
      return "__fish_complete_directories";
    case Completion::users:
      return "__fish_complete_users";
    case Completion::groups:
      return "__fish_complete_groups";
    case Completion::commands:
      return "__fish_complete_command";
  }
  return "";
}

std::string argument(const Option& option) {
  if (option.argument == Argument::none) {
    return "";
  }
  if (option.completion == Completion::files) {
    return option.argument == Argument::required ? " -r -F" : " -F";
  }
  // An optional argument is offered behind '=' only.
  std::string out = option.argument == Argument::required ? " -x" : " -f";
  if (option.completion == Completion::words && option.comma_list) {
    std::string lines;
    for (const std::string& word : split(option.words, ' ')) {
      lines += (lines.empty() ? "" : "\\n") + word;
    }
    out += " -a " + quoted("(__fish_complete_list , 'printf \"" + lines + "\\n\"')");
  } else if (option.completion == Completion::words) {
    out += " -a " + quoted(option.words);
  } else if (option.completion != Completion::nothing) {
    out += " -a " + quoted('(' + listing(option.completion) + ')');
  }
  return out;
}

}  // namespace

std::string fish_completion() {
  std::string out = kBegin;
  for (const Command* command : commands()) {
    if (!command->name().empty()) {
      out.append("complete -c trawl -n __trawl_is_first -a ").append(command->name());
      out += " -d " + quoted(command->brief) + '\n';
    }
  }
  out += "complete -c trawl -n __trawl_is_first -a help -d 'show the options'\n";
  out += "complete -c trawl -n __trawl_is_help -f -a " + quoted(names_of_subcommands(" ")) + '\n';
  for (const Command* command : commands()) {
    const std::string condition = command->name().empty()
                                      ? "__trawl_is_not " + names_of_subcommands(" ") + " help"
                                      : "__trawl_is " + std::string(command->name());
    const std::string begin = "complete -c trawl -n " + quoted(condition);
    out.append("\n# ").append(command->program) += '\n';
    if (const std::string list = listing(command->operands); !list.empty()) {
      out += begin + " -f -a " + quoted('(' + list + ')') + '\n';
    }
    for (const Option* option : shown_options(*command)) {
      out += begin;
      each_letter(*option, [&out](char letter) { out += std::string(" -s ") + letter; });
      each_name(*option, [&out](const char* name) { out += std::string(" -l ") + name; });
      out += argument(*option) + " -d " + quoted(brief(*option)) + '\n';
    }
  }
  return out;
}

}  // namespace trawl::docs
