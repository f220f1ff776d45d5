// SPDX-License-Identifier: Apache-2.0
#include "cli/ls_colors.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace trawl::cli {

namespace {

constexpr std::string_view kDefaults =
    "di=01;34:ln=01;36:pi=33:so=01;35:bd=01;33:cd=01;33:su=37;41:sg=30;43:tw=30;42:ow=34;42:st=37;"
    "44:"
    "ex=01;32";

// The digits of base 8 or 16 at `at`, as many as a byte has. None: 0.
char byte_in_digits(std::string_view text, std::size_t& at, int base, std::size_t most) {
  unsigned char value = 0;
  const std::string_view digits = text.substr(at, most);
  const char* end = std::from_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  at += static_cast<std::size_t>(end - digits.data());
  return static_cast<char>(value);
}

// What follows a backslash.
char unescaped_character(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'e': return '\033';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '?': return '\177';
    case '_': return ' ';
    case 'x':
    case 'X': return byte_in_digits(text, at, 16, 2);
    default: break;
  }
  if (c >= '0' && c <= '7') {
    --at;
    return byte_in_digits(text, at, 8, 3);
  }
  return c;
}

// Reads up to an unescaped `end` or ':'. Backslash and caret escapes as in dir_colors(5).
std::string unescaped(std::string_view text, std::size_t& at, char end) {
  std::string out;
  while (at < text.size() && text[at] != end && text[at] != ':') {
    char c = text[at++];
    if (c == '\\' && at < text.size()) {
      c = unescaped_character(text, at);
    } else if (c == '^' && at < text.size()) {
      c = text[at] == '?' ? '\177' : static_cast<char>(text[at] & 0x1f);
      ++at;
    }
    out += c;
  }
  return out;
}

// Only digits and separators reach a terminal, whatever the environment says.
bool is_safe(std::string_view parameters) {
  return std::all_of(parameters.begin(), parameters.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == ';' || c == ':';
  });
}

bool is_nothing(std::string_view parameters) {
  return parameters.empty() || parameters == "0" || parameters == "00";
}

}  // namespace

LsColors::LsColors(std::string_view definition) {
  for (std::size_t at = 0; at < definition.size();) {
    if (definition[at] == ':') {
      ++at;
      continue;
    }
    const bool is_suffix = definition[at] == '*';
    at += is_suffix ? 1 : 0;
    std::string key = unescaped(definition, at, '=');
    if (at == definition.size() || definition[at] != '=') {
      return;
    }
    ++at;
    std::string value = unescaped(definition, at, ':');
    if (!is_safe(value)) {
      continue;
    }
    if (is_suffix) {
      suffixes_.emplace_back(std::move(key), std::move(value));
    } else {
      indicators_[std::move(key)] = std::move(value);
    }
  }
}

LsColors LsColors::from_environment() {
  const char* value = std::getenv("LS_COLORS");
  return LsColors(value != nullptr && *value != '\0' ? std::string_view(value) : kDefaults);
}

std::string_view LsColors::indicator(const char* key) const {
  const auto found = indicators_.find(key);
  return found == indicators_.end() || is_nothing(found->second) ? std::string_view()
                                                                 : found->second;
}

// An explicit nothing is that.
std::string_view LsColors::indicator_or_normal(const char* key) const {
  return indicators_.find(key) != indicators_.end() ? indicator(key) : indicator("no");
}

std::string_view LsColors::of_directory(std::uint32_t mode) const {
  constexpr std::uint32_t kSticky = 01000;
  constexpr std::uint32_t kOtherWrite = 00002;
  const bool sticky = (mode & kSticky) != 0;
  const bool open = (mode & kOtherWrite) != 0;
  std::string_view out = sticky && open ? indicator("tw") : std::string_view();
  if (out.empty() && open) {
    out = indicator("ow");
  }
  if (out.empty() && sticky) {
    out = indicator("st");
  }
  return out.empty() ? indicator_or_normal("di") : out;
}

std::string_view LsColors::of_file(std::string_view name, std::uint32_t mode) const {
  constexpr std::pair<std::uint32_t, const char*> kModes[] = {
      {04000, "su"}, {02000, "sg"}, {00111, "ex"}};
  for (const auto& [bits, key] : kModes) {
    if ((mode & bits) != 0 && !indicator(key).empty()) {
      return indicator(key);
    }
  }
  const Suffix* found = nullptr;
  for (auto suffix = suffixes_.rbegin(); suffix != suffixes_.rend(); ++suffix) {
    const std::string& end = suffix->first;
    if (name.ends_with(end)) {
      found = &*suffix;
      break;
    }
    if (found == nullptr && name.size() >= end.size() &&
        ::strncasecmp(name.data() + name.size() - end.size(), end.data(), end.size()) == 0) {
      found = &*suffix;
    }
  }
  if (found == nullptr) {
    return indicator_or_normal("fi");
  }
  return is_nothing(found->second) ? std::string_view() : found->second;
}

std::string_view LsColors::of(std::string_view name, FileType type, std::uint32_t mode) const {
  switch (type) {
    case FileType::directory: return of_directory(mode);
    case FileType::symlink: return indicator_or_normal("ln");
    case FileType::fifo: return indicator_or_normal("pi");
    case FileType::socket: return indicator_or_normal("so");
    case FileType::block_device: return indicator_or_normal("bd");
    case FileType::character_device: return indicator_or_normal("cd");
    default: return of_file(name, mode);
  }
}

}  // namespace trawl::cli
