// SPDX-License-Identifier: Apache-2.0
//
// The automaton of a tree: follows every way at once, so its time is at most steps × characters of
// the text. For what the faster forms (pattern_sequence.h, pattern_dfa.h) leave over, and to make
// the DFA of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "match/pattern_syntax.h"

namespace trawl::match {

class Nfa {
 public:
  struct Step {
    enum Kind : std::uint8_t { kSet, kSplit, kBegin, kEnd, kMatch };
    Kind kind = kMatch;
    std::uint32_t next = 0;
    std::uint32_t other = 0;  // kSplit: the second way; kSet: index of the set
  };

  // Of the tree read from its end if `reversed`. None if that takes more than `most_steps`.
  static std::optional<Nfa> compile(const Node& root, bool reversed, std::size_t most_steps);

  // Whether the tree is found somewhere. Not of a reversed one.
  bool search(std::string_view text) const;

  // Steps of kinds kSet, kEnd and kMatch that one comes to without a character.
  class Closure {
   public:
    explicit Closure(const Nfa& nfa) : nfa_(nfa), seen_(nfa.steps_.size(), 0) {}
    void clear() {
      ++round_;
      steps_.clear();
    }
    void add(std::uint32_t step, bool at_begin, bool at_end);
    const std::vector<std::uint32_t>& steps() const { return steps_; }
    bool matched() const { return matched_round_ == round_; }

   private:
    const Nfa& nfa_;
    std::vector<std::uint32_t> seen_;  // by step: in which round
    std::vector<std::uint32_t> steps_, todo_;
    std::uint32_t round_ = 1, matched_round_ = 0;
  };

  const std::vector<Step>& steps() const { return steps_; }
  const CharSet& set_of(const Step& step) const { return sets_[step.other]; }
  const std::vector<CharSet>& sets() const { return sets_; }
  std::uint32_t start() const { return start_; }

 private:
  friend class NfaCompiler;
  std::vector<Step> steps_;
  std::vector<CharSet> sets_;
  std::uint32_t start_ = 0;
};

}  // namespace trawl::match
