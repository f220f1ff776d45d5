// SPDX-License-Identifier: Apache-2.0
//
// What the measuring programs calls and uring share: one stack of directories for all threads,
// what was counted, the line that says it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace bench {

constexpr std::size_t kBuffer = 65536;
constexpr std::int64_t kEnd = INT64_MAX;  // ext4's end mark
constexpr std::uint8_t kUnknown = 0;      // DT_UNKNOWN
constexpr std::uint8_t kDirectory = 4;    // DT_DIR

struct Record {  // struct linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

inline bool is_dot(const Record& record) {
  const char* name = record.name;
  return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

struct Task {
  std::string path;
  std::string records;  // to be stat'ed; empty: the directory is to be listed
};

struct Counts {
  std::uint64_t entries = 0;
  std::uint64_t directories = 0;
  std::uint64_t blocks = 0;
  std::uint64_t failures = 0;

  void operator+=(const Counts& other) {
    entries += other.entries;
    directories += other.directories;
    blocks += other.blocks;
    failures += other.failures;
  }
};

class Work {
 public:
  explicit Work(unsigned threads) : low_(2 * static_cast<std::size_t>(threads)) {
    stack_.push_back({".", {}});
  }

  // Empties `tasks`; the first of them is taken first.
  void push(std::vector<Task>& tasks) {
    if (tasks.empty()) {
      return;
    }
    const std::lock_guard lock(mutex_);
    unfinished_ += tasks.size();
    stack_.insert(stack_.end(), std::make_move_iterator(tasks.rbegin()),
                  std::make_move_iterator(tasks.rend()));
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      changed_.notify_one();
    }
    tasks.clear();
  }

  // False if there is nothing; after a wait, that is for ever.
  bool take(Task& task, bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) {
      changed_.wait(lock, [&] { return !stack_.empty() || unfinished_ == 0; });
    }
    if (stack_.empty()) {
      return false;
    }
    task = std::move(stack_.back());
    stack_.pop_back();
    return true;
  }

  void finish() {
    const std::lock_guard lock(mutex_);
    if (--unfinished_ == 0) {
      changed_.notify_all();
    }
  }

  bool is_low() {
    const std::lock_guard lock(mutex_);
    return stack_.size() < low_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> stack_;
  std::size_t unfinished_ = 1;
  const std::size_t low_;
};

// Exits if it can't be opened.
inline int open_root(const char* root, struct statx& info) {
  const int fd = open(root, O_RDONLY | O_DIRECTORY);
  if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0) {
    std::perror(root);
    std::exit(1);
  }
  return fd;
}

inline std::string path_of(const std::string& directory, const char* name) {
  return directory == "." ? name : directory + '/' + name;
}

// The same line as the floor's. Returns the status to exit with.
inline int print(const Counts& counts, std::chrono::steady_clock::time_point begin) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  std::printf("%ju entries, %ju directories, %ju bytes, %.4f s\n",
              static_cast<std::uintmax_t>(counts.entries),
              static_cast<std::uintmax_t>(counts.directories),
              static_cast<std::uintmax_t>(counts.blocks * 512), elapsed.count());
  if (counts.failures > 0) {
    std::fprintf(stderr, "%ju calls failed\n", static_cast<std::uintmax_t>(counts.failures));
    return 1;
  }
  return 0;
}

// The number that follows option `name` at argv[i], if it is that.
inline bool number_option(int argc, char** argv, int& i, const char* name, unsigned& value) {
  if (std::strcmp(argv[i], name) != 0 || i + 1 == argc) {
    return false;
  }
  char* end = nullptr;
  const unsigned long number = std::strtoul(argv[++i], &end, 10);
  if (end == argv[i] || *end != 0 || number == 0 || number > 1U << 24) {
    std::fprintf(stderr, "%s: a number from 1 on is needed\n", name);
    std::exit(2);
  }
  value = static_cast<unsigned>(number);
  return true;
}

}  // namespace bench
