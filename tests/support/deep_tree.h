// SPDX-License-Identifier: Apache-2.0
//
// A chain of directories of any depth, far beyond PATH_MAX: made and removed by way of descriptors.
// In each there is a file, and if asked for a subdirectory with another file in it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl::testing {

class DeepTree {
 public:
  DeepTree(int levels, const std::string& name, bool side_branches = false,
           const std::string& parent = in_memory())
      : directory_(parent), levels_(levels), name_(name), side_branches_(side_branches) {
    ::chmod(directory_.path().c_str(), 0755);
    int fd = open_at(AT_FDCWD, directory_.path().c_str());
    for (int level = 0; level < levels_; ++level) {
      make_file(fd, "file");
      if (side_branches_) {
        check(::mkdirat(fd, "side", 0755));
        const int side = open_at(fd, "side");
        make_file(side, "file");
        ::close(side);
      }
      check(::mkdirat(fd, name_.c_str(), 0755));
      fd = step(fd, name_.c_str());
    }
    ::close(fd);
  }

  ~DeepTree() {
    int fd = ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int level = 0;
    for (; level < levels_; ++level) {
      const int below = ::openat(fd, name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (below < 0) break;
      ::close(fd);
      fd = below;
    }
    for (;; --level) {
      ::unlinkat(fd, "file", 0);
      ::unlinkat(fd, "side/file", 0);
      ::unlinkat(fd, "side", AT_REMOVEDIR);
      if (level == 0) break;
      const int above = ::openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      ::close(fd);
      fd = above;
      ::unlinkat(fd, name_.c_str(), AT_REMOVEDIR);
    }
    ::close(fd);
  }
  DeepTree(const DeepTree&) = delete;
  DeepTree& operator=(const DeepTree&) = delete;

  const std::string& path() const { return directory_.path(); }
  // Everything, the root included.
  std::uint64_t entries() const { return 1 + directories_below() + files(); }
  std::uint64_t directories_below() const { return count() * (side_branches_ ? 2 : 1); }
  std::uint64_t files() const { return count() * (side_branches_ ? 2 : 1); }

 private:
  std::uint64_t count() const { return static_cast<std::uint64_t>(levels_); }

  static void check(bool done) {
    if (!done) throw std::system_error(errno, std::generic_category(), "deep tree");
  }
  static void check(int status) { check(status == 0); }
  static int open_at(int base, const char* name) {
    const int fd = ::openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(fd >= 0);
    return fd;
  }
  static int step(int fd, const char* name) {
    const int below = open_at(fd, name);
    ::close(fd);
    return below;
  }
  static void make_file(int fd, const char* name) {
    const int file = ::openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    check(file >= 0);
    ::close(file);
  }

  TemporaryDirectory directory_;
  const int levels_;
  const std::string name_;
  const bool side_branches_;
};

}  // namespace trawl::testing
