// SPDX-License-Identifier: Apache-2.0
//
// Random numbers for tests, the same on every machine, and where their seeds come from: $TRAWL_SEED if
// it is set, chance if that is "random" (as ./dev soak has it), else always the same, so that a change
// is judged by itself. The seed is printed, so that a run that failed can be repeated.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

namespace trawl::testing {

// SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  // 0 to count - 1.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  // Both ends included.
  int between(int least, int most) {
    return least + static_cast<int>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

inline std::uint64_t fresh_seed() {
  const char* const set = std::getenv("TRAWL_SEED");
  std::uint64_t seed = 1;
  if (set != nullptr && *set != '\0' && std::string_view(set) != "random") {
    seed = std::strtoull(set, nullptr, 10);
  } else if (set != nullptr && *set != '\0') {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    seed = Random(std::random_device{}() ^ static_cast<std::uint64_t>(now)).next() % 1'000'000'007;
  }
  std::printf("TRAWL_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace trawl::testing
