// SPDX-License-Identifier: Apache-2.0
//
// A worker's own stack of tasks, open to thieves at its other end.
//
// A task stands for one or several units of work that can be split:
//   std::size_t units() const       at least 1
//   Task take_first()               removes one unit from the front; only if units() > 1
//   Task take_back_half()           removes units()/2 from the back; only if units() > 1
// The owner pushes and pops single units at the newest end (depth first, so memory stays small and
// caches warm); a thief takes half of the oldest task, which stands highest in the tree, or, where
// order matters more, a unit of the newest.
//
// A mutex per deque, not Chase and Lev's protocol: a unit is a directory, which costs microseconds
// of system calls, an uncontended lock and unlock cost 20 ns, and stealing half of a range in one
// step has no lock-free counterpart. All functions are thread-safe; push is the owner's.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace trawl::sched {

template <class Task>
class Deque {
 public:
  // Room for the first tasks: a thief that has none can take some even when memory has run out.
  Deque() { tasks_.reserve(16); }

  void push(Task task) {
    std::lock_guard lock(mutex_);
    if (head_ > 0 && tasks_.size() == tasks_.capacity()) {
      tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    units_.store(units_.load(std::memory_order_relaxed) + task.units());
    tasks_.push_back(std::move(task));
  }

  std::optional<Task> pop() {
    std::lock_guard lock(mutex_);
    if (head_ == tasks_.size()) {
      return std::nullopt;
    }
    Task& newest = tasks_.back();
    units_.store(units_.load(std::memory_order_relaxed) - 1);
    if (newest.units() > 1) {
      return newest.take_first();
    }
    Task task = std::move(newest);
    tasks_.pop_back();
    if (head_ == tasks_.size()) {
      tasks_.clear();
      head_ = 0;
    }
    return task;
  }

  std::optional<Task> steal() {
    if (units() == 0) {
      return std::nullopt;
    }
    std::lock_guard lock(mutex_);
    if (head_ == tasks_.size()) {
      return std::nullopt;
    }
    Task& oldest = tasks_[head_];
    Task loot = oldest.units() > 1 ? oldest.take_back_half() : std::move(tasks_[head_++]);
    if (head_ == tasks_.size()) {
      tasks_.clear();
      head_ = 0;
    }
    units_.store(units_.load(std::memory_order_relaxed) - loot.units());
    return loot;
  }

  // For thieves that are to stay near the owner: a unit of the newest.
  std::optional<Task> steal_newest() { return units() == 0 ? std::nullopt : pop(); }

  // Without the lock: what it was a moment ago. Sequentially consistent, for Parking's protocol.
  std::size_t units() const { return units_.load(); }

 private:
  std::mutex mutex_;
  std::vector<Task> tasks_;  // [head_, size): oldest first
  std::size_t head_ = 0;
  std::atomic<std::size_t> units_{0};  // written under the lock
};

}  // namespace trawl::sched
