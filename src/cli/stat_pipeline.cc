// SPDX-License-Identifier: Apache-2.0
#include "cli/stat_pipeline.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/entry_text.h"
#include "cli/read_links.h"

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;
using ChunkPointer = std::unique_ptr<StatChunk>;

constexpr std::chrono::milliseconds kLook{100};
constexpr std::size_t kPart = 2048;  // entries: a thread more takes as long as some hundred of them

// Room for one chunk between two stages.
class Slot {
 public:
  void put(ChunkPointer chunk) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return chunk_ == nullptr || abandoned_; });
    chunk_ = std::move(chunk);
    changed_.notify_all();
  }

  // Nobody takes any more.
  void abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = closed_ = true;
    changed_.notify_all();
  }

  // Nothing more will be put.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  // Null: closed and empty.
  ChunkPointer take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return chunk_ != nullptr || closed_; });
    changed_.notify_all();
    return std::move(chunk_);
  }

  // Null and true: nothing came in time.
  std::pair<ChunkPointer, bool> take_in_time() {
    std::unique_lock lock(mutex_);
    const bool there =
        changed_.wait_for(lock, kLook, [this] { return chunk_ != nullptr || closed_; });
    changed_.notify_all();
    return {std::move(chunk_), !there};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  ChunkPointer chunk_;
  bool closed_ = false;
  bool abandoned_ = false;
};

class Timer {
 public:
  explicit Timer(std::chrono::nanoseconds& sum) : sum_(sum), begin_(Clock::now()) {}
  ~Timer() { sum_ += Clock::now() - begin_; }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  std::chrono::nanoseconds& sum_;
  const Clock::time_point begin_;
};

class Pipeline {
 public:
  Pipeline(const StatPipelineOptions& options, const EntryFormat& format, CancelToken& cancel)
      : options_(options), format_(format), cancel_(cancel) {}

  StatTimes run(const std::function<bool(PathChunk&)>& source,
                const std::function<void(StatChunk*)>& sink) {
    std::vector<std::jthread> threads;
    try {
      threads.emplace_back([&] { guard(read_, [&] { read(source); }); });
      threads.emplace_back([&] { guard(asked_, [&] { pass(read_, asked_, &Pipeline::ask); }); });
      threads.emplace_back(
          [&] { guard(written_, [&] { pass(asked_, written_, &Pipeline::write); }); });
    } catch (...) {
      fail();
      for (Slot* slot : {&read_, &asked_, &written_}) {
        slot->abandon();
      }
    }
    drain(sink);
    threads.clear();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    return times_;
  }

 private:
  // Whatever comes, the next stage learns that this one has ended.
  template <class Stage>
  void guard(Slot& out, Stage stage) {
    try {
      stage();
    } catch (...) {
      fail();
    }
    out.close();
  }

  void fail() {
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure_ ? failure_ : std::current_exception();
    }
    cancel_.cancel();
  }

  void read(const std::function<bool(PathChunk&)>& source) {
    for (;;) {
      auto chunk = std::make_unique<StatChunk>();
      {
        const Timer timer(times_.read);
        if (!source(chunk->list)) {
          return;
        }
      }
      read_.put(std::move(chunk));
    }
  }

  void pass(Slot& in, Slot& out, void (Pipeline::*work)(StatChunk&)) {
    while (ChunkPointer chunk = in.take()) {
      try {
        (this->*work)(*chunk);
      } catch (...) {
        // The stages before this one must not wait for it.
        fail();
        while (in.take() != nullptr) {
        }
        throw;
      }
      out.put(std::move(chunk));
    }
  }

  void ask(StatChunk& chunk) {
    const Timer timer(times_.stat);
    chunk.results = stat_paths(chunk.list.paths, options_.stat);
    for (const PathChunk::Refused& refused : chunk.list.refused) {
      chunk.results[refused.index].error = refused.error;
    }
    if (options_.progress != nullptr) {
      options_.progress->fetch_add(chunk.results.size(), std::memory_order_relaxed);
    }
  }

  void write(StatChunk& chunk) {
    const Timer timer(times_.format);
    if (format_.is_aligned()) {
      for (const StatResult& result : chunk.results) {
        if (result) {
          format_.measure({.path = {},
                           .name = {},
                           .type = result.metadata.type(),
                           .metadata = &result.metadata,
                           .target = {}});
        }
      }
    }
    const std::size_t size = chunk.results.size();
    const std::size_t parts =
        std::clamp<std::size_t>(size / kPart, 1, std::max(options_.formatters, 1U));
    chunk.parts.resize(parts);
    std::atomic<std::size_t> unanswered = 0;
    const auto write_part = [&](std::size_t i) {
      unanswered += write_entries(chunk, i * size / parts, (i + 1) * size / parts, chunk.parts[i]);
    };
    std::vector<std::jthread> threads;
    std::size_t started = 1;
    try {
      for (; started < parts; ++started) {
        threads.emplace_back([&, i = started] {
          try {
            write_part(i);
          } catch (...) {
            fail();
          }
        });
      }
    } catch (const std::system_error&) {  // no more threads
      for (std::size_t i = started; i < parts; ++i) {
        write_part(i);
      }
    }
    write_part(0);
    threads.clear();
    chunk.unanswered = unanswered;
  }

  // Returns how many were not answered.
  std::size_t write_entries(const StatChunk& chunk, std::size_t begin, std::size_t end,
                            StatChunk::Part& out) const {
    const std::vector<std::string>& paths = chunk.list.paths;
    std::vector<std::size_t> links;
    if (format_.needs_target()) {
      for (std::size_t i = begin; i < end; ++i) {
        if (chunk.results[i] && chunk.results[i].metadata.is_symlink()) {
          links.push_back(i);
        }
      }
    }
    const std::vector<std::string> targets = read_links(paths, links);
    std::size_t link = 0;
    std::size_t unanswered = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const StatResult& result = chunk.results[i];
      if (result.error == ECANCELED) {
        ++unanswered;
        continue;
      }
      EntryLine line{.path = paths[i], .name = name_of(paths[i]), .target = {}};
      if (!result) {
        out.failures.push_back({out.text.size(), i});
        if (options_.lines_of_errors) {
          line.error = result.error;
          if (paths[i].empty()) {
            line.path = shown(chunk.list, i);
          }
          format_.append(line, out.text);
        }
        continue;
      }
      line.type = result.metadata.type();
      line.metadata = &result.metadata;
      if (link < links.size() && links[link] == i) {
        line.target = targets[link++];
      }
      format_.append(line, out.text);
    }
    return unanswered;
  }

  // What an item looked like that is no path.
  static std::string_view shown(const PathChunk& list, std::size_t index) {
    for (const PathChunk::Refused& refused : list.refused) {
      if (refused.index == index) {
        return refused.name;
      }
    }
    return {};
  }

  void drain(const std::function<void(StatChunk*)>& sink) {
    bool working = true;
    for (;;) {
      auto [chunk, waiting] = written_.take_in_time();
      if (chunk == nullptr && !waiting) {
        return;
      }
      if (!working) {
        continue;
      }
      try {
        const Timer timer(times_.write);
        sink(chunk.get());
      } catch (...) {
        fail();
        working = false;
      }
    }
  }

  const StatPipelineOptions& options_;
  const EntryFormat& format_;
  CancelToken& cancel_;
  Slot read_, asked_, written_;
  std::mutex mutex_;
  std::exception_ptr failure_;
  StatTimes times_;  // each by the thread of its stage
};

}  // namespace

StatTimes run_stat_pipeline(const StatPipelineOptions& options, const EntryFormat& format,
                            CancelToken& cancel, const std::function<bool(PathChunk&)>& source,
                            const std::function<void(StatChunk*)>& sink) {
  return Pipeline(options, format, cancel).run(source, sink);
}

}  // namespace trawl::cli
