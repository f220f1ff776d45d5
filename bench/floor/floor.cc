// SPDX-License-Identifier: Apache-2.0
//
// The floor: the least kernel work that lists a tree and stats every entry, and nothing else. No
// hard links, no order, no report of what went wrong, one line of output. What trawl is measured
// against.
//
//   floor [--names] [--read-to-end] [--whole] [--threads N] PATH
//
// Each thread has its own descriptor table. A directory is opened by its path from the root, listed
// with 64 KiB getdents64, its entries are statx'ed relative to its descriptor, and it is closed.
// ext4's end mark (last offset 2^63-1) saves the last read, unless --read-to-end. --names stats
// nothing (but what has no type in its record).
//
// Work: a stack per thread; who has nothing takes the older half of somebody else's, or sleeps
// until more is pushed. One directory keeps all threads busy: of one that needs several reads, the
// later ones are given away while the own stack is low, opened again and only stat'ed. A huge one
// on ext4 is also listed by all: what comes after the first read is divided into ranges of its
// offsets, which are hashes of the names (the offset of an entry is where the record before it
// points to).
// --whole leaves this out.
//
// What can't be opened is counted and said, with status 1: then this is no floor.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kBuffer = 65536;
constexpr std::int64_t kEnd = INT64_MAX;
constexpr std::int64_t kRangeBytes = 1
                                     << 19;  // of the directory; less, and what is read twice shows

struct Record {  // struct linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

struct Task {
  std::string path;
  std::string records;                 // to be stat'ed; empty: the directory is to be listed,
  std::int64_t begin = 0, end = kEnd;  // from this offset up to that
};

struct alignas(128) Worker {
  std::mutex mutex;
  std::vector<Task> stack;
  std::vector<Task> found;  // by the expansion that is going on
  std::uint64_t entries = 0;
  std::uint64_t directories = 0;
  std::uint64_t blocks = 0;
  std::uint64_t unopened = 0;
};

bool g_names = false;
bool g_read_to_end = false;
bool g_whole = false;
int g_root = -1;
unsigned g_threads = 1;
std::unique_ptr<Worker[]> g_workers;
std::atomic<std::uint64_t> g_unfinished{1};  // tasks pushed and not yet finished
std::atomic<unsigned> g_idle{0};
std::atomic<std::uint32_t> g_pushes{0};  // changes when there may be work for those who sleep

// One for each task: else thieves that take a last one leave others asleep.
void wake(std::size_t count) {
  for (count = std::min<std::size_t>(count, g_idle.load()); count > 0; --count) {
    ++g_pushes;
    g_pushes.notify_one();
  }
}

void push(Worker& self, std::vector<Task>& tasks) {
  const std::size_t count = tasks.size();
  g_unfinished += count;
  {
    std::lock_guard lock(self.mutex);
    // The first that was listed is taken first.
    self.stack.insert(self.stack.end(), std::make_move_iterator(tasks.rbegin()),
                      std::make_move_iterator(tasks.rend()));
  }
  tasks.clear();
  wake(count);
}

bool is_low(Worker& self) {
  std::lock_guard lock(self.mutex);
  return self.stack.size() < 2 * static_cast<std::size_t>(g_threads);
}

// Counts and stats the entries of one read, the first at offset `position`, up to `end`. Returns
// the offset that follows.
std::int64_t visit(Worker& self, long fd, const std::string& path, const char* records, long size,
                   std::int64_t position, std::int64_t end) {
  for (long at = 0; at < size && position < end;) {
    const auto* record = reinterpret_cast<const Record*>(records + at);
    at += record->length;
    position = record->offset;
    const char* name = record->name;
    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) {
      continue;
    }
    ++self.entries;
    bool is_directory = record->type == 4;  // DT_DIR
    if (!g_names || record->type == 0) {    // DT_UNKNOWN
      struct statx info;
      if (syscall(SYS_statx, fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
                  &info) == 0) {
        self.blocks += info.stx_blocks;
        is_directory = S_ISDIR(info.stx_mode);
      }
    }
    if (is_directory) {
      self.found.push_back({path == "." ? name : path + '/' + name, {}});
    }
  }
  return position;
}

// Gives away what follows `position`, if the directory is huge and its offsets are ext4's hashes.
bool divide(Worker& self, long fd, const std::string& path, std::int64_t position) {
  struct statfs filesystem;
  struct stat info;
  if (g_threads == 1 || g_whole || fstat(static_cast<int>(fd), &info) != 0 ||
      info.st_size < 4 * kRangeBytes || position <= info.st_size || position == kEnd ||
      fstatfs(static_cast<int>(fd), &filesystem) != 0 || filesystem.f_type != 0xef53) {
    return false;
  }
  const std::int64_t count = std::min<std::int64_t>(8L * g_threads, info.st_size / kRangeBytes);
  const std::int64_t step = (kEnd - position) / count;
  for (std::int64_t i = 0; i < count; ++i) {
    // The lower half tells entries with the same hash apart, which stay together.
    const std::int64_t end = i + 1 == count ? kEnd : (position + step) >> 32 << 32;
    self.found.push_back({path, {}, position, end});
    position = end;
  }
  return true;
}

void list(Worker& self, const Task& task, long fd, char* buffer) {
  const bool is_whole = task.begin == 0 && task.end == kEnd;
  self.directories += is_whole ? 1 : 0;
  if (task.begin != 0) {
    lseek(static_cast<int>(fd), task.begin, SEEK_SET);
  }
  bool first = true;
  for (std::int64_t position = task.begin; position < task.end; first = false) {
    const long size = syscall(SYS_getdents64, fd, buffer, kBuffer);
    if (size <= 0) {
      break;
    }
    if (is_whole && !first && !g_names && g_threads > 1 && is_low(self)) {
      self.found.push_back({task.path, std::string(buffer, static_cast<std::size_t>(size))});
      push(self, self.found);
    } else {
      position = visit(self, fd, task.path, buffer, size, position, task.end);
      if (is_whole && first && divide(self, fd, task.path, position)) {
        break;
      }
      if (position == kEnd && g_read_to_end) {
        position = 0;  // read on; nothing comes
      }
    }
  }
}

void expand(Worker& self, const Task& task, char* buffer) {
  const long fd = syscall(SYS_openat, g_root, task.path.c_str(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    ++self.unopened;
    return;
  }
  if (task.records.empty()) {
    list(self, task, fd, buffer);
  } else {
    visit(self, fd, task.path, task.records.data(), static_cast<long>(task.records.size()), 0,
          kEnd);
  }
  syscall(SYS_close, fd);
  if (!self.found.empty()) {
    push(self, self.found);
  }
}

bool take(unsigned index, Task& task) {
  Worker& self = g_workers[index];
  {
    std::lock_guard lock(self.mutex);
    if (!self.stack.empty()) {
      task = std::move(self.stack.back());
      self.stack.pop_back();
      return true;
    }
  }
  for (unsigned i = 1; i < g_threads; ++i) {
    Worker& victim = g_workers[(index + i) % g_threads];
    std::vector<Task> loot;
    {
      std::lock_guard lock(victim.mutex);
      const auto middle =
          victim.stack.begin() + static_cast<std::ptrdiff_t>((victim.stack.size() + 1) / 2);
      loot.assign(std::make_move_iterator(victim.stack.begin()), std::make_move_iterator(middle));
      victim.stack.erase(victim.stack.begin(), middle);
    }
    if (!loot.empty()) {
      task = std::move(loot.back());
      loot.pop_back();
      if (!loot.empty()) {
        {
          std::lock_guard lock(self.mutex);
          self.stack = std::move(loot);
        }
        wake(1);
      }
      return true;
    }
  }
  return false;
}

void work(unsigned index) {
  if (index > 0) {
    syscall(SYS_unshare, 0x00000400 /* CLONE_FILES */);
  }
  std::unique_ptr<char[]> buffer(new char[kBuffer]);
  Task task;
  while (g_unfinished.load() != 0) {
    if (!take(index, task)) {
      // Who pushes sees g_idle, or else its task is seen here.
      ++g_idle;
      const std::uint32_t pushes = g_pushes.load();
      const bool found = take(index, task);
      if (!found && g_unfinished.load() != 0) {
        g_pushes.wait(pushes);
      }
      --g_idle;
      if (!found) {
        continue;
      }
    }
    expand(g_workers[index], task, buffer.get());
    if (--g_unfinished == 0) {
      ++g_pushes;
      g_pushes.notify_all();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* root = ".";
  g_threads = std::max(1U, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--names") == 0) {
      g_names = true;
    } else if (std::strcmp(argv[i], "--read-to-end") == 0) {
      g_read_to_end = true;
    } else if (std::strcmp(argv[i], "--whole") == 0) {
      g_whole = true;
    } else if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      g_threads = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    } else {
      root = argv[i];
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  g_root = open(root, O_RDONLY | O_DIRECTORY);
  struct statx info;
  if (g_root < 0 || syscall(SYS_statx, g_root, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info) != 0) {
    std::perror(root);
    return 1;
  }
  g_workers.reset(new Worker[g_threads]);
  g_workers[0].stack.push_back({".", {}});
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < g_threads; ++i) {
    threads.emplace_back(work, i);
  }
  work(0);
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::uint64_t entries = 0;
  std::uint64_t directories = 0;
  std::uint64_t unopened = 0;
  std::uint64_t blocks = g_names ? 0 : info.stx_blocks;
  for (unsigned i = 0; i < g_threads; ++i) {
    entries += g_workers[i].entries;
    directories += g_workers[i].directories;
    blocks += g_workers[i].blocks;
    unopened += g_workers[i].unopened;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  std::printf("%ju entries, %ju directories, %ju bytes, %.4f s\n",
              static_cast<std::uintmax_t>(entries), static_cast<std::uintmax_t>(directories),
              static_cast<std::uintmax_t>(blocks * 512), elapsed.count());
  if (unopened > 0) {
    std::fprintf(stderr, "floor: %ju directories could not be opened\n",
                 static_cast<std::uintmax_t>(unopened));
    return 1;
  }
}
