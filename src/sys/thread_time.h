// SPDX-License-Identifier: Apache-2.0
//
// What a thread did with its time, as another thread sees it. Linux tells the time that it wanted a
// processor and had none in schedstat; where that is not to be had, it counts as none.
#pragma once

#include <chrono>

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

namespace trawl::sys {

class ThreadTime {
 public:
  // Of the calling thread.
  void attach();

  // Processor time. About 0.3 µs. Zero once the thread has ended.
  std::chrono::nanoseconds used() const;

  // Time that it was ready to run, and others ran; known when it gets a processor. About 4 µs.
  std::chrono::nanoseconds waited() const;

  // Whether it runs or wants to. About 10 µs.
  bool is_ready_to_run() const;

 private:
  clockid_t clock_{};
  pid_t id_ = 0;
};

// Processor time of the calling thread.
std::chrono::nanoseconds own_processor_time();

}  // namespace trawl::sys
