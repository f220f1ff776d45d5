// SPDX-License-Identifier: Apache-2.0
//
// cache [--rounds N] [--threads N] < PATHS: what metadata costs for the paths of a list, ended by
// NUL.
//
//   lstat            one after another
//   stat_paths       all at once (--threads: that many workers, not as many as pay)
//   stat_batch       the cache's, when it is empty and when it has them all
//   batch relative   DirectoryStatBatch, for the paths of the directory that has most of them
//   hit              BatchedStatCache::get(), by 1, 2, 4, 8 and 16 threads: over 1,000 of the
//   paths, over
//                    all, and over one that all threads want
//
// Nanoseconds per path: of wall-clock time, and for hits of processor time per hit and thread, so
// that figures of more threads than cores mean something. Medians of the rounds, which run in turn.
#include <sys/stat.h>
#include <time.h>
#include <trawl/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_of(const std::function<void()>& body) {
  const Clock::time_point begin = Clock::now();
  body();
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

double thread_time() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

std::vector<std::string> read_paths() {
  std::vector<std::string> paths;
  for (std::string path; std::getline(std::cin, path, '\0');) {
    paths.push_back(path);
  }
  return paths;
}

// Names in the directory that has most of the paths.
std::pair<std::string, std::vector<std::string>> largest_directory(
    const std::vector<std::string>& paths) {
  std::map<std::string, std::vector<std::string>> directories;
  for (const std::string& path : paths) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos && slash + 1 < path.size()) {
      directories[path.substr(0, slash + 1)].push_back(path.substr(slash + 1));
    }
  }
  return *std::max_element(
      directories.begin(), directories.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
}

// Of processor time, per hit.
double hit_time(trawl::BatchedStatCache& cache, const std::vector<std::string>& paths,
                std::size_t count, unsigned threads) {
  constexpr std::size_t kHits = 1'000'000;
  std::atomic<unsigned> ready{0};
  std::vector<double> times(threads);
  std::vector<std::thread> all;
  for (unsigned t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      ++ready;
      while (ready.load() < threads) {
        std::this_thread::yield();
      }
      const double begin = thread_time();
      std::uint64_t sum = 0;
      for (std::size_t i = 0, at = t * 7919 % count; i < kHits; ++i, at = (at + 1) % count) {
        sum += cache.get(paths[at], false)->inode;
      }
      times[t] = (thread_time() - begin) / kHits;
      if (sum == 1) {
        std::puts("");  // so that it is looked at
      }
    });
  }
  double sum = 0;
  for (std::thread& thread : all) {
    thread.join();
  }
  for (const double time : times) {
    sum += time;
  }
  return sum / threads;
}

class Table {
 public:
  void add(const std::string& name, double value) {
    if (!values_.contains(name)) {
      names_.push_back(name);
    }
    values_[name].push_back(value);
  }
  void print() {
    for (const std::string& name : names_) {
      std::vector<double>& values = values_[name];
      std::sort(values.begin(), values.end());
      std::printf("%-32s %8.1f ns  (%.1f to %.1f)\n", name.c_str(), values[values.size() / 2],
                  values.front(), values.back());
    }
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace

int main(int argc, char** argv) {
  int rounds = 5;
  trawl::StatOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rounds") == 0) {
      rounds = std::max(1, std::atoi(argv[i + 1]));
    } else if (std::strcmp(argv[i], "--threads") == 0) {
      options.threads = static_cast<unsigned>(std::atoi(argv[i + 1]));
    }
  }
  std::vector<std::string> paths = read_paths();
  std::erase_if(paths, [](const std::string& path) {
    struct stat info;
    return lstat(path.c_str(), &info) != 0;
  });
  if (paths.empty()) {
    std::fputs("no path on standard input that can be looked at\n", stderr);
    return 2;
  }
  const auto [directory, names] = largest_directory(paths);
  int error = 0;
  const auto batch = trawl::DirectoryStatBatch::open(directory, error);
  const auto count = static_cast<double>(paths.size());
  std::printf("%zu paths, %zu of them in %s, %u cores\n", paths.size(), names.size(),
              directory.c_str(), std::thread::hardware_concurrency());
  Table table;
  for (int round = 0; round < rounds; ++round) {
    table.add("lstat", nanoseconds_of([&] {
                         for (const std::string& path : paths) {
                           struct stat info;
                           lstat(path.c_str(), &info);
                         }
                       }) / count);
    table.add("stat_paths", nanoseconds_of([&] { trawl::stat_paths(paths, options); }) / count);
    if (batch) {
      const auto in_directory = static_cast<double>(names.size());
      table.add("lstat of one directory", nanoseconds_of([&] {
                                            for (const std::string& name : names) {
                                              struct stat info;
                                              lstat((directory + name).c_str(), &info);
                                            }
                                          }) / in_directory);
      table.add("batch relative", nanoseconds_of([&] {
                                    batch->stat_batch_relative(names, false, options);
                                  }) / in_directory);
    }
    trawl::BatchedStatCache cache;
    table.add("stat_batch, nothing kept",
              nanoseconds_of([&] { cache.stat_batch(paths, false, options); }) / count);
    table.add("stat_batch, all kept",
              nanoseconds_of([&] { cache.stat_batch(paths, false, options); }) / count);
    for (const std::size_t some :
         {std::size_t{1}, std::min<std::size_t>(1000, paths.size()), paths.size()}) {
      for (const unsigned threads : {1U, 2U, 4U, 8U, 16U}) {
        table.add(
            "hit, " + std::to_string(some) + " paths, " + std::to_string(threads) + " threads",
            hit_time(cache, paths, some, threads));
      }
    }
  }
  table.print();
}
