// SPDX-License-Identifier: Apache-2.0
#include "cli/read_links.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>
#include <thread>

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

// A cached link takes 1 µs.
constexpr std::chrono::microseconds kSlow{50};
constexpr std::size_t kTried = 16;  // before that is judged
constexpr std::size_t kThreads = 32;

std::string read_link_at(int base, const char* path) {
  std::string target(PATH_MAX, '\0');  // no filesystem has longer ones
  const ssize_t size = ::readlinkat(base, path, target.data(), target.size());
  target.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return target;
}

// A path longer than PATH_MAX, directory by directory.
std::string read_link_in_steps(std::string_view path) {
  int base = AT_FDCWD;
  while (path.size() >= PATH_MAX) {
    const std::size_t slash = path.rfind('/', PATH_MAX - 2);
    if (slash == std::string_view::npos) {
      break;
    }
    const std::string step(path.substr(0, slash + 1));
    path.remove_prefix(path.find_first_not_of('/', slash));
    const int next = ::openat(base, step.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base != AT_FDCWD) {
      ::close(base);
    }
    base = next;
    if (base < 0) {
      return {};
    }
  }
  std::string target = read_link_at(base, std::string(path).c_str());
  if (base != AT_FDCWD) {
    ::close(base);
  }
  return target;
}

std::string read_link(const std::string& path) {
  return path.size() < PATH_MAX ? read_link_at(AT_FDCWD, path.c_str()) : read_link_in_steps(path);
}

}  // namespace

std::vector<std::string> read_links(std::span<const std::string> paths,
                                    std::span<const std::size_t> links) {
  std::vector<std::string> targets(links.size());
  const auto begin = Clock::now();
  std::size_t done = 0;
  bool slow = false;
  for (; done < links.size() && !slow; ++done) {
    targets[done] = read_link(paths[links[done]]);
    slow = done + 1 == kTried && Clock::now() - begin > kTried * kSlow;
  }
  std::atomic<std::size_t> next = done;
  const auto read_rest = [&] {
    for (std::size_t i = next++; i < links.size(); i = next++) {
      targets[i] = read_link(paths[links[i]]);
    }
  };
  std::vector<std::jthread> threads;
  try {
    while (threads.size() + 1 < std::min(kThreads, links.size() - done)) {
      threads.emplace_back(read_rest);
    }
  } catch (const std::system_error&) {  // fewer, then
  }
  read_rest();
  threads.clear();
  return targets;
}

}  // namespace trawl::cli
