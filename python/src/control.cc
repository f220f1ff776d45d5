// SPDX-License-Identifier: Apache-2.0
#include "control.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace trawl::python {

void CancelSource::cancel() {
  cancelled_.store(true, std::memory_order_relaxed);
  cancel_linked();
}

std::vector<Token> CancelSource::cancel_linked() {
  const std::lock_guard lock(mutex_);
  for (const Token& token : linked_) {
    token->cancel();
  }
  return linked_;
}

void CancelSource::link(const Token& token) {
  const std::lock_guard lock(mutex_);
  linked_.push_back(token);
  if (cancelled()) {
    token->cancel();
  }
}

void CancelSource::unlink(const Token& token) {
  const std::lock_guard lock(mutex_);
  std::erase(linked_, token);
}

void CancelSource::forget() {
  const std::lock_guard lock(mutex_);
  linked_.clear();
}

bool CancelSource::has(const Token& token) {
  const std::lock_guard lock(mutex_);
  return std::find(linked_.begin(), linked_.end(), token) != linked_.end();
}

namespace {

// What goes on in this process; guarded by the GIL. Never destroyed: threads may end after statics.
struct Going {
  CancelSource calls;
  std::vector<std::shared_ptr<StreamedWalk>> streams;
  unsigned forks = 0;
  bool exiting = false;

  // In the child of a fork. The walks must not even be destroyed.
  void forget() {
    ++forks;
    calls.forget();
    static_cast<void>(new std::vector(std::move(streams)));
    streams.clear();
  }
};

Going& going() {
  static Going* const all = new Going;
  return *all;
}

constexpr std::chrono::seconds kExitPatience{5};

// Before the interpreter is taken down, so that no thread of ours comes back to ask for it.
void end_all() {
  going().exiting = true;
  const std::vector<Token> calls = going().calls.cancel_linked();
  const auto streams = going().streams;
  for (const auto& stream : streams) {
    stream->cancel();
  }
  struct State {
    std::atomic<bool> ended{false};
  };
  const auto state = std::make_shared<State>();
  std::thread([streams, state] {
    for (const auto& stream : streams) {
      stream->wait();
    }
    state->ended = true;
  }).detach();
  const auto goes_on = [&] {
    return !state->ended || std::any_of(calls.begin(), calls.end(), [](const Token& token) {
      return going().calls.has(token);
    });
  };
  const auto until = std::chrono::steady_clock::now() + kExitPatience;
  while (goes_on() && std::chrono::steady_clock::now() < until) {
    without_gil([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  }
}

// A daemon thread that walks on while the interpreter exits would come back to none.
bool comes_too_late() { return going().exiting && !on_main_thread(); }

}  // namespace

LinkedToken::LinkedToken(CancelSource* source)
    : source_(source), token_(std::make_shared<trawl::CancelToken>()) {
  going().calls.link(token_);
  if (source_ != nullptr) {
    source_->link(token_);
  }
  if (comes_too_late()) {
    token_->cancel();
  }
}

LinkedToken::~LinkedToken() {
  going().calls.unlink(token_);
  if (source_ != nullptr) {
    source_->unlink(token_);
  }
}

Stream::Stream(std::shared_ptr<StreamedWalk> walk, nb::object filter)
    : filter_(std::move(filter)), walk_(std::move(walk)) {
  going().streams.push_back(walk_);
  if (comes_too_late()) {
    walk_->cancel();
  }
}

namespace {

// Waits for a walk that was cancelled, and lets go of what it needs until it has ended.
void end_elsewhere(std::shared_ptr<StreamedWalk> walk, nb::object filter) {
  PyObject* const kept = filter.release().ptr();
  try {
    std::thread([walk, kept]() mutable {
      walk->wait();
      const Gil gil;
      std::erase(going().streams, walk);
      walk.reset();
      Py_XDECREF(kept);
    }).detach();
  } catch (const std::system_error&) {  // no thread to be had: it is kept until the exit
  }
}

}  // namespace

Stream::~Stream() {
  if (is_inherited()) {
    static_cast<void>(new std::shared_ptr(std::move(walk_)));  // destroyed by nobody
    return;
  }
  walk_->cancel();
  if (InCallback::here()) {
    end_elsewhere(std::move(walk_), std::move(filter_));
    return;
  }
  without_gil([this] { walk_->wait(); });
  if (!is_inherited()) {
    std::erase(going().streams, walk_);
  }
}

void Stream::cancel() {
  if (!is_inherited()) {
    walk_->cancel();
  }
}

unsigned Stream::forks() { return going().forks; }

void Stream::require_own() const {
  if (is_inherited()) {
    throw std::runtime_error("the walk belongs to the process that this one was forked from");
  }
}

bool on_main_thread() {
  const nb::object ident = nb::module_::import_("threading").attr("main_thread")().attr("ident");
  return !ident.is_none() && nb::cast<unsigned long>(ident) == PyThread_get_thread_ident();
}

// --- exceptions

struct CallbackRaised::Raised {
#if PY_VERSION_HEX >= 0x030c0000
  PyObject* value = PyErr_GetRaisedException();
  bool is_there() const { return value != nullptr; }
  void raise() { PyErr_SetRaisedException(std::exchange(value, nullptr)); }
  ~Raised() {
    if (value != nullptr) {
      const Gil gil;
      Py_DECREF(value);
    }
  }
#else
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  bool is_there() const { return type != nullptr; }
  Raised() { PyErr_Fetch(&type, &value, &trace); }
  void raise() {
    PyErr_Restore(std::exchange(type, nullptr), std::exchange(value, nullptr),
                  std::exchange(trace, nullptr));
  }
  ~Raised() {
    if (type != nullptr) {
      const Gil gil;
      Py_XDECREF(type);
      Py_XDECREF(value);
      Py_XDECREF(trace);
    }
  }
#endif
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
#if PY_VERSION_HEX >= 0x030c0000
  Raised() = default;
#endif
};

CallbackRaised::CallbackRaised() : raised_(std::make_shared<Raised>()) {}

bool CallbackRaised::is_taken() const { return !raised_->is_there(); }

void CallbackRaised::raise() const {
  if (is_taken()) {
    PyErr_SetString(PyExc_RuntimeError, "the walk was ended by an exception, raised before");
  } else {
    raised_->raise();
  }
}

// --- running

namespace {

// A walk on a thread of its own, for whoever waits.
class Side {
 public:
  explicit Side(const std::function<void()>& work)
      : thread_([this, &work] {
          try {
            work();
          } catch (...) {
            failure_ = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          done_ = true;
          changed_.notify_one();
        }) {}

  // Without the GIL.
  bool wait(std::chrono::nanoseconds at_most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [this] { return done_; });
  }
  void join() { thread_.join(); }
  const std::exception_ptr& failure() const { return failure_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace

Control::Control(CancelSource* source, nb::handle poll) : token_(source), poll_(poll) {
  if (!poll.is_none() && PyCallable_Check(poll.ptr()) == 0) {
    throw nb::type_error("poll must be callable or None");
  }
}

void run_heeding_signals(const std::function<void()>& work, const std::function<void()>& give_up,
                         nb::handle poll, const std::atomic<std::uint64_t>* entries) {
  const bool main = on_main_thread();
  std::unique_ptr<Side> side;
  if (main || !poll.is_none()) {
    try {
      side = std::make_unique<Side>(work);
    } catch (const std::system_error&) {  // no thread to be had
    }
  }
  if (side == nullptr) {
    without_gil(work);
    return;
  }
  std::exception_ptr raised;
  const unsigned forks = Stream::forks();
  auto next_poll = std::chrono::steady_clock::now() + kPollInterval;
  while (!without_gil([&] { return side->wait(kLookInterval); })) {
    bool ok = !main || PyErr_CheckSignals() == 0;
    if (ok && !poll.is_none() && std::chrono::steady_clock::now() >= next_poll) {
      PyObject* const answer = take_or_stay([&] {
        return PyObject_CallFunction(
            poll.ptr(), "K",
            static_cast<unsigned long long>(entries->load(std::memory_order_relaxed)));
      });
      ok = answer != nullptr;
      Py_XDECREF(answer);
      next_poll = std::chrono::steady_clock::now() + kPollInterval;
    }
    if (forks != Stream::forks()) {  // in a handler or `poll`, which returned in the child
      static_cast<void>(side.release());
      throw std::runtime_error("forked while a walk went on, which did not come along");
    }
    if (!ok) {
      raised = std::make_exception_ptr(CallbackRaised());
      give_up();
      break;
    }
  }
  without_gil([&] { side->join(); });
  if (raised == nullptr) {
    raised = side->failure();
  }
  if (raised != nullptr) {
    std::rethrow_exception(raised);
  }
}

bool wait_heeding_signals(std::optional<std::chrono::nanoseconds> timeout,
                          const std::function<bool(std::chrono::nanoseconds)>& wait,
                          const std::function<void()>& give_up) {
  using Clock = std::chrono::steady_clock;
  const bool main = on_main_thread();
  const auto end = timeout ? std::optional(Clock::now() + *timeout) : std::nullopt;
  for (;;) {
    // Whoever is not asked for signals may wait for long, but not beyond the interpreter's exit.
    std::chrono::nanoseconds slice = main ? std::chrono::nanoseconds(kLookInterval)
                                          : std::chrono::nanoseconds(std::chrono::hours(1));
    if (end) {
      slice = std::clamp<std::chrono::nanoseconds>(*end - Clock::now(), std::chrono::nanoseconds(0),
                                                   slice);
    }
    if (without_gil([&] { return wait(slice); })) {
      return true;
    }
    if (main && PyErr_CheckSignals() != 0) {
      const CallbackRaised raised;
      give_up();
      throw raised;
    }
    if (end && Clock::now() >= *end) {
      return false;
    }
  }
}

void bind_control(nb::module_& module) {
  nb::register_exception_translator([](const std::exception_ptr& exception, void*) {
    try {
      std::rethrow_exception(exception);
    } catch (const CallbackRaised& raised) {
      raised.raise();
    }
  });

  nb::class_<CancelSource>(module, "CancelToken", nb::is_final())
      .def(nb::init<>())
      .def("cancel", &CancelSource::cancel)
      .def_prop_ro("cancelled", &CancelSource::cancelled);

  // When the interpreter exits, threads that are daemons may be in a walk.
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&end_all));
  nb::module_::import_("os").attr("register_at_fork")(
      nb::arg("after_in_child") = nb::cpp_function([] { going().forget(); }));
}

}  // namespace trawl::python
