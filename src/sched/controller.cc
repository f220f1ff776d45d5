// SPDX-License-Identifier: Apache-2.0
#include "sched/controller.h"

#include <algorithm>
#include <cmath>

namespace trawl::sched {

namespace {

// Seconds.
constexpr double kShortestInterval = 1e-3;
constexpr double kLongestTrialInterval = 20e-3;
constexpr double kLongestInterval = 50e-3;
constexpr double kShortestHold = 10e-3;
constexpr double kLongestHold = 2;
constexpr double kPatience = 50e-3;
constexpr double kShortestRefusal = 3e-3;  // a patch of other work may begin together with a trial

// From these shares on the processor is the limit: of the cores' time that was used; of the
// workers' time in which they computed, or could have.
constexpr double kCoresUsed = 0.95;
constexpr double kHardlyBlocked = 0.9;
constexpr double kIdle = 0.25;

// What a doubling must bring to be kept, and to be followed by another at once. More workers than
// a fast medium serves do little harm; to stop early because a patch of the tree was slower does
// much. A slow medium shows clearly what it can do, and may suffer.
constexpr double kWorthKeeping = 0.85;
constexpr double kWorthKeepingIfSlow = 1.05;
constexpr double kWorthManyIfSlow = 1.2;
constexpr double kSlowCall = 1.5e-3;
constexpr double kWorthMore = 1.15;
constexpr double kInProportion = 0.5;
constexpr double kWorthOnRotational = 1.3;
// What must be left after a step down. Below the number of cores it must be better than before:
// what looks the same there may be due to other processes, and when they end, the cores are wanted.
constexpr double kGoodAsBefore = 0.97;
constexpr double kBetterThanBefore = 1.05;

// Calls per second and worker. A disk that rotates takes 2 ms at the least to find something.
constexpr double kTooFastForDisk = 4000;

constexpr double kClearlyWorse = 0.5;

// Of the limit: from so many running workers on it is in force.
constexpr double kAlmostAll = 0.8;

// A leap, and where calls hardly do anything but wait for such a time. Who takes longer may be a
// disk that nobody told to be one.
constexpr unsigned kLeapTo = 64;
constexpr double kLeapFrom = 0.3e-3;
constexpr double kLeapUpTo = 4e-3;
constexpr double kHardlyComputing = 0.2;

// For so many on a slow medium: calls of each worker that a window needs, and those that a hold
// lasts, at the most so many seconds.
constexpr double kCallsOfMany = 5;
constexpr double kHoldOfMany = 64;
constexpr double kLongestHoldOfMany = 0.25;

constexpr double kOtherPace = 2;

// Calls that say something about the pace.
constexpr double kFewCalls = 16;

// More cores than this are taken into use when the work turns out to need them: a disk that nobody
// told to be one suffers from many.
constexpr unsigned kFirstLimit = 4;

double seconds_of(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) * 1e-9;
}

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1e9));
}

}  // namespace

void Controller::Window::add(const Window& other) {
  seconds += other.seconds;
  calls += other.calls;
  all_calls += other.all_calls;
  cpu += other.cpu;
  waited += other.waited;
  most_cpu += other.most_cpu;
  of_workers += other.of_workers;
}

bool Controller::Window::idle() const { return cpu + waited < kIdle * most_cpu; }

bool Controller::Window::waits() const {
  return cpu + waited < kHardlyComputing * of_workers && of_workers >= kLeapFrom * all_calls &&
         of_workers <= kLeapUpTo * all_calls;
}

// The processor is the limit: no core is left, or hardly a worker waits for anything else.
bool Controller::Window::busy() const {
  return cpu >= kCoresUsed * most_cpu || cpu + waited >= kHardlyBlocked * of_workers;
}

Controller::Controller(Machine machine)
    : cores_(std::max(1U, machine.cores)),
      ceiling_(std::max(1U, machine.ceiling)),
      rotational_(machine.rotational),
      home_(std::min(cores_, ceiling_)),
      limit_(rotational_ ? 1 : std::min(home_, kFirstLimit)),
      interval_(kShortestInterval),
      next_hold_(kShortestHold),
      patience_in_stall_(kPatience) {}

Decision Controller::decision() const {
  return {limit_, nanoseconds_of(interval_), nanoseconds_of(call_time_)};
}

Decision Controller::observe(const Observation& observation) {
  Window now;
  now.seconds = seconds_of(observation.elapsed);
  now.all_calls = static_cast<double>(observation.calls);
  now.calls = std::max(0.0, now.all_calls - static_cast<double>(observation.calls_to_share));
  now.cpu = seconds_of(observation.cpu);
  now.waited = seconds_of(observation.waited);
  now.of_workers = std::max(0.0, seconds_of(observation.run_time));
  now.most_cpu = std::min(now.of_workers, now.seconds * cores_);
  if (now.seconds <= 0) {
    return decision();
  }

  running_ = now.of_workers / now.seconds;
  if (rotational_ && now.calls >= kFewCalls && !now.busy() && now.rate() > kTooFastForDisk) {
    rotational_ = down_next_ = false;  // it only says so, as virtual disks do
    new_regime();
    hold_ = 0;
  }
  silent_ += now.seconds;
  const bool stalled = silent_ >= std::max(patience_in_stall_, 4 * call_time_) &&
                       observation.calls == 0 && !now.busy();
  if (observation.calls > 0) {
    const double call_time = running_ * silent_ / now.all_calls;
    call_time_ = call_time_ > 0 ? (call_time_ + call_time) / 2 : call_time;
    patience_in_stall_ = before_stall_ == 0 ? kPatience : patience_in_stall_;
  }
  if (observation.calls > 0 || observation.starved) {
    silent_ = 0;
  }
  hold_ = std::max(0.0, hold_ - now.seconds);
  held_ += now.seconds;
  since_change_ += now.seconds;

  if (stalled && all_run() && !rotational_) {
    grow_in_stall();
    return decision();
  }
  if (!trial_ && (hold_ > 0 || odd_pace_)) {
    if (pace_changed(now)) {
      new_regime();
      hold_ = std::max(0.0, kShortestHold / 2 - held_);
    }
    if (!odd_pace_) {
      window_.add(now);
    }
    interval_ = std::min(odd_pace_ ? 3 * call_time_ : 2 * interval_, kLongestInterval);
    interval_ = std::max(kShortestInterval, std::min(interval_, hold_));
    return decision();
  }

  if (before_stall_ != 0 && window_.calls <= 0) {
    window_ = {};  // the stall itself
  }
  if (trial_ && (running_ < kAlmostAll * limit_ || kAlmostAll * running_ > limit_)) {
    // Who is to run has not started yet, or has nothing to do, or who is not to still runs: this
    // says nothing about so many.
    if (window_.calls <= 0 && since_change_ >= patience()) {
      trial_ = false;
      hold();
    }
    return decision();
  }
  window_.add(now);
  interval_ = std::clamp(window_.seconds / 2, kShortestInterval, kLongestTrialInterval);
  if (trial_) {
    judge();
  } else if (all_run() && !observation.starved) {
    probe();
  }
  return decision();
}

// Whether two observations in a row differ from what was seen since the hold began.
bool Controller::pace_changed(const Window& now) {
  const double expected = window_.rate() * now.of_workers;
  const double few = std::max(kFewCalls, 2.0 * limit_);  // many slow calls return in waves
  const bool odd = window_.calls >= kFewCalls && std::max(expected, now.calls) >= few &&
                   (now.calls > kOtherPace * expected || expected > kOtherPace * now.calls);
  const bool changed = odd && odd_pace_;
  odd_pace_ = odd && !changed;
  return changed;
}

void Controller::grow_in_stall() {
  if (before_stall_ == 0 && call_time_ > 0) {
    before_stall_ = trial_ ? base_limit_ : limit_;
  }
  trial_ = false;
  hold_ = 0;
  silent_ = 0;
  patience_in_stall_ = std::min(2 * patience_in_stall_, kLongestHold);
  set_limit(limit_ > ceiling_ / 2 ? ceiling_ : 2 * limit_);
}

// The trial is over when the difference is larger than chance makes it.
void Controller::judge() {
  const bool up = limit_ > base_limit_;
  const double doublings = std::log2(static_cast<double>(limit_) / base_limit_);
  const double worth_keeping = rotational_              ? kWorthOnRotational
                               : many()                 ? kWorthManyIfSlow
                               : call_time_ > kSlowCall ? kWorthKeepingIfSlow
                                                        : kWorthKeeping;
  const double worth = up                               ? std::pow(worth_keeping, doublings)
                       : limit_ < home_ && !rotational_ ? kBetterThanBefore
                                                        : kGoodAsBefore;
  // A server whose calls take longer under many has no more to give.
  const bool crowded = !rotational_ && call_time_ > kSlowCall && limit_ >= kLeapTo;
  const double worth_more =
      crowded ? kInProportion * limit_ / base_limit_
              : std::pow(rotational_ ? kWorthOnRotational : kWorthMore, doublings);
  const double gain =
      base_.rate() > 0 ? window_.rate() * limit_ / (base_.rate() * base_limit_) : window_.calls;
  const bool in_haste =
      gain < worth && window_.seconds < kShortestRefusal && (up || gain > kClearlyWorse);
  if (window_.seconds < patience()) {
    const double by_chance =
        std::sqrt(1 / std::max(1.0, window_.calls) + 1 / std::max(1.0, base_.calls));
    if (in_haste || std::max(window_.calls, base_.rate() * window_.of_workers) < calls_wanted() ||
        std::abs(std::log(std::max(gain, 1e-9) / worth)) < by_chance) {
      return;
    }
  }
  trial_ = false;
  if (gain < worth) {
    climbing_ = false;
    down_next_ = up && rotational_;
    set_limit(base_limit_);
    window_ = base_;  // the pace that it should have again
    hold();
  } else if (up && gain >= worth_more) {
    down_next_ = false;
    probe();
  } else if (!up && window_.busy()) {
    probe();
  } else {
    down_next_ = rotational_;
    hold();
  }
}

void Controller::probe() {
  if (window_.calls < (rotational_ ? kFewCalls : calls_wanted()) && window_.seconds < patience()) {
    return;
  }
  if (before_stall_ != 0) {
    const unsigned limit = before_stall_;
    before_stall_ = 0;
    patience_in_stall_ = kPatience;
    start_trial(limit);
    return;
  }
  const bool cores_used = limit_ == home_ && window_.busy();
  if (cores_used || cores_used_) {
    // As it should be; or it just ended, and what was seen is of both regimes.
    interval_ = cores_used ? std::clamp(2 * window_.seconds, kShortestInterval, kLongestInterval)
                           : kShortestInterval;
    cores_used_ = cores_used;
    new_regime();
    return;
  }
  const unsigned limit = other_limit();
  if (limit != limit_) {
    start_trial(limit);
  } else {
    down_next_ = !down_next_ && rotational_;
    hold();
  }
}

// The limit to try.
unsigned Controller::other_limit() const {
  if (window_.busy()) {
    // A patch of the tree may be cached: many workers do little harm there.
    const bool for_long = window_.seconds >= kLongestInterval;
    return limit_ <= home_ ? home_ : for_long ? std::max(home_, limit_ / 2) : limit_;
  }
  if (down_next_) {
    return 1;  // only disks that rotate
  }
  if (limit_ < kLeapTo && !rotational_ && climbing_ && window_.waits()) {
    return std::min(kLeapTo, ceiling_);
  }
  const unsigned factor = limit_ < kLeapTo && !rotational_ && climbing_ && window_.idle() ? 4 : 2;
  return limit_ > ceiling_ / factor ? ceiling_ : limit_ * factor;
}

void Controller::start_trial(unsigned limit) {
  trial_ = true;
  base_limit_ = limit_;
  base_ = window_;
  set_limit(limit);
}

void Controller::set_limit(unsigned limit) {
  limit_ = limit;
  window_ = {};
  since_change_ = 0;
  interval_ = kShortestInterval;
}

void Controller::hold() {
  hold_ = many() ? std::max(next_hold_, std::min(kHoldOfMany * call_time_, kLongestHoldOfMany))
                 : next_hold_;
  held_ = 0;
  odd_pace_ = false;
  next_hold_ = std::min(2 * next_hold_, kLongestHold);
}

void Controller::new_regime() {
  window_ = {};
  next_hold_ = kShortestHold;
  climbing_ = true;
  down_next_ = rotational_ && limit_ > 1;
}

// Whether it is about more workers than a slow medium may need.
bool Controller::many() const {
  return !rotational_ && call_time_ > kSlowCall && (trial_ ? base_limit_ : limit_) >= kLeapTo;
}

// By all workers, that say something about the limit.
double Controller::calls_wanted() const { return (many() ? kCallsOfMany : 2.0) * limit_; }

// How long to wait for enough calls of each worker: one or two, but more where there are few
// workers and each step has to prove itself.
double Controller::patience() const {
  return std::max(kPatience, std::min((rotational_ ? 16 : 4) * call_time_, kLongestHold));
}

}  // namespace trawl::sched
