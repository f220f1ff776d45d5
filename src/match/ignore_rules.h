// SPDX-License-Identifier: Apache-2.0
//
// The rules of one ignore file, compiled. Which rule decides, and what it says, is git's answer to
// the letter: gitignore(5) as git 2.39 implements it (dir.c, wildmatch.c).
//
// Cost. What is plain ("node_modules", "/build/out", "docs/"), a suffix ("*.o"), a prefix ("tmp*")
// or a part ("*cache*") is found by trees of such keys, whatever the number of rules; the rest is
// found by a key that it requires, and then goes through automata whose time is linear in the path,
// whatever the pattern. An IgnoreCandidate folds its path once, for any number of files of rules.
//
// Pure: reads no files, asks no system. Immutable and thread-safe once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace trawl::match {

struct IgnoreRule {
  std::string_view pattern;  // as in the file: with '!' and '/', without white space at its end
  std::uint64_t line = 0;    // from 1
  bool negated = false;      // '!'
};

// A path that rules are asked about. Not thread-safe: each thread makes its own.
class IgnoreCandidate {
 public:
  // `path` ends with the name that is asked about, which begins at `name_begin`; no slash at its
  // end. The path must live as long as this.
  IgnoreCandidate(std::string_view path, std::size_t name_begin, bool is_directory);

  std::string_view path() const { return path_; }
  std::string_view name() const { return path_.substr(name_begin_); }
  bool is_directory() const { return is_directory_; }

 private:
  friend class IgnoreRules;
  std::string_view folded() const;  // the path in lower case

  std::string_view path_;
  std::size_t name_begin_;
  bool is_directory_;
  mutable std::string folded_;  // empty until it is needed
};

class IgnoreRules {
 public:
  // `text`: the file's bytes. `ignore_case` as core.ignoreCase: ASCII letters.
  explicit IgnoreRules(std::string text, std::string source, bool ignore_case = false);
  ~IgnoreRules();
  IgnoreRules(const IgnoreRules&) = delete;
  IgnoreRules& operator=(const IgnoreRules&) = delete;

  // The last rule that matches, or null. Patterns with a slash are tried against the candidate's
  // path from `base` on, which is where names in the file's directory begin; base <= where the
  // candidate's name begins.
  const IgnoreRule* match(const IgnoreCandidate& candidate, std::size_t base) const;

  // True if nothing can match.
  bool empty() const;
  // True if match() looks at more than the name: at the path, or at whether there is more of it.
  bool needs_path() const;
  // As given: what a verdict names.
  const std::string& source() const { return source_; }

 private:
  struct Compiled;
  std::string source_;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace trawl::match
