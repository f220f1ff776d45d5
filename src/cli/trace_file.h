// SPDX-License-Identifier: Apache-2.0
//
// --trace FILE: opened before anything is walked, written when all is done.
#pragma once

#include "cli/output.h"

#include <string>

namespace trawl::cli {

class TraceFile {
 public:
  // What to say where can_trace() is false.
  static constexpr char kNotBuiltIn[] = "--trace needs a build with -DTRAWL_TRACE=ON";

  TraceFile() = default;
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // Empties the file, or makes it.
  bool open(const std::string& path);
  // For Options::trace; null if nothing is open.
  std::string* document() { return descriptor_ >= 0 ? &document_ : nullptr; }
  // Writes the document and closes the file. True also if nothing is open.
  bool write(const Deadline& deadline);
  // What failed, without the program's name.
  const std::string& error() const { return error_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::string document_;
  std::string error_;
};

}  // namespace trawl::cli
