// SPDX-License-Identifier: Apache-2.0
//
// What a pattern means, whichever language it was written in: a tree of sets of characters,
// sequences, alternatives and repetitions, that is searched for in a text. A glob's tree begins
// with kBegin and ends with kEnd.
//
// Characters are code points; a byte that belongs to none is a character of its own, kInvalid +
// byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::match {

inline constexpr std::uint32_t kInvalid = 0x110000;
inline constexpr std::uint32_t kLastCharacter = kInvalid + 0xFF;

// The character at `at`, which moves behind it; at < text.size().
std::uint32_t decode(std::string_view text, std::size_t& at);
// Appends UTF-8, or the byte itself.
void encode(std::uint32_t c, std::string& out);

bool is_ascii(std::string_view text);

// Ranges may be added in any order; only what normalize() was called of may be asked. Node::of()
// does.
class CharSet {
 public:
  CharSet() = default;
  static CharSet of(std::uint32_t c);
  static CharSet all();

  void add(std::uint32_t first, std::uint32_t last);
  void add(std::uint32_t c) { add(c, c); }
  void add(const CharSet& other);
  // [:name:] of ASCII, "word" included; false if there is none of that name.
  bool add_class(std::string_view name);
  void remove_ascii(unsigned char c) { ascii_[c >> 6] &= ~(std::uint64_t{1} << (c & 63)); }
  void normalize();
  void negate();  // normalized, too
  // What differs from a member in case only; normalized, too.
  void add_case_variants();

  bool contains(std::uint32_t c) const { return c < 0x80 ? has_ascii(c) : has_other(c); }
  bool has_ascii(std::uint32_t c) const { return (ascii_[c >> 6] >> (c & 63) & 1) != 0; }
  bool ascii_only() const { return others_.empty(); }
  // Its only member.
  std::optional<std::uint32_t> single() const;
  bool is_all() const;
  int ascii_count() const;

 private:
  using Range = std::pair<std::uint32_t, std::uint32_t>;
  bool has_other(std::uint32_t c) const;

  std::array<std::uint64_t, 2> ascii_{};
  std::vector<Range> others_;  // ascending, apart
};

struct Node {
  enum Kind : std::uint8_t {
    kSet,
    kSequence,     // of children; none: the empty text
    kAlternative,  // one of its children, at least one
    kRepeat,       // of its only child
    kBegin,        // of the text
    kEnd,
  };
  static constexpr std::uint32_t kUnlimited = UINT32_MAX;

  Kind kind = kSequence;
  std::uint32_t least = 0, most = 0;  // kRepeat
  CharSet set;                        // kSet
  std::vector<Node> children;

  static Node of(CharSet set);
  static Node of(Kind kind) { return {.kind = kind, .set = {}, .children = {}}; }
  static Node repeat(Node child, std::uint32_t least, std::uint32_t most);
};

// The least number of bytes of a text that it matches.
std::size_t least_length(const Node& node);

}  // namespace trawl::match
