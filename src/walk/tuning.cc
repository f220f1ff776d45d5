// SPDX-License-Identifier: Apache-2.0
#include "walk/tuning.h"

#ifdef TRAWL_TESTING
#include <cstdlib>
#include <string_view>
#endif

namespace trawl::engine {

Tuning Tuning::from_environment() {
  Tuning tuning;
#ifdef TRAWL_TESTING
  const char* const text = std::getenv("TRAWL_TUNING");
  for (std::string_view rest = text != nullptr ? text : ""; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view word = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::uint64_t value =
        equals == std::string_view::npos ? 1 : std::strtoull(word.data() + equals + 1, nullptr, 10);
    if (name == "piece") {
      tuning.piece = static_cast<std::uint32_t>(value);
    } else if (name == "share") {
      tuning.share_always = value != 0;
    } else if (name == "buffer") {
      tuning.listing_buffer = value;
    } else if (name == "split") {
      tuning.read_before_split = value;
    } else if (name == "limits") {
      tuning.limits_seed = value;
    }
  }
#endif
  return tuning;
}

}  // namespace trawl::engine
