// SPDX-License-Identifier: Apache-2.0
#include "walk/concurrency.h"

#include <algorithm>
#include <chrono>

#include "sys/limits.h"

namespace trawl::engine {

namespace {

// Workers. A network filesystem is served by about a hundred; more threads only cost memory.
constexpr unsigned kAdaptiveCeiling = 256;
constexpr unsigned kMostWorkers = 1024;

}  // namespace

Concurrency::Concurrency(unsigned threads, std::uint64_t limits_seed)
    : pinned_(threads != 0),
      most_workers_(std::min(pinned_ ? threads : kAdaptiveCeiling, kMostWorkers)),
      random_(limits_seed != 0),
      random_state_(limits_seed) {}

sched::Decision Concurrency::first(int base, const char* medium) {
  controller_.emplace(sched::Controller::Machine{
      .cores = sys::usable_cores(),
      .ceiling = most_workers_,
      .rotational = medium != nullptr && sys::is_on_rotating_disk(base, medium)});
  sched::Decision decision = controller_->first();
  if (pinned_) {
    decision.limit = most_workers_;
  }
  limit_without_asking_ = decision.limit;
  return decision;
}

sched::Decision Concurrency::decide(const sched::Observation& observation, unsigned started) {
  sched::Decision decision = controller_->observe(observation);
  if (random_) {
    random_state_ = random_state_ * 6364136223846793005U + 1442695040888963407U;
    decision.limit = 1 + static_cast<unsigned>((random_state_ >> 33) % most_workers_);
    decision.interval = std::chrono::milliseconds(1);
  } else if (pinned_) {
    decision.limit = most_workers_;
  } else if (decision.limit > limit_without_asking_) {
    // Other processes share the limits on threads, so they are asked for when there is need only.
    if (most_threads_ == 0) {
      most_threads_ = started + std::min(sys::thread_limit(), most_workers_ - started);
    }
    decision.limit = std::min(decision.limit, std::max(most_threads_, limit_without_asking_));
  }
  return decision;
}

}  // namespace trawl::engine
