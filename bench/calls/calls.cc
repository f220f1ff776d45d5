// SPDX-License-Identifier: Apache-2.0
//
// The floor's work (bench/floor) with another choice of what the kernel is asked, to measure each
// choice by itself.
//
//   calls [--threads N] [--names] [--mask type|blocks|basic|all] [--dont-sync] [--buffer BYTES]
//         [--order inode] [--advise] [--read-to-end] PATH
//
// --dont-sync: AT_STATX_DONT_SYNC. --buffer: of getdents64. --order inode: the entries of each read
// are stat'ed by ascending inode. --advise: readahead of a directory right after it was opened. A
// directory is one thread's; ext4's end mark saves the last read, unless --read-to-end.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "work.h"

namespace {

using bench::Record;
using bench::Task;

unsigned g_threads = 1;
unsigned g_buffer = bench::kBuffer;
unsigned g_mask = STATX_BASIC_STATS;
int g_flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
bool g_names = false;
bool g_inode_order = false;
bool g_advise = false;
bool g_read_to_end = false;
int g_root = -1;

struct Worker {
  bench::Counts counts;
  std::vector<const Record*> records;  // of one read
  std::vector<Task> found;
};

void visit(Worker& self, long fd, const std::string& path, const Record& record) {
  ++self.counts.entries;
  bool is_directory = record.type == bench::kDirectory;
  if (!g_names || record.type == bench::kUnknown) {
    struct statx info;
    if (syscall(SYS_statx, fd, record.name, g_flags, g_mask, &info) == 0) {
      self.counts.blocks += info.stx_blocks;
      is_directory = S_ISDIR(info.stx_mode);
    } else {
      ++self.counts.failures;
    }
  }
  if (is_directory) {
    self.found.push_back({bench::path_of(path, record.name), {}});
  }
}

void list(Worker& self, const Task& task, char* buffer) {
  const long fd = syscall(SYS_openat, g_root, task.path.c_str(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    ++self.counts.failures;
    return;
  }
  ++self.counts.directories;
  if (g_advise) {
    // A hint: nothing depends on what it answers.
    (void)posix_fadvise(static_cast<int>(fd), 0, 0, POSIX_FADV_WILLNEED);
  }
  std::int64_t position = 0;
  while (position != bench::kEnd || g_read_to_end) {
    const long size = syscall(SYS_getdents64, fd, buffer, g_buffer);
    if (size <= 0) {
      self.counts.failures += size < 0 ? 1 : 0;
      break;
    }
    self.records.clear();
    for (long at = 0; at < size;) {
      const auto* record = reinterpret_cast<const Record*>(buffer + at);
      at += record->length;
      position = record->offset;
      if (!bench::is_dot(*record)) {
        self.records.push_back(record);
      }
    }
    if (g_inode_order) {
      std::sort(self.records.begin(), self.records.end(),
                [](const Record* a, const Record* b) { return a->inode < b->inode; });
    }
    for (const Record* record : self.records) {
      visit(self, fd, task.path, *record);
    }
  }
  syscall(SYS_close, fd);
}

void work_on(bench::Work& work, Worker& self) {
  const std::unique_ptr<char[]> buffer(new char[g_buffer]);
  Task task;
  while (work.take(task, true)) {
    list(self, task, buffer.get());
    work.push(self.found);
    work.finish();
  }
}

bool mask_option(const char* word) {
  const std::pair<const char*, unsigned> kMasks[] = {
      {"type", STATX_TYPE},
      {"blocks", STATX_TYPE | STATX_BLOCKS},
      {"basic", STATX_BASIC_STATS},
      {"all", STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID},
  };
  for (const auto& [name, mask] : kMasks) {
    if (std::strcmp(word, name) == 0) {
      g_mask = mask;
      return true;
    }
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const char* root = ".";
  g_threads = std::max(1U, std::thread::hardware_concurrency());
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--names") {
      g_names = true;
    } else if (word == "--dont-sync") {
      g_flags |= AT_STATX_DONT_SYNC;
    } else if (word == "--advise") {
      g_advise = true;
    } else if (word == "--read-to-end") {
      g_read_to_end = true;
    } else if (word == "--order" && i + 1 < argc) {
      g_inode_order = std::string(argv[++i]) == "inode";
    } else if (word == "--mask" && i + 1 < argc) {
      if (!mask_option(argv[++i])) {
        std::fprintf(stderr, "--mask: type, blocks, basic or all\n");
        return 2;
      }
    } else if (!bench::number_option(argc, argv, i, "--threads", g_threads) &&
               !bench::number_option(argc, argv, i, "--buffer", g_buffer)) {
      root = argv[i];
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  struct statx info;
  g_root = bench::open_root(root, info);
  bench::Work work(g_threads);
  std::vector<Worker> workers(g_threads);
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < g_threads; ++i) {
    threads.emplace_back([&work, &self = workers[i]] {
      unshare(CLONE_FILES);
      work_on(work, self);
    });
  }
  work_on(work, workers[0]);
  for (std::thread& thread : threads) {
    thread.join();
  }
  bench::Counts counts{.blocks = g_names ? 0 : info.stx_blocks};
  for (const Worker& worker : workers) {
    counts += worker.counts;
  }
  return bench::print(counts, begin);
}
