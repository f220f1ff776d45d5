// SPDX-License-Identifier: Apache-2.0
//
// What IgnoreRules are compiled to. A pattern is cut in two behind its last '/': what the directory
// part of the path must be, and what the name. Each rule is entered under keys that a path must
// have for it to match, preferably ones that few paths have:
//   names       what the name is or begins with
//   suffixes    what the name ends with, written backwards
//   infixes     what is somewhere in the name
//   paths       what the path from the base on is or begins with
//   components  what a directory above begins with, and what follows
// and if it requires none of these, in a list that is gone through for each path. Small sets are
// written out, so "*.py[co]" has the two keys ".pyc" and ".pyo".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "match/ignore_index.h"
#include "match/ignore_lines.h"
#include "match/ignore_rules.h"
#include "match/wildmatch.h"

namespace trawl::match {

class IgnoreProgram {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  enum class Where : std::uint8_t {
    anywhere,
    top,    // in the base itself
    below,  // in a directory that `directory` matches, its '/' included
    whole,  // where `directory` matches all of the path
  };

  // Numbered in the order of their lines, as IgnoreRule, from 0.
  struct Rule {
    Where where = Where::anywhere;
    bool directory_only = false;
    bool exact = false;               // its key must be all of the name, or of the path
    std::uint32_t directory = kNone;  // a matcher
    std::uint32_t name = kNone;       // none: what has the key matches
  };

  enum Index : std::uint8_t { kNames, kSuffixes, kInfixes, kPaths, kComponents, kIndexes };

  IgnoreProgram(std::string file, bool fold);
  IgnoreProgram(const IgnoreProgram&) = delete;
  IgnoreProgram& operator=(const IgnoreProgram&) = delete;

  bool fold() const { return fold_; }
  bool needs_path() const { return needs_path_; }
  bool empty() const { return rules_.empty(); }

  const IgnoreRule& shown(std::uint32_t number) const { return shown_[number]; }
  const Rule& rule(std::uint32_t number) const { return rules_[number]; }
  const WildMatcher& matcher(std::uint32_t number) const { return matchers_[number]; }
  const IgnoreIndex& index(Index which) const { return indexes_[which]; }
  // Of the keys in kInfixes.
  const IgnoreFilter& infix_filter() const { return infix_filter_; }
  // Rules without a key, the last first.
  const std::vector<std::uint32_t>& others() const { return others_; }

 private:
  struct Draft;
  struct Keys;

  bool add(const IgnoreLine& line, Draft& draft);
  bool add_path(WildPattern& pattern, Draft& draft, std::size_t& name);
  void add_name(const WildPattern& pattern, std::size_t begin, Draft& draft);
  std::uint32_t add_matcher(std::span<const WildElement> elements, const WildPattern& pattern);
  void make_indexes(std::vector<Draft> drafts);

  std::string file_;
  bool fold_;
  bool needs_path_ = false;
  std::vector<IgnoreRule> shown_;
  std::vector<Rule> rules_;
  std::vector<WildMatcher> matchers_;
  std::array<IgnoreIndex, kIndexes> indexes_;
  IgnoreFilter infix_filter_;
  std::vector<std::uint32_t> others_;
};

}  // namespace trawl::match
