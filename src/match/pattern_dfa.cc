// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_dfa.h"

#include <algorithm>
#include <map>
#include <utility>

#include "match/pattern_nfa.h"

namespace trawl::match {

namespace {

constexpr std::size_t kMaxSteps = 20'000;     // of the NFA
constexpr std::size_t kMaxEntries = 1 << 17;  // of the table: 512 KiB
constexpr std::size_t kMaxWork = 200'000;     // steps looked at: about 1 ms

// How many characters of ASCII may be the first of a match that the tree puts at the text's begin:
// 128 if it is not put there.
int possible_firsts(const Nfa& nfa) {
  Nfa::Closure anywhere(nfa);
  anywhere.add(nfa.start(), false, false);
  Nfa::Closure begin(nfa);
  begin.add(nfa.start(), true, false);
  if (!anywhere.steps().empty() || begin.matched()) {
    return 128;
  }
  CharSet firsts;
  for (const std::uint32_t i : begin.steps()) {
    const Nfa::Step& step = nfa.steps()[i];
    if (step.kind == Nfa::Step::kSet) {
      firsts.add(nfa.set_of(step));
    }
  }
  return firsts.ascii_count();
}

}  // namespace

std::optional<Dfa> Dfa::compile(const Node& root) {
  const std::optional<Nfa> forward = Nfa::compile(root, false, kMaxSteps);
  const std::optional<Nfa> backward = Nfa::compile(root, true, kMaxSteps);
  if (!forward || !backward) {
    return std::nullopt;
  }
  const int firsts = possible_firsts(*forward);
  const int lasts = possible_firsts(*backward);
  Dfa dfa;
  dfa.reversed_ = lasts < firsts;
  dfa.selective_ = std::min(firsts, lasts) <= 16;
  if (!dfa.fill(dfa.reversed_ ? *backward : *forward)) {
    return std::nullopt;
  }
  return dfa;
}

bool Dfa::fill(const Nfa& nfa) {
  // Characters that are in the same sets are one class.
  std::array<std::uint8_t, 128> representative{};
  std::size_t classes = 1;
  for (const CharSet& set : nfa.sets()) {
    std::array<std::uint8_t, 256> split{};  // by class, and whether it is in the set: one more
    classes = 0;
    for (std::uint32_t c = 0; c < 128; ++c) {
      std::uint8_t& to = split[2U * class_of_[c] + (set.has_ascii(c) ? 1 : 0)];
      if (to == 0) {
        to = static_cast<std::uint8_t>(++classes);
      }
      class_of_[c] = static_cast<std::uint8_t>(to - 1);
    }
  }
  for (std::uint32_t c = 0; c < 128; ++c) {
    representative[class_of_[c]] = static_cast<std::uint8_t>(c);
  }
  std::fill(class_of_.begin() + 128, class_of_.end(), static_cast<std::uint8_t>(classes));
  stride_ = static_cast<std::uint32_t>(classes + 1);

  std::map<std::vector<std::uint32_t>, std::uint32_t> rows;
  std::vector<const std::vector<std::uint32_t>*> states(kFirstLive, nullptr);
  // A state is what may be read or must be the end; sorted, as ways in differ.
  const auto row_of = [&](const Nfa::Closure& closure) {
    if (closure.matched()) {
      return kYes * stride_;
    }
    if (closure.steps().empty()) {
      return kNo * stride_;
    }
    std::vector<std::uint32_t> steps = closure.steps();
    std::sort(steps.begin(), steps.end());
    const auto fresh = static_cast<std::uint32_t>(states.size()) * stride_;
    const auto [at, is_new] = rows.try_emplace(std::move(steps), fresh);
    if (is_new) {
      states.push_back(&at->first);
    }
    return at->second;
  };

  Nfa::Closure closure(nfa);
  closure.add(nfa.start(), true, true);
  yes_if_empty_ = closure.matched();
  closure.clear();
  closure.add(nfa.start(), true, false);
  start_ = row_of(closure);
  yes_at_end_.assign(kFirstLive, 0);
  next_.assign(std::size_t{kFirstLive} * stride_, 0);
  std::size_t work = 0;
  for (std::size_t state = kFirstLive; state < states.size(); ++state) {
    const std::vector<std::uint32_t>& steps = *states[state];
    for (std::size_t c = 0; c < classes; ++c) {
      closure.clear();
      for (const std::uint32_t i : steps) {
        const Nfa::Step& step = nfa.steps()[i];
        if (step.kind == Nfa::Step::kSet && nfa.set_of(step).has_ascii(representative[c])) {
          closure.add(step.next, false, false);
        }
      }
      closure.add(nfa.start(), false, false);
      next_.push_back(row_of(closure));
      work += steps.size() + closure.steps().size();
    }
    next_.push_back(kUnknown * stride_);
    closure.clear();
    for (const std::uint32_t i : steps) {
      if (nfa.steps()[i].kind == Nfa::Step::kEnd) {
        closure.add(nfa.steps()[i].next, false, true);
      }
    }
    yes_at_end_.push_back(closure.matched() ? 1 : 0);
    if (work > kMaxWork || states.size() * stride_ > kMaxEntries) {
      return false;
    }
  }
  return true;
}

Dfa::Answer Dfa::search(std::string_view text) const {
  if (text.empty()) {
    return yes_if_empty_ ? Answer::yes : Answer::no;
  }
  const std::uint32_t live = kFirstLive * stride_;
  const std::uint32_t* const next = next_.data();
  std::uint32_t row = start_;
  if (reversed_) {
    for (std::size_t i = text.size(); row >= live && i > 0; --i) {
      row = next[row + class_of_[static_cast<std::uint8_t>(text[i - 1])]];
    }
  } else {
    for (std::size_t i = 0; row >= live && i < text.size(); ++i) {
      row = next[row + class_of_[static_cast<std::uint8_t>(text[i])]];
    }
  }
  if (row >= live) {
    return yes_at_end_[row / stride_] != 0 ? Answer::yes : Answer::no;
  }
  return row == 0 ? Answer::no : row == stride_ ? Answer::yes : Answer::unknown;
}

}  // namespace trawl::match
