// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace trawl::cli {

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::array<std::pair<std::string_view, double>, 6> kUnits = {
      {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  for (const auto& [name, seconds] : kUnits) {
    if (unit == name) {
      constexpr double kMax = 100.0 * 366 * 86400;
      const double total = value * seconds;
      if (!(total > 0 && total <= kMax)) {
        return std::nullopt;
      }
      const auto nanoseconds = std::llround(total * 1e9);
      return nanoseconds > 0 ? std::optional(std::chrono::nanoseconds(nanoseconds)) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace trawl::cli
