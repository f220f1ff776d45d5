// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "cli/number.h"

#include <utf8proc.h>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace trawl::cli {

namespace {

constexpr std::size_t kMinColumns = 20;
constexpr std::size_t kMaxColumns = 1000;  // and rows

std::string_view from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

std::size_t number_from_environment(const char* name, std::size_t fallback) {
  return parse_in_range<std::size_t>(from_environment(name), 1, kMaxColumns).value_or(fallback);
}

struct Character {
  std::size_t bytes = 1;
  utf8proc_int32_t code = -1;  // negative: not a character
};

Character first_character(std::string_view text, bool utf8) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x80) {
    return {1, byte};
  }
  Character out;
  if (utf8) {
    utf8proc_int32_t code = -1;
    const utf8proc_ssize_t size =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                         static_cast<utf8proc_ssize_t>(text.size()), &code);
    if (size > 0) {
      out = {static_cast<std::size_t>(size), code};
    }
  }
  return out;
}

std::size_t width_of_code(utf8proc_int32_t code) {
  const int width = code < 0 ? 1 : utf8proc_charwidth(code);
  return width < 0 ? 0 : static_cast<std::size_t>(width);
}

bool is_shown(utf8proc_int32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
    return false;
  }
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    case UTF8PROC_CATEGORY_CF:
      // Format characters can turn text around; the joiners of emoji and Indic scripts are needed.
      return code == 0x200c || code == 0x200d;
    default: return true;
  }
}

}  // namespace

Terminal look_at_terminal(When color) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(STDOUT_FILENO) == 1;
  terminal.columns = number_from_environment("COLUMNS", terminal.columns);
  terminal.rows = number_from_environment("LINES", terminal.rows);
  winsize size{};
  if (terminal.is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    terminal.columns = size.ws_col > 0 ? size.ws_col : terminal.columns;
    terminal.rows = size.ws_row > 0 ? size.ws_row : terminal.rows;
  }
  terminal.columns = std::clamp(terminal.columns, kMinColumns, kMaxColumns);
  const std::string_view force = from_environment("CLICOLOR_FORCE");
  const bool wanted =
      from_environment("NO_COLOR").empty() &&
      ((!force.empty() && force != "0") || (terminal.is_terminal && !is_dumb_terminal()));
  terminal.color = color == When::always || (color == When::automatic && wanted);
  terminal.utf8 = is_utf8_locale();
  return terminal;
}

bool is_utf8_locale() { return std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

std::size_t columns_now(int descriptor) {
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0) {
    return SIZE_MAX;
  }
  return size.ws_col > 0 ? size.ws_col : Terminal{}.columns;
}

bool is_dumb_terminal() {
  const std::string_view kind = from_environment("TERM");
  return kind.empty() || kind == "dumb";
}

std::string painted(std::string_view text, std::string_view color, const Terminal& terminal) {
  std::string out(text);
  if (terminal.color && !color.empty() && !text.empty()) {
    out = "\033[" + std::string(color) + "m" + out + "\033[0m";
  }
  return out;
}

std::string printable(std::string_view name, bool utf8) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const Character character = first_character(name.substr(at), utf8);
    if (character.code == '\\') {
      out += "\\\\";
    } else if (character.code >= 0 && is_shown(character.code)) {
      out += name.substr(at, character.bytes);
    } else {
      for (const char c : name.substr(at, character.bytes)) {
        char text[8];
        std::snprintf(text, sizeof text, "\\x%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += text;
      }
    }
    at += character.bytes;
  }
  return out;
}

std::size_t width_of(std::string_view text, bool utf8) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at), utf8);
    width += width_of_code(character.code);
    at += character.bytes;
  }
  return width;
}

std::string fitted(std::string_view text, std::size_t columns, bool utf8) {
  const std::string_view gap = utf8 ? "…" : "..";
  const std::size_t gap_width = utf8 ? 1 : 2;
  if (width_of(text, utf8) <= columns) {
    return std::string(text);
  }
  if (columns <= gap_width) {
    return std::string(columns, '.');
  }
  const std::size_t front_room = (columns - gap_width + 1) / 2;
  const std::size_t back_room = columns - gap_width - front_room;
  // Starts of characters and the columns before each; a combining mark goes with what it is on.
  std::vector<std::pair<std::size_t, std::size_t>> starts;
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at), utf8);
    const std::size_t own = width_of_code(character.code);
    if (own > 0 || starts.empty()) {
      starts.emplace_back(at, width);
    }
    width += own;
    at += character.bytes;
  }
  starts.emplace_back(text.size(), width);
  std::size_t front_end = 0;
  for (const auto& [at, before] : starts) {
    front_end = before <= front_room ? at : front_end;
  }
  std::size_t back_begin = text.size();
  for (auto start = starts.rbegin(); start != starts.rend() && width - start->second <= back_room;
       ++start) {
    back_begin = start->first;
  }
  return std::string(text.substr(0, front_end)) + std::string(gap) +
         std::string(text.substr(back_begin));
}

}  // namespace trawl::cli
