// SPDX-License-Identifier: Apache-2.0
#include "match/ignore_program.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace trawl::match {

namespace {

using Kind = WildElement::Kind;
using Elements = std::span<const WildElement>;

constexpr std::size_t kMostTexts = 16;    // that sets in one pattern are written out to
constexpr std::size_t kLongestText = 64;  // of several
constexpr std::ptrdiff_t kMostSharers =
    16;  // rules that have a key in common, if there is a choice

bool is_slash(const WildElement& element) {
  return element.is_byte('/') || element.kind == Kind::directories;
}

bool is_single(const WildElement& element) { return element.is_single(); }

bool is_plain(const WildElement& element) { return element.kind == Kind::byte; }

// What a run of single bytes can be, of as much of its beginning as gives no more than kMostTexts.
struct Texts {
  std::vector<std::string> texts{std::string()};
  std::size_t length = 0;

  template <class Iterator>
  Texts(Iterator begin, Iterator end, const std::vector<ByteSet>& sets) {
    for (; begin != end && add(*begin, sets); ++begin) ++length;
    if (length == 0) texts.clear();
  }

 private:
  bool add(const WildElement& element, const std::vector<ByteSet>& sets) {
    if (element.kind == Kind::byte) {
      if (texts.size() > 1 && length >= kLongestText) return false;
      for (std::string& text : texts) text += static_cast<char>(element.byte);
      return true;
    }
    const ByteSet& members = sets[element.set];
    if (texts.size() * members.count() > kMostTexts || length >= kLongestText) return false;
    std::vector<std::string> longer;
    for (std::size_t c = 0; c < members.size(); ++c) {
      if (!members[c]) continue;
      for (const std::string& text : texts) longer.push_back(text + static_cast<char>(c));
    }
    texts = std::move(longer);
    return true;
  }
};

std::string plain_beginning(Elements elements) {
  std::string text;
  for (const WildElement& element : elements) {
    if (element.kind != Kind::byte) break;
    text += static_cast<char>(element.byte);
  }
  return text;
}

Elements longest_plain_run(Elements elements) {
  Elements longest;
  for (std::size_t i = 0; i < elements.size();) {
    const std::size_t first = i;
    while (i < elements.size() && elements[i].kind == Kind::byte) ++i;
    if (i - first > longest.size()) longest = elements.subspan(first, i - first);
    if (i == first) ++i;
  }
  return longest;
}

// Of lines that say the same, but for '!', only the last can decide.
std::vector<IgnoreLine> without_repetitions(std::vector<IgnoreLine> lines) {
  const auto text = [&](std::size_t i) { return std::tie(lines[i].body, lines[i].directory_only); };
  std::vector<std::size_t> order(lines.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple_cat(text(a), std::tie(a)) < std::tuple_cat(text(b), std::tie(b));
  });
  std::vector<bool> keep(lines.size(), true);
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (text(order[i - 1]) == text(order[i])) keep[order[i - 1]] = false;
  }
  std::vector<IgnoreLine> kept;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (keep[i]) kept.push_back(lines[i]);
  }
  return kept;
}

}  // namespace

struct IgnoreProgram::Keys {
  Index index = kNames;
  std::vector<std::string> texts;
};

// A rule while it is made.
struct IgnoreProgram::Draft {
  Rule rule;
  Keys keys;
  Keys others;  // that it could have instead
};

IgnoreProgram::IgnoreProgram(std::string file, bool fold) : file_(std::move(file)), fold_(fold) {
  std::vector<Draft> drafts;
  for (const IgnoreLine& line : without_repetitions(read_ignore_lines(file_))) {
    Draft draft;
    if (!add(line, draft)) continue;
    shown_.push_back(line.rule);
    drafts.push_back(std::move(draft));
  }
  make_indexes(std::move(drafts));
}

// False if nothing can match.
bool IgnoreProgram::add(const IgnoreLine& line, Draft& draft) {
  const std::string_view body = line.body.substr(line.body.starts_with('/') ? 1 : 0);
  if (body.empty()) return false;
  std::optional<WildPattern> pattern = parse_wild_pattern(body, fold_);
  if (!pattern) return false;
  draft.rule.directory_only = line.directory_only;
  std::size_t name = 0;  // where the elements for it begin
  if (line.has_slash) {
    if (!add_path(*pattern, draft, name)) return false;
  } else if (pattern->elements.back().kind == Kind::any) {
    pattern->elements.back().kind = Kind::star;
  }
  if (name < pattern->elements.size()) add_name(*pattern, name, draft);
  if (draft.keys.texts.empty()) draft.keys = std::move(draft.others);
  return true;
}

// What is not for the name. False if nothing can match.
bool IgnoreProgram::add_path(WildPattern& pattern, Draft& draft, std::size_t& name) {
  std::vector<WildElement>& elements = pattern.elements;
  name = static_cast<std::size_t>(
      std::find_if(elements.rbegin(), elements.rend(), is_slash).base() - elements.begin());
  if (elements.back().kind == Kind::any && elements.size() == name + 1 &&
      (name == 0 || (name == 1 && elements[0].kind == Kind::directories))) {
    elements.back().kind = Kind::star;  // everything: any name anywhere
    return true;
  }
  // "a**/b" may match within one name, and "a**/" a name.
  const bool within =
      name > 1 && elements[name - 1].kind == Kind::directories && !elements[name - 2].is_byte('/');
  if (name == elements.size() && !within) return false;  // no path ends with a slash
  if (name == 1 && elements[0].kind == Kind::directories) return true;

  needs_path_ = true;
  if (std::all_of(elements.begin(), elements.end(), is_plain) && name != 0) {
    draft.rule.exact = true;
    draft.keys = {kPaths, {plain_beginning(elements)}};
    name = elements.size();
    return true;
  }
  const bool anywhere = elements[0].kind == Kind::directories;
  const auto begin = elements.begin() + (anywhere ? 1 : 0);
  draft.others = {
      anywhere ? kComponents : kPaths,
      Texts(begin, std::find_if_not(begin, elements.end(), is_single), pattern.sets).texts};
  if (within || elements.back().kind == Kind::any) {
    draft.rule.where = Where::whole;
    draft.rule.directory = add_matcher(elements, pattern);
    name = elements.size();
  } else if (name == 0) {
    draft.rule.where = Where::top;
    draft.others.texts.clear();  // they are for the name
  } else {
    draft.rule.where = Where::below;
    draft.rule.directory = add_matcher(Elements(elements).first(name), pattern);
  }
  return true;
}

// Finds keys in what is for the name.
void IgnoreProgram::add_name(const WildPattern& pattern, std::size_t begin, Draft& draft) {
  const Elements name = Elements(pattern.elements).subspan(begin);
  const auto front_end = std::find_if_not(name.begin(), name.end(), is_single);
  const auto back_end = std::find_if_not(name.rbegin(), name.rend(), is_single);
  Texts front(name.begin(), front_end, pattern.sets);
  Texts back(name.rbegin(), back_end, pattern.sets);
  const Elements infix = longest_plain_run(name);
  const bool star_first = name.front().kind == Kind::star;
  const bool star_last = name.back().kind == Kind::star;

  bool decides = false;  // the key alone
  if (front.length == name.size()) {
    draft.keys = {kNames, std::move(front.texts)};
    draft.rule.exact = decides = true;
  } else if (infix.size() > std::max(front.length, back.length) &&
             std::max(front.length, back.length) < 2) {
    draft.keys = {kInfixes, {plain_beginning(infix)}};
    decides = star_first && star_last && name.size() == infix.size() + 2;
  } else if (back.length >= front.length && back.length != 0) {
    draft.keys = {kSuffixes, std::move(back.texts)};
    decides = star_first && name.size() == back.length + 1;
  } else if (front.length != 0) {
    draft.keys = {kNames, std::move(front.texts)};
    decides = star_last && name.size() == front.length + 1;
  } else {
    decides = star_first && name.size() == 1;
  }
  // Keys may be given up for the others.
  if (!decides || (!draft.keys.texts.empty() && !draft.others.texts.empty())) {
    draft.rule.name = add_matcher(name, pattern);
  }
}

std::uint32_t IgnoreProgram::add_matcher(Elements elements, const WildPattern& pattern) {
  matchers_.emplace_back(elements, pattern.sets);
  return static_cast<std::uint32_t>(matchers_.size() - 1);
}

void IgnoreProgram::make_indexes(std::vector<Draft> drafts) {
  // Of ten thousand times "dirN/*.o" the directory tells more than the name.
  using Use = std::tuple<Index, std::string_view, Draft*>;
  std::vector<Use> uses;
  for (Draft& draft : drafts) {
    for (const std::string& text : draft.keys.texts) {
      uses.emplace_back(draft.keys.index, text, &draft);
    }
  }
  std::sort(uses.begin(), uses.end());
  std::vector<Draft*> crowded;
  for (auto first = uses.begin(); first != uses.end();) {
    const auto last = std::find_if(first, uses.end(), [&](const Use& use) {
      return std::get<0>(use) != std::get<0>(*first) || std::get<1>(use) != std::get<1>(*first);
    });
    for (auto i = first; last - first > kMostSharers && i != last; ++i) {
      crowded.push_back(std::get<2>(*i));
    }
    first = last;
  }
  for (Draft* const draft : crowded) {
    if (draft->others.texts.empty()) continue;  // also if it was here before
    draft->keys = std::exchange(draft->others, {});
    draft->rule.exact = false;
  }

  std::array<std::vector<IgnoreIndex::Key>, kIndexes> keys;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    Keys& own = drafts[i].keys;
    for (std::string& text : own.texts) keys[own.index].push_back({std::move(text), number});
    if (own.texts.empty()) others_.push_back(number);
    rules_.push_back(drafts[i].rule);
  }
  std::reverse(others_.begin(), others_.end());
  infix_filter_ = IgnoreFilter(keys[kInfixes]);
  for (std::size_t i = 0; i < kIndexes; ++i) indexes_[i] = IgnoreIndex(std::move(keys[i]));
}

}  // namespace trawl::match
