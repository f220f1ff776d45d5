// SPDX-License-Identifier: Apache-2.0
#include "sys/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace trawl::sys {

std::string read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return {};
  constexpr std::size_t kStep = 4096;  // files of /proc and /sys have no size to ask for
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (text.size() - used < kStep) text.resize(text.size() + kStep + used);
    const ssize_t got = ::read(fd, text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) used = 0;
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  ::close(fd);
  text.resize(used);
  return text;
}

}  // namespace trawl::sys
