// SPDX-License-Identifier: Apache-2.0
//
// The floor: the least kernel work that lists a tree and stats every entry, and nothing else. No
// hard links, no errors reported, no order, no output but one line. What trawl is measured against.
//
//   floor [--names] [--threads N] PATH
//
// Each thread has its own descriptor table. A directory is opened by its path from the root, listed
// with 64 KiB getdents64, its entries are statx'ed relative to its descriptor, and it is closed. ext4's
// end mark (last offset 2^63-1) saves the last read. Work: a stack of paths per thread; who has none
// takes the older half of somebody else's.
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Record {  // struct linux_dirent64
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

struct alignas(64) Worker {
  std::mutex mutex;
  std::vector<std::string> stack;
  std::uint64_t entries = 0;
  std::uint64_t directories = 0;
  std::uint64_t blocks = 0;
};

bool g_names = false;
int g_root = -1;
unsigned g_threads = 1;
std::unique_ptr<Worker[]> g_workers;
std::atomic<std::uint64_t> g_unfinished{1};  // directories pushed and not yet expanded

void expand(Worker& self, const std::string& path, char* buffer) {
  const long fd = syscall(SYS_openat, g_root, path.c_str(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return;
  }
  ++self.directories;
  std::vector<std::string> children;
  for (bool end = false; !end;) {
    const long size = syscall(SYS_getdents64, fd, buffer, 65536);
    if (size <= 0) {
      break;
    }
    for (long at = 0; at < size;) {
      const auto* record = reinterpret_cast<const Record*>(buffer + at);
      at += record->length;
      end = at == size && record->offset == INT64_MAX;
      const char* name = record->name;
      if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) {
        continue;
      }
      ++self.entries;
      if (!g_names) {
        struct statx info;
        if (syscall(SYS_statx, fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
                    &info) == 0) {
          self.blocks += info.stx_blocks;
        }
      }
      if (record->type == 4 /* DT_DIR */) {
        children.push_back(path == "." ? name : path + '/' + name);
      }
    }
  }
  syscall(SYS_close, fd);
  if (!children.empty()) {
    g_unfinished += children.size();
    std::lock_guard lock(self.mutex);
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      self.stack.push_back(std::move(*child));
    }
  }
}

void work(unsigned index) {
  if (index > 0) {
    syscall(SYS_unshare, 0x00000400 /* CLONE_FILES */);
  }
  Worker& self = g_workers[index];
  std::unique_ptr<char[]> buffer(new char[65536]);
  while (g_unfinished.load() != 0) {
    std::string path;
    bool found = false;
    {
      std::lock_guard lock(self.mutex);
      if (!self.stack.empty()) {
        path = std::move(self.stack.back());
        self.stack.pop_back();
        found = true;
      }
    }
    for (unsigned i = 1; i < g_threads && !found; ++i) {
      Worker& victim = g_workers[(index + i) % g_threads];
      std::vector<std::string> loot;
      {
        std::lock_guard lock(victim.mutex);
        const auto half = static_cast<std::ptrdiff_t>((victim.stack.size() + 1) / 2);
        loot.assign(std::make_move_iterator(victim.stack.begin()),
                    std::make_move_iterator(victim.stack.begin() + half));
        victim.stack.erase(victim.stack.begin(), victim.stack.begin() + half);
      }
      if (!loot.empty()) {
        path = std::move(loot.back());
        loot.pop_back();
        found = true;
        std::lock_guard lock(self.mutex);
        self.stack = std::move(loot);
      }
    }
    if (!found) {
      std::this_thread::yield();
      continue;
    }
    expand(self, path, buffer.get());
    --g_unfinished;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* root = ".";
  g_threads = std::thread::hardware_concurrency();
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--names") == 0) {
      g_names = true;
    } else if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      g_threads = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    } else {
      root = argv[i];
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  g_root = open(root, O_RDONLY | O_DIRECTORY);
  if (g_root < 0) {
    std::perror(root);
    return 1;
  }
  g_workers.reset(new Worker[g_threads]);
  g_workers[0].stack.emplace_back(".");
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
  std::uint64_t blocks = 0;
  for (unsigned i = 0; i < g_threads; ++i) {
    entries += g_workers[i].entries;
    directories += g_workers[i].directories;
    blocks += g_workers[i].blocks;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  std::printf("%ju entries, %ju directories, %ju KiB, %.4f s\n", static_cast<std::uintmax_t>(entries),
              static_cast<std::uintmax_t>(directories), static_cast<std::uintmax_t>(blocks / 2),
              elapsed.count());
}
