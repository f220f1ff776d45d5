// SPDX-License-Identifier: Apache-2.0
#include "sys/thread_time.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace trawl::sys {
namespace {

using namespace std::chrono_literals;

TEST(ThreadTime, TellsWhoWantsAProcessorFromWhoSleeps) {
  ThreadTime spinning;
  ThreadTime sleeping;
  std::atomic<int> attached{0};
  std::atomic<bool> end{false};
  std::thread spinner([&] {
    spinning.attach();
    ++attached;
    while (!end.load()) {
    }
  });
  std::thread sleeper([&] {
    sleeping.attach();
    ++attached;
    end.wait(false);
  });
  while (attached.load() < 2) {
    std::this_thread::yield();
  }
  int sleeps = 0;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(spinning.is_ready_to_run());
    std::this_thread::sleep_for(1ms);
    sleeps += sleeping.is_ready_to_run() ? 0 : 1;
  }
  EXPECT_GT(sleeps, 50);  // it may have been about to
  EXPECT_GT(spinning.used(), 0ns);
  end.store(true);
  end.notify_all();
  spinner.join();
  sleeper.join();
}

}  // namespace
}  // namespace trawl::sys
