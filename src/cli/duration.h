// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace trawl::cli {

// "10", "10s", "1.5m", "500ms", "2h", "1d": seconds if no unit is given. None if it is no positive
// duration of at most 100 years.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace trawl::cli
