// SPDX-License-Identifier: Apache-2.0
#include "cli/find_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "cli/interrupt.h"

namespace trawl::cli {

namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  void reset(int number) {
    close();
    number_ = number;
  }
  void close() {
    if (number_ >= 0) {
      ::close(std::exchange(number_, -1));
    }
  }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor reader, writer;
  void close() {
    reader.close();
    writer.close();
  }
  // 0 or errno.
  int open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return errno;
    }
    reader.reset(ends[0]);
    writer.reset(ends[1]);
    return 0;
  }
};

class FileActions {
 public:
  FileActions() { check(::posix_spawn_file_actions_init(&actions_)); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  void duplicate(int from, int to) {
    check(::posix_spawn_file_actions_adddup2(&actions_, from, to));
  }
  void open_nothing(int as) {
    check(::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", O_RDONLY, 0));
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  static void check(int error) {
    if (error != 0) {
      throw std::bad_alloc();
    }
  }
  posix_spawn_file_actions_t actions_;
};

// 0 or errno. Where there are too many processes or descriptors, others' ends are waited for.
template <class Attempt>
int patiently(const Attempt& attempt) {
  constexpr std::chrono::milliseconds kLongest{500};
  for (std::chrono::milliseconds nap{1};; nap *= 2) {
    const int error = attempt();
    const bool may_pass = error == EAGAIN || error == EMFILE || error == ENFILE;
    if (!may_pass || nap > kLongest || Interrupt::status() != 0) {
      return error;
    }
    std::this_thread::sleep_for(nap);
  }
}

// Both or none, so that nobody waits for a second one while he keeps others from theirs.
int open_both(std::array<Pipe, 2>& pipes) {
  for (Pipe& pipe : pipes) {
    if (const int error = pipe.open(); error != 0) {
      pipes[0].close();
      return error;
    }
  }
  return 0;
}

int start(const Arguments& arguments, const posix_spawn_file_actions_t* actions, pid_t& child) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  return patiently([&] {
    return ::posix_spawnp(&child, pointers[0], actions, nullptr, pointers.data(), environ);
  });
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Until both are at their ends.
void read_both(std::array<Pipe, 2>& pipes,
               const std::function<void(Stream, std::string_view)>& take) {
  std::array<char, std::size_t{64} << 10> room;
  std::array<pollfd, 2> ready;
  for (std::size_t i = 0; i < ready.size(); ++i) {
    ready[i] = {.fd = pipes[i].reader.number(), .events = POLLIN, .revents = 0};
  }
  while (ready[0].fd >= 0 || ready[1].fd >= 0) {
    if (::poll(ready.data(), ready.size(), -1) <= 0) {
      continue;
    }
    for (std::size_t i = 0; i < ready.size(); ++i) {
      if (ready[i].fd < 0 || ready[i].revents == 0) {
        continue;
      }
      const ssize_t size = ::read(ready[i].fd, room.data(), room.size());
      if (size > 0) {
        take(i == 0 ? Stream::output : Stream::error,
             std::string_view(room.data(), static_cast<std::size_t>(size)));
      } else if (size == 0 || errno != EINTR) {
        ready[i].fd = -1;
      }
    }
  }
}

}  // namespace

ChildResult run_child(const Arguments& arguments) {
  ChildResult result;
  pid_t child = 0;
  result.error = start(arguments, nullptr, child);
  if (result.error == 0) {
    result.status = wait_for(child);
  }
  return result;
}

ChildResult run_child(const Arguments& arguments,
                      const std::function<void(Stream, std::string_view)>& take) {
  ChildResult result;
  std::array<Pipe, 2> pipes;
  result.error = patiently([&] { return open_both(pipes); });
  if (result.error != 0) {
    return result;
  }
  FileActions actions;
  actions.open_nothing(STDIN_FILENO);
  actions.duplicate(pipes[0].writer.number(), STDOUT_FILENO);
  actions.duplicate(pipes[1].writer.number(), STDERR_FILENO);
  pid_t child = 0;
  result.error = start(arguments, actions.get(), child);
  for (Pipe& pipe : pipes) {
    pipe.writer.close();
  }
  if (result.error == 0) {
    read_both(pipes, take);
    result.status = wait_for(child);
  }
  return result;
}

}  // namespace trawl::cli
