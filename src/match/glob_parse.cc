// SPDX-License-Identifier: Apache-2.0
#include "match/glob_parse.h"

#include <trawl/pattern.h>

#include <string>
#include <utility>

#include "match/pattern_fold.h"

namespace trawl::match {

namespace {

// Braces inside braces; the trees' functions are recursive.
constexpr int kMaxBraces = 100;

std::string quoted(std::uint32_t c) {
  std::string text = "'";
  encode(c, text);
  text += '\'';
  return text;
}

class Parser {
 public:
  Parser(std::string_view pattern, bool ignore_case)
      : pattern_(pattern), ignore_case_(ignore_case) {}

  Node parse() {
    Node root = Node::of(Node::kSequence);
    root.children.push_back(Node::of(Node::kBegin));
    root.children.push_back(sequence());
    if (at_ < pattern_.size()) {
      fail("unopened alternative; no '{' before this '}'", at_);
    }
    root.children.push_back(Node::of(Node::kEnd));
    return root;
  }

 private:
  [[noreturn]] void fail(const std::string& message, std::size_t position) const {
    throw PatternError(message, std::string(pattern_), position);
  }

  bool done() const { return at_ == pattern_.size(); }
  char peek() const { return pattern_[at_]; }
  // Is what follows the end of a component?
  bool at_component_end(std::size_t at) const {
    return at == pattern_.size() || pattern_[at] == '/' ||
           (depth_ > 0 && (pattern_[at] == ',' || pattern_[at] == '}'));
  }

  // The character behind the backslash at at_.
  std::uint32_t escaped() {
    if (at_ + 1 == pattern_.size()) {
      fail("dangling '\\': nothing follows it", at_);
    }
    ++at_;
    return decode(pattern_, at_);
  }

  Node character(std::uint32_t c) const {
    CharSet set = CharSet::of(c);
    if (ignore_case_) {
      set.add_case_variants();
    }
    return Node::of(std::move(set));
  }

  static CharSet all_but_slash() {
    CharSet set = CharSet::all();
    set.remove_ascii('/');
    return set;
  }

  // Up to the end, or to the ',' or '}' of the braces that it is in.
  Node sequence() {
    Node node = Node::of(Node::kSequence);
    bool component_begins = true;
    while (!done()) {
      const char c = peek();
      if (c == '}' || (c == ',' && depth_ > 0)) {
        break;
      }
      if (c == '*') {
        stars(node, component_begins);
        component_begins = pattern_[at_ - 1] == '/';
        continue;
      }
      component_begins = c == '/';
      switch (c) {
        case '?':
          ++at_;
          node.children.push_back(Node::of(all_but_slash()));
          break;
        case '[':
          node.children.push_back(Node::of(bracket()));
          break;
        case '{':
          node.children.push_back(braces());
          break;
        case '\\':
          node.children.push_back(character(escaped()));
          break;
        default:
          node.children.push_back(character(decode(pattern_, at_)));
      }
    }
    return node;
  }

  void stars(Node& node, bool component_begins) {
    const std::size_t begin = at_;
    while (!done() && peek() == '*') {
      ++at_;
    }
    if (at_ - begin != 2 || !component_begins || !at_component_end(at_)) {
      node.children.push_back(Node::repeat(Node::of(all_but_slash()), 0, Node::kUnlimited));
      return;
    }
    Node any = Node::repeat(Node::of(CharSet::all()), 0, Node::kUnlimited);
    if (done() || peek() != '/') {
      node.children.push_back(std::move(any));
      return;
    }
    ++at_;
    Node directories = Node::of(Node::kSequence);
    directories.children.push_back(std::move(any));
    directories.children.push_back(Node::of(CharSet::of('/')));
    node.children.push_back(Node::repeat(std::move(directories), 0, 1));
  }

  Node braces() {
    const std::size_t begin = at_++;
    if (depth_ == kMaxBraces) {
      fail("braces are nested too deeply", begin);
    }
    ++depth_;
    Node node = Node::of(Node::kAlternative);
    for (;;) {
      node.children.push_back(sequence());
      if (done()) {
        fail("unclosed alternative; missing '}'", begin);
      }
      if (pattern_[at_++] == '}') {
        break;
      }
    }
    --depth_;
    return node;
  }

  CharSet bracket() {
    const std::size_t begin = at_++;
    const auto unclosed = [this, begin] { fail("unclosed character class; missing ']'", begin); };
    CharSet set;
    const bool negated = !done() && (peek() == '!' || peek() == '^');
    if (negated) {
      ++at_;
    }
    for (bool first = true;; first = false) {
      if (done()) {
        unclosed();
      }
      if (peek() == ']' && !first) {
        ++at_;
        break;
      }
      if (pattern_.substr(at_).starts_with("[:")) {
        const std::size_t end = pattern_.find(":]", at_ + 2);
        if (end != std::string_view::npos) {
          if (!set.add_class(pattern_.substr(at_ + 2, end - at_ - 2))) {
            fail("unknown character class", at_);
          }
          at_ = end + 2;
          continue;
        }
      }
      const std::size_t where = at_;
      const std::uint32_t low = member();
      std::uint32_t high = low;
      if (at_ + 1 < pattern_.size() && peek() == '-' && pattern_[at_ + 1] != ']') {
        ++at_;
        high = member();
      }
      if (low > high) {
        fail("invalid range; " + quoted(low) + " > " + quoted(high), where);
      }
      set.add(low, high);
    }
    if (ignore_case_) {
      set.add_case_variants();
    }
    if (negated) {
      set.negate();
    }
    set.remove_ascii('/');
    return set;
  }

  std::uint32_t member() { return peek() == '\\' ? escaped() : decode(pattern_, at_); }

  std::string_view pattern_;
  bool ignore_case_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Node parse_glob(std::string_view pattern, bool ignore_case) {
  return Parser(pattern, ignore_case).parse();
}

bool glob_has_upper_case(std::string_view pattern) {
  for (std::size_t at = 0; at < pattern.size();) {
    if (is_upper(decode(pattern, at))) {
      return true;
    }
  }
  return false;
}

}  // namespace trawl::match
