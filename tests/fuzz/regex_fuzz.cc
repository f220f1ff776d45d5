// SPDX-License-Identifier: Apache-2.0
//
// A regular expression, NUL, texts separated by NUL; before them a byte whose lowest bit says
// whether case counts. All forms of the expression must answer as RE2, and errors be inside the
// pattern.
#include <trawl/pattern.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "match/pattern_re2.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 1024 || !trawl::can_use_regex()) {
    return 0;
  }
  const bool ignore_case = (data[0] & 1) != 0;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string_view regex = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(regex.size());
  try {
    const auto mode = ignore_case ? trawl::Case::ignored : trawl::Case::sensitive;
    const trawl::Pattern pattern = trawl::Pattern::regex(regex, mode);
    (void)trawl::Pattern::regex(regex, trawl::Case::smart);
    const trawl::match::Re2 re2(regex, ignore_case);
    re2.check();
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view text = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(text.size());
      if (pattern.matches(text) != re2.search(text)) {
        std::abort();
      }
    }
  } catch (const trawl::PatternError& error) {
    if (error.position() > regex.size() || error.what() == std::string_view()) {
      std::abort();
    }
  }
  return 0;
}
