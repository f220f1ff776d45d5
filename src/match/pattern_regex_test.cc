// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <trawl/pattern.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "match/pattern_fold.h"
#include "match/pattern_re2.h"
#include "match/pattern_syntax.h"
#include "support/effort.h"
#include "support/random.h"

namespace trawl {
namespace {

bool regex(std::string_view pattern, std::string_view text, Case mode = Case::sensitive) {
  return Pattern::regex(pattern, mode).matches(text);
}

PatternError error_of(std::string_view pattern) {
  try {
    Pattern::regex(pattern);
  } catch (const PatternError& error) {
    return error;
  }
  ADD_FAILURE() << pattern << " is accepted";
  return {"", "", 0};
}

std::string random_of(testing::Random& random, const std::vector<std::string>& parts,
                      std::size_t most) {
  std::string out;
  for (std::size_t left = random.below(most + 1); left > 0; --left) {
    out += parts[random.below(parts.size())];
  }
  return out;
}

TEST(Pattern, HasRegularExpressionsOrSaysSo) {
  if (can_use_regex()) {
    EXPECT_TRUE(regex("b+", "abc"));
  } else {
    EXPECT_STREQ(error_of("b+").what(), "regular expressions are not built in");
  }
}

class Regex : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_use_regex()) GTEST_SKIP() << "built without RE2";
  }
};

TEST_F(Regex, IsFoundAnywhere) {
  EXPECT_TRUE(regex("", ""));
  EXPECT_TRUE(regex("b", "abc"));
  EXPECT_TRUE(regex("^b?$", ""));
  EXPECT_TRUE(regex("\\.conf$", "a.conf"));
  EXPECT_FALSE(regex("\\.conf$", "a.conf~"));
  EXPECT_TRUE(regex("^lib.*\\.so\\.[0-9]+$", "libc.so.6"));
  EXPECT_FALSE(regex("^lib.*\\.so\\.[0-9]+$", "libc.so."));
  EXPECT_TRUE(regex("\\bfoo\\b", "a foo"));
  EXPECT_FALSE(regex("\\bfoo\\b", "afoo"));
  EXPECT_TRUE(regex("(?i)ReadMe", "README"));
  EXPECT_TRUE(regex("(^|/)x($|/)", "a/x"));
  EXPECT_FALSE(regex("(^|/)x($|/)", "ax"));
  EXPECT_TRUE(regex("((?i)a)b", "Ab"));
  EXPECT_FALSE(regex("((?i)a)b", "AB"));
  EXPECT_TRUE(regex("a.b", "a\nb"));
  EXPECT_FALSE(regex("(?-s)a.b", "a\nb"));
  EXPECT_FALSE(regex("$^", "a"));
  EXPECT_TRUE(regex("$^", ""));
}

TEST_F(Regex, SearchesNamesThatAreNotUtf8) {
  EXPECT_TRUE(regex("^.*\\.txt$", "\xff\xfe.txt"));
  EXPECT_TRUE(regex("^.$", "\xff"));
  EXPECT_FALSE(regex("^.$", "\xff\xff"));
  EXPECT_TRUE(regex("a[^b]c",
                    "a\xff"
                    "c"));
  EXPECT_TRUE(regex("é",
                    "\xff"
                    "é"));
  EXPECT_TRUE(regex("^\\x{FFFD}$", "\xff"));
  EXPECT_FALSE(regex("ÿ", "\xff"));
  EXPECT_TRUE(regex("^.é.$",
                    "\xe9"
                    "é\xe9"));
}

TEST_F(Regex, SmartCaseLooksForUpperCaseThatStandsForItself) {
  const auto ignores = [](std::string_view pattern) {
    return Pattern::regex(pattern, Case::smart).ignores_case();
  };
  for (const char* const pattern :
       {"foo", "\\Sx", "\\W\\D\\B", "\\pLx", "\\p{Greek}", "\\P{Lu}", "[[:upper:]]", "[\\W\\pL]x",
        "\\Aa\\z", "\\Qa\\E", "(?P<Name>a)", "é", "a(?i)b", "\\x{e9}"}) {
    EXPECT_TRUE(ignores(pattern)) << pattern;
  }
  for (const char* const pattern : {"Foo", "[A-Z]x", "\\QA\\Eb", "(?:b(cD))", "É", "\\x41",
                                    "\\x{C9}", "a|bC", "[^X]y", "(?i)X"}) {
    EXPECT_FALSE(ignores(pattern)) << pattern;
  }
  EXPECT_TRUE(regex("readme", "README", Case::smart));
  EXPECT_FALSE(regex("Readme", "README", Case::smart));
}

TEST_F(Regex, ErrorsSayWhere) {
  const auto check = [](std::string_view pattern, std::string_view message, std::size_t position) {
    const PatternError error = error_of(pattern);
    EXPECT_EQ(error.what(), message) << pattern;
    EXPECT_EQ(error.pattern(), pattern);
    EXPECT_EQ(error.position(), position) << pattern;
  };
  check("a(b", "missing )", 1);
  check("a(b(c)", "missing )", 1);
  check("[)](b", "missing )", 3);
  check("[])](b", "missing )", 4);
  check("[\\])](b", "missing )", 5);
  check("\\Q(\\E(b", "missing )", 5);
  check("\\((b", "missing )", 2);
  check("ab)c", "unexpected )", 2);
  check("a[b", "missing ]", 1);
  check("x[z-a]", "invalid character class range", 2);
  check("ab**", "bad repetition operator", 2);
  check("*a", "no argument for repetition operator", 0);
  check("a{1001}", "invalid repetition size", 1);
  check("ab\\", "trailing \\", 2);
  check("a\\yb", "invalid escape sequence", 1);
  check("a\xff", "invalid UTF-8", 1);
  check("a(?=b)", "invalid perl operator", 1);
}

// Whatever form answers, it answers as RE2.
TEST_F(Regex, AnswersAsRe2) {
  testing::Random random(testing::fresh_seed());
  const std::vector<std::string> parts = {"a",           "b",
                                          "c",           "k",
                                          "A",           "é",
                                          ".",           "^",
                                          "$",           "|",
                                          "(",           ")",
                                          "(?:",         "(?i)",
                                          "(?i:",        "(?m)",
                                          "(?-s)",       "*",
                                          "+",           "?",
                                          "*?",          "{2}",
                                          "{1,2}",       "{0,}",
                                          "{",           "}",
                                          "[ab]",        "[^b]",
                                          "[b-k]",       "[^\\d.]",
                                          "\\d",         "\\W",
                                          "\\s",         "\\b",
                                          "\\B",         "\\.",
                                          "\\pL",        "[^\\pL]",
                                          "\\x61",       "\\x{212A}",
                                          "\\A",         "\\z",
                                          "\\Q*",        "\\E",
                                          "[[:alpha:]]", "[^[:^upper:]/]",
                                          "[]a]",        "(?P<n>",
                                          "/",           "\\101",
                                          "\\n",         "[\\x{100}-\\x{17f}]"};
  const std::vector<std::string> letters = {"a", "b", "c", "k",  "A", "B", "1", "*",
                                            ".", "/", " ", "\n", "_", "]", "{"};
  const std::vector<std::string> any = {"a", "b", "k", "K", "\u212A", "\u017F",
                                        "s", "é", "É", "x", "."};
  int right = 0;
  int found = 0;
  for (int i = 0; i < testing::effort(20000); ++i) {
    const std::string pattern = random_of(random, parts, 7);
    const bool ignore_case = random.below(3) == 0;
    const match::Re2 expected(pattern, ignore_case);
    try {
      expected.check();
    } catch (const PatternError&) {
      ASSERT_THROW(Pattern::regex(pattern, ignore_case ? Case::ignored : Case::sensitive),
                   PatternError)
          << pattern;
      continue;
    }
    ++right;
    const Pattern compiled = Pattern::regex(pattern, ignore_case ? Case::ignored : Case::sensitive);
    for (int j = 0; j < 8; ++j) {
      const std::string text = random_of(random, random.below(3) == 0 ? any : letters, 6);
      const bool answer = expected.search(text);
      found += answer;
      ASSERT_EQ(compiled.matches(text), answer)
          << pattern << (ignore_case ? " (any case)" : "") << " against " << text;
    }
  }
  EXPECT_GT(right, 1000);
  EXPECT_GT(found, 1000);
}

TEST_F(Regex, CountedRepetitionsThatExplodeAreLeftToRe2) {
  const Pattern pattern = Pattern::regex("(a?){300}b[^x]{900}c");
  EXPECT_FALSE(pattern.matches(std::string(3000, 'a')));
  EXPECT_TRUE(pattern.matches(std::string("b") + std::string(900, 'y') + "c"));
  EXPECT_FALSE(Pattern::regex(std::string(300, '(') + "A" + std::string(300, ')'), Case::smart)
                   .ignores_case());
}

TEST_F(Regex, FoldsCaseAsRe2) {
  for (std::uint32_t c = 0x80; c < 0x110000; ++c) {
    const std::uint32_t to = match::fold_case(c);
    if (to == c) continue;
    std::string text;
    match::encode(c, text);
    char pattern[32];
    std::snprintf(pattern, sizeof(pattern), "(?i)^\\x{%x}$", static_cast<unsigned>(to));
    ASSERT_TRUE(match::Re2(pattern, false).search(text)) << pattern;
  }
}

TEST_F(Regex, MayBeUsedByManyThreads) {
  const Pattern pattern = Pattern::regex("\\bx\\pL+z$");
  std::vector<std::thread> threads;
  std::vector<int> found(20, 0);
  for (int& mine : found) {
    threads.emplace_back([&pattern, &mine] {
      for (int i = 0; i < 200; ++i) mine += pattern.matches(i % 2 == 0 ? "xßz" : "xß");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int mine : found) EXPECT_EQ(mine, 100);
}

}  // namespace
}  // namespace trawl
