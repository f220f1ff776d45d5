// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <trawl/pattern.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "match/glob_parse.h"
#include "match/pattern_fold.h"
#include "match/pattern_nfa.h"
#include "support/effort.h"
#include "support/random.h"

namespace trawl {
namespace {

bool glob(std::string_view pattern, std::string_view text, Case mode = Case::sensitive) {
  return Pattern::glob(pattern, mode).matches(text);
}
bool fixed(std::string_view pattern, std::string_view text, Case mode = Case::sensitive) {
  return Pattern::fixed(pattern, mode).matches(text);
}

struct Wrong {
  std::string message;
  std::size_t position;
};
template <class Make>
Wrong wrong(const Make& make, std::string_view pattern) {
  try {
    make(pattern, Case::sensitive);
  } catch (const PatternError& error) {
    EXPECT_EQ(error.pattern(), pattern);
    return {error.what(), error.position()};
  }
  ADD_FAILURE() << pattern << " is accepted";
  return {"", 0};
}

// --- globs
// -----------------------------------------------------------------------------------------

TEST(Glob, IsForTheWholeText) {
  EXPECT_TRUE(glob("abc", "abc"));
  EXPECT_FALSE(glob("abc", "abcd"));
  EXPECT_FALSE(glob("abc", "xabc"));
  EXPECT_TRUE(glob("", ""));
  EXPECT_FALSE(glob("", "a"));
}

TEST(Glob, StarAndQuestionMarkStopAtSlashes) {
  EXPECT_TRUE(glob("*", ""));
  EXPECT_TRUE(glob("*", ".hidden"));
  EXPECT_FALSE(glob("*", "a/b"));
  EXPECT_TRUE(glob("*.c", ".c"));
  EXPECT_FALSE(glob("*.c", "d/x.c"));
  EXPECT_TRUE(glob("*/x.c", "d/x.c"));
  EXPECT_FALSE(glob("a?b", "a/b"));
  EXPECT_TRUE(glob("a?b", "a\nb"));
  EXPECT_FALSE(glob("*x*", "x/y"));
  EXPECT_FALSE(glob("x*", "x/y"));
}

TEST(Glob, TwoStarsAreAnyComponents) {
  EXPECT_TRUE(glob("**", "a/b/c"));
  EXPECT_TRUE(glob("**", ""));
  EXPECT_TRUE(glob("**/c", "c"));
  EXPECT_TRUE(glob("**/c", "/c"));
  EXPECT_TRUE(glob("**/c", "a/b/c"));
  EXPECT_FALSE(glob("**/c", "a/bc"));
  EXPECT_TRUE(glob("a/**", "a/b/c"));
  EXPECT_FALSE(glob("a/**", "a"));
  EXPECT_TRUE(glob("a/**/c", "a/c"));
  EXPECT_TRUE(glob("a/**/c", "a/b/b/c"));
  EXPECT_FALSE(glob("a/**/c", "ac"));
  EXPECT_FALSE(glob("a/**/c", "a/bc"));
  EXPECT_TRUE(glob("{**/a,b}", "x/y/a"));
  EXPECT_TRUE(glob("{b,x/**}", "x/y/a"));
  // Elsewhere they are no more than one.
  EXPECT_FALSE(glob("a**c", "a/c"));
  EXPECT_TRUE(glob("a**c", "abc"));
  EXPECT_FALSE(glob("***/c", "a/b/c"));
}

TEST(Glob, BracketsAreSets) {
  EXPECT_TRUE(glob("[abc]", "b"));
  EXPECT_TRUE(glob("[a-c]", "b"));
  EXPECT_FALSE(glob("[a-c]", "d"));
  EXPECT_TRUE(glob("[!a-c]", "d"));
  EXPECT_TRUE(glob("[^a-c]", "d"));
  EXPECT_FALSE(glob("[!a-c]", "a"));
  EXPECT_TRUE(glob("[]]", "]"));
  EXPECT_TRUE(glob("[]a]", "a"));
  EXPECT_FALSE(glob("[!]]", "]"));
  EXPECT_TRUE(glob("[a-]", "-"));
  EXPECT_TRUE(glob("[-a]", "-"));
  EXPECT_TRUE(glob("[[]", "["));
  EXPECT_TRUE(glob("[{,}]", ","));
  EXPECT_TRUE(glob("[\\]]", "]"));
  EXPECT_TRUE(glob("[\\-a]", "-"));
  EXPECT_FALSE(glob("[!a]", "/"));
  EXPECT_FALSE(glob("[.-0]", "/"));
  EXPECT_TRUE(glob("[[:digit:]x]", "7"));
  EXPECT_TRUE(glob("[![:alpha:]]", "7"));
  EXPECT_FALSE(glob("[[:upper:]]", "a"));
  EXPECT_TRUE(glob("[[:upper:]]", "a", Case::ignored));
  EXPECT_TRUE(glob("[à-ý]", "é"));
  EXPECT_TRUE(glob("[!a]", "é"));
  EXPECT_TRUE(glob("[!a]", "\xff"));
}

TEST(Glob, BracesAreAlternatives) {
  EXPECT_TRUE(glob("*.{jpg,png}", "a.png"));
  EXPECT_FALSE(glob("*.{jpg,png}", "a.gif"));
  EXPECT_TRUE(glob("a{b,c{d,e}}f", "acef"));
  EXPECT_FALSE(glob("a{b,c{d,e}}f", "acf"));
  EXPECT_TRUE(glob("a{,b}", "a"));
  EXPECT_TRUE(glob("a{}b", "ab"));
  EXPECT_TRUE(glob("{a}", "a"));
  EXPECT_TRUE(glob("{a/b,c}", "a/b"));
  EXPECT_TRUE(glob("a,b", "a,b"));
  EXPECT_TRUE(glob("{a\\,b,c}", "a,b"));
}

TEST(Glob, BackslashMakesPlain) {
  EXPECT_TRUE(glob("\\*", "*"));
  EXPECT_FALSE(glob("\\*", "a"));
  EXPECT_TRUE(glob("\\a\\\\", "a\\"));
  EXPECT_TRUE(glob("\\é", "é"));
}

TEST(Glob, ErrorsSayWhere) {
  const auto check = [](std::string_view pattern, std::string_view message, std::size_t position) {
    const Wrong said = wrong(Pattern::glob, pattern);
    EXPECT_NE(said.message.find(message), std::string::npos) << pattern << ": " << said.message;
    EXPECT_EQ(said.position, position) << pattern;
  };
  check("ab[c", "missing ']'", 2);
  check("ab[", "missing ']'", 2);
  check("[]", "missing ']'", 0);
  check("[!", "missing ']'", 0);
  check("[a-", "missing ']'", 0);
  check("a{b,c", "missing '}'", 1);
  check("a{b,{c}", "missing '}'", 1);
  check("a}b", "'{'", 1);
  check("{a}}", "'{'", 3);
  check("abc\\", "dangling '\\'", 3);
  check("[\\", "dangling '\\'", 1);
  check("x[az-b]", "'z' > 'b'", 3);
  check("[[:letter:]]", "unknown character class", 1);
  check(std::string(101, '{') + "a" + std::string(101, '}'), "nested too deeply", 100);
  EXPECT_TRUE(glob(std::string(100, '{') + "a" + std::string(100, '}'), "a"));
}

// --- text
// ------------------------------------------------------------------------------------------

TEST(Pattern, CharactersAreThoseOfUtf8) {
  EXPECT_TRUE(glob("?", "é"));
  EXPECT_FALSE(glob("??", "é"));
  EXPECT_TRUE(glob("?", "\U0001F980"));
  // Bytes that are no character are one each.
  EXPECT_TRUE(glob("??", "\xc3\x28"));
  EXPECT_TRUE(glob("???", "\xed\xa0\x80"));
  EXPECT_TRUE(glob("???", "\xe0\x80\x80"));
  EXPECT_TRUE(glob("????", "\xf0\x80\x80\x80"));
  EXPECT_TRUE(glob("*\xff", "a\xff"));
  EXPECT_FALSE(glob("*\xa9", "é"));
  EXPECT_TRUE(glob("*.txt", "\xff\xfe.txt"));
  EXPECT_TRUE(fixed("\xff", "a\xff"));
  EXPECT_FALSE(fixed("\xa9", "é"));
  EXPECT_TRUE(fixed("x\xc3", "ax\xc3"));
}

TEST(Pattern, CaseIsThatOfUnicode) {
  EXPECT_TRUE(fixed("école", "L'ÉCOLE", Case::ignored));
  EXPECT_TRUE(glob("ΣΑΣ", "σας", Case::ignored));
  EXPECT_TRUE(glob("k*", "\u212Aelvin", Case::ignored));
  EXPECT_TRUE(glob("\u212A", "k", Case::ignored));
  EXPECT_TRUE(glob("*s", "a\u017F", Case::ignored));
  EXPECT_TRUE(fixed("\u017F", "S", Case::ignored));
  EXPECT_TRUE(glob("[à-ý]", "É", Case::ignored));
  EXPECT_FALSE(glob("[!à-ý]", "É", Case::ignored));
  EXPECT_TRUE(glob("[!à-ý]", "x", Case::ignored));
  EXPECT_FALSE(fixed("straße", "STRASSE", Case::ignored));
  EXPECT_FALSE(fixed("école", "ÉCOLE"));
}

// Sets of one character take another way than sets of several.
TEST(Pattern, CaseOfSetsIsThatOfTheirMembers) {
  for (std::uint32_t c = 0x80; c < 0x20000; ++c) {
    match::CharSet one = match::CharSet::of(c);
    one.add_case_variants();
    if (one.single()) continue;
    match::CharSet two = match::CharSet::of(c);
    two.add(0x3042);  // a letter without case
    two.normalize();
    two.add_case_variants();
    for (const match::FoldRange& range : match::fold_ranges()) {
      for (std::uint32_t other = range.first; other <= range.last; other += range.stride) {
        ASSERT_EQ(one.contains(other), match::fold_case(other) == match::fold_case(c)) << c;
        ASSERT_EQ(two.contains(other), one.contains(other)) << c;
      }
    }
    ASSERT_TRUE(one.contains(match::fold_case(c)));
  }
}

TEST(Pattern, SmartCaseLooksForUpperCaseThatStandsForItself) {
  const auto fold = [](const Pattern& pattern) { return pattern.ignores_case(); };
  for (const char* const text : {"foo", "é", "ß", "1.2"}) {
    EXPECT_TRUE(fold(Pattern::fixed(text, Case::smart))) << text;
    EXPECT_TRUE(fold(Pattern::glob(text, Case::smart))) << text;
  }
  for (const char* const text : {"Foo", "É", "Ω"}) {
    EXPECT_FALSE(fold(Pattern::fixed(text, Case::smart))) << text;
    EXPECT_FALSE(fold(Pattern::glob(text, Case::smart))) << text;
  }
  EXPECT_TRUE(fold(Pattern::glob("[[:upper:]]x", Case::smart)));
  EXPECT_FALSE(fold(Pattern::glob("[A-Z]x", Case::smart)));
  EXPECT_TRUE(fold(Pattern::fixed("Foo", Case::ignored)));
  EXPECT_FALSE(fold(Pattern::fixed("foo")));
}

TEST(Pattern, FixedTextHasNoOperators) {
  EXPECT_TRUE(fixed("a.b*[", "xa.b*[y"));
  EXPECT_FALSE(fixed("a.b", "axb"));
  EXPECT_TRUE(fixed("", ""));
  EXPECT_TRUE(fixed("", "x"));
  EXPECT_TRUE(fixed("A.B", "xa.b", Case::ignored));
  const std::string nul("a\0b", 3);
  EXPECT_TRUE(fixed(nul, std::string("x") + nul));
  EXPECT_EQ(Pattern::fixed(nul).text(), nul);
  const std::string many(1000, 'x');
  EXPECT_TRUE(fixed(many, std::string("y") + many));
  EXPECT_FALSE(fixed(many + "y", many));
  EXPECT_TRUE(fixed(many, many + "X", Case::ignored));
  EXPECT_FALSE(fixed(many + "y", many, Case::ignored));
}

// Texts that make every way of searching give up: what is sought is nearly everywhere.
TEST(Pattern, IsFoundAmongManyThatAreNearlyIt) {
  testing::Random random(testing::fresh_seed());
  int found = 0;
  for (int i = 0; i < testing::effort(20000); ++i) {
    std::string text(random.below(400), 'a');
    for (std::uint64_t odd = random.below(4); odd > 0 && !text.empty(); --odd) {
      text[random.below(text.size())] = 'b';
    }
    std::string sought(1 + random.below(70), 'a');
    sought[random.below(sought.size())] = random.one_in(2) ? 'a' : 'b';
    const bool expected = text.find(sought) != std::string::npos;
    found += expected;
    ASSERT_EQ(fixed(sought, text), expected) << sought << " in " << text;
    ASSERT_EQ(fixed(sought, text, Case::ignored), expected) << sought << " in " << text;
    std::string sets = "*";
    for (const char c : sought) sets += c == 'a' ? "[ax0]" : "[b_0]";
    ASSERT_EQ(glob(sets + "*", text), expected) << sets << " in " << text;
  }
  EXPECT_GT(found, 500);
}

// Naive, exponential, over characters: what a glob means.
class SlowGlob {
 public:
  static bool matches(std::string_view pattern, std::string_view text) {
    return SlowGlob(text).from(std::string(pattern), 0);
  }

 private:
  explicit SlowGlob(std::string_view text) : text_(text) {}

  // Braces are expanded, which the patterns here are small enough for.
  bool from(const std::string& pattern, std::size_t at) const {
    std::size_t open = 0;
    while (open < pattern.size() && pattern[open] != '{') ++open;
    if (open == pattern.size()) return plain(pattern, at);
    int depth = 0;
    std::size_t begin = open + 1;
    std::vector<std::string> ways;
    std::size_t close = open;
    for (;; ++close) {
      if (pattern[close] == '{') ++depth;
      if (pattern[close] == '}') --depth;
      if ((pattern[close] == ',' && depth == 1) || depth == 0) {
        ways.push_back(pattern.substr(begin, close - begin));
        begin = close + 1;
      }
      if (depth == 0) break;
    }
    for (const std::string& way : ways) {
      if (from(pattern.substr(0, open) + way + pattern.substr(close + 1), at)) return true;
    }
    return false;
  }

  bool plain(std::string_view pattern, std::size_t at) const {
    if (pattern.empty()) return at == text_.size();
    if (pattern[0] == '*') {
      for (std::size_t end = at;; (void)match::decode(text_, end)) {
        if (plain(pattern.substr(1), end)) return true;
        if (end == text_.size() || text_[end] == '/') return false;
      }
    }
    if (at == text_.size()) return false;
    std::size_t next = at;
    const std::uint32_t c = match::decode(text_, next);
    if (pattern[0] == '?') return c != '/' && plain(pattern.substr(1), next);
    if (pattern[0] == '[') {
      const bool negated = pattern[1] == '!';
      bool inside = false;
      std::size_t i = negated ? 2 : 1;
      while (pattern[i] != ']') inside |= match::decode(pattern, i) == c;
      return c != '/' && inside != negated && plain(pattern.substr(i + 1), next);
    }
    std::size_t taken = 0;
    return match::decode(pattern, taken) == c && plain(pattern.substr(taken), next);
  }

  std::string_view text_;
};

std::string random_of(testing::Random& random, const std::vector<std::string>& parts,
                      std::size_t most) {
  std::string out;
  for (std::size_t left = random.below(most + 1); left > 0; --left) {
    out += parts[random.below(parts.size())];
  }
  return out;
}

std::string random_text(testing::Random& random) {
  static const std::vector<std::string> kAscii = {"a", "b", "c", "/", ".", "A"};
  static const std::vector<std::string> kAny = {"a", "b",    "c",    "/", "A",     "é",
                                                "É", "\xff", "\xc3", "k", "\u212A"};
  return random_of(random, random.below(2) == 0 ? kAscii : kAny, 8);
}

TEST(Glob, MeansWhatTheNaiveMatcherMeans) {
  testing::Random random(testing::fresh_seed());
  const std::vector<std::string> parts = {"a", "b",    "c",    "/", ".",   "*",
                                          "?", "[ab]", "[!b]", "é", "\xff"};
  int found = 0;
  for (int i = 0; i < testing::effort(20000); ++i) {
    std::string pattern = random_of(random, parts, 4);
    while (random.below(3) == 0) {
      pattern = std::string("{") + pattern + "," + random_of(random, parts, 2) + "}" +
                random_of(random, parts, 2);
    }
    if (pattern.find("**") != std::string::npos) continue;
    const Pattern compiled = Pattern::glob(pattern);
    for (int j = 0; j < 8; ++j) {
      const std::string text = random_text(random);
      const bool expected = SlowGlob::matches(pattern, text);
      found += expected;
      ASSERT_EQ(compiled.matches(text), expected) << pattern << " against " << text;
    }
  }
  EXPECT_GT(found, 500);
}

// All forms of a pattern give the automaton's answer.
TEST(Glob, FormsAgree) {
  testing::Random random(testing::fresh_seed());
  const std::vector<std::string> parts = {"a",   "b", "k",    "/",    ".", "*",      "**",
                                          "**/", "?", "[ab]", "[!b]", "é", "{a,*b}", "{,a/}"};
  for (int i = 0; i < testing::effort(10000); ++i) {
    const std::string pattern = random_of(random, parts, 6);
    for (const bool ignore_case : {false, true}) {
      const Pattern compiled =
          Pattern::glob(pattern, ignore_case ? Case::ignored : Case::sensitive);
      const auto nfa =
          match::Nfa::compile(match::parse_glob(pattern, ignore_case), false, SIZE_MAX);
      for (int j = 0; j < 8; ++j) {
        const std::string text = random_text(random);
        ASSERT_EQ(compiled.matches(text), nfa->search(text)) << pattern << " against " << text;
      }
    }
  }
}

// --- time
// ------------------------------------------------------------------------------------------

double seconds(const Pattern& pattern, const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  (void)pattern.matches(text);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string repeated(std::string_view what, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += what;
  return out;
}

// Backtracking would take longer than the universe has.
TEST(Pattern, TakesLinearTime) {
  const std::string text(4000, 'a');
  const std::string odd = text + "é";
  for (const std::string& pattern :
       {repeated("*a", 40) + "b", repeated("{a,a}", 40), repeated("{a,b}", 40) + "*",
        repeated("{a*,", 90) + repeated("}", 90) + "b", std::string("*a") + repeated("?", 40) + "b",
        repeated("**/", 40) + "b", repeated("{,a}", 200) + "b", repeated("a", 3000) + "*b"}) {
    const Pattern compiled = Pattern::glob(pattern);
    EXPECT_LT(seconds(compiled, text), 2) << pattern;
    EXPECT_LT(seconds(compiled, odd), 2) << pattern;
  }
  EXPECT_LT(
      seconds(Pattern::fixed(std::string("b") + std::string(63, 'a')), std::string(1 << 20, 'a')),
      0.5);
  EXPECT_LT(
      seconds(Pattern::fixed(std::string("b") + std::string(200, 'a')), std::string(1 << 20, 'a')),
      0.5);
  std::string words = "{";
  for (int i = 0; i < 10000; ++i) words += "word" + std::to_string(i) + ",";
  const auto begin = std::chrono::steady_clock::now();
  const Pattern many = Pattern::glob(std::string("*.") + words + "x}");
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 2);
  EXPECT_TRUE(many.matches("a.word9999"));
  EXPECT_FALSE(many.matches("a.word10000"));
}

// --- case folding
// ----------------------------------------------------------------------------------

TEST(Fold, KnowsUpperFromLower) {
  EXPECT_EQ(match::fold_case('Q'), std::uint32_t{'q'});
  EXPECT_EQ(match::fold_case(0x130), 0x130U);  // dotted I folds to two characters only
  EXPECT_EQ(match::fold_case(0x1E9E), 0xDFU);
  EXPECT_EQ(match::fold_case(0x104AF), 0x104AFU);
  EXPECT_TRUE(match::is_upper(0xC9));
  EXPECT_FALSE(match::is_upper(0xE9));
  EXPECT_FALSE(match::is_upper(0x17F));
  EXPECT_FALSE(match::is_upper(0xB5));
}

}  // namespace
}  // namespace trawl
