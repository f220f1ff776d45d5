// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>

namespace trawl::cli {

Output::Output(Progress* progress)
    : progress_(progress),
      flushed_(std::chrono::steady_clock::now()),
      terminal_(::isatty(STDOUT_FILENO) == 1) {
  buffer_.reserve(kFull + 4096);
}

void Output::pause() {
  if (!buffer_.empty() &&
      (terminal_ || std::chrono::steady_clock::now() - flushed_ >= kPatience)) {
    flush();
  }
}

void Output::flush() {
  std::string_view rest = buffer_;
  std::unique_lock<std::mutex> hidden;
  if (terminal_ && progress_ != nullptr && !rest.empty()) {
    if (rest.back() != '\n') {
      progress_->stop();
    }
    hidden = progress_->hide();
  }
  while (!rest.empty() && error_ == 0) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody made it non-blocking
      pollfd ready{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  buffer_.clear();
  flushed_ = std::chrono::steady_clock::now();
}

int print_and_exit_status(const std::string& text, const char* program, int status) {
  Output output;
  output.buffer() = text;
  output.flush();
  if (output.error() == 0) {
    return status;
  }
  std::fprintf(stderr, "%s: write error: %s\n", program, std::strerror(output.error()));
  return 1;
}

}  // namespace trawl::cli
