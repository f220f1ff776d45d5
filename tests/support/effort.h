// SPDX-License-Identifier: Apache-2.0
//
// How much of a long test is run: sanitizers slow it down, so they get less of it.
#pragma once

#include <algorithm>

namespace trawl::testing {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#else
inline constexpr bool kThreadSanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// Of so many rounds, those that are worth their time here. At least 1.
constexpr int effort(int rounds) {
  const int divisor = kThreadSanitizer ? 10 : kAddressSanitizer ? 3 : 1;
  return std::max(1, rounds / divisor);
}

}  // namespace trawl::testing
