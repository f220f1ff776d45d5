// SPDX-License-Identifier: Apache-2.0
#include "sys/thread_time.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <span>

namespace trawl::sys {

namespace {

std::chrono::nanoseconds read(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) {
    return {};
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Fills in the beginning of a thread's file, and a NUL. Allocates nothing: no look at the time may fail
// for lack of memory.
bool read_file_of(pid_t thread, const char* name, std::span<char> text) {
  char path[64] = "/proc/self/task/";
  char* const number = path + std::strlen(path);
  std::strcpy(std::to_chars(number, path + sizeof path, thread).ptr, name);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const ssize_t size = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  text[size > 0 ? static_cast<std::size_t>(size) : 0] = '\0';
  return size > 0;
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
  std::array<char, 96> text{};  // "RAN WAITED TIMES"
  if (!read_file_of(id_, "/schedstat", text)) {
    return {};
  }
  char* end = text.data();
  std::strtoull(text.data(), &end, 10);
  return std::chrono::nanoseconds(std::strtoull(end, nullptr, 10));
}

bool ThreadTime::is_ready_to_run() const {
  std::array<char, 64> text{};  // "ID (NAME) STATE …"; a thread's name has 15 bytes at the most
  if (!read_file_of(id_, "/stat", text)) {
    return false;
  }
  const char* const name_end = std::strrchr(text.data(), ')');
  return name_end != nullptr && std::strncmp(name_end, ") R", 3) == 0;
}

}  // namespace trawl::sys
