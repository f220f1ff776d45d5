// SPDX-License-Identifier: Apache-2.0
//
// A compiled pattern. The fastest form that can tell answers: a run of characters
// (pattern_sequence.h), a table (pattern_dfa.h), and, where these don't suffice or the text is not
// ASCII, RE2 for regular expressions and the automaton (pattern_nfa.h) for everything else.
//
// Nanoseconds per name over the 155,000 of /usr, 20 bytes on average, RE2's alone for comparison:
//   foo                    13   149      \.(jpg|png)$            4   164
//   \.conf$                 8   135      foo.*bar               13
//   ^lib.*\.so\.[0-9]+$     5    20      (jpg|png)              24
//   (?i)readme             13   166      [0-9]{8}               12   200
#pragma once

#include <trawl/pattern.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "match/pattern_dfa.h"
#include "match/pattern_nfa.h"
#include "match/pattern_re2.h"
#include "match/pattern_sequence.h"

namespace trawl {

class Pattern::Matcher {
 public:
  enum class Language : std::uint8_t { regex, glob, fixed };
  // What the answer takes for most texts.
  enum class Cost : std::uint8_t { run, table, automaton };

  Matcher(Language language, std::string_view pattern, Case mode);

  bool matches(std::string_view text) const;
  const std::string& text() const { return text_; }
  Language language() const { return language_; }
  bool ignores_case() const { return ignores_case_; }
  Cost cost() const { return whole_ ? Cost::run : dfa_ ? Cost::table : Cost::automaton; }

 private:
  void compile(const match::Node& root);
  bool matches_slowly(std::string_view text) const;

  std::string text_;
  Language language_;
  bool ignores_case_ = false;
  bool tree_is_exact_ = true;  // else a yes is RE2's to say
  std::size_t least_length_ = 0;
  std::optional<match::Sequence> whole_, required_;
  std::optional<match::Dfa> dfa_;
  std::optional<match::Nfa> nfa_;          // globs and fixed texts
  std::unique_ptr<const match::Re2> re2_;  // regular expressions
};

}  // namespace trawl
