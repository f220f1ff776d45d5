// SPDX-License-Identifier: Apache-2.0
//
// Each command has one table of its options. From it come getopt_long's tables, --help, the options
// in the manual page and the completions of bash, zsh and fish. A command
//   1. names what has no letter:  enum : int { kCsv = kFirstId, kFollow };
//   2. has a table:    constexpr Option kOptions[] = {{.id = kCsv, .names = {"csv"}, .help = "…"},
//   …};
//   3. and a Command:  constexpr Command kListCommand = {.program = "trawl list", …};
//      which its header declares (extern const Command), and which commands.cc lists;
//   4. reads:          OptionReader::read(argc, argv, kGetopt<kOptions>, [&](int id, argument)
//   {…});
//   5. and answers -h: help_text(kListCommand). Options of every command: common_options.h.
// Then `./dev docs` writes completions and pages; a test fails until it did.
#pragma once

#include <getopt.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace trawl::cli {

enum class Argument : std::uint8_t { none, required, optional };

// What completes an argument. The command may take others.
enum class Completion : std::uint8_t {
  nothing,
  words,
  files,
  directories,
  users,
  groups,
  commands
};

// Texts are plain. In those for the manual page `-x`, `--name=WORD` and what stands in `backquotes`
// is bold, a word that is that of the argument or of an operand and what stands in _underscores_
// italic; a line that begins with a dot is a request to roff. UTF-8 is not for roff: write "...".
struct Option {
  int id = 0;                       // the code of its letter, or else at least kFirstId
  char other_letter = 0;            // read as another id: this character's code
  const char* names[4] = {};        // long ones
  const char* other_names[4] = {};  // also taken, but shown nowhere
  Argument argument = Argument::none;
  const char* word = "";         // of the argument: "N", "FILE"
  const char* help = nullptr;    // without it the option is shown nowhere
  const char* brief = nullptr;   // for completions; else what `help` says before ';', ':' or '('
  const char* manual = nullptr;  // else `help`, as a sentence
  std::uint8_t section = 0;      // in Command::sections
  Completion completion = Completion::nothing;
  const char* words = "";   // with Completion::words, blanks between
  bool comma_list = false;  // of such words
  bool repeatable = false;  // given again it adds, and does not replace
  // Long names or letters that zsh shall not offer beside it; what says so is meant both ways. "*"
  // is all, operands too.
  const char* conflicts = "";
};
constexpr int kFirstId = 256;
constexpr int kFirstCommonId = 512;  // those of common_options.h

struct Section {
  const char* title;
  const char* help_title = nullptr;  // without it --help has no heading
  const char* manual = nullptr;      // what the page says before the options
};

struct Command {
  const char* program;      // "trawl list"
  const char* brief = "";   // what it shows, for completions and the help of `trawl`
  const char* usage;        // without the program; a line each
  const char* before = "";  // the options in --help
  const char* after = "";
  // Sections in the order of the page; options in that of --help.
  std::span<const Section> sections = {};
  std::span<const Option> options = {};
  std::size_t columns = 100;            // of --help
  const char* first_operand = nullptr;  // if it is not like the others; nothing completes it
  const char* operand = "PATH";
  Completion operands = Completion::files;

  constexpr std::string_view name() const {  // "list"; the picture's is empty
    const std::string_view words = program;
    const std::size_t blank = words.find(' ');
    return blank == words.npos ? "" : words.substr(blank + 1);
  }
};

// What --help prints. `more_usage`: whole lines behind those of the command's usage.
std::string help_text(const Command& command, std::string_view program,
                      std::string_view more_usage = "");
inline std::string help_text(const Command& command) { return help_text(command, command.program); }

// getopt_long's arguments; constants.
struct Getopt {
  const char* letters;
  const ::option* names;
};

// Which long name comes first in messages about abbreviations.
using NameOrder = bool (*)(std::string_view, std::string_view);
constexpr bool alphabetically(std::string_view a, std::string_view b) { return a < b; }

// `visit(name)` for each long name that is shown.
template <typename Visit>
constexpr void each_name(const Option& option, const Visit& visit) {
  for (const char* name : option.names) {
    if (name != nullptr) {
      visit(name);
    }
  }
}

// `visit(letter)` for each letter.
template <typename Visit>
constexpr void each_letter(const Option& option, const Visit& visit) {
  if (option.id < kFirstId) {
    visit(static_cast<char>(option.id));
  }
  if (option.other_letter != 0) {
    visit(option.other_letter);
  }
}

namespace detail {

template <typename Visit>
constexpr void each_taken_name(const Option& option, const Visit& visit) {
  each_name(option, visit);
  for (const char* name : option.other_names) {
    if (name != nullptr) {
      visit(name);
    }
  }
}

template <const auto& kOptions, std::size_t kCount, NameOrder kBefore>
struct GetoptArrays {
  static constexpr std::span<const Option> options() { return {std::data(kOptions), kCount}; }

  static constexpr std::size_t count_names() {
    std::size_t count = 0;
    for (const Option& each : options()) {
      each_taken_name(each, [&count](const char*) { ++count; });
    }
    return count;
  }
  static constexpr auto make_names() {
    std::array<::option, count_names() + 1> names{};
    std::size_t at = 0;
    for (const Option& each : options()) {
      each_taken_name(each, [&](const char* name) {
        names[at++] = {name, static_cast<int>(each.argument), nullptr, each.id};
      });
    }
    std::sort(names.begin(), names.end() - 1,
              [](const ::option& a, const ::option& b) { return kBefore(a.name, b.name); });
    return names;
  }
  static constexpr auto make_letters() {
    std::array<char, 6 * kCount + 1> letters{};
    std::size_t at = 0;
    for (const Option& each : options()) {
      each_letter(each, [&](char letter) {
        letters[at++] = letter;
        for (int colons = static_cast<int>(each.argument); colons > 0; --colons) {
          letters[at++] = ':';
        }
      });
    }
    return letters;
  }

  static constexpr auto kNames = make_names();
  static constexpr auto kLetters = make_letters();

  // No two options may have an id, a letter or a name in common.
  static constexpr bool unambiguous() {
    for (std::size_t i = 1; i + 1 < kNames.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (std::string_view(kNames[i].name) == kNames[j].name) {
          return false;
        }
      }
    }
    for (std::size_t i = 1; i < kCount; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (options()[i].id == options()[j].id) {
          return false;
        }
      }
    }
    for (const char letter : kLetters) {
      if (letter != 0 && letter != ':' && std::ranges::count(kLetters, letter) != 1) {
        return false;
      }
    }
    return true;
  }
  static_assert(unambiguous());
  static_assert(static_cast<int>(Argument::required) == required_argument &&
                static_cast<int>(Argument::optional) == optional_argument);
};

}  // namespace detail

// Of the first kCount of kOptions.
template <const auto& kOptions, std::size_t kCount = std::size(kOptions),
          NameOrder kBefore = alphabetically>
inline constexpr Getopt kGetopt = {detail::GetoptArrays<kOptions, kCount, kBefore>::kLetters.data(),
                                   detail::GetoptArrays<kOptions, kCount, kBefore>::kNames.data()};

}  // namespace trawl::cli
