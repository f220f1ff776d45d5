// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>

namespace trawl::cli {

namespace {

constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kNext{100};

void clear_line() {
  std::fputs("\r\033[K", stderr);
}

}  // namespace

Progress::Progress(When when) {
  if (when == When::never || (when == When::automatic && ::isatty(STDERR_FILENO) == 0)) {
    return;
  }
  // Signals are for the threads that walk.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread(&Progress::run, this);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void Progress::run() {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  auto wait = kFirst;
  while (!wake_.wait_for(lock, wait, [this] { return stopping_; })) {
    wait = kNext;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    const auto entries = static_cast<double>(entries_.load(std::memory_order_relaxed));
    std::fprintf(stderr, "\r%.0f entries, %.0f/s, %.1f s\033[K", entries,
                 entries / elapsed.count(), elapsed.count());
    shown_ = true;
  }
}

void Progress::clear() {
  if (!thread_.joinable()) {
    return;
  }
  std::lock_guard lock(mutex_);
  if (shown_) {
    clear_line();
    shown_ = false;
  }
}

void Progress::stop() {
  if (!thread_.joinable()) {
    return;
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (shown_) {
    clear_line();
    shown_ = false;
  }
}

}  // namespace trawl::cli
