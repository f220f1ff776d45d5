// SPDX-License-Identifier: Apache-2.0
//
// One line on standard error while a walk runs: entries so far, their rate, the time. It appears
// after half a second and clears itself. Where it is not wanted nothing is started.
#pragma once

#include "cli/when.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace trawl::cli {

// What the line says: as much of it as fits into so many columns.
std::string progress_text(std::uint64_t entries, std::chrono::duration<double> elapsed,
                          std::size_t columns);

class Progress {
 public:
  // automatic: if standard error is a terminal that knows escape sequences.
  explicit Progress(When when);
  ~Progress() { stop(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // For Options::progress_entries; null if nobody looks at it.
  std::atomic<std::uint64_t>* entries() { return thread_.joinable() ? &entries_ : nullptr; }

  // Clears the line, if there is one, and keeps it away while the lock lives, so that something else
  // can be written.
  [[nodiscard]] std::unique_lock<std::mutex> hide();
  // Clears the line for good.
  void stop();

 private:
  void run();
  void clear();

  std::atomic<std::uint64_t> entries_{0};
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  bool shown_ = false;
  std::thread thread_;
};

}  // namespace trawl::cli
