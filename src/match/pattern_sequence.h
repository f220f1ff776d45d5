// SPDX-License-Identifier: Apache-2.0
//
// A run of sets of characters, such as a literal in either case or eight digits: the fastest form
// of a pattern, 5 to 12 ns for a name of /usr.
//
// Where it has to be searched for, there are two ways. If two neighbours in it are letters (in
// either case) or other single characters, eight places are tried for these two at once, in a word.
// Else it is read backwards, so that most of the text is skipped (BNDM, of Navarro and Raffinot).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "match/pattern_syntax.h"

namespace trawl::match {

class Sequence {
 public:
  // The tree, if it is nothing but a run, perhaps between beginning, end, and * or ** of globs.
  static std::optional<Sequence> whole(const Node& root);
  // A run that each text with a match contains; only one that is rare enough to ask for first.
  static std::optional<Sequence> required(const Node& root);

  // A no may be wrong if the text is not ASCII, unless `exact()`.
  bool search(std::string_view text) const;
  bool exact() const { return exact_; }

 private:
  enum class Around : std::uint8_t { nothing, no_slash, anything };
  class Builder;

  // Eight times the character, and the bits in which an upper-case letter differs from it.
  struct Wide {
    std::uint64_t is = 0;
    std::uint64_t ignored = 0;
  };
  struct Pair {
    std::size_t offset = 0;  // of the first in the run
    Wide first, second;
  };

  void choose_pair();
  bool fits(const char* at) const;
  bool find(std::string_view text) const;
  bool find_pair(std::string_view text) const;
  bool find_backwards(std::string_view text) const;
  bool find_slowly(std::string_view text) const;

  std::array<std::uint64_t, 256>
      places_{};         // by byte: where it may stand; the first is the highest
  std::string literal_;  // if each place takes one byte
  std::size_t size_ = 0;
  Around before_ = Around::nothing, after_ = Around::nothing;
  std::optional<Pair> pair_;
  bool is_literal_ = true;
  bool exact_ = true;
};

}  // namespace trawl::match
