// SPDX-License-Identifier: Apache-2.0
#include "sys/thread_time.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace trawl::sys {

namespace {

std::chrono::nanoseconds read(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

void ThreadTime::attach() {
  pthread_getcpuclockid(pthread_self(), &clock_);
#ifdef SYS_gettid
  id_ = static_cast<pid_t>(::syscall(SYS_gettid));
#endif
}

std::chrono::nanoseconds ThreadTime::used() const { return read(clock_); }

std::chrono::nanoseconds own_processor_time() { return read(CLOCK_THREAD_CPUTIME_ID); }

std::chrono::nanoseconds ThreadTime::waited() const {
  char path[64] = "/proc/self/task/";  // no allocation: nothing here may fail for lack of memory
  char* const number = path + std::strlen(path);
  char* const end_of_number = std::to_chars(number, path + sizeof path, id_).ptr;
  std::strcpy(end_of_number, "/schedstat");
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return {};
  }
  char text[96];  // "RAN WAITED TIMES"
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) {
    return {};
  }
  text[size] = '\0';
  char* end = text;
  std::strtoull(text, &end, 10);
  return std::chrono::nanoseconds(std::strtoull(end, nullptr, 10));
}

}  // namespace trawl::sys
