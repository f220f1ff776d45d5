// SPDX-License-Identifier: Apache-2.0
//
// What is forced upon a walk, which decides it by itself otherwise: by tests, to see that the
// answer stays the same; by who measures on a medium that was not at hand when it was decided
// (docs/system-calls.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace trawl::engine {

struct Tuning {
  std::uint32_t piece = 0;         // entries of a slice that are one unit of work; 0: by their cost
  bool share_always = false;       // also when nobody lacks work
  std::size_t listing_buffer = 0;  // bytes; 0: as many as usual
  std::size_t read_before_split = 0;  // bytes of a range; 0: as usual
  std::uint64_t limits_seed = 0;      // not 0: another random limit of workers each millisecond
  unsigned nodes = 0;        // workers run on so many nodes of memory in turn; 0: where they do
  bool dont_sync = false;    // AT_STATX_DONT_SYNC: what a network filesystem remembers will do
  bool inode_order = false;  // the entries of a batch are stat'ed by ascending inode

  // By the environment's TRAWL_TUNING: "dont-sync,inode-order,buffer=262144", and in builds that
  // have TRAWL_TESTING also "piece=2,share,split=1,limits=7,nodes=2". Other words mean nothing.
  static Tuning from_environment();
};

}  // namespace trawl::engine
