// SPDX-License-Identifier: Apache-2.0
//
// Standard output for lines that come in bursts: buffered, written out when it is worth it and when
// nothing has come for a moment; and standard error for what must not get lost in a blocked pipe.
// Not thread-safe.
//
// Once the deadline has passed or a signal has come (cli/interrupt.h), a reader has a second to
// take something, again and again; when it takes nothing, the output is given up. So that a write
// does not block behind the back of this, no more is written at a time than what a pipe has room
// for when it has any; where others write to the same pipe, or a terminal is stopped in the middle,
// it still may.
#pragma once

#include "cli/progress.h"

#include <chrono>
#include <optional>
#include <string>

namespace trawl::cli {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

class Output {
 public:
  // The progress line makes room for what is written on standard error or a terminal; for good, if
  // that is no whole line.
  explicit Output(int descriptor, Deadline deadline = {}, Progress* progress = nullptr);

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

  // errno of the first write that failed, kGivenUp, or 0. What follows it is thrown away.
  static constexpr int kGivenUp = -1;
  int error() const { return error_; }
  // What error() means.
  std::string reason() const;

 private:
  bool wait_for_room() const;

  static constexpr std::size_t kFull = std::size_t{64} << 10;
  static constexpr std::chrono::milliseconds kPatience{50};

  const int descriptor_;
  const Deadline deadline_;
  Progress* const progress_;
  std::string buffer_;
  std::chrono::steady_clock::time_point flushed_;
  const bool terminal_;
  bool may_block_ = true;
  int error_ = 0;
};

// Writes `text`; returns `status`, or 1 after a message if it can't be written.
int print_and_exit_status(const std::string& text, const char* program, int status);

}  // namespace trawl::cli
