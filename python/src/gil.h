// SPDX-License-Identifier: Apache-2.0
//
// The GIL, given away and taken back.
//
// Until Python 3.13 an interpreter that shuts down ends a thread that asks for the GIL by
// pthread_exit, which unwinds the stack, through destructors and `catch (...)`: the process aborts.
// So here such a thread is held where it asks, as Python 3.14 does it: the process is about to end.
// The same goes for Python code that is called on a thread of ours, and gives the GIL away in
// between.
#pragma once

#include <Python.h>

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace trawl::python {

template <class Take>
auto take_or_stay(Take take) {
  try {
    return take();
  } catch (...) {  // nothing is ever thrown here but the end of the thread
    for (;;) {
      std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }
}

// Of any thread.
class Gil {
 public:
  Gil() : state_(take_or_stay([] { return PyGILState_Ensure(); })) {}
  ~Gil() { PyGILState_Release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  PyGILState_STATE state_;
};

// Before Gil, on workers, whose callbacks are called thousands of times: a thread that Python does
// not know keeps what Python makes of it until it ends, which else takes most of the time of a
// call.
inline void keep_python_thread() {
  struct Kept {
    Kept() {
      take_or_stay([] { return PyGILState_Ensure(); });
      PyEval_SaveThread();
    }
    ~Kept() {
      take_or_stay([] { return PyGILState_Ensure(); });
      PyGILState_Release(PyGILState_LOCKED);
      PyGILState_Release(PyGILState_UNLOCKED);
    }
  };
  if (PyGILState_GetThisThreadState() == nullptr) {
    thread_local const Kept kept;
  }
}

// Calls `work` without the GIL, which the caller has.
template <class Work>
auto without_gil(Work work) {
  struct Back {
    PyThreadState* state;
    ~Back() {
      take_or_stay([this] { PyEval_RestoreThread(state); });
    }
  };
  const Back back{PyEval_SaveThread()};
  return work();
}

}  // namespace trawl::python
