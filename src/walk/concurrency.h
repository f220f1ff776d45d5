// SPDX-License-Identifier: Apache-2.0
//
// How many workers a walk may have: what the user pinned, what tests force, or what the controller
// finds within the machine's limits.
#pragma once

#include <cstdint>
#include <optional>

#include "sched/controller.h"

namespace trawl::engine {

class Concurrency {
 public:
  // `threads`: 0 to adapt. `limits_seed`: see Tuning.
  Concurrency(unsigned threads, std::uint64_t limits_seed);

  unsigned most_workers() const { return most_workers_; }

  // Before a second worker starts. `medium`: a path, relative to the descriptor `base`, whose disk
  // may rotate; null if that is of no interest. Reads /proc and /sys: 0.1 to 0.2 ms.
  sched::Decision first(int base, const char* medium);

  // `started`: workers so far.
  sched::Decision decide(const sched::Observation& observation, unsigned started);

 private:
  const bool pinned_;
  const unsigned most_workers_;
  const bool random_;
  std::uint64_t random_state_;
  std::optional<sched::Controller> controller_;
  unsigned limit_without_asking_ = 0;
  unsigned most_threads_ = 0;  // 0: not asked for yet
};

}  // namespace trawl::engine
