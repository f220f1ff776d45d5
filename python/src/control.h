// SPDX-License-Identifier: Apache-2.0
//
// Walks that a Python call waits for, and what ends them: its CancelToken, signals, its callbacks'
// exceptions, the interpreter's exit.
//
//   main thread, or `poll` given     the walk has a thread of its own; the caller looks every
//                                    15 ms for signals and calls `poll` every 50 ms
//   else                             the caller walks
//
// Forks. A process inherits objects of this file, but none of the threads that go with them. Walks
// that were going on are left alone there; a call that is in one raises.
//
// Invariants. The caller never holds the GIL while it waits. When a call returns or raises, its
// walk has ended and no thread of it is left. A callback's exception comes out as it is.
#pragma once

#include <nanobind/nanobind.h>
#include <trawl/walk.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gil.h"

namespace trawl::python {

namespace nb = nanobind;

inline constexpr std::chrono::milliseconds kLookInterval{15};  // for signals
inline constexpr std::chrono::milliseconds kPollInterval{50};

using Token = std::shared_ptr<trawl::CancelToken>;

// Python's CancelToken: what may be told to end. Functions need the GIL, so the mutex is never
// locked in the child of a fork; tokens that walks of the parent left there are nobody's.
class CancelSource {
 public:
  void cancel();                       // for good: what is linked from now on ends at once
  std::vector<Token> cancel_linked();  // those that it had
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  void link(const Token& token);
  void unlink(const Token& token);
  void forget();
  bool has(const Token& token);

 private:
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  std::vector<Token> linked_;
};

// A token that is cancelled when `source` (may be null) is, and when the interpreter exits. Made
// and destroyed with the GIL.
class LinkedToken {
 public:
  explicit LinkedToken(CancelSource* source);
  ~LinkedToken();
  LinkedToken(const LinkedToken&) = delete;
  LinkedToken& operator=(const LinkedToken&) = delete;
  trawl::CancelToken& operator*() { return *token_; }
  const trawl::CancelToken* get() const { return token_.get(); }

 private:
  CancelSource* source_;
  Token token_;
};

// A walk that goes on between calls.
class StreamedWalk {
 public:
  virtual ~StreamedWalk() = default;
  virtual void cancel() = 0;  // does not wait
  virtual void wait() = 0;    // after cancel(), for its end; without the GIL, by several threads
};

// An object with such a walk, which it ends, and its filter, which outlives that. In the child of a
// fork the walk's threads are not there, and it must not be touched. The constructor and destructor
// need the GIL.
class Stream {
 public:
  Stream(std::shared_ptr<StreamedWalk> walk, nb::object filter);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  bool is_inherited() const { return forks_ != forks(); }
  void require_own() const;  // throws std::runtime_error
  void cancel();
  const nb::object& filter() const { return filter_; }
  static unsigned forks();  // that led to this process, since the module was loaded

 private:
  nb::object filter_;
  std::shared_ptr<StreamedWalk> walk_;
  unsigned forks_ = forks();
};

// While one exists, its thread runs Python code that a walk asked for. There the collector may end
// that very walk's Stream, which then can't be waited for.
class InCallback {
 public:
  InCallback() { ++depth_; }
  ~InCallback() { --depth_; }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  static bool here() { return depth_ > 0; }

 private:
  static inline thread_local int depth_ = 0;
};

bool on_main_thread();

// What a Python callback raised, on its way through the engine, which holds no GIL. A translator
// that is registered with the module raises it again.
class CallbackRaised : public std::exception {
 public:
  CallbackRaised();  // takes the exception that is set
  const char* what() const noexcept override { return "a Python callback raised"; }
  void raise() const;  // sets it, once
  bool is_taken() const;

 private:
  struct Raised;
  std::shared_ptr<Raised> raised_;
};

// Calls `work`, which takes its time, without the GIL: on a thread of its own if this is the main
// thread or there is a `poll`, which is called with *entries. `give_up` makes `work` end soon.
void run_heeding_signals(const std::function<void()>& work, const std::function<void()>& give_up,
                         nb::handle poll = nb::none(),
                         const std::atomic<std::uint64_t>* entries = nullptr);

// One call's walk.
class Control {
 public:
  // `poll`: a callable or None.
  Control(CancelSource* source, nb::handle poll);

  const trawl::CancelToken* cancel() const { return token_.get(); }
  std::atomic<std::uint64_t>* progress() { return poll_.is_none() ? nullptr : &entries_; }

  // `work` walks, with cancel() and progress() among its options.
  template <class Work>
  auto run(Work work) {
    decltype(work()) result;
    run_heeding_signals([&] { result = work(); }, [this] { (*token_).cancel(); }, poll_, &entries_);
    return result;
  }

 private:
  LinkedToken token_;
  nb::handle poll_;
  std::atomic<std::uint64_t> entries_{0};
};

// Waits for something that another thread brings about, with the GIL; `wait` waits at most as long
// as it is told, without the GIL, and says whether it is there. On the main thread it heeds
// signals: what they raise comes out of here, after `give_up`. False: `timeout` has passed.
bool wait_heeding_signals(std::optional<std::chrono::nanoseconds> timeout,
                          const std::function<bool(std::chrono::nanoseconds)>& wait,
                          const std::function<void()>& give_up);

void bind_control(nb::module_& module);

}  // namespace trawl::python
