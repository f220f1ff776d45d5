// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_syntax.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "match/pattern_fold.h"

namespace trawl::match {

std::uint32_t decode(std::string_view text, std::size_t& at) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint32_t first = byte(at++);
  if (first < 0x80) {
    return first;
  }
  std::size_t more = 0;
  std::uint32_t least = 0;
  std::uint32_t c = 0;
  if (first >= 0xC2 && first < 0xE0) {
    more = 1, least = 0x80, c = first & 0x1F;
  } else if (first >= 0xE0 && first < 0xF0) {
    more = 2, least = 0x800, c = first & 0x0F;
  } else if (first >= 0xF0 && first < 0xF5) {
    more = 3, least = 0x10000, c = first & 0x07;
  }
  if (more == 0 || text.size() - at < more) {
    return kInvalid + first;
  }
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      return kInvalid + first;
    }
    c = c << 6 | (byte(at + i) & 0x3F);
  }
  if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
    return kInvalid + first;
  }
  at += more;
  return c;
}

void encode(std::uint32_t c, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c >= kInvalid) {
    put(c - kInvalid);
  } else if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

bool is_ascii(std::string_view text) {
  const auto word_at = [&text](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    return word;
  };
  std::uint64_t seen = 0;
  if (text.size() >= 8) {
    for (std::size_t at = 0; at + 8 < text.size(); at += 8) {
      seen |= word_at(at);
    }
    seen |= word_at(text.size() - 8);
  } else {
    for (const char c : text) {
      seen |= static_cast<std::uint8_t>(c);
    }
  }
  return (seen & 0x8080808080808080) == 0;
}

// --- sets
// ------------------------------------------------------------------------------------------

CharSet CharSet::of(std::uint32_t c) {
  CharSet set;
  set.add(c);
  return set;
}

CharSet CharSet::all() {
  CharSet set;
  set.negate();
  return set;
}

void CharSet::add(std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t c = first; c <= last && c < 0x80; ++c) {
    ascii_[c >> 6] |= std::uint64_t{1} << (c & 63);
  }
  if (last >= 0x80) {
    others_.emplace_back(std::max<std::uint32_t>(first, 0x80), last);
  }
}

void CharSet::add(const CharSet& other) {
  ascii_[0] |= other.ascii_[0];
  ascii_[1] |= other.ascii_[1];
  others_.insert(others_.end(), other.others_.begin(), other.others_.end());
}

void CharSet::normalize() {
  if (others_.size() < 2) {
    return;
  }
  std::sort(others_.begin(), others_.end());
  std::size_t kept = 0;
  for (std::size_t i = 1; i < others_.size(); ++i) {
    if (others_[i].first <= others_[kept].second + 1) {
      others_[kept].second = std::max(others_[kept].second, others_[i].second);
    } else {
      others_[++kept] = others_[i];
    }
  }
  others_.resize(kept + 1);
}

bool CharSet::add_class(std::string_view name) {
  struct Class {
    std::string_view name;
    std::array<std::string_view, 4> ranges;  // of two characters each
  };
  static constexpr std::array<Class, 14> kClasses = {{
      {"alnum", {"09", "AZ", "az"}},
      {"alpha", {"AZ", "az"}},
      {"ascii", {std::string_view("\0\177", 2)}},
      {"blank", {"\t\t", "  "}},
      {"cntrl", {std::string_view("\0\037", 2), "\177\177"}},
      {"digit", {"09"}},
      {"graph", {"!~"}},
      {"lower", {"az"}},
      {"print", {" ~"}},
      {"punct", {"!/", ":@", "[`", "{~"}},
      {"space", {"\t\r", "  "}},
      {"upper", {"AZ"}},
      {"word", {"09", "AZ", "__", "az"}},
      {"xdigit", {"09", "AF", "af"}},
  }};
  const auto* const found = std::find_if(kClasses.begin(), kClasses.end(),
                                         [name](const Class& c) { return c.name == name; });
  if (found == kClasses.end()) {
    return false;
  }
  for (const std::string_view range : found->ranges) {
    if (!range.empty()) {
      add(static_cast<std::uint8_t>(range[0]), static_cast<std::uint8_t>(range[1]));
    }
  }
  return true;
}

void CharSet::negate() {
  normalize();
  ascii_ = {~ascii_[0], ~ascii_[1]};
  std::vector<Range> rest;
  std::uint32_t next = 0x80;
  for (const auto& [first, last] : others_) {
    if (first > next) {
      rest.emplace_back(next, first - 1);
    }
    next = last + 1;
  }
  if (next <= kLastCharacter) {
    rest.emplace_back(next, kLastCharacter);
  }
  others_ = std::move(rest);
}

void CharSet::add_case_variants() {
  normalize();
  constexpr std::uint64_t kLetters = 0x07FFFFFE;  // A to Z and a to z in the upper word
  const std::uint64_t letters = (ascii_[1] & kLetters) | (ascii_[1] >> 32 & kLetters);
  ascii_[1] |= letters | letters << 32;
  if (is_all()) {
    return;
  }
  if (others_.empty()) {
    if (has_ascii('k')) {
      add(0x212A);  // the sign for kelvin
    }
    if (has_ascii('s')) {
      add(0x17F);  // the long s
    }
    normalize();
    return;
  }
  if (const auto c = single()) {
    // The way for sets takes 60 µs, and characters are many.
    const std::uint32_t to = fold_case(*c);
    add(to);
    for (const FoldRange& range : fold_ranges()) {
      const std::int64_t from = static_cast<std::int64_t>(to) - range.delta;
      if (from >= range.first && from <= range.last && (from - range.first) % range.stride == 0) {
        add(static_cast<std::uint32_t>(from));
      }
    }
    if (to < 0x80) {
      add(to - ('a' - 'A'));
    }
    normalize();
    return;
  }
  // To what its members fold, and then what folds to that.
  CharSet added;
  std::vector<std::uint32_t> folded;
  const auto each = [](const auto& visit) {
    for (const FoldRange& range : fold_ranges()) {
      for (std::uint32_t c = range.first; c <= range.last; c += range.stride) {
        visit(c, static_cast<std::uint32_t>(static_cast<std::int64_t>(c) + range.delta));
      }
    }
  };
  each([this, &folded](std::uint32_t c, std::uint32_t to) {
    if (contains(c) && !contains(to)) {
      folded.push_back(to);
    }
  });
  std::sort(folded.begin(), folded.end());
  each([this, &folded, &added](std::uint32_t c, std::uint32_t to) {
    if (!contains(c) && (contains(to) || std::binary_search(folded.begin(), folded.end(), to))) {
      added.others_.emplace_back(c, c);
    }
  });
  for (const std::uint32_t c : folded) {
    if (c < 0x80) {
      added.add(c);
      added.add(c - ('a' - 'A'));
    } else {
      added.others_.emplace_back(c, c);
    }
  }
  add(added);
  normalize();
}

bool CharSet::has_other(std::uint32_t c) const {
  const auto range = std::lower_bound(others_.begin(), others_.end(), c,
                                      [](const Range& r, std::uint32_t v) { return r.second < v; });
  return range != others_.end() && range->first <= c;
}

int CharSet::ascii_count() const { return std::popcount(ascii_[0]) + std::popcount(ascii_[1]); }

std::optional<std::uint32_t> CharSet::single() const {
  const int count = ascii_count();
  if (count == 1 && others_.empty()) {
    return ascii_[0] != 0 ? static_cast<std::uint32_t>(std::countr_zero(ascii_[0]))
                          : 64 + static_cast<std::uint32_t>(std::countr_zero(ascii_[1]));
  }
  if (count == 0 && others_.size() == 1 && others_[0].first == others_[0].second) {
    return others_[0].first;
  }
  return std::nullopt;
}

bool CharSet::is_all() const {
  return ascii_count() == 128 && others_.size() == 1 && others_[0] == Range(0x80, kLastCharacter);
}

// --- trees
// -----------------------------------------------------------------------------------------

Node Node::of(CharSet set) {
  set.normalize();
  return {.kind = kSet, .set = std::move(set), .children = {}};
}

Node Node::repeat(Node child, std::uint32_t least, std::uint32_t most) {
  Node node{.kind = kRepeat, .least = least, .most = most, .set = {}, .children = {}};
  node.children.push_back(std::move(child));
  return node;
}

std::size_t least_length(const Node& node) {
  constexpr std::size_t kEnough = 1 << 20;
  std::size_t sum = 0;
  switch (node.kind) {
    case Node::kSet:
      return 1;
    case Node::kBegin:
    case Node::kEnd:
      return 0;
    case Node::kSequence:
      for (const Node& child : node.children) {
        sum += least_length(child);
      }
      return std::min(sum, kEnough);
    case Node::kAlternative:
      sum = kEnough;
      for (const Node& child : node.children) {
        sum = std::min(sum, least_length(child));
      }
      return sum;
    case Node::kRepeat:
      return std::min(least_length(node.children[0]) * node.least, kEnough);
  }
  return 0;
}

}  // namespace trawl::match
