// SPDX-License-Identifier: Apache-2.0
//
// A list of paths, read in pieces while it is still being written: items that end with a newline or
// with NUL. Not thread-safe.
#pragma once

#include <trawl/walk.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trawl::cli {

struct PathChunk {
  // An item that is no path. paths[index] is empty.
  struct Refused {
    std::size_t index = 0;
    std::string name;      // as much of the item as is worth showing
    int error = 0;         // errno that fits
    bool cut_off = false;  // the list ended before the item did
  };
  std::uint64_t first = 1;  // number of paths[0] in the list; the list's first item has 1
  std::vector<std::string> paths;
  std::vector<Refused> refused;
};

class PathList {
 public:
  // The descriptor stays the caller's. Reading ends early when `cancel` says so.
  PathList(int descriptor, char end, const CancelToken& cancel);

  // The next items: until there are many, or no more come for a moment. False: there are none any
  // more. An item that NUL should end, but the end of the list does, is refused; a line is not.
  bool read(PathChunk& out);
  // errno of the read that failed, or 0; what came before was handed out.
  int error() const { return error_; }

  static constexpr std::size_t kMostPaths = std::size_t{32} << 10;
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // in a chunk, about
  static constexpr std::size_t kLongestItem = std::size_t{1} << 20;

 private:
  enum class Input : std::uint8_t { ready, none, ended };

  Input wait(int milliseconds);
  Input fill(bool patient);
  void take(PathChunk& out, std::string_view piece, bool complete);

  const int descriptor_;
  const char end_;
  const CancelToken& cancel_;
  std::vector<char> buffer_;
  std::string_view rest_;  // of the buffer
  std::string begun_;      // of the item that the buffer ended in
  bool too_long_ = false;  // it is, and is not kept whole
  bool ended_ = false;
  int error_ = 0;
  std::uint64_t number_ = 1;
};

}  // namespace trawl::cli
