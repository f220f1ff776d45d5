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
constexpr double kShortestHold = 50e-3;
constexpr double kLongestHold = 2;
constexpr double kPatience = 50e-3;

// From this share on the cores are taken to be used up: more workers could bring a tenth.
constexpr double kBusy = 0.9;
constexpr double kIdle = 0.25;

// What a doubling must bring to be kept, and to be followed by another at once.
constexpr double kWorthKeeping = 1.05;
constexpr double kWorthMore = 1.15;
constexpr double kWorthOnRotational = 1.3;
// What must be left after a step down. Below the number of cores it must be better than before: what
// looks the same there may be due to other processes, and when they end, the cores are wanted.
constexpr double kGoodAsBefore = 0.97;
constexpr double kBetterThanBefore = 1.05;

constexpr double kOtherPace = 2;

double seconds_of(std::chrono::nanoseconds time) {
  return std::max(0.0, static_cast<double>(time.count()) * 1e-9);
}

std::chrono::nanoseconds nanoseconds_of(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(seconds, 3600.0) * 1e9));
}

}  // namespace

void Controller::Window::add(const Window& other) {
  seconds += other.seconds;
  calls += other.calls;
  cpu += other.cpu;
  worker_seconds += other.worker_seconds;
}

Controller::Controller(Machine machine)
    : cores_(std::max(1U, machine.cores)),
      ceiling_(std::max(1U, machine.ceiling)),
      rotational_(machine.rotational),
      home_(std::min(cores_, ceiling_)),
      limit_(rotational_ ? 1 : home_),
      interval_(kShortestInterval),
      next_hold_(kShortestHold),
      patience_in_stall_(kPatience) {}

Decision Controller::decision() const {
  return {limit_, nanoseconds_of(interval_), nanoseconds_of(call_time_)};
}

Decision Controller::observe(const Observation& observation) {
  Window now;
  now.seconds = seconds_of(observation.elapsed);
  now.calls = static_cast<double>(observation.calls);
  now.cpu = seconds_of(observation.cpu);
  now.worker_seconds = now.seconds * std::clamp(observation.running, 1U, cores_);
  if (now.seconds <= 0) {
    return decision();
  }

  const bool falling = observation.running < last_running_;
  const bool rising = observation.running > last_running_ && !all_run(observation);
  last_running_ = observation.running;
  silent_ = observation.calls > 0 || observation.starved ? 0 : silent_ + now.seconds;
  call_time_ = observation.calls > 0 ? observation.running * now.seconds / now.calls
                                     : std::max(call_time_, silent_);
  any_call_ = any_call_ || observation.calls > 0;
  hold_ = std::max(0.0, hold_ - now.seconds);
  held_ += now.seconds;
  trial_seconds_ += now.seconds;

  if (observation.starved || ((falling || rising) && trial_seconds_ < kPatience)) {
    window_ = {};  // says nothing about the limit
    interval_ = std::min(2 * interval_, kLongestTrialInterval);
    return decision();
  }
  if (silent_ >= patience_in_stall_ && all_run(observation) && !rotational_) {
    grow_in_stall();
    return decision();
  }
  if (!trial_ && hold_ > 0) {
    if (pace_changed(now)) {
      window_ = {};
      next_hold_ = kShortestHold;
      hold_ = std::max(0.0, kShortestHold - held_);
    }
    window_.add(now);
    interval_ = odd_pace_ ? kShortestInterval : std::min(2 * interval_, kLongestInterval);
    interval_ = std::max(kShortestInterval, std::min(interval_, hold_));
    return decision();
  }

  if (before_stall_ != 0 && window_.calls <= 0) {
    window_ = {};  // the stall itself
  }
  window_.add(now);
  interval_ = std::clamp(window_.seconds / 2, kShortestInterval, kLongestTrialInterval);
  if (trial_) {
    judge();
  } else if (all_run(observation)) {
    probe();
  }
  return decision();
}

// Whether two observations in a row differ from what was seen since the hold began.
bool Controller::pace_changed(const Window& now) {
  const double expected = window_.rate() * now.seconds;
  const bool odd = window_.calls >= 16 && std::max(expected, now.calls) >= 16 &&
                   (now.calls > kOtherPace * expected || expected > kOtherPace * now.calls);
  const bool changed = odd && odd_pace_;
  odd_pace_ = odd && !changed;
  return changed;
}

void Controller::grow_in_stall() {
  if (before_stall_ == 0 && any_call_) {
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
  const double patience = std::max(kPatience, std::min(4 * call_time_, kLongestHold));
  const bool up = limit_ > base_limit_;
  const double doublings = std::log2(static_cast<double>(limit_) / base_limit_);
  const double worth = up ? std::pow(rotational_ ? kWorthOnRotational : kWorthKeeping, doublings)
                       : limit_ < home_ && !rotational_ ? kBetterThanBefore
                                                        : kGoodAsBefore;
  const double gain = base_.rate() > 0 ? window_.rate() / base_.rate() : window_.calls;
  if (window_.seconds < patience) {
    const double chance = std::sqrt(1 / std::max(1.0, window_.calls) + 1 / std::max(1.0, base_.calls));
    if (window_.calls < 2.0 * limit_ || std::abs(std::log(std::max(gain, 1e-9) / worth)) < chance) {
      return;
    }
  }
  trial_ = false;
  if (gain < worth) {
    climbing_ = false;
    down_next_ = up;
    set_limit(base_limit_);
    hold();
  } else if (up && gain >= std::pow(rotational_ ? kWorthOnRotational : kWorthMore, doublings)) {
    down_next_ = false;
    probe();
  } else {
    down_next_ = true;
    hold();
  }
}

void Controller::probe() {
  const double patience = std::max(kPatience, std::min(4 * call_time_, kLongestHold));
  if (window_.calls < 2.0 * limit_ && window_.seconds < patience) {
    return;
  }
  if (before_stall_ != 0) {
    const unsigned limit = before_stall_;
    before_stall_ = 0;
    patience_in_stall_ = kPatience;
    start_trial(limit);
    return;
  }
  const bool cores_used = limit_ == home_ && window_.share() >= kBusy;
  if (cores_used || cores_used_) {
    // As it should be; or it just ended, and what was seen is of both regimes.
    interval_ = cores_used ? std::min(2 * window_.seconds, kLongestInterval) : kShortestInterval;
    cores_used_ = cores_used;
    window_ = {};
    next_hold_ = kShortestHold;
    climbing_ = true;
    down_next_ = rotational_;
    return;
  }
  const unsigned limit = down_next_ ? lower() : higher();
  if (limit != limit_) {
    start_trial(limit);
  } else {
    down_next_ = !down_next_;
    hold();
  }
}

unsigned Controller::higher() const {
  if (window_.share() >= kBusy && limit_ >= home_) {
    return home_;
  }
  unsigned factor = 2;
  if (!rotational_ && climbing_ && window_.share() < kIdle) {
    factor = 4;
  }
  return limit_ > ceiling_ / factor ? ceiling_ : limit_ * factor;
}

unsigned Controller::lower() const {
  if (window_.share() >= kBusy && limit_ > home_) {
    return home_;
  }
  return rotational_ ? 1 : std::max(1U, limit_ / 2);
}

void Controller::start_trial(unsigned limit) {
  trial_ = true;
  trial_seconds_ = 0;
  base_limit_ = limit_;
  base_ = window_;
  set_limit(limit);
}

void Controller::set_limit(unsigned limit) {
  limit_ = limit;
  window_ = {};
  interval_ = kShortestInterval;
}

void Controller::hold() {
  hold_ = next_hold_;
  held_ = 0;
  odd_pace_ = false;
  next_hold_ = std::min(2 * next_hold_, kLongestHold);
}

}  // namespace trawl::sched
