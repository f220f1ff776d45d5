// SPDX-License-Identifier: Apache-2.0
//
// Where idle workers sleep: an event count on a futex (through std::atomic::wait).
//
// Protocol. A worker that found no work calls prepare(), looks once more, and then either cancel()s or
// park()s with the ticket. Who makes work visible calls unpark_one() after that. Both sides write
// before they read, sequentially consistent: either the worker sees the work in its second look, or the
// other side sees the sleeper and changes the epoch, so that park() returns at once. No wake-up is lost;
// a superfluous one costs a look.
#pragma once

#include <atomic>
#include <cstdint>

namespace trawl::sched {

class Parking {
 public:
  using Ticket = std::uint32_t;

  Ticket prepare() {
    sleepers_.fetch_add(1);
    return epoch_.load();
  }
  void cancel() { sleepers_.fetch_sub(1); }
  void park(Ticket ticket) {
    epoch_.wait(ticket);
    sleepers_.fetch_sub(1);
  }

  // True if somebody sleeps or is about to.
  bool has_sleepers() const { return sleepers_.load() != 0; }
  unsigned sleepers() const { return sleepers_.load(); }

  void unpark_one() {
    epoch_.fetch_add(1);
    epoch_.notify_one();
  }
  void unpark_all() {
    epoch_.fetch_add(1);
    epoch_.notify_all();
  }

 private:
  std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace trawl::sched
