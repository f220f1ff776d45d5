// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/entry_text.h"

namespace trawl::cli {

namespace {

struct Target {
  std::string path;  // without links, if it exists
  struct stat status {};
  bool exists = false;

  bool is_replaced() const { return !exists || S_ISREG(status.st_mode); }
};

Target target_of(const std::string& path) {
  Target target{.path = path};
  target.exists = ::stat(path.c_str(), &target.status) == 0;
  if (target.exists && target.is_replaced()) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           std::free);
    target.path = real != nullptr ? real.get() : path;
  }
  return target;
}

std::string directory_to_write(const Target& target) {
  return std::string(directory_of(target.path));
}

std::string write_all(int descriptor, std::string content, const Deadline& deadline) {
  Output output(descriptor, deadline);
  output.buffer() = std::move(content);
  output.flush();
  std::string reason = output.error() != 0 ? output.reason() : "";
  // Some filesystems notice only here that they are full.
  if (::close(descriptor) != 0 && reason.empty()) {
    reason = std::strerror(errno);
  }
  return reason;
}

int open_retrying(const std::string& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

}  // namespace

std::string why_not_replaceable(const std::string& path) {
  const Target target = target_of(path);
  if (target.exists && S_ISDIR(target.status.st_mode)) {
    return std::strerror(EISDIR);
  }
  if (!target.exists && (path.empty() || path.ends_with('/'))) {
    return std::strerror(path.empty() ? ENOENT : EISDIR);
  }
  const std::string asked = target.is_replaced() ? directory_to_write(target) + "/." : target.path;
  const int mode = target.is_replaced() ? W_OK | X_OK : W_OK;
  return ::faccessat(AT_FDCWD, asked.c_str(), mode, AT_EACCESS) == 0 ? "" : std::strerror(errno);
}

std::string replace_file(const std::string& path, std::string content, const Deadline& deadline) {
  const Target target = target_of(path);
  if (!target.is_replaced()) {
    const int descriptor = open_retrying(path, 0);
    return descriptor < 0 ? std::strerror(errno)
                          : write_all(descriptor, std::move(content), deadline);
  }
  const std::string stem =
      directory_to_write(target) + "/.trawl-" + std::to_string(::getpid()) + '-';
  std::string beside;
  int descriptor = -1;
  // A name may be left from a process that was killed.
  for (int i = 0; descriptor < 0 && i < 100; ++i) {
    beside = stem + std::to_string(i);
    descriptor = open_retrying(beside, O_CREAT | O_EXCL);
    if (descriptor < 0 && errno != EEXIST) {
      break;
    }
  }
  if (descriptor < 0) {
    return std::strerror(errno);
  }
  std::string reason;
  if (target.exists && ::fchmod(descriptor, target.status.st_mode & 07777) != 0) {
    reason = std::strerror(errno);
    ::close(descriptor);
  } else {
    reason = write_all(descriptor, std::move(content), deadline);
  }
  if (reason.empty() && ::rename(beside.c_str(), target.path.c_str()) != 0) {
    reason = std::strerror(errno);
  }
  if (!reason.empty()) {
    ::unlink(beside.c_str());
  }
  return reason;
}

}  // namespace trawl::cli
