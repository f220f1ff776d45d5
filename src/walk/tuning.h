// SPDX-License-Identifier: Apache-2.0
//
// What tests force upon a walk, which decides these by itself otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace trawl::engine {

struct Tuning {
  std::uint32_t piece = 0;        // entries of a slice that are one unit of work; 0: by their cost
  bool share_always = false;      // also when nobody lacks work
  std::size_t listing_buffer = 0;  // bytes, at most as many as usual; 0: as many
  std::size_t read_before_split = 0;  // bytes of a range; 0: as usual
  std::uint64_t limits_seed = 0;  // not 0: another random limit of workers each millisecond

  // By the environment's TRAWL_TUNING ("piece=2,share,buffer=512,split=1,limits=7"), in builds that have TRAWL_TESTING.
  static Tuning from_environment();
};

}  // namespace trawl::engine
