// SPDX-License-Identifier: Apache-2.0
//
// How many workers should run: a pure function of what was observed, without clocks or threads, so
// that it can be simulated (controller_test.cc).
//
// Work that the processor limits wants as many workers as there are cores. Work that waits for a
// disk or a server wants as many as the medium serves at once, which only trying tells. So:
//   - Every change is a trial: the calls per second after it are compared with those before it, and
//   it
//     is kept or taken back.
//   - Upwards while the workers do not use up the cores' time, all of them run and nobody lacks
//   work: at
//     once again if it brought much, else after a hold. Downwards, after a hold, if fewer do the
//     same. If the cores are used up by more workers than cores, a trial with as many as cores
//     tells whether the rest is of use (it is when calls wait and compute in turn).
//   - A trial that changes nothing makes the next hold longer. A hold ends early when the pace
//   becomes
//     another one, so a new regime is noticed within about kLongestInterval.
//   - A trial is judged after every worker has had time for a call or two, so that it follows the
//     medium's latency, and when the difference is larger than chance, or patience ends.
//   - If no call returns at all, the limit grows anyway (the workers may be stuck in a dead part of
//   the
//     tree, and the latency be long), and when calls return, a trial goes back to what was before.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace trawl::sched {

// What the workers did since the last observation.
struct Observation {
  std::chrono::nanoseconds elapsed{0};
  std::chrono::nanoseconds run_time{0};  // of all workers together, while they were not parked
  std::uint64_t calls = 0;               // system calls that returned
  std::chrono::nanoseconds cpu{0};  // processor time, of all workers together
  // Time that they were ready to run, and others ran; not part of cpu. With it, a busy machine is
  // not taken for a slow medium; without it (0), trials tell.
  std::chrono::nanoseconds waited{0};
  bool starved = false;  // some worker is parked for lack of work
};

struct Decision {
  unsigned limit = 1;  // workers that may run
  // Until the next observation.
  std::chrono::nanoseconds interval{0};
  // Wall time that a worker takes for a call, on average; 0 if not known yet. What a piece of
  // shared work should be worth follows from it.
  std::chrono::nanoseconds call_time{0};
};

class Controller {
 public:
  struct Machine {
    unsigned cores = 1;       // that the process may keep busy
    unsigned ceiling = 256;   // the most workers
    bool rotational = false;  // start with one, and let each step prove itself
  };

  explicit Controller(Machine machine);

  // Before the first observation.
  Decision first() const { return decision(); }
  Decision observe(const Observation& observation);

 private:
  // What was seen under one limit. Seconds.
  struct Window {
    double seconds = 0;
    double calls = 0;
    double cpu = 0;
    double waited = 0;
    double most_cpu = 0;  // that so many workers could have used
    double of_workers = 0;

    // Of one worker while it runs. That of all would also tell how much work there was.
    double rate() const { return of_workers > 0 ? calls / of_workers : 0; }
    bool idle() const;
    bool busy() const;
    void add(const Window& other);
  };

  Decision decision() const;
  // Is there work for more?
  bool all_run() const { return running_ >= 0.8 * limit_; }
  bool pace_changed(const Window& now);
  void grow_in_stall();
  void judge();
  void probe();
  void start_trial(unsigned limit);
  void set_limit(unsigned limit);
  void hold();
  void new_regime();
  double patience() const;
  unsigned other_limit() const;

  const unsigned cores_;
  const unsigned ceiling_;
  bool rotational_;
  const unsigned home_;  // the limit of work that the processor limits

  unsigned limit_;
  Window window_;  // under limit_
  double since_change_ = 0;
  double interval_;
  double call_time_ = 0;
  double running_ = 0;  // on average, of late

  bool trial_ = false;
  unsigned base_limit_ = 0;  // before the trial
  Window base_;

  double hold_ = 0;  // left
  double held_ = 0;
  double next_hold_;
  bool climbing_ = true;  // no trial has failed yet
  bool down_next_ = false;
  bool cores_used_ = false;  // by as many workers, at the last look
  bool odd_pace_ = false;

  double silent_ = 0;  // since a call returned
  double patience_in_stall_;
  unsigned before_stall_ = 0;  // the limit to go back to; 0 if it did not grow in a stall
};

}  // namespace trawl::sched
