// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_nfa.h"

#include <utility>

namespace trawl::match {

// From behind: what a node leads to exists before the node.
class NfaCompiler {
 public:
  NfaCompiler(bool reversed, std::size_t most_steps)
      : reversed_(reversed), most_steps_(most_steps) {}

  std::optional<Nfa> compile(const Node& root) {
    nfa_.start_ = node(root, step({.kind = Nfa::Step::kMatch}));
    if (too_many_) {
      return std::nullopt;
    }
    return std::move(nfa_);
  }

 private:
  std::uint32_t step(Nfa::Step made) {
    too_many_ |= nfa_.steps_.size() >= most_steps_;
    nfa_.steps_.push_back(made);
    return static_cast<std::uint32_t>(nfa_.steps_.size() - 1);
  }

  std::uint32_t node(const Node& n, std::uint32_t next) {
    if (too_many_) {
      return next;
    }
    switch (n.kind) {
      case Node::kSet:
        nfa_.sets_.push_back(n.set);
        return step({.kind = Nfa::Step::kSet,
                     .next = next,
                     .other = static_cast<std::uint32_t>(nfa_.sets_.size() - 1)});
      case Node::kBegin:
      case Node::kEnd:
        return step(
            {.kind = (n.kind == Node::kBegin) != reversed_ ? Nfa::Step::kBegin : Nfa::Step::kEnd,
             .next = next});
      case Node::kSequence:
        for (std::size_t i = 0; i < n.children.size(); ++i) {
          next = node(n.children[reversed_ ? i : n.children.size() - 1 - i], next);
        }
        return next;
      case Node::kAlternative: {
        std::uint32_t ways = node(n.children.back(), next);
        for (std::size_t i = n.children.size() - 1; i-- > 0;) {
          const std::uint32_t way = node(n.children[i], next);
          ways = step({.kind = Nfa::Step::kSplit, .next = way, .other = ways});
        }
        return ways;
      }
      case Node::kRepeat:
        return repeat(n, next);
    }
    return next;
  }

  std::uint32_t repeat(const Node& n, std::uint32_t next) {
    const Node& child = n.children[0];
    if (n.most == Node::kUnlimited) {
      const std::uint32_t loop = step({.kind = Nfa::Step::kSplit, .next = 0, .other = next});
      const std::uint32_t body = node(child, loop);
      nfa_.steps_[loop].next = body;
      next = loop;
    } else {
      const std::uint32_t end = next;
      for (std::uint32_t i = n.least; i < n.most && !too_many_; ++i) {
        next = step({.kind = Nfa::Step::kSplit, .next = node(child, next), .other = end});
      }
    }
    for (std::uint32_t i = 0; i < n.least && !too_many_; ++i) {
      next = node(child, next);
    }
    return next;
  }

  bool reversed_;
  std::size_t most_steps_;
  bool too_many_ = false;
  Nfa nfa_;
};

std::optional<Nfa> Nfa::compile(const Node& root, bool reversed, std::size_t most_steps) {
  return NfaCompiler(reversed, most_steps).compile(root);
}

void Nfa::Closure::add(std::uint32_t first, bool at_begin, bool at_end) {
  todo_.push_back(first);
  while (!todo_.empty()) {
    const std::uint32_t at = todo_.back();
    todo_.pop_back();
    if (seen_[at] == round_) {
      continue;
    }
    seen_[at] = round_;
    const Step& step = nfa_.steps_[at];
    switch (step.kind) {
      case Step::kSplit:
        todo_.push_back(step.other);
        todo_.push_back(step.next);
        break;
      case Step::kBegin:
        if (at_begin) {
          todo_.push_back(step.next);
        }
        break;
      case Step::kEnd:
        if (at_end) {
          todo_.push_back(step.next);
        } else {
          steps_.push_back(at);
        }
        break;
      case Step::kMatch:
        matched_round_ = round_;
        steps_.push_back(at);
        break;
      case Step::kSet:
        steps_.push_back(at);
        break;
    }
  }
}

bool Nfa::search(std::string_view text) const {
  Closure one(*this);
  Closure two(*this);
  Closure* now = &one;
  Closure* then = &two;
  now->add(start_, true, text.empty());
  for (std::size_t at = 0; at < text.size() && !now->matched();) {
    const std::uint32_t c = decode(text, at);
    const bool at_end = at == text.size();
    then->clear();
    for (const std::uint32_t i : now->steps()) {
      const Step& step = steps_[i];
      if (step.kind == Step::kSet && sets_[step.other].contains(c)) {
        then->add(step.next, false, at_end);
      }
    }
    then->add(start_, false, at_end);
    if (then->steps().empty()) {
      return false;
    }
    std::swap(now, then);
  }
  return now->matched();
}

}  // namespace trawl::match
