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
constexpr std::size_t kMostSharers = 16;  // rules that have a key in common, if there is a choice

bool is_slash(const WildElement& element) {
  return element.is_byte('/') || element.kind == Kind::directories;
}

bool is_single(const WildElement& element) { return element.is_single(); }

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

struct IgnoreProgram::Key {
  Index index;
  IgnoreIndex::Key key;
};

// A rule while it is made.
struct IgnoreProgram::Draft {
  Rule rule;
  Index index = kNames;
  std::vector<std::string> keys;
};

IgnoreProgram::IgnoreProgram(std::string file, bool fold) : file_(std::move(file)), fold_(fold) {
  std::vector<Key> keys;
  std::vector<std::string> path_keys;  // by rule: what it could be entered under in kPaths
  for (const IgnoreLine& line : without_repetitions(read_ignore_lines(file_))) {
    add(line, keys, path_keys);
  }
  make_indexes(std::move(keys), std::move(path_keys));
}

void IgnoreProgram::add(const IgnoreLine& line, std::vector<Key>& keys,
                        std::vector<std::string>& path_keys) {
  const std::string_view body = line.body.substr(line.body.starts_with('/') ? 1 : 0);
  if (body.empty()) return;
  std::optional<WildPattern> parsed = parse_wild_pattern(body, fold_);
  if (!parsed) return;
  WildPattern& pattern = *parsed;
  std::vector<WildElement>& elements = pattern.elements;

  Draft draft;
  draft.rule.directory_only = line.directory_only;
  std::string path_key;
  std::size_t name = 0;  // where its part begins
  if (!line.has_slash) {
    if (elements.back().kind == Kind::any) elements.back().kind = Kind::star;
  } else {
    const auto slash = std::find_if(elements.rbegin(), elements.rend(), is_slash).base();
    name = static_cast<std::size_t>(slash - elements.begin());
    // "a**/b" may match within one name.
    const bool within = name > 1 && elements[name - 1].kind == Kind::directories &&
                        !elements[name - 2].is_byte('/');
    const bool everything =
        elements.back().kind == Kind::any &&
        std::all_of(elements.begin(), slash,
                    [](const WildElement& element) { return element.kind == Kind::directories; }) &&
        std::next(slash) == elements.end();
    if (everything) {
      elements = {{Kind::star, 0, 0}};
      name = 0;
    } else if (within || elements.back().kind == Kind::any) {
      draft.rule.where = Where::whole;
      draft.rule.directory = add_matcher(elements, pattern);
      path_key = plain_beginning(elements);
      name = elements.size();
    } else if (name == elements.size()) {
      return;  // no path ends with a slash
    } else if (name == 0) {
      draft.rule.where = Where::top;
    } else if (name > 1 || elements[0].kind != Kind::directories) {
      draft.rule.where = Where::below;
      path_key = plain_beginning(elements);
    }
  }

  if (draft.rule.where == Where::below && path_key.size() == elements.size()) {
    draft.rule.where = Where::anywhere;
    draft.rule.exact = true;
    draft.index = kPaths;
    draft.keys.push_back(std::move(path_key));
    path_key.clear();
    needs_path_ = true;
  } else {
    if (draft.rule.where == Where::below) {
      draft.rule.directory = add_matcher(Elements(elements).first(name), pattern);
    }
    if (name < elements.size()) add_name(pattern, name, !path_key.empty(), draft);
    needs_path_ = needs_path_ || draft.rule.where != Where::anywhere;
  }
  const auto number = static_cast<std::uint32_t>(rules_.size());
  if (draft.keys.empty()) {
    draft.rule.exact = false;
    if (path_key.empty()) {
      others_.push_back(number);
    } else {
      draft.index = kPaths;
      draft.keys.push_back(std::move(path_key));
      path_key.clear();
    }
  }
  for (std::string& key : draft.keys) keys.push_back({draft.index, {std::move(key), number}});
  rules_.push_back(draft.rule);
  shown_.push_back(line.rule);
  path_keys.push_back(std::move(path_key));
}

// Finds keys for the part of the pattern that is for the name. `always_check`: since they may be
// given up for another.
void IgnoreProgram::add_name(const WildPattern& pattern, std::size_t begin, bool always_check,
                             Draft& draft) {
  const Elements name = Elements(pattern.elements).subspan(begin);
  const auto front_end = std::find_if_not(name.begin(), name.end(), is_single);
  const auto back_end = std::find_if_not(name.rbegin(), name.rend(), is_single);
  Texts front(name.begin(), front_end, pattern.sets);
  Texts back(name.rbegin(), back_end, pattern.sets);
  const Elements infix = longest_plain_run(name);

  bool decides = false;  // the key alone
  const auto star_and = [&](std::size_t singles, std::size_t stars) {
    return name.size() == singles + stars;
  };
  if (front.length == name.size()) {
    draft.rule.exact = decides = true;
    draft.keys = std::move(front.texts);
  } else if (infix.size() > std::max(front.length, back.length) && front.length < 2 &&
             back.length < 2) {
    draft.index = kInfixes;
    draft.keys = {plain_beginning(infix)};
    decides = star_and(infix.size(), 2) && name.front().kind == Kind::star &&
              name.back().kind == Kind::star;
  } else if (back.length >= front.length && back.length != 0) {
    draft.index = kSuffixes;
    draft.keys = std::move(back.texts);
    decides = star_and(back.length, 1) && name.front().kind == Kind::star;
  } else if (front.length != 0) {
    draft.keys = std::move(front.texts);
    decides = star_and(front.length, 1) && name.back().kind == Kind::star;
  } else {
    decides = name.size() == 1 && name[0].kind == Kind::star;
  }
  if (!decides || (always_check && !draft.keys.empty())) {
    draft.rule.name = add_matcher(name, pattern);
  }
}

std::uint32_t IgnoreProgram::add_matcher(Elements elements, const WildPattern& pattern) {
  matchers_.emplace_back(elements, pattern.sets);
  return static_cast<std::uint32_t>(matchers_.size() - 1);
}

void IgnoreProgram::make_indexes(std::vector<Key> keys, std::vector<std::string> path_keys) {
  // Ten thousand times "dirN/*.o": the directory tells more than the name.
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.index, a.key.text) < std::tie(b.index, b.key.text);
  });
  std::vector<bool> moved(rules_.size());
  for (auto first = keys.begin(); first != keys.end();) {
    const auto last = std::find_if(first, keys.end(), [&](const Key& key) {
      return key.index != first->index || key.key.text != first->key.text;
    });
    if (static_cast<std::size_t>(last - first) > kMostSharers) {
      for (auto i = first; i != last; ++i) {
        if (!path_keys[i->key.value].empty()) moved[i->key.value] = true;
      }
    }
    first = last;
  }
  std::array<std::vector<IgnoreIndex::Key>, kIndexes> sorted;
  for (Key& key : keys) {
    if (!moved[key.key.value]) sorted[key.index].push_back(std::move(key.key));
  }
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    if (!moved[i]) continue;
    rules_[i].exact = false;
    sorted[kPaths].push_back({std::move(path_keys[i]), i});
  }
  for (std::size_t i = 0; i < kIndexes; ++i) indexes_[i] = IgnoreIndex(std::move(sorted[i]));
  std::reverse(others_.begin(), others_.end());
}

}  // namespace trawl::match
