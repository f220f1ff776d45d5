// SPDX-License-Identifier: Apache-2.0
#include "cli/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

// False: there is still nothing to read at the deadline.
bool wait_for_input(int fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      return false;
    }
    pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&poll_fd, 1, static_cast<int>(std::min<std::int64_t>(left, INT_MAX)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) {
      return true;  // an error shows when it is read
    }
  }
}

}  // namespace

int read_file(const char* name, std::string& out, std::optional<Clock::time_point> deadline) {
  const bool is_stdin = std::strcmp(name, "-") == 0;
  const int fd = is_stdin ? STDIN_FILENO : ::open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  int error = 0;
  for (;;) {
    constexpr std::size_t kStep = std::size_t{64} << 10;
    if (deadline && !wait_for_input(fd, *deadline)) {
      error = ETIMEDOUT;
      break;
    }
    const std::size_t size = out.size();
    out.resize(size + kStep);
    const ssize_t got = ::read(fd, out.data() + size, kStep);
    out.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      error = got < 0 ? errno : 0;
      break;
    }
  }
  if (!is_stdin) {
    ::close(fd);
  }
  return error;
}

}  // namespace trawl::cli
