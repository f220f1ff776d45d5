// SPDX-License-Identifier: Apache-2.0
//
// A machine with any number of cores and a clock that stands still: what runs on it is the real
// library, unchanged, each of its threads a stack that this one thread switches between.
//
// The library meets the machine where it would meet libc: virtual_machine.cc defines pthread_create
// and join, mutexes, condition variables, futexes, the steady clock, and trawl::sys' thread times
// and limits, and the linker takes these. Computing itself takes no virtual time; only what spend()
// is told does.
//
// Order. A thread may be ahead of the others, since its time passes with spend() alone; before it
// does or looks at anything that others may see it calls sync(), which lets all run that are
// behind. Locks, sleeps and wake-ups do that by themselves. Atomics can't, so that a thread may see
// one up to the last step (Costs::step) too early or too late.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace trawl::simulate {

// Nanoseconds of what threads do to one another.
struct ThreadCosts {
  double start_thread;         // for who starts it
  double until_thread_begins;  // from then on
  double wake;                 // for who wakes another
  double until_awake;
  double lock;           // a mutex that this thread had last
  double lock_of_other;  // one that another had
  double lock_of_far;    // one that a thread of another node had
  double look;           // at another worker's deque, when looking at all in vain
  double find_cores;     // usable_cores()
  double step;           // the longest time that passes at once
};

enum class Use : std::uint8_t { work, contention, sharing };
inline constexpr int kUses = 3;

struct Times {
  double wall = 0;
  double used[kUses] = {};
  double expanded_at = 0;  // when the number of cores was asked for
  // Running threads, the monitor left out: when and by how many it changed.
  std::vector<std::pair<double, int>> running;
  std::vector<double> started;
};

class Machine {
 public:
  // Factor of a kernel call's time when so many threads run.
  using Slowdown = std::function<double(double running)>;

  // Threads run on `nodes` nodes of memory in turn; the library is told so if `tells_nodes`.
  Machine(unsigned cores, const ThreadCosts& costs, Slowdown slowdown, unsigned nodes = 1,
          bool tells_nodes = false);
  ~Machine();

  // Runs `work` as the first thread until it and all that it started have ended.
  Times run(const std::function<void()>& work);

  // On the thread that runs.
  void spend(double time, Use use);
  // A kernel call: longer where others run; `more` is a factor of its own.
  template <class More>
  void call(double time, Use use, More more) {
    sync();
    while (time > 0) {
      const double part = time < costs_.step ? time : costs_.step;
      time -= part;
      spend(part, use);
      spend(part * (slowdown() * more() - 1), Use::contention);
      sync();
    }
  }
  void call(double time, Use use) {
    call(time, use, [] { return 1.0; });
  }
  void sync();

  static Machine* current();
  struct Thread;
  struct State;
  State& state() { return *state_; }
  unsigned cores() const { return cores_; }
  unsigned nodes() const { return nodes_; }
  bool tells_nodes() const { return tells_nodes_; }
  const ThreadCosts& costs() const { return costs_; }

 private:
  double slowdown() const;

  const unsigned cores_;
  const ThreadCosts costs_;
  const Slowdown slowdown_;
  const unsigned nodes_;
  const bool tells_nodes_;
  State* state_;
};

}  // namespace trawl::simulate
