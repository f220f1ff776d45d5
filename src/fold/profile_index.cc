// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_index.h"

#include <chrono>
#include <cstring>

namespace trawl::fold {

namespace {

// Both halves of the product: each bit of it depends on each of both factors.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Another one in each process.
const std::uint64_t seed = [] {
  static const char here = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return mix(reinterpret_cast<std::uintptr_t>(&here) ^ 0x9E3779B97F4A7C15U,
             static_cast<std::uint64_t>(now) | 1);
}();

}  // namespace

std::uint64_t hash_of(std::string_view bytes, std::uint64_t number) {
  constexpr std::uint64_t kFactor = 0xD6E8FEB86659FD93U;
  std::uint64_t hash = mix(seed ^ number, kFactor) ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (std::uint64_t word = 0; left >= sizeof word; at += sizeof word, left -= sizeof word) {
    std::memcpy(&word, at, sizeof word);
    hash = mix(hash ^ word, kFactor);
  }
  std::uint64_t word = 0;
  if (left >= 4) {  // both ends, which may overlap
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::memcpy(&begin, at, sizeof begin);
    std::memcpy(&end, at + left - sizeof end, sizeof end);
    word = std::uint64_t{begin} << 32 | end;
  } else if (left > 0) {
    word = std::uint64_t{static_cast<unsigned char>(at[0])} << 16 |
           std::uint64_t{static_cast<unsigned char>(at[left / 2])} << 8 |
           static_cast<unsigned char>(at[left - 1]);
  }
  return mix(hash ^ word, kFactor);
}

}  // namespace trawl::fold
