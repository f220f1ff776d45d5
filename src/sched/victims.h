// SPDX-License-Identifier: Apache-2.0
//
// The order in which a thief looks at the other workers: in turn from its neighbour on, so that
// thieves spread. Where the machine has several nodes of memory, those that run on the thief's own
// come first. Other orders were measured and brought nothing (docs/scaling.md).
#pragma once

namespace trawl::sched {

// Calls look(victim) for each until it returns true; whether one did.
template <class Look>
bool look_at_victims(unsigned thief, unsigned workers, Look look) {
  for (unsigned i = 1; i < workers; ++i) {
    if (look((thief + i) % workers)) {
      return true;
    }
  }
  return false;
}

// The same, those first for which is_near(victim) holds.
template <class IsNear, class Look>
bool look_at_victims(unsigned thief, unsigned workers, IsNear is_near, Look look) {
  const auto look_where = [&](bool near) {
    return look_at_victims(
        thief, workers, [&](unsigned victim) { return is_near(victim) == near && look(victim); });
  };
  return look_where(true) || look_where(false);
}

}  // namespace trawl::sched
