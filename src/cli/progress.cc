// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "cli/figures.h"
#include "cli/terminal.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>

namespace trawl::cli {

namespace {

constexpr std::chrono::milliseconds kFirst{500};
constexpr std::chrono::milliseconds kNext{100};

bool is_wanted(When when) {
  return when == When::always ||
         (when == When::automatic && ::isatty(STDERR_FILENO) == 1 && !is_dumb_terminal());
}

// A stopped terminal must not stop the walk.
bool has_room() {
  pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&ready, 1, 0) > 0;
}

// A terminal belongs to the foreground: a job that was sent to the background must not write over
// it.
bool in_background() {
  const pid_t foreground = ::tcgetpgrp(STDERR_FILENO);
  return foreground > 0 && foreground != ::getpgrp();
}

}  // namespace

std::string progress_text(std::uint64_t entries, std::chrono::duration<double> elapsed,
                          std::size_t columns) {
  const bool utf8 = is_utf8_locale();
  std::string out = fitted(with_separators(entries) + " entries", columns, utf8);
  for (const std::string& more : {rate_text(entries, elapsed), duration_text(elapsed)}) {
    if (width_of(out, utf8) + 2 + width_of(more, utf8) <= columns) {
      out += ", " + more;
    }
  }
  return out;
}

Progress::Progress(When when) {
  if (!is_wanted(when)) {
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
    if (in_background() || !has_room()) {
      continue;
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    // The last column stays free: some terminals wrap as soon as it is written.
    const std::string text = progress_text(entries_.load(std::memory_order_relaxed), elapsed,
                                           columns_now(STDERR_FILENO) - 1);
    std::fprintf(stderr, "\r%s\033[K", text.c_str());
    shown_ = true;
  }
}

void Progress::clear() {
  if (shown_ && has_room()) {
    std::fputs("\r\033[K", stderr);
    shown_ = false;
  }
}

std::unique_lock<std::mutex> Progress::hide() {
  if (!thread_.joinable()) {
    return {};
  }
  std::unique_lock lock(mutex_);
  clear();
  return lock;
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
  clear();
}

}  // namespace trawl::cli
