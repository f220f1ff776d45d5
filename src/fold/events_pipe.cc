// SPDX-License-Identifier: Apache-2.0
#include "fold/events_pipe.h"

#include <chrono>
#include <utility>

namespace trawl::fold {

EventPipe::EventPipe(const EventOptions& options)
    : batch_(options.batch),
      cancel_(options.walk.cancel),
      deadline_(options.walk.deadline),
      channel_(options.capacity) {
  owned_producers_.reserve(kMostProducers);
}

EventPipe::Producer& EventPipe::add_producer() {
  owned_producers_.push_back(std::make_unique<Producer>());
  Producer& producer = *owned_producers_.back();
  producer.batch_ = fresh();
  const std::size_t index = producer_count_.load(std::memory_order_relaxed);
  producers_[index].store(&producer, std::memory_order_release);
  producer_count_.store(index + 1, std::memory_order_release);
  return producer;
}

// A walk that is to end does not wait for its consumers.
bool EventPipe::may_wait() const {
  return !(cancel_ != nullptr && cancel_->cancelled()) &&
         !(deadline_ && std::chrono::steady_clock::now() >= *deadline_);
}

std::unique_lock<std::mutex> EventPipe::lock(Producer& producer) {
  std::unique_lock lock(producer.mutex_, std::try_to_lock);
  if (!lock.owns_lock()) {
    const WorkerPause pause;
    lock.lock();
  }
  return lock;
}

void EventPipe::send(Producer& producer, bool wait) {
  std::unique_ptr<Storage> next = fresh();
  const std::size_t weight = producer.batch_->weight();
  std::optional<WorkerPause> pause;  // from when it has to wait
  channel_.push(std::move(producer.batch_), weight, [&] {
    if (!pause) {
      pause.emplace();
    }
    return wait && may_wait();
  });
  producer.batch_ = std::move(next);
  producer.know_path(0, {});
  producer.sent_.fetch_add(1, std::memory_order_release);
}

void EventPipe::flush(Producer& producer) {
  const std::unique_lock held = lock(producer);
  if (!producer.batch_->empty()) {
    send(producer, true);
  }
}

void EventPipe::flush(Producer& producer, std::uint64_t serial) {
  if (producer.sent_.load(std::memory_order_acquire) > serial) {
    return;
  }
  const std::unique_lock held = lock(producer);
  if (producer.serial() == serial) {
    send(producer, true);
  }
}

void EventPipe::let_consumers_work() {
  const WorkerPause pause;
  channel_.wait_until_lower([this] { return may_wait(); });
}

void EventPipe::close() {
  for (std::size_t i = 0; i < producers(); ++i) {
    flush(producer(i));
  }
  channel_.close();
}

// For a consumer, which must not wait for producers: they may wait for it. Who holds a batch is
// about to see that somebody is hungry, but may just have looked.
bool EventPipe::flush_all() {
  bool all = true;
  for (std::size_t i = 0; i < producers(); ++i) {
    Producer& each = producer(i);
    const std::unique_lock lock(each.mutex_, std::try_to_lock);
    if (!lock.owns_lock()) {
      all = false;
    } else if (!each.batch_->empty()) {
      send(each, false);
    }
  }
  return all;
}

bool EventPipe::pop(EventBatch& batch) {
  if (std::unique_ptr<Storage> used = batch.release()) {
    recycle(std::move(used));
  }
  std::unique_ptr<Storage> storage;
  if (!channel_.pop(storage, [this] { return flush_all(); })) {
    return false;
  }
  batch = EventBatch(std::move(storage));
  return true;
}

std::unique_ptr<EventPipe::Storage> EventPipe::fresh() {
  std::unique_ptr<Storage> storage;
  {
    const std::lock_guard lock(used_mutex_);
    if (!used_.empty()) {
      storage = std::move(used_.back());
      used_.pop_back();
    }
  }
  if (storage == nullptr) {
    storage = std::make_unique<Storage>();
  }
  storage->prepare(batch_);
  return storage;
}

void EventPipe::recycle(std::unique_ptr<Storage> storage) {
  const std::lock_guard lock(used_mutex_);
  used_.push_back(std::move(storage));
}

}  // namespace trawl::fold
