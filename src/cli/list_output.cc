// SPDX-License-Identifier: Apache-2.0
#include "cli/list_output.h"

#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <chrono>

namespace trawl::cli {

namespace {

constexpr std::chrono::milliseconds kPatience{50};

// Not behind a file, nor behind a device that is no terminal: /dev/null.
bool may_have_reader(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) != 0 ||
         (!S_ISREG(status.st_mode) && !(S_ISCHR(status.st_mode) && ::isatty(descriptor) == 0));
}

}  // namespace

void LineBuffer::lock() {
  if (!mutex_.try_lock()) {
    const WorkerPause pause;
    mutex_.lock();
  }
}

void LineBuffer::flush() {
  const std::lock_guard lock(*this);
  if (!text_.empty()) {
    write();
  }
}

void LineBuffer::write() {
  output_.write(text_);
  writes_.fetch_add(1);
}

LineOutput::LineOutput(Deadline deadline, Progress& progress)
    : output_(STDOUT_FILENO, deadline, &progress) {
  if (may_have_reader(STDOUT_FILENO)) {
    thread_ = std::thread([this] { run(); });
  }
}

LineOutput::~LineOutput() { finish(); }

LineBuffer& LineOutput::add_buffer() {
  const std::lock_guard lock(buffers_mutex_);
  return buffers_.emplace_back(*this);
}

void LineOutput::flush() {
  for (std::size_t i = 0;; ++i) {
    LineBuffer* buffer;
    {
      const std::lock_guard lock(buffers_mutex_);
      if (i == buffers_.size()) {
        return;
      }
      buffer = &buffers_[i];
    }
    buffer->flush();
  }
}

void LineOutput::finish() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(wake_mutex_);
      finished_ = true;
      wake_.notify_one();
    }
    thread_.join();
  }
  flush();
}

// Takes the text. What can't be written is thrown away.
void LineOutput::write(std::string& text) {
  const WorkerPause pause;
  const std::lock_guard lock(output_mutex_);
  output_.buffer().swap(text);
  output_.flush();
  output_.buffer().swap(text);  // empty now, with room
  if (output_.error() != 0) {
    failed_.store(true, std::memory_order_relaxed);
  }
}

void LineOutput::run() {
  std::unique_lock lock(wake_mutex_);
  while (!wake_.wait_for(lock, kPatience, [this] { return finished_; })) {
    lock.unlock();
    flush();
    lock.lock();
  }
}

}  // namespace trawl::cli
