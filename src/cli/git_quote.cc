// SPDX-License-Identifier: Apache-2.0
#include "cli/git_quote.h"

#include <algorithm>

namespace trawl::cli {

namespace {

constexpr std::string_view kEscaped = "\a\b\t\n\v\f\r\"\\";
constexpr std::string_view kLetters = "abtnvfr\"\\";

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\';
}

}  // namespace

void append_git_quoted(std::string& out, std::string_view name) {
  if (std::none_of(name.begin(), name.end(), needs_escape)) {
    out += name;
    return;
  }
  out += '"';
  for (const char c : name) {
    if (!needs_escape(c)) {
      out += c;
      continue;
    }
    out += '\\';
    if (const std::size_t at = kEscaped.find(c); at != std::string_view::npos) {
      out += kLetters[at];
    } else {
      const auto byte = static_cast<unsigned char>(c);
      for (const int shift : {6, 3, 0}) {
        out += static_cast<char>('0' + (byte >> shift & 7));
      }
    }
  }
  out += '"';
}

std::optional<std::string> git_unquoted(std::string_view word) {
  std::string out;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (word[i] == '"') {
      return i + 1 == word.size() ? std::optional(out) : std::nullopt;
    }
    if (word[i] != '\\') {
      out += word[i];
      continue;
    }
    if (++i == word.size()) {
      break;
    }
    const std::size_t at = kLetters.find(word[i]);
    if (at != std::string_view::npos) {
      out += kEscaped[at];
      continue;
    }
    unsigned byte = 0;
    for (std::size_t digit = 0; digit < 3; ++digit, ++i) {
      const bool is_octal =
          i < word.size() && word[i] >= '0' && word[i] <= (digit == 0 ? '3' : '7');
      if (!is_octal) {
        return std::nullopt;
      }
      byte = byte * 8 + static_cast<unsigned>(word[i] - '0');
    }
    --i;
    out += static_cast<char>(byte);
  }
  return std::nullopt;
}

}  // namespace trawl::cli
