// SPDX-License-Identifier: Apache-2.0
//
// The quoting styles that GNU's tools know by name, from the environment's QUOTING_STYLE. The
// locale decides what is printable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trawl::cli {

enum class QuotingStyle : std::uint8_t {
  literal,
  shell,
  shell_always,
  shell_escape,
  shell_escape_always,
  c,
  c_maybe,
  escape,
  locale,
  clocale,
};

// By name, or by what begins one name only.
std::optional<QuotingStyle> parse_quoting_style(std::string_view name);

std::string quoted(std::string_view name, QuotingStyle style);

}  // namespace trawl::cli
