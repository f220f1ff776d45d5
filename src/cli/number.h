// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace trawl::cli {

// Most threads that --threads takes.
inline constexpr unsigned kMaxThreads = 1024;

// The whole text as a decimal number from `least` to `most`.
template <class T>
std::optional<T> parse_in_range(std::string_view text, T least, T most) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || !(value >= least && value <= most)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace trawl::cli
