// SPDX-License-Identifier: Apache-2.0
#include "cli/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace trawl::cli {

int read_file(const char* name, std::string& out) {
  const bool is_stdin = std::strcmp(name, "-") == 0;
  const int fd = is_stdin ? STDIN_FILENO : ::open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  int error = 0;
  for (;;) {
    constexpr std::size_t kStep = std::size_t{64} << 10;
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
