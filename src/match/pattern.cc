// SPDX-License-Identifier: Apache-2.0
#include <trawl/pattern.h>

#include <limits>
#include <utility>

#include "match/glob_parse.h"
#include "match/pattern_fold.h"
#include "match/pattern_matcher.h"
#include "match/pattern_regex_parse.h"

namespace trawl {

namespace {

using match::CharSet;
using match::Dfa;
using match::Nfa;
using match::Node;

Node fixed_tree(std::string_view text, bool ignore_case) {
  Node root = Node::of(Node::kSequence);
  for (std::size_t at = 0; at < text.size();) {
    CharSet set = CharSet::of(match::decode(text, at));
    if (ignore_case) {
      set.add_case_variants();
    }
    root.children.push_back(Node::of(std::move(set)));
  }
  return root;
}

// An expression without operators is right, and need not be compiled by RE2 to know that, which
// takes 30 to 70 µs.
bool is_plain(std::string_view pattern) {
  return match::is_ascii(pattern) && pattern.size() <= 1000 &&
         pattern.find_first_of("\\.+*?()|[]{}^$") == std::string_view::npos;
}

}  // namespace

Pattern::Matcher::Matcher(Language language, std::string_view pattern, Case mode)
    : text_(pattern), language_(language), ignores_case_(mode == Case::ignored) {
  switch (language) {
    case Language::fixed:
    case Language::glob:
      if (mode == Case::smart) {
        ignores_case_ = !match::glob_has_upper_case(pattern);
      }
      compile(language == Language::fixed ? fixed_tree(pattern, ignores_case_)
                                          : match::parse_glob(pattern, ignores_case_));
      break;
    case Language::regex: {
      match::RegexTree tree = match::parse_regex(pattern, ignores_case_);
      if (mode == Case::smart && !tree.has_upper_case) {
        ignores_case_ = true;
        tree = match::parse_regex(pattern, true);
      }
      re2_ = std::make_unique<const match::Re2>(pattern, ignores_case_);
      if (!is_plain(pattern)) {
        re2_->check();
      }
      if (tree.root) {
        tree_is_exact_ = tree.exact;
        compile(*tree.root);
      }
      break;
    }
  }
}

void Pattern::Matcher::compile(const Node& root) {
  least_length_ = match::least_length(root);
  if (tree_is_exact_) {
    whole_ = match::Sequence::whole(root);
  }
  if (!whole_) {
    dfa_ = Dfa::compile(root);
    if (!dfa_ || !dfa_->selective()) {
      required_ = match::Sequence::required(root);
    }
  }
  if (language_ != Language::regex && !(whole_ && whole_->exact())) {
    nfa_ = Nfa::compile(root, false, std::numeric_limits<std::size_t>::max());
  }
}

bool Pattern::Matcher::matches(std::string_view text) const {
  if (whole_) {
    return whole_->search(text) ||
           (!whole_->exact() && !match::is_ascii(text) && matches_slowly(text));
  }
  if (text.size() < least_length_) {
    return false;
  }
  if (required_ && !required_->search(text) && (required_->exact() || match::is_ascii(text))) {
    return false;
  }
  if (dfa_) {
    const Dfa::Answer answer = dfa_->search(text);
    if (answer == Dfa::Answer::no || (answer == Dfa::Answer::yes && tree_is_exact_)) {
      return answer == Dfa::Answer::yes;
    }
  }
  return matches_slowly(text);
}

bool Pattern::Matcher::matches_slowly(std::string_view text) const {
  if (re2_) {
    return re2_->search(text);
  }
  return nfa_->search(text);
}

Pattern Pattern::regex(std::string_view pattern, Case mode) {
  return Pattern(std::make_shared<const Matcher>(Matcher::Language::regex, pattern, mode));
}
Pattern Pattern::glob(std::string_view pattern, Case mode) {
  return Pattern(std::make_shared<const Matcher>(Matcher::Language::glob, pattern, mode));
}
Pattern Pattern::fixed(std::string_view text, Case mode) {
  return Pattern(std::make_shared<const Matcher>(Matcher::Language::fixed, text, mode));
}

bool Pattern::matches(std::string_view text) const { return matcher_->matches(text); }
const std::string& Pattern::text() const { return matcher_->text(); }
bool Pattern::ignores_case() const { return matcher_->ignores_case(); }

}  // namespace trawl
