// SPDX-License-Identifier: Apache-2.0
//
// Letters that differ in case only: Unicode's simple case folding (version 14; statuses C and S of
// CaseFolding.txt), which is also RE2's. No locale.
#pragma once

#include <cstdint>
#include <span>

namespace trawl::match {

// Code points first, first + stride, … last fold to themselves + delta.
struct FoldRange {
  std::uint32_t first, last;
  std::int32_t delta;
  std::uint8_t stride;
  bool upper;  // they are upper-case letters
};

// All but A to Z, ascending.
std::span<const FoldRange> fold_ranges();

std::uint32_t fold_case(std::uint32_t c);
bool is_upper(std::uint32_t c);

}  // namespace trawl::match
