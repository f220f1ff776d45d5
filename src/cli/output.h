// SPDX-License-Identifier: Apache-2.0
//
// Standard output for lines that come in bursts: buffered, written out when it is worth it and when
// nothing has come for a moment. Not thread-safe.
#pragma once

#include "cli/progress.h"

#include <chrono>
#include <string>

namespace trawl::cli {

class Output {
 public:
  // On a terminal the progress line makes room for what is written; for good, if that is no whole
  // line.
  explicit Output(Progress* progress = nullptr);

  // Append to this, then call added().
  std::string& buffer() { return buffer_; }
  void added() {
    if (buffer_.size() >= kFull) {
      flush();
    }
  }
  // Nothing more is at hand: writes if a reader has waited long enough (a terminal never waits).
  void pause();
  void flush();

  // errno of the first write that failed, or 0. What follows it is thrown away.
  int error() const { return error_; }

 private:
  static constexpr std::size_t kFull = std::size_t{64} << 10;
  static constexpr std::chrono::milliseconds kPatience{50};

  Progress* progress_;
  std::string buffer_;
  std::chrono::steady_clock::time_point flushed_;
  bool terminal_ = false;
  int error_ = 0;
};

// Writes `text`; returns `status`, or 1 after a message if it can't be written.
int print_and_exit_status(const std::string& text, const char* program, int status);

}  // namespace trawl::cli
