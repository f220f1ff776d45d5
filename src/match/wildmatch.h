// SPDX-License-Identifier: Apache-2.0
//
// Wildcards of ignore files, with the meaning that git 2.39 gives them (gitignore(5)):
//   ?      a byte but '/'
//   [...]  a byte but '/'; '!' or '^' negates, '\' quotes, [:alpha:] and the like are ASCII's
//   *      any bytes but '/'
//   **/    nothing, or all up to a '/'; ** at the end: everything. Both only after a '/', or after
//          the plain bytes that a pattern begins with ("a**/b" matches "ab"); otherwise a *
//   \x     x
//
// Two steps: parse_wild_pattern() makes elements of the bytes, in which git's oddities are
// resolved, and a WildMatcher of some elements tries texts. It looks at each byte of the text once:
// all states that the pattern may be in are bits of a word (or of several), which one shift moves
// on.
//
// Folding is the caller's: with `fold` a pattern is meant for texts that fold_case() has made.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl::match {

using ByteSet = std::bitset<256>;

struct WildElement {
  enum class Kind : std::uint8_t {
    byte,
    set,
    star,         // any bytes but '/'
    any,          // any bytes; only at the end or before a '/'
    directories,  // nothing, or any bytes and a '/'
  };
  Kind kind = Kind::byte;
  unsigned char byte = 0;
  std::uint32_t set = 0;  // of WildPattern::sets

  bool is_byte(unsigned char c) const { return kind == Kind::byte && byte == c; }
  // It matches one byte, neither more nor less.
  bool is_single() const { return kind == Kind::byte || kind == Kind::set; }
};

struct WildPattern {
  std::vector<WildElement> elements;  // no `directories` follows another
  std::vector<ByteSet> sets;          // each with two bytes or more, none with '/'
};

// Of a pattern without the '/' that anchors it and the one at its end, and without NUL. Nothing if
// no text can match: a class that is not closed, a '\' at the end.
std::optional<WildPattern> parse_wild_pattern(std::string_view pattern, bool fold);

inline unsigned char fold_case(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c + ('a' - 'A')) : c;
}
std::string fold_case(std::string_view text);

class WildMatcher {
 public:
  WildMatcher(std::span<const WildElement> elements, const std::vector<ByteSet>& sets);

  // True if all of `text` matches.
  bool matches(std::string_view text) const;

 private:
  // What is between the plain bytes at both ends.
  enum class Core : std::uint8_t { nothing, star, any, automaton };

  void build(std::span<const WildElement> core, const std::vector<ByteSet>& sets);
  bool run(std::string_view text) const;
  bool run_words(std::string_view text) const;

  const std::uint64_t* row(unsigned char c) const { return &rows_[classes_[c] * words_]; }

  Core core_ = Core::nothing;
  std::string prefix_;
  std::string suffix_;
  std::size_t least_ = 0;  // bytes that the core takes

  // State n: n single bytes of the core matched; the last accepts. A directories element is its
  // '/', which is left out by who comes to the state before it.
  std::size_t words_ = 0;
  std::vector<std::uint8_t> classes_;  // bytes that no element tells apart have one row
  std::vector<std::uint64_t> rows_;    // per class: the states that such a byte leads to
  std::vector<std::uint64_t> stay_;    // states that a byte but '/' keeps; then: that '/' keeps
  std::vector<std::uint64_t> skip_;    // states from which the next is reached without a byte
  std::size_t accept_ = 0;
};

}  // namespace trawl::match
