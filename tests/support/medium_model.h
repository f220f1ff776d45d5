// SPDX-License-Identifier: Apache-2.0
//
// A model of workers on a machine and a medium, in virtual time, to try the concurrency controller
// on.
//
// Each worker visits one thing after another. A visit computes, sharing the cores with the other
// computing workers (and with other processes), then waits for the medium, which serves so many at
// once and lets the others queue; so many system calls return at its end.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

#include "sched/controller.h"
#include "support/random.h"

namespace trawl::testing {

// Seconds.
struct Visit {
  double cpu = 0;
  double wait = 0;  // at the medium, once it is served
  unsigned calls = 1;
};

struct World {
  unsigned cores = 2;
  double other_processes = 0;    // that compute all the time, with the priority of one worker each
  double cores_taken_share = 0;  // that nobody here gets
  unsigned served_at_once = 1;   // by the medium
  double visits = 0;             // then the work is done
  // The next visit; `done` of the visits are behind.
  std::function<Visit(double now, double done, Random& random)> visit;
  // Factor of the wait while so many visits are at the medium, queue included.
  std::function<double(unsigned waiting)> slowdown = [](unsigned) { return 1.0; };
  // Between these times the medium serves nobody.
  double stalls_from = 0;
  double stalls_to = 0;
  // New visits that each visit makes possible; endless work if not set.
  std::function<unsigned(Random& random)> finds;
  double cpu_error = 0.02;  // relative, of what is observed
  double cpu_tick = 0;      // processor time is seen in such portions per worker
  bool waiting_is_seen = true;
  double give_up = 600;
};

struct Change {
  double at = 0;
  unsigned limit = 0;
};

struct Outcome {
  double seconds = 0;
  bool finished = false;
  std::vector<Change> changes;  // the first is the first limit
  std::vector<double> intervals;
  std::uint64_t observations = 0;
};

// Latency with the given mean, half of it fixed and the rest exponential.
inline double jittered(double mean, Random& random) {
  const double u = (static_cast<double>(random.next() >> 11) + 1) * 0x1p-53;
  return mean * (0.5 - 0.5 * std::log(u));
}

class Simulation {
 public:
  using Decide = std::function<sched::Decision(const sched::Observation&)>;

  Simulation(const World& world, std::uint64_t seed, unsigned ceiling)
      : world_(world), random_(seed), workers_(ceiling) {}

  // `first` is in force until the first observation is decided on.
  Outcome run(sched::Decision first, const Decide& decide) {
    Outcome outcome;
    outcome.changes.push_back({0, first.limit});
    limit_ = first.limit;
    available_ = world_.finds ? 1 : std::numeric_limits<double>::infinity();
    events_.push({seconds(first.interval), kObserve, 0});
    wake(0);
    while (!events_.empty() && done_ < world_.visits && now_ < world_.give_up) {
      const Event event = events_.top();
      events_.pop();
      run_time_ += (event.at - now_) * started_;
      now_ = event.at;
      switch (event.kind) {
        case kObserve: {
          const sched::Observation observation = observe();
          const sched::Decision decision = decide(observation);
          ++outcome.observations;
          outcome.intervals.push_back(seconds(decision.interval));
          if (decision.limit != limit_) {
            limit_ = decision.limit;
            outcome.changes.push_back({now_, limit_});
            wake(now_);
          }
          // Whoever observes is late at times.
          const double late = random_.one_in(10) ? 1e-3 : 20e-6;
          events_.push({now_ + seconds(decision.interval) + late, kObserve, 0});
          break;
        }
        case kStart:
          ++started_;
          start_visit(event.worker);
          break;
        case kComputed:
          if (event.worker == awaited_) {
            end_computing();
          }
          break;
        case kServed:
          --being_served_;
          end_visit(event.worker);
          break;
      }
    }
    outcome.seconds = now_;
    outcome.finished = done_ >= world_.visits;
    return outcome;
  }

 private:
  enum Kind : std::uint8_t { kObserve, kStart, kComputed, kServed };
  struct Event {
    double at;
    Kind kind;
    unsigned worker;  // for kComputed the number of the event
    bool operator<(const Event& other) const { return at > other.at; }
  };
  struct Worker {
    bool running = false;
    Visit visit;
  };
  struct Computing {
    double until;  // progress_
    unsigned worker;
    bool operator<(const Computing& other) const { return until > other.until; }
  };

  static double seconds(std::chrono::nanoseconds time) {
    return static_cast<double>(time.count()) * 1e-9;
  }

  // Starts workers, one after the other, up to the limit.
  void wake(double from) {
    constexpr double kStartTime = 30e-6;
    double at = from;
    double to_give = available_;
    for (unsigned i = 0; i < workers_.size() && running_ < limit_ && to_give > 0; ++i) {
      if (!workers_[i].running) {
        workers_[i].running = true;
        ++running_;
        --to_give;
        at += kStartTime;
        events_.push({at, kStart, i});
      }
    }
  }

  void start_visit(unsigned index) {
    Worker& worker = workers_[index];
    if (running_ > limit_ || available_ <= 0) {
      worker.running = false;
      --running_;
      --started_;
      return;
    }
    --available_;
    worker.visit = world_.visit(now_, done_, random_);
    advance();
    computing_.push({progress_ + worker.visit.cpu, index});
    await_next();
  }

  // The share of a core that each computing worker has.
  double core_share() const {
    const double cores = std::max(0.01, world_.cores * (1 - world_.cores_taken_share));
    return std::min(1.0, cores / (static_cast<double>(computing_.size()) + world_.other_processes));
  }

  // How fast each gets ahead: switching between them, and the contention, cost something too.
  double speed() const {
    const double surplus = static_cast<double>(computing_.size()) - world_.cores;
    return core_share() / (1 + 5e-4 * std::max(0.0, surplus));
  }

  void advance() {
    const double passed = now_ - advanced_at_;
    const double of_all = passed * static_cast<double>(computing_.size());
    cpu_ += of_all * core_share();
    waited_ += of_all * (1 - core_share());
    progress_ += passed * speed();
    advanced_at_ = now_;
  }

  // The event of the next worker that will have computed; it replaces the one awaited before.
  void await_next() {
    ++awaited_;
    if (!computing_.empty()) {
      const double left = std::max(0.0, computing_.top().until - progress_);
      events_.push({now_ + left / speed(), kComputed, awaited_});
    }
  }

  void end_computing() {
    advance();
    const unsigned index = computing_.top().worker;
    computing_.pop();
    await_next();
    ask_medium(index);
  }

  void ask_medium(unsigned index) {
    Worker& worker = workers_[index];
    if (worker.visit.wait <= 0) {
      ++being_served_;
      events_.push({now_, kServed, index});
    } else if (being_served_ < world_.served_at_once) {
      serve(index);
    } else {
      queue_.push(index);
    }
  }

  void serve(unsigned index) {
    ++being_served_;
    const unsigned waiting = being_served_ + static_cast<unsigned>(queue_.size());
    const double wait = workers_[index].visit.wait * world_.slowdown(waiting);
    const bool stalled = now_ >= world_.stalls_from && now_ < world_.stalls_to;
    events_.push({(stalled ? world_.stalls_to : now_) + wait, kServed, index});
  }

  void end_visit(unsigned index) {
    while (!queue_.empty() && being_served_ < world_.served_at_once) {
      const unsigned next = queue_.front();
      queue_.pop();
      serve(next);
    }
    calls_ += workers_[index].visit.calls;
    ++done_;
    if (world_.finds) {
      available_ += world_.finds(random_);
      wake(now_);
    }
    start_visit(index);
  }

  sched::Observation observe() {
    advance();
    sched::Observation observation;
    observation.elapsed = nanoseconds(now_ - observed_at_);
    observation.calls = calls_;
    double cpu = cpu_ + carry_;
    if (world_.cpu_tick > 0) {
      carry_ = std::fmod(cpu, world_.cpu_tick);
      cpu -= carry_;
    }
    const double error =
        static_cast<double>(random_.between(-1000, 1000)) / 1000 * world_.cpu_error;
    observation.cpu = nanoseconds(cpu * (1 + error));
    observation.waited = nanoseconds(world_.waiting_is_seen ? waited_ : 0);
    observation.run_time = nanoseconds(run_time_);
    observation.starved = world_.finds && running_ < limit_;
    observed_at_ = now_;
    calls_ = 0;
    cpu_ = 0;
    waited_ = 0;
    run_time_ = 0;
    return observation;
  }

  static std::chrono::nanoseconds nanoseconds(double seconds) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  }

  const World& world_;
  Random random_;
  std::vector<Worker> workers_;
  std::priority_queue<Event> events_;
  std::queue<unsigned> queue_;
  double now_ = 0;
  double done_ = 0;
  double available_ = 0;
  unsigned limit_ = 1;
  unsigned running_ = 0;  // those that were called and did not start yet included
  unsigned started_ = 0;
  std::priority_queue<Computing> computing_;
  double progress_ = 0;  // of whoever computes since the start
  double advanced_at_ = 0;
  unsigned awaited_ = 0;
  unsigned being_served_ = 0;
  double observed_at_ = 0;
  std::uint64_t calls_ = 0;
  double cpu_ = 0;
  double waited_ = 0;
  double carry_ = 0;
  double run_time_ = 0;
};

inline Outcome run_fixed(const World& world, std::uint64_t seed, unsigned limit) {
  const sched::Decision decision{limit, std::chrono::seconds(3600), {}};
  return Simulation(world, seed, limit).run(decision, [&](const sched::Observation&) {
    return decision;
  });
}

inline Outcome run_controlled(const World& world, std::uint64_t seed,
                              sched::Controller::Machine machine) {
  sched::Controller controller(machine);
  return Simulation(world, seed, machine.ceiling)
      .run(controller.first(),
           [&](const sched::Observation& observation) { return controller.observe(observation); });
}

}  // namespace trawl::testing
