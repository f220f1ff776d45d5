// SPDX-License-Identifier: Apache-2.0
#include <trawl/events.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "fold/events_order.h"
#include "fold/events_pipe.h"
#include "fold/events_visitor.h"

namespace trawl {

namespace {

// A walk on one thread whose events others pull.
class EventWalk {
 public:
  explicit EventWalk(const EventOptions& options) : options_(options), pipe_(options) {
    if (options.ordered) {
      sequence_.emplace(pipe_, options.capacity);
    }
    options_.walk.slot_bytes =
        options.ordered ? fold::EventSequence::slot_bytes() : fold::EventVisitor::slot_bytes();
  }

  // Nothing comes after it, whether it returns or throws.
  Result run(std::span<const std::string> roots) {
    Result result;
    try {
      result = walk(roots, options_.walk, [this](unsigned) -> Visitor& { return add_visitor(); });
      if (sequence_) {
        sequence_->finish();
      }
    } catch (...) {
      pipe_.close();
      throw;
    }
    pipe_.close();
    return result;
  }

  bool pop(EventBatch& batch) { return pipe_.pop(batch); }
  void cancel() { pipe_.cancel(); }
  bool is_cancelled() const { return pipe_.is_cancelled(); }

 private:
  Visitor& add_visitor() {
    if (sequence_) {
      return *visitors_.emplace_back(std::make_unique<fold::OrderedVisitor>(pipe_, *sequence_));
    }
    return *visitors_.emplace_back(std::make_unique<fold::EventVisitor>(pipe_));
  }

  EventOptions options_;
  fold::EventPipe pipe_;
  std::optional<fold::EventSequence> sequence_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
};

Ending ending_of(const Result& result, bool cancelled) {
  return cancelled && result.ending == Ending::complete ? Ending::stopped : result.ending;
}

}  // namespace

Result walk_events(std::span<const std::string> roots, const EventOptions& options,
                   const EventConsumer& consumer) {
  EventWalk walk(options);
  std::mutex mutex;
  std::exception_ptr thrown;  // the first
  const auto process = [&] {
    try {
      EventBatch batch;
      while (walk.pop(batch)) {
        if (!consumer(batch)) {
          walk.cancel();
        }
      }
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        if (thrown == nullptr) {
          thrown = std::current_exception();
        }
      }
      walk.cancel();
    }
  };
  Result result;
  std::exception_ptr failure;
  {
    // If one can't be started, those that were must see the end before they are joined.
    struct Processors {
      EventWalk& walk;
      std::vector<std::thread> threads;
      ~Processors() { join(); }
      void join() {
        for (std::thread& each : threads) {
          each.join();
        }
        threads.clear();
      }
    } processors{walk, {}};
    try {
      for (unsigned i = 0; i < std::max(1U, options.processors); ++i) {
        processors.threads.emplace_back(process);
      }
      result = walk.run(roots);
    } catch (...) {
      failure = std::current_exception();
      walk.cancel();
    }
  }
  if (thrown != nullptr || failure != nullptr) {
    std::rethrow_exception(thrown != nullptr ? thrown : failure);
  }
  result.ending = ending_of(result, walk.is_cancelled());
  return result;
}

struct EventStream::Implementation {
  Implementation(std::vector<std::string> given_roots, const EventOptions& options)
      : roots(std::move(given_roots)), walk(options), thread([this] { run(); }) {}
  ~Implementation() {
    walk.cancel();
    wait();
  }

  void run() {
    try {
      result = walk.run(roots);
    } catch (...) {
      failure = std::current_exception();
    }
  }

  // The walk's end.
  void wait() {
    const std::lock_guard lock(mutex);
    if (thread.joinable()) {
      thread.join();
      result.ending = ending_of(result, walk.is_cancelled());
    }
  }

  const std::vector<std::string> roots;
  EventWalk walk;
  Result result;
  std::exception_ptr failure;
  std::mutex mutex;
  std::thread thread;
};

EventStream::EventStream(std::vector<std::string> roots, EventOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(roots), options)) {}

EventStream::~EventStream() = default;

bool EventStream::next(EventBatch& batch) {
  if (implementation_->walk.pop(batch)) {
    return true;
  }
  implementation_->wait();
  if (implementation_->failure != nullptr) {
    std::rethrow_exception(implementation_->failure);
  }
  return false;
}

void EventStream::cancel() { implementation_->walk.cancel(); }

const Result& EventStream::result() {
  implementation_->wait();
  if (implementation_->failure != nullptr) {
    std::rethrow_exception(implementation_->failure);
  }
  return implementation_->result;
}

}  // namespace trawl
