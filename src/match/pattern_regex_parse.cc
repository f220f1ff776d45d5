// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_regex_parse.h"

#include <algorithm>
#include <utility>

#include "match/pattern_fold.h"

namespace trawl::match {

namespace {

// Groups inside groups; the trees' functions are recursive.
constexpr std::size_t kMaxGroups = 100;
constexpr std::uint32_t kReplacement = 0xFFFD;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct Flags {
  bool ignore_case = false;
  bool dot_takes_newline = true;
  bool multi_line = false;
};

class Parser {
 public:
  Parser(std::string_view pattern, bool ignore_case) : pattern_(pattern) {
    flags_.ignore_case = ignore_case;
    groups_.emplace_back();
  }

  RegexTree parse() {
    while (!done()) {
      item();
    }
    if (groups_.size() != 1) {
      given_up_ = true;
    }
    if (!given_up_) {
      tree_.root = close(groups_.front());
    }
    return std::move(tree_);
  }

 private:
  struct Group {
    Node ways = Node::of(Node::kAlternative);
    Node way = Node::of(Node::kSequence);
    Flags outer;
  };

  bool done() const { return at_ >= pattern_.size(); }
  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!next_is(text)) {
      return false;
    }
    at_ += text.size();
    return true;
  }

  void push(Node node) {
    if (!given_up_) {
      groups_.back().way.children.push_back(std::move(node));
    }
  }
  void push(CharSet set) { push(Node::of(std::move(set))); }
  // Something that the tree can't say: `most` is what it is at most.
  void push_at_most(Node most) {
    tree_.exact = false;
    push(std::move(most));
  }
  void push_character(std::uint32_t c) {
    note(c);
    CharSet set = CharSet::of(c);
    if (flags_.ignore_case) {
      set.add_case_variants();
    }
    push(std::move(set));
  }
  void note(std::uint32_t c) {
    tree_.has_upper_case |= is_upper(c);
    // Stands for each byte of a text that is not UTF-8.
    given_up_ |= c == kReplacement || c >= kInvalid;
  }

  static Node close(Group& group) {
    if (group.ways.children.empty()) {
      return std::move(group.way);
    }
    group.ways.children.push_back(std::move(group.way));
    return std::move(group.ways);
  }

  void item() {
    const std::size_t begin = at_;
    const std::uint32_t c = decode(pattern_, at_);
    switch (c) {
      case '\\':
        return escape();
      case '[':
        return bracket();
      case '(':
        return open();
      case ')':
        if (groups_.size() == 1) {
          given_up_ = true;
          return;
        } else {
          Group group = std::move(groups_.back());
          groups_.pop_back();
          flags_ = group.outer;
          return push(close(group));
        }
      case '|': {
        Group& group = groups_.back();
        group.ways.children.push_back(std::move(group.way));
        group.way = Node::of(Node::kSequence);
        return;
      }
      case '.': {
        CharSet set = CharSet::all();
        if (!flags_.dot_takes_newline) {
          set.remove_ascii('\n');
        }
        return push(std::move(set));
      }
      case '^':
        return flags_.multi_line ? push_at_most(Node::of(Node::kSequence))
                                 : push(Node::of(Node::kBegin));
      case '$':
        return flags_.multi_line ? push_at_most(Node::of(Node::kSequence))
                                 : push(Node::of(Node::kEnd));
      case '*':
        return repeat(0, Node::kUnlimited);
      case '+':
        return repeat(1, Node::kUnlimited);
      case '?':
        return repeat(0, 1);
      case '{':
        at_ = begin;
        if (!counted_repeat()) {
          at_ = begin + 1;
          push_character('{');
        }
        return;
      default:
        return push_character(c);
    }
  }

  void repeat(std::uint32_t least, std::uint32_t most) {
    take("?");  // as few as possible: the same for whether there is a match
    std::vector<Node>& parts = groups_.back().way.children;
    if (parts.empty() || least > most) {
      given_up_ = true;
    }
    if (!given_up_) {
      parts.back() = Node::repeat(std::move(parts.back()), least, most);
    }
  }

  // {2}, {2,} or {2,5}; anything else that begins with a brace stands for itself.
  bool counted_repeat() {
    std::size_t at = at_ + 1;
    const auto number = [this, &at]() -> std::optional<std::uint32_t> {
      const std::size_t begin = at;
      std::uint32_t value = 0;
      for (; at < pattern_.size() && is_digit(pattern_[at]); ++at) {
        value =
            value > 10'000 ? value : value * 10 + static_cast<std::uint32_t>(pattern_[at] - '0');
      }
      return at == begin ? std::nullopt : std::optional(value);
    };
    const auto least = number();
    if (!least) {
      return false;
    }
    std::uint32_t most = *least;
    if (at < pattern_.size() && pattern_[at] == ',') {
      ++at;
      most = number().value_or(Node::kUnlimited);
    }
    if (at == pattern_.size() || pattern_[at] != '}') {
      return false;
    }
    at_ = at + 1;
    repeat(*least, most);
    return true;
  }

  void open() {
    if (groups_.size() > kMaxGroups) {
      given_up_ = true;
    }
    const Flags outer = flags_;
    if (take("?")) {
      if (take("P<") || take("<")) {
        const std::size_t end = pattern_.find('>', at_);
        at_ = end == std::string_view::npos ? pattern_.size() : end + 1;
      } else if (!flags()) {
        return;  // for the rest of this group
      }
    }
    if (groups_.size() <= kMaxGroups) {
      groups_.emplace_back();
    }
    groups_.back().outer = outer;
  }

  // Behind "(?"; true if they are for a group that begins here.
  bool flags() {
    for (bool on = true; !done();) {
      switch (pattern_[at_++]) {
        case 'i':
          flags_.ignore_case = on;
          break;
        case 's':
          flags_.dot_takes_newline = on;
          break;
        case 'm':
          flags_.multi_line = on;
          break;
        case 'U':
          break;
        case '-':
          on = false;
          break;
        case ':':
          return true;
        case ')':
          return false;
        default:
          given_up_ = true;
          return false;
      }
    }
    given_up_ = true;
    return false;
  }

  // \d and its like; `set` gets what it stands for.
  static bool perl_class(char c, CharSet& set) {
    const char lower = static_cast<char>(c | 0x20);
    CharSet found;
    if (lower == 'd') {
      found.add_class("digit");
    } else if (lower == 'w') {
      found.add_class("word");
    } else if (lower == 's') {
      for (const char space : {'\t', '\n', '\f', '\r', ' '}) {
        found.add(static_cast<std::uint8_t>(space));
      }
    } else {
      return false;
    }
    set = std::move(found);
    return true;
  }

  // The set of one escape, whose letter is upper-case if it is negated.
  CharSet finished(CharSet set, bool negated) const {
    if (flags_.ignore_case) {
      set.add_case_variants();
    }
    if (negated) {
      set.negate();
    }
    return set;
  }

  // Behind the backslash of \pN, \p{Greek}, \P…
  void skip_property() {
    const bool long_name = at_ + 1 < pattern_.size() && pattern_[at_ + 1] == '{';
    const std::size_t end = long_name ? pattern_.find('}', at_) : at_ + 1;
    at_ = end == std::string_view::npos ? pattern_.size() : end;
    if (!done()) {
      decode(pattern_, at_);
    }
  }

  void escape() {
    if (done()) {
      given_up_ = true;
      return;
    }
    const char c = pattern_[at_];
    CharSet set;
    if (perl_class(c, set)) {
      ++at_;
      return push(finished(std::move(set), c < 'a'));
    }
    switch (c) {
      case 'A':
        ++at_;
        return push(Node::of(Node::kBegin));
      case 'z':
        ++at_;
        return push(Node::of(Node::kEnd));
      case 'b':
      case 'B':
        ++at_;
        return push_at_most(Node::of(Node::kSequence));
      case 'C':
        ++at_;
        return push(CharSet::all());
      case 'p':
      case 'P':
        skip_property();
        return push_at_most(Node::of(CharSet::all()));
      case 'Q': {
        ++at_;
        while (!done() && !take("\\E")) {
          push_character(decode(pattern_, at_));
        }
        return;
      }
      default:
        if (const auto character = escaped_character()) {
          push_character(*character);
        } else {
          given_up_ = true;
        }
    }
  }

  // The one character that the rest of an escape stands for.
  std::optional<std::uint32_t> escaped_character() {
    const std::uint32_t c = decode(pattern_, at_);
    if (c < 0x80 && is_octal(static_cast<char>(c))) {
      std::uint32_t code = c - '0';
      for (int more = 0; more < 2 && !done() && is_octal(pattern_[at_]); ++more) {
        code = code * 8 + static_cast<std::uint32_t>(pattern_[at_++] - '0');
      }
      return code;
    }
    switch (c) {
      case 'a':
        return '\a';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'v':
        return '\v';
      case 'x':
        return hexadecimal();
      default:
        break;
    }
    const bool word = c >= 0x80 || c == '_' || is_digit(static_cast<char>(c)) ||
                      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return word ? std::nullopt : std::optional(c);
  }

  std::optional<std::uint32_t> hexadecimal() {
    const bool braced = take("{");
    std::uint32_t code = 0;
    std::size_t digits = 0;
    for (; !done() && (braced || digits < 2) && hex_value(pattern_[at_]) >= 0; ++digits) {
      code = code * 16 + static_cast<std::uint32_t>(hex_value(pattern_[at_++]));
      if (code > 0x10FFFF) {
        return std::nullopt;
      }
    }
    if (braced ? digits == 0 || !take("}") : digits != 2) {
      return std::nullopt;
    }
    return code;
  }

  void bracket() {
    CharSet set;
    bool any = false;  // it has what the set can't say
    const bool negated = take("^");
    for (bool first = true; !done() && (first || !next_is("]")); first = false) {
      if (next_is("[:")) {
        const std::size_t end = pattern_.find(":]", at_ + 2);
        if (end == std::string_view::npos) {
          given_up_ = true;
        } else {
          posix_class(pattern_.substr(at_ + 2, end - at_ - 2), set);
          at_ = end + 2;
          continue;
        }
      }
      if (next_is("\\") && at_ + 1 < pattern_.size()) {
        const char c = pattern_[at_ + 1];
        CharSet perl;
        if (perl_class(c, perl)) {
          at_ += 2;
          set.add(finished(std::move(perl), c < 'a'));
          continue;
        }
        if (c == 'p' || c == 'P') {
          ++at_;
          skip_property();
          any = true;
          continue;
        }
      }
      range(set);
    }
    given_up_ |= !take("]");
    if (any) {
      return push_at_most(Node::of(CharSet::all()));
    }
    if (negated) {
      set.negate();
    }
    push(std::move(set));
  }

  void posix_class(std::string_view name, CharSet& set) {
    const bool negated = name.starts_with("^");
    CharSet found;
    if (!found.add_class(negated ? name.substr(1) : name)) {
      given_up_ = true;
    }
    set.add(finished(std::move(found), negated));
  }

  void range(CharSet& set) {
    const auto member = [this]() -> std::uint32_t {
      std::optional<std::uint32_t> c = decode(pattern_, at_);
      if (c == '\\') {
        c = done() ? std::nullopt : escaped_character();
      }
      if (!c) {
        given_up_ = true;
        return 0;
      }
      note(*c);
      return *c;
    };
    const std::uint32_t low = member();
    std::uint32_t high = low;
    if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
      ++at_;
      high = member();
    }
    if (low > high || high >= kInvalid) {
      given_up_ = true;
      return;
    }
    CharSet members;
    members.add(low, high);
    set.add(finished(std::move(members), false));
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  Flags flags_;
  std::vector<Group> groups_;
  bool given_up_ = false;
  RegexTree tree_;
};

}  // namespace

RegexTree parse_regex(std::string_view pattern, bool ignore_case) {
  return Parser(pattern, ignore_case).parse();
}

std::size_t unbalanced_parenthesis(std::string_view pattern) {
  std::vector<std::size_t> open;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    switch (pattern[at]) {
      case '\\':
        if (pattern.substr(at).starts_with("\\Q")) {
          at = std::min(pattern.find("\\E", at), pattern.size());
        }
        ++at;
        break;
      case '[':
        at += pattern.substr(at + 1).starts_with("^") ? 2U : 1U;
        for (std::size_t first = at; at < pattern.size() && (pattern[at] != ']' || at == first);
             ++at) {
          at += pattern[at] == '\\' ? 1U : 0U;
        }
        break;
      case '(':
        open.push_back(at);
        break;
      case ')':
        if (open.empty()) {
          return at;
        }
        open.pop_back();
        break;
      default:
        break;
    }
  }
  return open.empty() ? pattern.size() : open.back();
}

}  // namespace trawl::match
