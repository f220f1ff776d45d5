// SPDX-License-Identifier: Apache-2.0
#include "cli/figures.h"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace trawl::cli {

std::string with_separators(std::uint64_t number) {
  const lconv* locale = std::localeconv();
  std::string_view separator = locale->thousands_sep;
  if (separator.empty()) {
    separator = std::string_view(locale->decimal_point) == "," ? " " : ",";
  }
  std::string out = std::to_string(number);
  for (std::size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, separator);
  }
  return out;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return with_separators(number) + ' ' + (number == 1 ? one : many);
}

std::string duration_text(std::chrono::duration<double> duration) {
  const double seconds = duration.count();
  const auto whole = std::lround(seconds);
  char text[64];
  // Limits are where rounding leaves the unit.
  if (seconds < 0.00995) {
    std::snprintf(text, sizeof text, "%.2f ms", 1e3 * seconds);
  } else if (seconds < 0.9995) {
    std::snprintf(text, sizeof text, "%.0f ms", 1e3 * seconds);
  } else if (seconds < 59.995) {
    std::snprintf(text, sizeof text, "%.2f s", seconds);
  } else if (seconds < 3599.5) {
    std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
  }
  return text;
}

std::string rate_text(std::uint64_t entries, std::chrono::duration<double> duration) {
  const double seconds = std::max(duration.count(), 1e-6);
  return with_separators(static_cast<std::uint64_t>(static_cast<double>(entries) / seconds)) +
         " entries/s";
}

}  // namespace trawl::cli
