// SPDX-License-Identifier: Apache-2.0
#include "fold/entry_table_pipe.h"

#include <algorithm>
#include <utility>

namespace trawl::fold {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFirstRows = 64;
// How long who pulls waits for a full chunk.
constexpr std::chrono::milliseconds kPatience{2};
// How long until it looks again at a producer that was at work.
constexpr std::chrono::milliseconds kLookAgain{5};
// How long a producer waits for room until it looks whether the walk is to end.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

class ChunkPipe::Producer final : public RowSink {
 public:
  Producer(ChunkPipe& pipe, const TableOptions& options)
      : RowSink(options, options.prompt ? kFirstRows : SIZE_MAX), pipe_(pipe) {}

  std::unique_lock<std::mutex> lock() override { return std::unique_lock(mutex_); }
  std::unique_lock<std::mutex> try_lock() { return std::unique_lock(mutex_, std::try_to_lock); }
  void take(EntryChunk chunk) override { pipe_.push(std::move(chunk), true); }
  bool rest() override {
    if (pipe_.hungry_.load(std::memory_order_relaxed)) {
      flush(true);
    }
    return !pipe_.is_cancelled();
  }
  void flush(bool wait) {
    if (builder().rows() != 0) {
      pipe_.push(builder().seal(), wait);
    }
  }

 private:
  ChunkPipe& pipe_;
  std::mutex mutex_;
};

ChunkPipe::ChunkPipe(const TableOptions& options) : options_(options) {}
ChunkPipe::~ChunkPipe() = default;

RowSink& ChunkPipe::add_producer() {
  const std::lock_guard lock(producers_mutex_);
  return *producers_.emplace_back(std::make_unique<Producer>(*this, options_));
}

// A walk that is to end does not wait for its readers.
bool ChunkPipe::may_wait() const {
  const Options& walk = options_.walk;
  return !(walk.cancel != nullptr && walk.cancel->cancelled()) &&
         !(walk.deadline && Clock::now() >= *walk.deadline);
}

void ChunkPipe::push(EntryChunk chunk, bool wait) {
  const std::size_t rows = chunk.rows();
  const std::size_t capacity = std::max<std::size_t>(1, options_.capacity);
  std::optional<WorkerPause> pause;  // from when it has to wait
  std::unique_lock lock(mutex_);
  while (wait && !is_cancelled() && !queue_.empty() &&
         rows > capacity - std::min(capacity, rows_) && may_wait()) {
    if (!pause) {
      pause.emplace();
    }
    room_.wait_for(lock, kLook);
  }
  if (is_cancelled()) {
    cut_short_ = true;
    return;
  }
  queue_.push_back(std::move(chunk));
  rows_ += rows;
  if (hungry_.exchange(false)) {
    filled_.notify_all();  // some may have to become hungry again
  } else {
    filled_.notify_one();
  }
}

bool ChunkPipe::fetch() {
  const std::lock_guard lock(producers_mutex_);
  bool all = true;
  for (const std::unique_ptr<Producer>& producer : producers_) {
    const std::unique_lock held = producer->try_lock();
    if (held.owns_lock()) {
      producer->flush(false);
    } else {
      all = false;
    }
  }
  return all;
}

void ChunkPipe::close() {
  {
    const std::lock_guard lock(producers_mutex_);
    for (const std::unique_ptr<Producer>& producer : producers_) {
      const std::unique_lock held = producer->lock();
      producer->flush(true);
    }
  }
  const std::lock_guard lock(mutex_);
  closed_ = true;
  filled_.notify_all();
}

void ChunkPipe::cancel() {
  std::deque<EntryChunk> dropped;  // without the mutex
  const std::lock_guard lock(mutex_);
  cancelled_.store(true, std::memory_order_relaxed);
  dropped.swap(queue_);
  cut_short_ = cut_short_ || !closed_ || !dropped.empty();
  rows_ = 0;
  filled_.notify_all();
  room_.notify_all();
}

bool ChunkPipe::is_cut_short() const {
  const std::lock_guard lock(mutex_);
  return cut_short_;
}

std::optional<EntryChunk> ChunkPipe::pop(const Deadline& deadline, bool& ended) {
  const auto until = [&](Clock::duration most) {
    const Clock::time_point later = Clock::now() + most;
    return deadline ? std::min(*deadline, later) : later;
  };
  std::unique_lock lock(mutex_);
  const auto is_over = [&] { return !queue_.empty() || closed_ || is_cancelled(); };
  ended = false;
  while (!is_over()) {
    if (!options_.prompt) {
      if (!deadline) {
        filled_.wait(lock, is_over);
      } else if (!filled_.wait_until(lock, *deadline, is_over)) {
        return std::nullopt;
      }
      break;
    }
    if (any_popped_ && filled_.wait_until(lock, until(kPatience), is_over)) {
      break;
    }
    if (deadline && Clock::now() >= *deadline) {
      return std::nullopt;
    }
    hungry_.store(true);
    lock.unlock();
    const bool looked_everywhere = fetch();
    lock.lock();
    const auto is_fed = [&] { return is_over() || !hungry_.load(); };
    if (!looked_everywhere || deadline) {
      filled_.wait_until(lock, until(looked_everywhere ? Clock::duration(kLook) : kLookAgain),
                         is_fed);
    } else {
      filled_.wait(lock, is_fed);
    }
  }
  if (queue_.empty() || is_cancelled()) {
    ended = true;
    return std::nullopt;
  }
  EntryChunk chunk = std::move(queue_.front());
  queue_.pop_front();
  rows_ -= chunk.rows();
  any_popped_ = true;
  if (rows_ <= options_.capacity / 2) {
    room_.notify_all();
  }
  return chunk;
}

}  // namespace trawl::fold
