// SPDX-License-Identifier: Apache-2.0
#include "cli/quoting_style.h"

#include <langinfo.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <cwchar>

#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "literal", "shell",   "shell-always", "shell-escape", "shell-escape-always",
    "c",       "c-maybe", "escape",       "locale",       "clocale"};

// The letter of a backslash escape, or 0.
char escape_letter(char c) {
  constexpr std::string_view kControls = "\a\b\f\n\r\t\v";
  const std::size_t at = kControls.find(c);
  return at == std::string_view::npos ? '\0' : "abfnrtv"[at];
}

// Calls f(character, printable) for each character; a byte that begins none is one of its own.
template <class F>
void for_each_character(std::string_view text, F f) {
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t wide = 0;
    std::size_t size = std::mbrtowc(&wide, text.data(), text.size(), &state);
    bool printable = iswprint(static_cast<wint_t>(wide)) != 0;
    if (size == static_cast<std::size_t>(-1)) {
      state = {};
      size = 1;
      printable = false;
    } else if (size == static_cast<std::size_t>(-2)) {
      size = text.size();
      printable = false;
    }
    size = std::max<std::size_t>(size, 1);
    f(text.substr(0, size), printable);
    text.remove_prefix(size);
  }
}

// As in the source of a C program; `quote` around it, and escaped in it, if it is not 0.
std::string c_quoted(std::string_view name, char quote) {
  std::string out;
  const auto add_quote = [&] {
    if (quote != 0) {
      out += quote;
    }
  };
  add_quote();
  for_each_character(name, [&](std::string_view character, bool printable) {
    const char first = character[0];
    if (const char letter = escape_letter(first)) {
      out += '\\';
      out += letter;
    } else if (!printable) {
      for (const char c : character) {
        const auto byte = static_cast<unsigned char>(c);
        out += '\\';
        for (const int shift : {6, 3, 0}) {
          out += static_cast<char>('0' + ((byte >> shift) & 7));
        }
      }
    } else {
      if (first == '\\' || (quote != 0 && first == quote)) {
        out += '\\';
      }
      out += character;
    }
  });
  add_quote();
  return out;
}

bool needs_c_quotes(std::string_view name) {
  bool needs = false;
  for_each_character(name, [&](std::string_view character, bool printable) {
    needs |= !printable || character == "\"";
  });
  return needs;
}

// In quotes of the shell, control characters as they are.
std::string shell_quoted(std::string_view name) {
  // Within double quotes a shell leaves these alone, and so does C.
  const auto is_harmless = [&] {
    constexpr std::string_view kSpecial = "!\"$&()*;<=>[^`|\\?\n\r\t\a\b\f\v";
    bool harmless = name.find_first_of(kSpecial) == std::string_view::npos;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      harmless &=
          !((c == '#' || c == '~') && i > 0) && !((c == '{' || c == '}') && name.size() > 1);
    }
    for_each_character(name, [&](std::string_view, bool printable) { harmless &= printable; });
    return harmless;
  };
  if (name.find('\'') != std::string_view::npos && is_harmless()) {
    return '"' + std::string(name) + '"';
  }
  std::string out = "'";
  for (const char c : name) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool needs_shell_quotes(std::string_view name) {
  if (name.find_first_of(" '!\"$&()*;<=>[^`|\\?\n\r\t") != std::string_view::npos || name.empty()) {
    return true;
  }
  return name[0] == '#' || name[0] == '~' || name == "{" || name == "}";
}

// quote_if_needed() also quotes for the colon that follows in messages.
bool needs_shell_escapes(std::string_view name) {
  std::string without_colons(name);
  std::replace(without_colons.begin(), without_colons.end(), ':', '_');
  return quote_if_needed(without_colons) != without_colons;
}

}  // namespace

std::optional<QuotingStyle> parse_quoting_style(std::string_view name) {
  std::optional<QuotingStyle> found;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<QuotingStyle>(i);
    }
    if (kNames[i].starts_with(name)) {
      if (found) {
        return std::nullopt;  // an exact one would have come first: each is before its extensions
      }
      found = static_cast<QuotingStyle>(i);
    }
  }
  return found;
}

std::string quoted(std::string_view name, QuotingStyle style) {
  const bool utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  switch (style) {
    case QuotingStyle::literal:
      return std::string(name);
    case QuotingStyle::shell:
      return needs_shell_quotes(name) ? shell_quoted(name) : std::string(name);
    case QuotingStyle::shell_always:
      return shell_quoted(name);
    case QuotingStyle::shell_escape:
      return needs_shell_escapes(name) ? quote_always(name) : std::string(name);
    case QuotingStyle::shell_escape_always:
      return quote_always(name);
    case QuotingStyle::c:
      return c_quoted(name, '"');
    case QuotingStyle::c_maybe:
      return needs_c_quotes(name) ? c_quoted(name, '"') : std::string(name);
    case QuotingStyle::escape:
      return c_quoted(name, 0);
    case QuotingStyle::locale:
      return quote_word(name);
    case QuotingStyle::clocale:
      return utf8 ? quote_word(name) : c_quoted(name, '"');
  }
  return {};
}

}  // namespace trawl::cli
