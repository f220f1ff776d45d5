// SPDX-License-Identifier: Apache-2.0
//
// How many workers should run: a pure function of what was observed, without clocks or threads, so
// that it can be simulated (controller_test.cc).
//
// Work that the processor limits wants as many workers as there are cores. Work that waits for a
// disk or a server wants as many as the medium serves at once, which only trying tells.
//
// Trials. Every change of the limit is one: what each worker got done while it ran (its own calls
// per second; those of all would also tell how much work there was) times the limit is compared
// with what it was before, and the change is kept or taken back. Observations count only while
// about as many workers run as may, and the trial ends when every worker has had time for a call or
// two and the difference is larger than chance, or when patience ends.
//
// Up, while the cores' time is not used up, as many run as may and nobody lacks work. What brought
// much is followed by the next step at once, else after a hold; what did not is taken back. A fast
// medium's step is kept unless it was clearly worse, a slow one's must bring something, a rotating
// disk's must bring much.
//
// Down, when for a while hardly a worker waits for anything but a processor: towards the number of
// cores, if no less gets done; fewer than that are made as many at once. Rotating disks also try
// one worker from time to time.
//
// A leap, to several dozen workers at once, is the first trial where each call waits for about a
// millisecond: a server, which answers many at once. Growing by steps, with some calls by each
// worker at every one, would take as long as a walk of thousands of entries. Beyond that, where a
// slow medium often has no more to give, and a server on the same machine less, a step needs more
// evidence, must bring more, and is not tried again soon.
//
// Holds grow while nothing changes. They end early when the pace becomes another one, so that a new
// regime is noticed within about kLongestInterval.
//
// If no call returns at all, the limit grows anyway (the workers may be stuck in a dead part of the
// tree, and the latency be long), and when calls return, a trial goes back to what was before.
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
  // Of these: calls that only more workers made necessary, as each opens for itself a directory
  // that it helps with. They tell how slow the medium is, but do not get the work ahead: as
  // progress, they would make any number look better than a smaller one. Some may be told late.
  std::uint64_t calls_to_share = 0;
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
    double calls = 0;  // that got the work ahead
    double all_calls = 0;
    double cpu = 0;
    double waited = 0;
    double most_cpu = 0;  // that so many workers could have used
    double of_workers = 0;

    // Of one worker while it runs. That of all would also tell how much work there was.
    double rate() const { return of_workers > 0 ? calls / of_workers : 0; }
    bool idle() const;
    bool waits() const;
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
  bool many() const;
  double calls_wanted() const;
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
