// SPDX-License-Identifier: Apache-2.0
//
// What a git repository tracks, from its index: what git does not take for ignored, whatever the
// rules.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

// Immutable; thread-safe. Memory: the paths, once.
class TrackedPaths {
 public:
  // Of the repository whose work tree has its top at `top`; none if it has no index as yet.
  // Versions 2 to 4 of the index, with SHA-1 or SHA-256. Throws std::runtime_error for an index
  // that can't be read, is broken, or is split or sparse.
  static TrackedPaths of(const std::string& top);
  // Of an index's bytes; `hash_size` is 20 or 32.
  static TrackedPaths parse(std::string_view index, std::size_t hash_size = 20);

  // A file, or a directory with tracked files in it; relative to the top. With a slash at its end it
  // is a directory.
  bool contains(std::string_view path) const;
  // The submodule that the path is in or is itself, if that is tracked; else empty.
  std::string_view submodule_of(std::string_view path) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string path;
    bool is_submodule;
  };
  std::vector<Entry> entries_;  // as git sorts them: by bytes
};

}  // namespace trawl
