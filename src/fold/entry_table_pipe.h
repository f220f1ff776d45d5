// SPDX-License-Identifier: Apache-2.0
//
// The way of chunks from a walk's workers to those who pull them.
//
// Each producer has a chunk under construction, under a mutex of its own: who pulls and finds
// nothing takes what is there, unless the producer is at work, which then hands it over when it
// comes to a rest. So that chunks stay large where the reader is the faster, it has the patience to
// wait a while first; but not for what comes first of all, and a producer's first chunks are small.
//
// The capacity is in rows; a chunk that is larger passes when the queue is empty. A producer that
// waits for room holds its mutex meanwhile. Nobody holds two of these, and who pulls only tries
// them. End: close() by the walk, cancel() by whoever reads.
#pragma once

#include <trawl/entry_table.h>
#include <trawl/walk.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fold/entry_table_visitor.h"

namespace trawl::fold {

class ChunkPipe {
 public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  explicit ChunkPipe(const TableOptions& options);
  ~ChunkPipe();

  // One call at a time. The sink is for one worker.
  RowSink& add_producer();
  // No more rows will come.
  void close();
  void cancel();
  bool is_cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  // Whether cancel() took anything away.
  bool is_cut_short() const;

  // Nullopt and `ended`: the end, or cancelled. Else: `deadline` has passed.
  std::optional<EntryChunk> pop(const Deadline& deadline, bool& ended);

 private:
  class Producer;

  bool may_wait() const;
  void push(EntryChunk chunk, bool wait);
  bool fetch();  // false: not quite all

  const TableOptions& options_;
  std::mutex producers_mutex_;  // of the vector; each producer has its own
  std::vector<std::unique_ptr<Producer>> producers_;
  std::atomic<bool> hungry_{false};
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable filled_;
  std::condition_variable room_;
  std::deque<EntryChunk> queue_;
  std::size_t rows_ = 0;
  bool any_popped_ = false;
  bool closed_ = false;
  bool cut_short_ = false;
};

}  // namespace trawl::fold
