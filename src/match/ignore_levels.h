// SPDX-License-Identifier: Apache-2.0
//
// Which of several ignore files decides. A *level* is a directory's view: the files of rules that
// count for the names in it, of each *kind* (.gitignore, .ignore, …) those of the directory itself
// and of the directories above it, the deepest first. Kinds are numbered by precedence, 0 first.
//
// A level points to the files of the levels above, which must outlive it; to make one costs a
// pointer per kind, however deep it is. Immutable once made, and then thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "match/ignore_rules.h"

namespace trawl::match {

class IgnoreLevel {
 public:
  explicit IgnoreLevel(std::size_t kinds) : nearest_(kinds, nullptr) {}
  // A directory below, to begin with under the same rules.
  static IgnoreLevel below(const IgnoreLevel& above) {
    IgnoreLevel level(0);
    level.nearest_ = above.nearest_;
    level.needs_path_ = above.needs_path_;
    return level;
  }
  IgnoreLevel(IgnoreLevel&&) = default;
  IgnoreLevel& operator=(IgnoreLevel&&) = default;

  // Rules that take precedence over those of their kind so far. `base`: see IgnoreRules::match().
  void add(std::size_t kind, std::shared_ptr<const IgnoreRules> rules, std::size_t base) {
    if (rules == nullptr || rules->empty()) {
      return;
    }
    needs_path_ = needs_path_ || rules->needs_path();
    const File& file = own_.emplace_back(File{std::move(rules), base, nearest_[kind]});
    nearest_[kind] = &file;
  }
  // Those of this kind so far do not count here.
  void forget(std::size_t kind) { nearest_[kind] = nullptr; }

  struct Decision {
    const IgnoreRule* rule = nullptr;  // null: none matches
    const IgnoreRules* file = nullptr;
  };
  // Without needs_path() a candidate may be a name alone.
  Decision decide(const IgnoreCandidate& candidate) const {
    for (const File* nearest : nearest_) {
      for (const File* file = nearest; file != nullptr; file = file->above) {
        if (const IgnoreRule* rule = file->rules->match(candidate, needs_path_ ? file->base : 0)) {
          return {rule, file->rules.get()};
        }
      }
    }
    return {};
  }
  bool has_rules() const {
    for (const File* file : nearest_) {
      if (file != nullptr) {
        return true;
      }
    }
    return false;
  }
  // True if decide() looks at more of a candidate's path than the name.
  bool needs_path() const { return needs_path_; }

 private:
  struct File {
    std::shared_ptr<const IgnoreRules> rules;
    std::size_t base;
    const File* above;  // of the same kind
  };

  std::vector<const File*> nearest_;  // by kind
  std::deque<File> own_;              // stays where it is when the level is moved
  bool needs_path_ = false;
};

}  // namespace trawl::match
