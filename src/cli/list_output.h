// SPDX-License-Identifier: Apache-2.0
//
// Standard output for several threads, each of which collects lines in a buffer of its own.
//
//   LineOutput output(deadline, progress);
//   LineBuffer& mine = output.add_buffer();                      // one per thread
//   { std::lock_guard lock(mine); append to mine.text(); mine.added(); }
//   output.finish();                                             // when all threads are done
//
// A buffer is written when it is full; where somebody may wait at the other end (at a terminal, a
// pipe, a socket), also 50 ms later at the most, by a thread that does nothing else. Who finds the
// output blocked waits, and so does the next: that is what holds the walk back (cli/output.h says
// how signals and the deadline end such waiting). Workers of a walk are asleep meanwhile: it does
// not take a slow reader for a slow disk.
//
// Locks: a buffer's, then the output's. Nobody holds two buffers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "cli/output.h"
#include "cli/progress.h"

namespace trawl::cli {

class LineOutput;

// BasicLockable: the owner locks it while it appends.
class alignas(64) LineBuffer {
 public:
  explicit LineBuffer(LineOutput& output) : output_(output) {}

  void lock();
  void unlock() { mutex_.unlock(); }
  std::string& text() { return text_; }
  // Locked. Writes it if it is full.
  void added() {
    if (text_.size() >= kFull) {
      write();
    }
  }
  // Counts how often it was written: what was appended before has reached the output if this has
  // changed since.
  std::uint64_t writes() const { return writes_.load(); }
  // Not locked.
  void flush();

 private:
  static constexpr std::size_t kFull = std::size_t{64} << 10;

  void write();

  LineOutput& output_;
  std::mutex mutex_;
  std::string text_;
  std::atomic<std::uint64_t> writes_{0};
};

class LineOutput {
 public:
  LineOutput(Deadline deadline, Progress& progress);
  ~LineOutput();
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  LineBuffer& add_buffer();
  // Writes what is in all buffers. Thread-safe.
  void flush();
  // The same, and ends the thread.
  void finish();

  // Nothing that is appended from now on will be written.
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  // After finish().
  const Output& output() const { return output_; }

 private:
  friend class LineBuffer;

  void write(std::string& text);
  void run();

  Output output_;
  std::mutex output_mutex_;
  std::atomic<bool> failed_{false};

  std::mutex buffers_mutex_;  // of the list; the buffers stay where they are
  std::deque<LineBuffer> buffers_;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace trawl::cli
