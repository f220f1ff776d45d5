// SPDX-License-Identifier: Apache-2.0
//
// A bounded queue between several producers and several consumers.
//
// Items have a weight, and the capacity is a sum of weights; an item that is heavier passes when
// the channel is empty. A mutex and two condition variables: it is taken once per item, and an item
// is a batch. So that neither side sleeps and wakes for each item, consumers are woken when there
// is a good deal to take, producers when half of the room is free.
//
// A consumer that finds nothing therefore sleeps with a timeout first. If there still is nothing,
// it is hungry: it calls `fetch`, which brings what the producers hold back, and then sleeps until
// something comes, or if `fetch` could not look everywhere, for a while. Meanwhile is_hungry()
// tells producers to hold nothing back.
//
// End: close() by the producers' side, when nothing more will come; cancel() by the consumers',
// after which nothing can be put in or taken out. Both wake everybody.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace trawl::fold {

template <class Item>
class Channel {
 public:
  explicit Channel(std::size_t capacity)
      : capacity_(std::max<std::size_t>(1, capacity)),
        wake_at_(std::clamp<std::size_t>(capacity / 4, 1, kWorthWaking)) {}

  // Waits for room. If `may_wait` says no (asked at first, and then every few milliseconds), the
  // item goes in beyond the capacity. False, and the item is where it was: cancelled.
  template <class MayWait>
  bool push(Item&& item, std::size_t weight, MayWait may_wait) {
    std::unique_lock lock(mutex_);
    wait_for_room(lock, may_wait, [&] { return queue_.empty() || weight_ + weight <= capacity_; });
    if (cancelled_) {
      return false;
    }
    queue_.emplace_back(std::move(item), weight);
    weight_ += weight;
    note_level();
    if (consumers_waiting_ > 0 && (weight_ >= wake_at_ || hungry_.load() > 0)) {
      filled_.notify_one();
    }
    return true;
  }

  // Waits until less than half is filled.
  template <class MayWait>
  void wait_until_lower(MayWait may_wait) {
    std::unique_lock lock(mutex_);
    wait_for_room(lock, may_wait, [&] { return weight_ <= capacity_ / 2; });
  }

  // False: closed and empty, or cancelled.
  template <class Fetch>
  bool pop(Item& out, Fetch fetch) {
    std::unique_lock lock(mutex_);
    const auto is_over = [this] { return !queue_.empty() || closed_ || cancelled_; };
    if (!is_over()) {
      ++consumers_waiting_;
      // Not until is_over(): what is in the queue may be too little to be woken for.
      filled_.wait_for(lock, kTimeout);
      --consumers_waiting_;
      while (!is_over()) {
        hungry_.fetch_add(1);
        lock.unlock();
        const bool looked_everywhere = fetch();
        lock.lock();
        ++consumers_waiting_;
        if (looked_everywhere) {
          filled_.wait(lock, is_over);
        } else {
          filled_.wait_for(lock, kTimeout, is_over);
        }
        --consumers_waiting_;
        hungry_.fetch_sub(1);
      }
    }
    if (cancelled_ || queue_.empty()) {
      return false;
    }
    out = std::move(queue_.front().first);
    weight_ -= queue_.front().second;
    queue_.pop_front();
    note_level();
    if (producers_waiting_ > 0 && weight_ <= capacity_ / 2) {
      room_.notify_all();
    }
    return true;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
  }

  void cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancelled_flag_.store(true, std::memory_order_relaxed);
    queue_.clear();
    weight_ = 0;
    note_level();
    filled_.notify_all();
    room_.notify_all();
  }

  bool is_cancelled() const { return cancelled_flag_.load(std::memory_order_relaxed); }
  bool is_hungry() const { return hungry_.load() > 0; }
  bool is_half_full() const { return half_full_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::chrono::milliseconds kTimeout{5};
  static constexpr std::chrono::milliseconds kLook{20};
  static constexpr std::size_t kWorthWaking = 1024;

  template <class MayWait, class HasRoom>
  void wait_for_room(std::unique_lock<std::mutex>& lock, MayWait may_wait, HasRoom has_room) {
    while (!cancelled_ && !has_room() && may_wait()) {
      if (consumers_waiting_ > 0) {
        filled_.notify_one();
      }
      ++producers_waiting_;
      room_.wait_for(lock, kLook);
      --producers_waiting_;
    }
  }

  void note_level() { half_full_.store(weight_ > capacity_ / 2, std::memory_order_relaxed); }

  const std::size_t capacity_;
  const std::size_t wake_at_;
  std::atomic<unsigned> hungry_{0};
  std::atomic<bool> cancelled_flag_{false};
  std::atomic<bool> half_full_{false};
  std::mutex mutex_;  // of what follows
  std::condition_variable filled_;
  std::condition_variable room_;
  std::deque<std::pair<Item, std::size_t>> queue_;
  std::size_t weight_ = 0;
  unsigned consumers_waiting_ = 0;
  unsigned producers_waiting_ = 0;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace trawl::fold
