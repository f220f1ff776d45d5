// SPDX-License-Identifier: Apache-2.0
#include "match/wildmatch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace trawl::match {

namespace {

using Kind = WildElement::Kind;

bool is_special(char c) { return c == '*' || c == '?' || c == '[' || c == '\\'; }

bool is_lower(unsigned c) { return c >= 'a' && c <= 'z'; }
bool is_upper(unsigned c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(unsigned c) { return c >= '0' && c <= '9'; }
bool is_alpha(unsigned c) { return is_lower(c) || is_upper(c); }
bool is_alnum(unsigned c) { return is_alpha(c) || is_digit(c); }
bool is_graph(unsigned c) { return c > 0x20 && c < 0x7f; }

struct NamedClass {
  std::string_view name;
  bool (*contains)(unsigned c);  // asked about ASCII only
};
// Not the C library's: git's white space has neither vertical tab nor form feed.
constexpr std::array<NamedClass, 12> kNamedClasses{{
    {"alnum", is_alnum},
    {"alpha", is_alpha},
    {"blank", [](unsigned c) { return c == ' ' || c == '\t'; }},
    {"cntrl", [](unsigned c) { return c < 0x20 || c == 0x7f; }},
    {"digit", is_digit},
    {"graph", is_graph},
    {"lower", is_lower},
    {"print", [](unsigned c) { return c == ' ' || is_graph(c); }},
    {"punct", [](unsigned c) { return is_graph(c) && !is_alnum(c); }},
    {"space", [](unsigned c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }},
    {"upper", is_upper},
    {"xdigit",
     [](unsigned c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }},
}};

class Parser {
 public:
  Parser(std::string_view pattern, bool fold) : pattern_(pattern), fold_(fold) {}

  std::optional<WildPattern> parse() {
    const std::size_t plain = static_cast<std::size_t>(
        std::find_if(pattern_.begin(), pattern_.end(), is_special) - pattern_.begin());
    for (; at_ < plain; ++at_) add_plain(peek());
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '*') {
        add_stars(plain);
      } else if (c == '?') {
        ++at_;
        if (!add_set(~ByteSet())) return std::nullopt;
      } else if (c == '[') {
        ByteSet members;
        if (!read_class(members) || !add_set(members)) return std::nullopt;
      } else if (c == '\\') {
        if (++at_ == pattern_.size()) return std::nullopt;
        // Not folded, so a quoted capital matches no text that is.
        out_.elements.push_back({Kind::byte, peek(), 0});
        ++at_;
      } else {
        add_plain(peek());
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  // 0 beyond the end.
  unsigned char peek(std::size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? static_cast<unsigned char>(pattern_[at_ + ahead]) : 0;
  }

  void add_plain(unsigned char c) {
    out_.elements.push_back({Kind::byte, fold_ ? fold_case(c) : c, 0});
  }

  // `plain`: how many plain bytes the pattern begins with. git compares them apart, and what
  // follows counts as a beginning.
  void add_stars(std::size_t plain) {
    const std::size_t first = at_;
    while (peek() == '*') ++at_;
    const bool begins = first == plain || pattern_[first - 1] == '/';
    const bool ends = at_ == pattern_.size() || peek() == '/' || (peek() == '\\' && peek(1) == '/');
    if (at_ - first == 1 || !begins || !ends) {
      out_.elements.push_back({Kind::star, 0, 0});
    } else if (peek() != '/') {
      out_.elements.push_back({Kind::any, 0, 0});
    } else {
      ++at_;
      // One is as good as several.
      if (out_.elements.empty() || out_.elements.back().kind != Kind::directories) {
        out_.elements.push_back({Kind::directories, 0, 0});
      }
    }
  }

  // False if no byte is left that could match.
  bool add_set(ByteSet members) {
    members.reset('/').reset(0);
    if (fold_) {
      for (unsigned c = 'A'; c <= 'Z'; ++c) members.reset(c);  // no folded text has them
    }
    if (members.none()) return false;
    if (members.count() == 1) {
      const auto only = static_cast<unsigned char>(members._Find_first());
      out_.elements.push_back({Kind::byte, only, 0});
      return true;
    }
    // '?' ten times is one set; a line of a thousand different ones is not worth a search.
    const auto end = out_.sets.begin() + std::min<std::ptrdiff_t>(std::ssize(out_.sets), 16);
    const auto found = std::find(out_.sets.begin(), end, members);
    const std::ptrdiff_t index = found == end ? std::ssize(out_.sets) : found - out_.sets.begin();
    if (found == end) out_.sets.push_back(members);
    out_.elements.push_back({Kind::set, 0, static_cast<std::uint32_t>(index)});
    return true;
  }

  void add_range(ByteSet& members, unsigned low, unsigned high) const {
    for (unsigned c = low; c <= high; ++c) {
      members.set(c);
      if (fold_ && is_upper(c)) members.set(c + ('a' - 'A'));
    }
  }

  // From '[' to behind its ']'. False if it has none, or an unknown [:name:] in it.
  bool read_class(ByteSet& members) {
    ++at_;
    const bool negated = peek() == '!' || peek() == '^';
    if (negated) ++at_;
    unsigned char previous = 0;  // what a range could begin with
    do {                         // so that a ']' that comes first is a member
      if (peek() == 0) return false;
      if (peek() == '-' && previous != 0 && peek(1) != 0 && peek(1) != ']') {
        ++at_;
        if (peek() == '\\') ++at_;
        if (peek() == 0) return false;
        add_range(members, previous, peek());
        previous = 0;
      } else if (peek() == '[' && peek(1) == ':') {
        const std::size_t end = pattern_.find(']', at_ + 2);
        if (end == std::string_view::npos) return false;
        if (end == at_ + 2 || pattern_[end - 1] != ':') {  // a plain '['
          previous = '[';
          members.set(previous);
        } else {
          if (!add_named(members, pattern_.substr(at_ + 2, end - 1 - (at_ + 2)))) return false;
          previous = 0;
          at_ = end;
        }
      } else {
        if (peek() == '\\') ++at_;
        if (peek() == 0) return false;
        previous = peek();
        members.set(previous);
      }
      ++at_;
    } while (peek() != ']');
    ++at_;
    if (negated) members.flip();
    return true;
  }

  bool add_named(ByteSet& members, std::string_view name) const {
    for (const NamedClass& named : kNamedClasses) {
      if (named.name != name) continue;
      for (unsigned c = 0; c < 0x80; ++c) {
        if (named.contains(c)) members.set(c);
        if (fold_ && name == "upper" && is_lower(c)) members.set(c);
      }
      return true;
    }
    return false;
  }

  std::string_view pattern_;
  bool fold_;
  std::size_t at_ = 0;
  WildPattern out_;
};

bool takes_byte(const WildElement& element) {
  return element.is_single() || element.kind == Kind::directories;
}

}  // namespace

std::optional<WildPattern> parse_wild_pattern(std::string_view pattern, bool fold) {
  return Parser(pattern, fold).parse();
}

std::string fold_case(std::string_view text) {
  std::string out(text);
  // Eight at a time: bit 7 of a byte tells that its low seven bits are from 'A' to 'Z'.
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  std::size_t i = 0;
  for (; i + 8 <= out.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, &out[i], 8);
    const std::uint64_t low = word & (0x7F * kOnes);
    const std::uint64_t from_a = low + (0x80 - 'A') * kOnes;
    const std::uint64_t beyond_z = low + (0x80 - 'Z' - 1) * kOnes;
    word |= ((from_a & ~beyond_z & ~word) >> 2) & (0x20 * kOnes);
    std::memcpy(&out[i], &word, 8);
  }
  for (; i < out.size(); ++i) {
    out[i] = static_cast<char>(fold_case(static_cast<unsigned char>(out[i])));
  }
  return out;
}

WildMatcher::WildMatcher(std::span<const WildElement> elements, const std::vector<ByteSet>& sets) {
  const auto is_plain = [](const WildElement& element) { return element.kind == Kind::byte; };
  const auto front = std::find_if_not(elements.begin(), elements.end(), is_plain);
  const auto back = std::find_if_not(elements.rbegin(), elements.rend(), is_plain).base();
  for (auto i = elements.begin(); i != front; ++i) prefix_ += static_cast<char>(i->byte);
  if (front == elements.end()) return;
  for (auto i = back; i != elements.end(); ++i) suffix_ += static_cast<char>(i->byte);
  const std::span<const WildElement> core(front, back);
  least_ = static_cast<std::size_t>(
      std::count_if(core.begin(), core.end(), [](const auto& e) { return e.is_single(); }));
  if (core.size() == 1 && core[0].kind == Kind::star) {
    core_ = Core::star;
  } else if (core.size() == 1 && core[0].kind == Kind::any) {
    core_ = Core::any;
  } else {
    core_ = Core::automaton;
    build(core, sets);
  }
}

void WildMatcher::build(std::span<const WildElement> core, const std::vector<ByteSet>& sets) {
  accept_ = static_cast<std::size_t>(std::count_if(core.begin(), core.end(), takes_byte));
  words_ = accept_ / 64 + 1;

  // Classes: one for all bytes at first; each set, and each byte by itself, splits them.
  classes_.assign(256, 0);
  std::size_t count = 1;
  const auto split = [&](const ByteSet& members) {
    if (count == 256) return;
    std::array<int, 256> inside{};  // of each class: that of its members, + 1
    std::array<bool, 256> outside{};
    for (std::size_t c = 0; c < 256; ++c) {
      if (!members[c]) outside[classes_[c]] = true;
    }
    for (std::size_t c = 0; c < 256; ++c) {
      if (!members[c] || !outside[classes_[c]]) continue;
      int& to = inside[classes_[c]];
      if (to == 0) to = static_cast<int>(++count);
      classes_[c] = static_cast<std::uint8_t>(to - 1);
    }
  };
  for (const ByteSet& members : sets) split(members);
  ByteSet alone;
  for (const WildElement& element : core) {
    if (element.kind == Kind::byte) alone.set(element.byte);
    if (element.kind == Kind::directories) alone.set('/');
  }
  for (std::size_t c = 0; c < 256; ++c) {
    if (alone[c]) split(ByteSet().set(c));
  }
  std::array<std::size_t, 256> member{};  // one of each class
  for (std::size_t c = 0; c < 256; ++c) member[classes_[c]] = c;

  rows_.assign(count * words_, 0);
  stay_.assign(2 * words_, 0);
  skip_.assign(words_, 0);
  const auto set_bit = [](std::uint64_t* words, std::size_t bit) {
    words[bit / 64] |= std::uint64_t{1} << (bit % 64);
  };
  std::size_t state = 0;
  for (const WildElement& element : core) {
    switch (element.kind) {
      case Kind::star:
        set_bit(&stay_[0], state);
        break;
      case Kind::directories:
        set_bit(&skip_[0], state);
        [[fallthrough]];
      case Kind::any:
        set_bit(&stay_[0], state);
        set_bit(&stay_[words_], state);
        break;
      case Kind::byte:
      case Kind::set:
        break;
    }
    if (!takes_byte(element)) continue;
    ++state;
    if (element.kind == Kind::set) {
      for (std::size_t i = 0; i < count; ++i) {
        if (sets[element.set][member[i]]) set_bit(&rows_[i * words_], state);
      }
    } else {
      const unsigned char c = element.kind == Kind::byte ? element.byte : '/';
      set_bit(&rows_[classes_[c] * words_], state);
    }
  }
}

bool WildMatcher::matches(std::string_view text) const {
  if (text.size() < prefix_.size() + suffix_.size() + least_) return false;
  if (text.substr(0, prefix_.size()) != prefix_) return false;
  text.remove_prefix(prefix_.size());
  if (text.substr(text.size() - suffix_.size()) != suffix_) return false;
  text.remove_suffix(suffix_.size());
  switch (core_) {
    case Core::nothing:
      return text.empty();
    case Core::star:
      return text.find('/') == std::string_view::npos;
    case Core::any:
      return true;
    case Core::automaton:
      break;
  }
  return words_ == 1 ? run(text) : run_words(text);
}

bool WildMatcher::run(std::string_view text) const {
  const std::uint64_t skip = skip_[0];
  std::uint64_t states = 1 | ((skip & 1) << 1);
  for (const char c : text) {
    const std::uint64_t reached = (states << 1) & *row(static_cast<unsigned char>(c));
    states = reached | ((reached & skip) << 1) | (states & stay_[c == '/' ? 1 : 0]);
    if (states == 0) return false;
  }
  return ((states >> accept_) & 1) != 0;
}

bool WildMatcher::run_words(std::string_view text) const {
  std::vector<std::uint64_t> states;
  states.push_back(1 | ((skip_[0] & 1) << 1));
  states.resize(words_);
  for (const char c : text) {
    const std::uint64_t* const leads = row(static_cast<unsigned char>(c));
    const std::uint64_t* const stay = &stay_[c == '/' ? words_ : 0];
    std::uint64_t carry = 0;
    std::uint64_t skip_carry = 0;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < words_; ++i) {
      const std::uint64_t reached = ((states[i] << 1) | carry) & leads[i];
      const std::uint64_t skipped = reached & skip_[i];
      carry = states[i] >> 63;
      states[i] = reached | (skipped << 1) | skip_carry | (states[i] & stay[i]);
      skip_carry = skipped >> 63;
      seen |= states[i];
    }
    if (seen == 0) return false;
  }
  return ((states[accept_ / 64] >> (accept_ % 64)) & 1) != 0;
}

}  // namespace trawl::match
