// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_file.h"

#include "cli/quote.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace trawl::cli {

TraceFile::~TraceFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

bool TraceFile::open(const std::string& path) {
  path_ = path;
  do {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) {
    error_ = "cannot write " + quote_always(path) + ": " + std::strerror(errno);
  }
  return descriptor_ >= 0;
}

bool TraceFile::write(const Deadline& deadline) {
  if (descriptor_ < 0) {
    return true;
  }
  Output output(descriptor_, deadline);
  output.buffer() = std::move(document_);
  output.flush();
  std::string reason = output.error() != 0 ? output.reason() : "";
  // Some filesystems notice only here that they are full.
  if (::close(std::exchange(descriptor_, -1)) != 0 && reason.empty()) {
    reason = std::strerror(errno);
  }
  if (!reason.empty()) {
    error_ = "cannot write " + quote_always(path_) + ": " + reason;
  }
  return reason.empty();
}

}  // namespace trawl::cli
