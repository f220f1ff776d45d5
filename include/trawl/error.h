// SPDX-License-Identifier: Apache-2.0
//
// What failed, where, and why. Errors are values: the library neither prints nor aborts.
#pragma once

#include <cstdint>
#include <string>

namespace trawl {

enum class Operation : std::uint8_t {
  open,     // opening a directory
  read,     // listing an opened directory
  stat,     // reading metadata
  descend,  // entering a directory that turned out to be another than the one listed, or a cycle
};

// The text of an Error::code: the system's, but for ETIME (see Options::stall_timeout).
std::string error_text(int code);

struct Error {
  Operation operation = Operation::open;
  int code = 0;      // errno
  int depth = 0;     // of the entry; a root has 0
  std::string path;  // bytes, as the visitor's Directory::append_path gives them

  // "cannot open 'path': Permission denied"; the path is copied as it is.
  std::string message() const;
};

}  // namespace trawl
