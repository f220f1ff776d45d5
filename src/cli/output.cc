// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "cli/interrupt.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

// How long nothing may be taken once time is up.
constexpr std::chrono::milliseconds kGrace{1000};
// A signal may be handled by another thread, so who waits has to look.
constexpr int kLookMilliseconds = 100;

}  // namespace

Output::Output(int descriptor, Deadline deadline, Progress* progress)
    : descriptor_(descriptor),
      deadline_(deadline),
      progress_(progress),
      flushed_(Clock::now()),
      terminal_(::isatty(descriptor) == 1) {
  struct stat status {};
  may_block_ = ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode);
}

void Output::pause() {
  if (!buffer_.empty() && (terminal_ || Clock::now() - flushed_ >= kPatience)) {
    flush();
  }
}

void Output::flush() {
  std::string_view rest = buffer_;
  std::unique_lock<std::mutex> hidden;
  if (progress_ != nullptr && !rest.empty() && (terminal_ || descriptor_ == STDERR_FILENO)) {
    if (rest.back() != '\n') {
      progress_->stop();
    }
    hidden = progress_->hide();
  }
  while (!rest.empty() && error_ == 0) {
    if (may_block_ && !wait_for_room()) {
      error_ = kGivenUp;
      break;
    }
    const std::size_t size =
        may_block_ ? std::min<std::size_t>(rest.size(), PIPE_BUF) : rest.size();
    const ssize_t written = ::write(descriptor_, rest.data(), size);
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      error_ = errno;
    }
  }
  buffer_.clear();
  flushed_ = Clock::now();
}

// False: there is none, and time is up.
bool Output::wait_for_room() const {
  Deadline give_up;
  for (;;) {
    pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, kLookMilliseconds) > 0) {
      return true;  // also if it is broken: the write says why
    }
    const Clock::time_point now = Clock::now();
    if (give_up) {
      if (now >= *give_up) {
        return false;
      }
    } else if (Interrupt::status() != 0 || (deadline_ && now >= *deadline_)) {
      give_up = now + kGrace;
    }
  }
}

std::string Output::reason() const {
  return error_ == kGivenUp ? "nobody took the output in time" : std::strerror(error_);
}

int print_and_exit_status(const std::string& text, const char* program, int status) {
  Output output(STDOUT_FILENO);
  output.buffer() = text;
  output.flush();
  if (output.error() == 0) {
    return status;
  }
  std::fprintf(stderr, "%s: write error: %s\n", program, output.reason().c_str());
  return 1;
}

}  // namespace trawl::cli
