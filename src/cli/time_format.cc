// SPDX-License-Identifier: Apache-2.0
#include "cli/time_format.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace trawl::cli {

namespace {

// %N: nine digits, or the first `width` of them, or zeros behind them. With '-' trailing zeros go,
// with '_' they turn into spaces.
void append_nanoseconds(std::string& out, std::uint32_t nanoseconds, std::string_view flags,
                        std::size_t width) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%09u", nanoseconds);
  std::string text(digits);
  const bool blank = flags.find('_') != std::string_view::npos;
  const bool strip = flags.find('-') != std::string_view::npos;
  text.resize(width == 0 ? 9 : width, '0');
  if (strip || blank) {
    std::size_t end = text.size();
    while (end > 1 && text[end - 1] == '0') {
      --end;
    }
    text.resize(end);
    if (blank) {
      text.resize(width == 0 ? 9 : width, ' ');
    }
  }
  out += text;
}

// %:z +hh:mm, %::z +hh:mm:ss, %:::z as short as it is exact.
void append_zone(std::string& out, long offset, std::size_t colons) {
  const char sign = offset < 0 ? '-' : '+';
  const long seconds = std::labs(offset);
  const long h = seconds / 3600;
  const long m = seconds / 60 % 60;
  const long s = seconds % 60;
  char text[48];
  if (colons == 2 || (colons == 3 && s != 0)) {
    std::snprintf(text, sizeof text, "%c%02ld:%02ld:%02ld", sign, h, m, s);
  } else if (colons == 1 || m != 0) {
    std::snprintf(text, sizeof text, "%c%02ld:%02ld", sign, h, m);
  } else {
    std::snprintf(text, sizeof text, "%c%02ld", sign, h);
  }
  out += text;
}

// One conversion of strftime, whatever length it takes.
void append_conversion(std::string& out, const std::string& conversion, const std::tm& tm) {
  // An empty result looks like one that did not fit: a mark behind it tells them apart.
  const std::string marked = conversion + '.';
  std::string text(128, '\0');
  std::size_t size = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"  // the format is the user's, by contract
  while ((size = std::strftime(text.data(), text.size(), marked.c_str(), &tm)) == 0 &&
         text.size() < (std::size_t{1} << 20)) {
    text.resize(4 * text.size());
  }
#pragma GCC diagnostic pop
  out.append(text, 0, size == 0 ? 0 : size - 1);
}

}  // namespace

bool append_time(std::string& out, const Timestamp& time, const std::string& format) {
  const std::time_t seconds = time.seconds;
  std::tm tm{};
  if (::localtime_r(&seconds, &tm) == nullptr) {
    out += std::to_string(time.seconds);
    return false;
  }
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    std::size_t end = at + 1;
    const std::size_t flags_begin = end;
    while (end < format.size() && std::string_view("_-+0^#").find(format[end]) != std::string::npos) {
      ++end;
    }
    const std::string_view flags = std::string_view(format).substr(flags_begin, end - flags_begin);
    std::size_t width = 0;
    while (end < format.size() && std::isdigit(static_cast<unsigned char>(format[end])) != 0) {
      width = width * 10 + static_cast<std::size_t>(format[end++] - '0');
      width = width > 4096 ? 4096 : width;
    }
    std::size_t colons = 0;
    while (end < format.size() && format[end] == ':') {
      ++colons;
      ++end;
    }
    if (end < format.size() && (format[end] == 'E' || format[end] == 'O')) {
      ++end;
    }
    if (end == format.size()) {
      out += format.substr(at);  // ends in the middle of a conversion
      break;
    }
    const char letter = format[end++];
    if (letter == 'N' && colons == 0) {
      append_nanoseconds(out, time.nanoseconds, flags, width);
    } else if (letter == 'z' && colons > 0 && colons <= 3) {
      append_zone(out, tm.tm_gmtoff, colons);
    } else {
      append_conversion(out, format.substr(at, end - at), tm);
    }
    at = end;
  }
  return true;
}

}  // namespace trawl::cli
