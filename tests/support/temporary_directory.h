// SPDX-License-Identifier: Apache-2.0
//
// A directory of a test's own, removed with all that is in it; never follows a link or another
// mount.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace trawl::testing {

class TemporaryDirectory {
 public:
  // Below `parent`, or $TMPDIR, or /tmp.
  explicit TemporaryDirectory(std::string parent = {}) {
    if (parent.empty()) {
      const char* set = std::getenv("TMPDIR");
      parent = set != nullptr && *set != '\0' ? set : "/tmp";
    }
    path_ = parent + "/trawl_test_XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Each returns the path of what it made, and throws if it can't.
  std::string file(std::string_view name, std::string_view content = {}) const {
    const std::string path = at(name);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    check(fd >= 0, path);
    const bool written =
        ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
    ::close(fd);
    check(written, path);
    return path;
  }
  std::string directory(std::string_view name) const {
    const std::string path = at(name);
    check(::mkdir(path.c_str(), 0755) == 0, path);
    return path;
  }
  std::string link(std::string_view name, const std::string& target) const {
    const std::string path = at(name);
    check(::symlink(target.c_str(), path.c_str()) == 0, path);
    return path;
  }

 private:
  static void check(bool done, const std::string& path) {
    if (!done) throw std::system_error(errno, std::generic_category(), path);
  }

  std::string path_;
};

}  // namespace trawl::testing
