// SPDX-License-Identifier: Apache-2.0
//
// The way of events from producers into the channel and out of it.
//
// Each producer has a batch that it fills, under a mutex of its own, because others may send it
// ahead of time: consumers that have nothing to do, and other producers whose next event must come
// after what is in it. A producer's batches enter the channel in its order, for its mutex is held
// meanwhile, also while that waits for room. Nobody holds two of these mutexes.
#pragma once

#include <trawl/events.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "fold/channel.h"
#include "fold/events_batch.h"

namespace trawl::fold {

class EventPipe {
 public:
  using Storage = EventBatch::Storage;

  // All but `sent_` under the mutex.
  class Producer {
   public:
    Storage& batch() { return *batch_; }
    // Which batch an event that is added now belongs to.
    std::uint64_t serial() const { return sent_.load(std::memory_order_relaxed); }
    // The path of a directory, by a number of its own (not 0), if it is in the batch already; else
    // empty.
    std::string_view known_path(std::uint64_t directory) const {
      return directory == directory_ ? path_ : std::string_view();
    }
    void know_path(std::uint64_t directory, std::string_view path) {
      directory_ = directory;
      path_ = path;
    }

   private:
    friend class EventPipe;
    std::mutex mutex_;
    std::unique_ptr<Storage> batch_;
    std::atomic<std::uint64_t> sent_{0};  // batches
    std::uint64_t directory_ = 0;
    std::string_view path_;
  };

  explicit EventPipe(const EventOptions& options);

  // One more producer, by its number from 0 on. One call at a time.
  Producer& add_producer();
  Producer& producer(std::size_t index) {
    return *producers_[index].load(std::memory_order_acquire);
  }
  // A producer's mutex. Who holds it may wait for room.
  std::unique_lock<std::mutex> lock(Producer& producer);
  std::size_t producers() const { return producer_count_.load(std::memory_order_acquire); }

  // After each event, with the mutex held: sends the batch if it is full. May wait for room.
  void added(Producer& producer) {
    if (producer.batch_->full()) {
      send(producer, true);
    }
  }
  // When there is no next event at once, with the mutex held.
  void rest(Producer& producer) {
    if (channel_.is_hungry() && !producer.batch_->empty()) {
      send(producer, true);
    }
  }
  // Sends what there is.
  void flush(Producer& producer);
  // Sends the batch with that serial number, if it was not sent.
  void flush(Producer& producer, std::uint64_t serial);
  // While the channel is half full, waits.
  void let_consumers_work();
  bool is_half_full() const { return channel_.is_half_full(); }

  // No more events will come. Everything is sent.
  void close();
  void cancel() { channel_.cancel(); }
  bool is_cancelled() const { return channel_.is_cancelled(); }

  // For consumers. False: the end.
  bool pop(EventBatch& batch);

 private:
  static constexpr std::size_t kMostProducers = 1024;

  bool may_wait() const;
  void send(Producer& producer, bool wait);
  bool flush_all();  // false: not quite
  std::unique_ptr<Storage> fresh();
  void recycle(std::unique_ptr<Storage> storage);

  const std::size_t batch_;
  const CancelToken* const cancel_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  Channel<std::unique_ptr<Storage>> channel_;
  std::atomic<std::size_t> producer_count_{0};
  std::array<std::atomic<Producer*>, kMostProducers> producers_{};
  std::vector<std::unique_ptr<Producer>> owned_producers_;
  std::mutex used_mutex_;
  std::vector<std::unique_ptr<Storage>> used_;
};

}  // namespace trawl::fold
