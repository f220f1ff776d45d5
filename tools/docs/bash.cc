// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "docs.h"

namespace trawl::docs {

namespace {

constexpr char kBegin[] = R"(# SPDX-License-Identifier: Apache-2.0
# Bash completion for trawl. Needs bash alone; with bash-completion it is loaded on first use.
# From the tables of options in src/cli; `./dev docs` writes it.

_trawl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' letters options operands words='' kind='' list='' name='' prefix='' ended='' i
  COMPREPLY=()

  # `letters` take an argument.
  [[ $COMP_CWORD -gt 1 ]] && command=${COMP_WORDS[1]}
  case $command in
)";

constexpr char kFindName[] = R"(  esac

  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} == -- ]] && ended=1
  done

  # "--name=val" is one word, or three where '=' breaks words.
  if [[ $ended ]]; then
    :
  elif [[ $word == --*=* ]]; then
    name=${word%%=*} word=${word#*=} prefix=$name=
  elif [[ $word == '=' && $previous == --* ]]; then
    name=$previous word=''
  elif [[ $previous == '=' && $COMP_CWORD -ge 2 ]]; then
    name=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $previous == --* && " "$options" " == *[[:space:]]"$previous="[[:space:]]* &&
    " "$options" " != *[[:space:]]"$previous"[[:space:]]* ]]; then
    name=$previous
  elif [[ $previous == -[!-]* && $previous =~ ^-[^$letters]*([$letters])$ ]]; then
    name=-${BASH_REMATCH[1]}
  fi

  # `kind` is a letter of compgen's.
  if [[ $name ]]; then
    case $command$name in
)";

constexpr char kComplete[] = R"(      *) return ;;
    esac
  elif [[ $word == -* && ! $ended ]]; then
    words=$options
)";

constexpr char kEnd[] = R"(  else
    kind=$operands
  fi

  if [[ $list && $word == *,* ]]; then
    prefix+=${word%,*}, word=${word##*,}
  fi
  local reply
  while IFS= read -r reply; do
    COMPREPLY+=("$prefix$reply")
  done < <(compgen -W "$words" -- "$word")
  if [[ $kind ]]; then
    while IFS= read -r reply; do
      COMPREPLY+=("$prefix$reply")
    done < <(compgen "-$kind" -- "$word")
    [[ $kind == [fd] ]] && compopt -o filenames 2>/dev/null
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == --*= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -F _trawl trawl
)";

const char* kind_of(Completion completion) {
  switch (completion) {
    case Completion::nothing:
    case Completion::words:
      return "";
    case Completion::files:
      return "f";
    case Completion::directories:
      return "d";
    case Completion::users:
      return "u";
    case Completion::groups:
      return "g";
    case Completion::commands:
      return "c";
  }
  return "";
}

// `words` with `between`, in lines that begin with `indent`, the first a little further on.
std::string folded(const std::vector<std::string>& words, std::string_view between,
                   const std::string& indent, std::string_view line_end = "") {
  std::string out;
  std::size_t column = indent.size() + 8;
  for (const std::string& word : words) {
    const bool first = out.empty();
    out += first ? "" : between;
    if (!first && column + word.size() + between.size() > 97) {
      while (!out.empty() && out.back() == ' ') {
        out.pop_back();
      }
      out.append(line_end).append("\n").append(indent);
      column = indent.size();
    }
    out += word;
    column += word.size() + between.size();
  }
  return out;
}

// The line of `case` that knows a command's options.
std::string options_of(const Command& command) {
  std::vector<std::string> words;
  std::string letters;
  for (const Option* option : shown_options(command)) {
    each_name(*option, [&](const char* name) {
      const std::string word = "--" + std::string(name);
      if (option->argument != Argument::required) {
        words.push_back(word);
      }
      if (option->argument != Argument::none) {
        words.push_back(word + '=');
      }
    });
    if (option->argument == Argument::required) {
      each_letter(*option, [&letters](char letter) { letters += letter; });
    }
  }
  std::ranges::sort(words);
  const std::string name(command.name().empty() ? "*" : command.name());
  const std::string begin = "    " + name + ")\n";
  return begin + (command.name().empty() ? "      command=''\n" : "") + "      letters='" +
         (letters.empty() ? " " : letters) + "' operands='" + kind_of(command.operands) +
         "'\n      options='" + folded(words, " ", "        ") + "'\n      ;;\n";
}

// The lines of `case` that know what completes arguments.
std::string completions_of_arguments() {
  std::vector<std::string> results;  // in the order of their first option
  std::map<std::string, std::vector<std::string>> patterns;
  for (const Command* command : commands()) {
    for (const Option* option : shown_options(*command)) {
      std::string result;
      if (option->completion == Completion::words) {
        result =
            "words='" + std::string(option->words) + '\'' + (option->comma_list ? " list=1" : "");
      } else if (option->completion != Completion::nothing) {
        result = "kind=" + std::string(kind_of(option->completion));
      } else {
        continue;
      }
      if (patterns[result].empty()) {
        results.push_back(result);
      }
      for (const std::string& spelling : spellings(*option)) {
        patterns[result].push_back(std::string(command->name()) + spelling);
      }
    }
  }
  std::string out;
  for (const std::string& result : results) {
    out += "      " + folded(patterns[result], " | ", "        ", " \\") + ")\n        " + result +
           " ;;\n";
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  std::string out = kBegin;
  for (const Command* command : commands()) {
    if (!command->name().empty()) {
      out += options_of(*command);
    }
  }
  out += options_of(*commands()[0]);
  out += kFindName + completions_of_arguments() + kComplete;
  const std::string names = names_of_subcommands(" ");
  out += "  elif [[ $COMP_CWORD -eq 1 ]]; then\n    words='" + names + " help' kind=f\n";
  out += "  elif [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} == help ]]; then\n    words='" + names +
         "'\n";
  return out + kEnd;
}

}  // namespace trawl::docs
