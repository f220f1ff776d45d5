// SPDX-License-Identifier: Apache-2.0
#include "walk/tuning.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace trawl::engine {

namespace {

constexpr std::size_t kLeastBuffer = 512;  // a longest record fits
constexpr std::size_t kMostBuffer = std::size_t{16} << 20;

}  // namespace

Tuning Tuning::from_environment() {
  Tuning tuning;
  const char* const text = std::getenv("TRAWL_TUNING");
  for (std::string_view rest = text != nullptr ? text : ""; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::uint64_t value =
        equals == std::string_view::npos ? 1 : std::strtoull(word.data() + equals + 1, nullptr, 10);
    if (name == "dont-sync") {
      tuning.dont_sync = value != 0;
    } else if (name == "inode-order") {
      tuning.inode_order = value != 0;
    } else if (name == "buffer") {
      tuning.listing_buffer = std::clamp<std::size_t>(value, kLeastBuffer, kMostBuffer);
    }
#ifdef TRAWL_TESTING
    if (name == "piece") {
      tuning.piece = static_cast<std::uint32_t>(value);
    } else if (name == "share") {
      tuning.share_always = value != 0;
    } else if (name == "split") {
      tuning.read_before_split = value;
    } else if (name == "limits") {
      tuning.limits_seed = value;
    } else if (name == "nodes") {
      tuning.nodes = static_cast<unsigned>(value);
    }
#endif
  }
  return tuning;
}

}  // namespace trawl::engine
