// SPDX-License-Identifier: Apache-2.0
//
// RE2, for what the faster forms of a regular expression leave over.
//
// Names that are not UTF-8 are searched, too: each byte of them that belongs to no character counts
// as U+FFFD, as in Go; so `.` and [^a] match it. RE2 itself would match no `.` with it.
#pragma once

#include <memory>
#include <string_view>

namespace trawl::match {

class Re2 {
 public:
  // Throws PatternError where the library was built without RE2; else compiles nothing yet.
  Re2(std::string_view pattern, bool ignore_case);
  ~Re2();

  // Throws PatternError.
  void check() const;
  // Of a pattern that is right. Thread-safe.
  bool search(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace trawl::match
