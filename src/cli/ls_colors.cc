// SPDX-License-Identifier: Apache-2.0
#include "cli/ls_colors.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <initializer_list>

namespace trawl::cli {

namespace {

constexpr std::string_view kDefaults =
    "di=01;34:ln=01;36:pi=33:so=01;35:bd=01;33:cd=01;33:su=37;41:sg=30;43:tw=30;42:ow=34;42:st=37;44:"
    "ex=01;32";

// Reads up to an unescaped `end` or ':'. Backslash and caret escapes as in dircolors.
std::string unescaped(std::string_view text, std::size_t& at, char end) {
  std::string out;
  for (; at < text.size() && text[at] != end && text[at] != ':'; ++at) {
    char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      c = text[++at];
      switch (c) {
        case 'a': c = '\a'; break;
        case 'b': c = '\b'; break;
        case 'e': c = '\033'; break;
        case 'f': c = '\f'; break;
        case 'n': c = '\n'; break;
        case 'r': c = '\r'; break;
        case 't': c = '\t'; break;
        case 'v': c = '\v'; break;
        case '_': c = ' '; break;
        default: break;
      }
    } else if (c == '^' && at + 1 < text.size()) {
      c = static_cast<char>(text[++at] & 0x1f);
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

std::string_view LsColors::of(std::string_view name, FileType type, std::uint32_t mode) const {
  constexpr std::uint32_t kSticky = 01000;
  constexpr std::uint32_t kSetGid = 02000;
  constexpr std::uint32_t kSetUid = 04000;
  constexpr std::uint32_t kOtherWrite = 00002;
  constexpr std::uint32_t kExecute = 00111;
  const auto first = [this](std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (const std::string_view value = indicator(key); !value.empty()) {
        return value;
      }
    }
    return std::string_view();
  };
  switch (type) {
    case FileType::directory: {
      const bool sticky = (mode & kSticky) != 0;
      const bool open = (mode & kOtherWrite) != 0;
      return sticky && open ? first({"tw", "ow", "di"})
             : open         ? first({"ow", "di"})
             : sticky       ? first({"st", "di"})
                            : first({"di"});
    }
    case FileType::symlink: return indicator("ln");
    case FileType::fifo: return indicator("pi");
    case FileType::socket: return indicator("so");
    case FileType::block_device: return indicator("bd");
    case FileType::character_device: return indicator("cd");
    default: break;
  }
  if ((mode & kSetUid) != 0 && !indicator("su").empty()) {
    return indicator("su");
  }
  if ((mode & kSetGid) != 0 && !indicator("sg").empty()) {
    return indicator("sg");
  }
  if ((mode & kExecute) != 0 && !indicator("ex").empty()) {
    return indicator("ex");
  }
  const auto suffix = std::find_if(suffixes_.rbegin(), suffixes_.rend(), [name](const auto& entry) {
    return name.ends_with(entry.first);
  });
  return suffix != suffixes_.rend() && !is_nothing(suffix->second)
             ? std::string_view(suffix->second)
             : first({"fi", "no"});
}

}  // namespace trawl::cli
