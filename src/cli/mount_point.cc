// SPDX-License-Identifier: Apache-2.0
#include "cli/mount_point.h"

#include <sys/stat.h>

#include <cstdlib>
#include <memory>

#include "cli/entry_text.h"

namespace trawl::cli {

namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};

// Goes up from an absolute path without links in it. `status` is that of `path`.
std::string climb(std::string path, struct stat status) {
  while (path != "/") {
    const std::string above(directory_of(path));
    struct stat of_above {};
    if (::stat(above.c_str(), &of_above) != 0) {
      return "?";
    }
    if (of_above.st_dev != status.st_dev) {
      break;
    }
    status = of_above;
    path = above;
  }
  return path;
}

// Most paths of a list share their directories, so each thread keeps its last answer.
struct Answer {
  std::string directory;
  std::string mount_point;
};

}  // namespace

std::string mount_point_of(std::string_view path, const Metadata& metadata) {
  thread_local Answer last;
  // What is not a directory lies where its directory does; even a link that was followed, for GNU.
  std::string start(metadata.is_directory() ? path : directory_of(path));
  if (start == last.directory) {
    return last.mount_point;
  }
  const std::unique_ptr<char, Free> resolved(::realpath(start.c_str(), nullptr));
  struct stat status {};
  if (resolved == nullptr || ::stat(resolved.get(), &status) != 0) {
    return "?";
  }
  std::string found = climb(resolved.get(), status);
  if (!metadata.is_directory()) {
    last = {std::move(start), found};
  }
  return found;
}

}  // namespace trawl::cli
