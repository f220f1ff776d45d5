// SPDX-License-Identifier: Apache-2.0
//
// Measures on this machine what simulate.cc takes for given: costs PATH
//
// One thread walks PATH as the engine does, depth first, and times each kind of call; then threads
// are started and woken. Prints means of calls and medians of the rest in nanoseconds, one a line.
// The means are reduced by the share of the time in which other processes had the core.
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration time) {
  return static_cast<double>(std::chrono::nanoseconds(time).count());
}

double cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Sum {
  double time = 0;
  std::uint64_t calls = 0;
  double mean() const { return calls > 0 ? time / static_cast<double>(calls) : 0; }
};

// --- a walk

struct Walk {
  Sum open, stat_directory, read, stat, close;
  std::uint64_t entries = 0;
  std::vector<char> buffer = std::vector<char>(64 << 10);

  template <class Call>
  static auto timed(Sum& sum, Call call) {
    const Clock::time_point begin = Clock::now();
    const auto result = call();
    sum.time += nanoseconds(Clock::now() - begin);
    ++sum.calls;
    return result;
  }

  void list(const std::string& path) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const int fd = timed(open, [&] { return ::open(path.c_str(), kFlags); });
    if (fd < 0) {
      return;
    }
    struct statx now;
    timed(stat_directory, [&] { return ::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now); });
    std::vector<std::string> below;
    for (;;) {
      const long size =
          timed(read, [&] { return ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size()); });
      if (size <= 0) {
        break;
      }
      bool end = false;
      const Clock::time_point begin = Clock::now();
      for (long at = 0; at < size;) {
        const auto* record = reinterpret_cast<const dirent64*>(buffer.data() + at);
        at += record->d_reclen;
        end = record->d_off == INT64_MAX;
        const std::string_view name = record->d_name;
        if (name == "." || name == "..") {
          continue;
        }
        ++entries;
        if (record->d_type == DT_DIR) {
          below.push_back(path + '/' + record->d_name);
        } else {
          struct statx found;
          ::statx(fd, record->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &found);
          ++stat.calls;
        }
      }
      stat.time += nanoseconds(Clock::now() - begin);
      if (end) {
        break;
      }
    }
    timed(close, [&] { return ::close(fd); });
    for (const std::string& each : below) {
      list(each);
    }
  }
};

// --- threads

std::atomic<Clock::rep> began{0};
std::atomic<int> word{0};
std::atomic<int> go_on{0};

void* note_begin(void*) {
  began.store(Clock::now().time_since_epoch().count());
  while (go_on.load() == 0) {
    ::syscall(SYS_futex, &go_on, FUTEX_WAIT_PRIVATE, 0, nullptr);
  }
  return nullptr;
}

constexpr int kWakes = 2000;

void* sleep_often(void*) {
  for (int i = 0; i < kWakes; ++i) {
    while (word.load() == i) {
      ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, i, nullptr);
    }
    began.store(Clock::now().time_since_epoch().count());
  }
  return nullptr;
}

void measure_threads() {
  std::vector<double> create;
  std::vector<double> until_begun;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{256} << 10);
  // None ends before all have begun, so that each needs a stack of its own, as in a walk.
  std::vector<pthread_t> threads(255);
  for (pthread_t& each : threads) {
    began.store(0);
    const Clock::time_point begin = Clock::now();
    pthread_create(&each, &attributes, note_begin, nullptr);
    create.push_back(nanoseconds(Clock::now() - begin));
    while (began.load() == 0) {
      sched_yield();
    }
    until_begun.push_back(nanoseconds(Clock::duration(began.load()) - begin.time_since_epoch()));
  }
  go_on.store(1);
  ::syscall(SYS_futex, &go_on, FUTEX_WAKE_PRIVATE, INT32_MAX);
  for (const pthread_t each : threads) {
    pthread_join(each, nullptr);
  }
  std::printf("start_thread %.0f\nuntil_thread_begins %.0f\n", median(create), median(until_begun));

  std::vector<double> wake;
  std::vector<double> until_awake;
  pthread_t thread;
  pthread_create(&thread, nullptr, sleep_often, nullptr);
  for (int i = 0; i < kWakes; ++i) {
    ::usleep(50);
    const Clock::time_point begin = Clock::now();
    word.store(i + 1);
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
    wake.push_back(nanoseconds(Clock::now() - begin));
    ::usleep(50);
    until_awake.push_back(nanoseconds(Clock::duration(began.load()) - begin.time_since_epoch()));
  }
  pthread_join(thread, nullptr);
  std::printf("wake %.0f\nuntil_awake %.0f\n", median(wake), median(until_awake));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: costs PATH\n");
    return 2;
  }
  Walk().list(argv[1]);  // fills the caches
  Walk walk;
  const Clock::time_point begin = Clock::now();
  const double cpu_begin = cpu_time();
  walk.list(argv[1]);
  const double cpu = cpu_time() - cpu_begin;
  const double share = cpu / nanoseconds(Clock::now() - begin);
  const auto entries = static_cast<double>(walk.entries);
  std::printf("entries %.0f\nshare %.2f\nall_per_entry %.0f\n", entries, share, cpu / entries);
  std::printf("open %.0f\nstat_directory %.0f\nread %.0f\nread_per_entry %.0f\n",
              walk.open.mean() * share, walk.stat_directory.mean() * share,
              walk.read.mean() * share, walk.read.time * share / entries);
  std::printf("stat %.0f\nclose %.0f\n", walk.stat.mean() * share, walk.close.mean() * share);
  measure_threads();
  return 0;
}
