// SPDX-License-Identifier: Apache-2.0
//
// Patterns of --exclude and --exclude-from, with GNU du's meaning: a pattern is tried against the whole
// path as it would be printed, and against every part of it that follows a slash. '*' matches slashes.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace trawl::cli {

class Excludes {
 public:
  void add(std::string_view pattern);
  // Adds a pattern per line, without trailing white space; "-" is standard input. 0 or errno.
  int add_file(const char* name);

  bool empty() const { return plain_.empty() && patterns_.empty(); }
  // Thread-safe. Depends on the locale, as fnmatch(3) does.
  bool matches(const char* path) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> plain_;  // without wildcards
  std::vector<std::string> patterns_;
};

}  // namespace trawl::cli
