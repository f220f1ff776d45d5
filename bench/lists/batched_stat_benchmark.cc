// SPDX-License-Identifier: Apache-2.0
//
// One stat after another against collect_with_batched_stats, on a directory of your choice.
//
//   batched_stat_benchmark [--rounds N] DIRECTORY
//
// Sequential: std::filesystem::recursive_directory_iterator, lstat, sort by path components. Both
// give the same list; that is checked. Warm: N rounds (5) after one that warms up. Cold: N rounds,
// caches dropped before each run; as root only. The order of the two alternates from round to
// round. Figures are medians, and of the ratios the one of the medians.
#include <fcntl.h>
#include <sys/stat.h>
#include <trawl/file_list.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Listed {
  std::filesystem::path path;
  struct stat info;
};

std::vector<Listed> sequential(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<Listed> list;
  const auto add = [&list](const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) {
      list.push_back({path, info});
    }
  };
  add(root);
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(
           root, fs::directory_options::skip_permission_denied, error);
       at != fs::recursive_directory_iterator(); at.increment(error)) {
    add(at->path());
  }
  std::sort(list.begin(), list.end(),
            [](const Listed& a, const Listed& b) { return a.path < b.path; });
  return list;
}

double seconds(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

bool drop_caches() {
  ::sync();
  const int fd = ::open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool done = ::write(fd, "3", 1) == 1;
  ::close(fd);
  return done;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const std::string& root, const char* caches, int rounds, bool cold) {
  std::vector<double> one_by_one, batched;
  for (int round = cold ? 1 : 0; round <= rounds; ++round) {
    for (const bool first : {true, false}) {
      if (cold && !drop_caches()) {
        std::printf("| cold | not measured: the caches can be dropped by root only | | |\n");
        return;
      }
      const bool serial = first == (round % 2 == 0);
      const double time = serial ? seconds([&] { sequential(root); })
                                 : seconds([&] { trawl::collect_with_batched_stats(root); });
      if (round > 0) {
        (serial ? one_by_one : batched).push_back(time);
      }
    }
  }
  std::printf("| %s | %.3f s | %.3f s | %.1f |\n", caches, median(one_by_one), median(batched),
              median(one_by_one) / median(batched));
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 5;
  std::string root;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      rounds = std::max(1, std::atoi(argv[++i]));
    } else {
      root = argv[i];
    }
  }
  if (root.empty()) {
    std::fputs("usage: batched_stat_benchmark [--rounds N] DIRECTORY\n", stderr);
    return 2;
  }
  const std::vector<Listed> naive = sequential(root);
  const trawl::FileList list = trawl::collect_with_batched_stats(root);
  if (list.size() != naive.size()) {
    std::printf("they differ: %zu entries, %zu\n", naive.size(), list.size());
    return 1;
  }
  for (std::size_t i = 0; i < naive.size(); ++i) {
    const trawl::Metadata metadata = list[i].metadata();
    if (list[i].full_path() != naive[i].path || metadata.inode != naive[i].info.st_ino ||
        metadata.size != static_cast<std::uint64_t>(naive[i].info.st_size)) {
      std::printf("they differ at %s\n", list[i].full_path().c_str());
      return 1;
    }
  }
  std::printf("%s: %zu entries, %.0f bytes each in memory; %ld processors, %d rounds\n\n",
              root.c_str(), list.size(),
              static_cast<double>(list.memory_use()) /
                  static_cast<double>(std::max<std::size_t>(1, list.size())),
              ::sysconf(_SC_NPROCESSORS_ONLN), rounds);
  std::printf("| caches | one after another | batched | times faster |\n|---|---|---|---|\n");
  compare(root, "warm", rounds, false);
  compare(root, "cold", rounds, true);
  return 0;
}
