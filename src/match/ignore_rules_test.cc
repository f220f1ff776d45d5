// SPDX-License-Identifier: Apache-2.0
//
// What gitignore(5) says, case by case, and what git does that it does not say. Each answer here is
// that of git 2.39; ignore_rules_git_test.cc asks git itself.
#include "match/ignore_rules.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trawl::match {
namespace {

// The rule for a path, a directory's if it ends with a slash; rules are relative to what is before
// "//", if that is there.
const IgnoreRule* rule_for(const IgnoreRules& rules, std::string_view path) {
  const bool is_directory = path.ends_with('/');
  if (is_directory) path.remove_suffix(1);
  std::string text(path);
  std::size_t base = text.find("//");
  if (base != std::string::npos) {
    text.erase(base++, 1);
  } else {
    base = 0;
  }
  const IgnoreCandidate candidate(text, text.rfind('/') + 1, is_directory);
  return rules.match(candidate, base);
}

std::uint64_t line_for(std::string_view file, std::string_view path, bool ignore_case = false) {
  const IgnoreRules rules(std::string(file), "", ignore_case);
  const IgnoreRule* const rule = rule_for(rules, path);
  return rule == nullptr ? 0 : rule->line;
}

bool matches(std::string_view pattern, std::string_view path) {
  return line_for(pattern, path) != 0;
}

bool folds(std::string_view pattern, std::string_view path) {
  return line_for(pattern, path, true) != 0;
}

TEST(IgnoreRules, NamesLineAndPatternOfTheLastMatch) {
  const IgnoreRules rules("*.o\n# a comment\n\n!keep.o  \r\n/doc/\n*.o~", "dir/.gitignore");
  EXPECT_EQ(rules.source(), "dir/.gitignore");
  ASSERT_NE(rule_for(rules, "a/x.o"), nullptr);
  EXPECT_EQ(rule_for(rules, "a/x.o")->line, 1U);
  EXPECT_EQ(rule_for(rules, "a/x.o")->pattern, "*.o");
  EXPECT_FALSE(rule_for(rules, "a/x.o")->negated);
  EXPECT_EQ(rule_for(rules, "keep.o")->line, 4U);
  EXPECT_EQ(rule_for(rules, "keep.o")->pattern, "!keep.o");
  EXPECT_TRUE(rule_for(rules, "keep.o")->negated);
  EXPECT_EQ(rule_for(rules, "doc/")->pattern, "/doc/");
  EXPECT_EQ(rule_for(rules, "x.o~")->line, 6U);
  EXPECT_EQ(rule_for(rules, "x.c"), nullptr);
}

TEST(IgnoreRules, SaysWhetherAnythingCanMatchAndWhatIsLookedAt) {
  EXPECT_TRUE(IgnoreRules("", "").empty());
  EXPECT_TRUE(IgnoreRules("# a\n\n  \n!\n/\n//\n[a\na\\\n", "").empty());
  EXPECT_FALSE(IgnoreRules("a", "").empty());
  EXPECT_FALSE(IgnoreRules("a\n*.b\n**/c/\n", "").needs_path());
  EXPECT_TRUE(IgnoreRules("/a", "").needs_path());
  EXPECT_TRUE(IgnoreRules("a/b", "").needs_path());
  EXPECT_TRUE(IgnoreRules("a/**", "").needs_path());
}

TEST(IgnoreRules, SlashAnchors) {
  EXPECT_TRUE(matches("a", "a"));
  EXPECT_TRUE(matches("a", "x/y/a"));
  EXPECT_TRUE(matches("/a", "a"));
  EXPECT_FALSE(matches("/a", "x/a"));
  EXPECT_TRUE(matches("x/a", "x/a"));
  EXPECT_FALSE(matches("x/a", "y/x/a"));
  EXPECT_FALSE(matches("x/a", "x/a/b"));
  EXPECT_TRUE(matches("/x/a", "x/a"));
  EXPECT_FALSE(matches("//a", "a"));
  EXPECT_TRUE(matches("/*.c", "a.c"));
  EXPECT_FALSE(matches("/*.c", "x/a.c"));
}

TEST(IgnoreRules, AreRelativeToTheirDirectory) {
  EXPECT_TRUE(matches("/a", "x/y//a"));
  EXPECT_FALSE(matches("/a", "x//y/a"));
  EXPECT_TRUE(matches("b/*.c", "x/y//b/a.c"));
  EXPECT_TRUE(matches("b/**", "x/y//b/a/c"));
  EXPECT_FALSE(matches("y/b/*.c", "x/y//b/a.c"));
  EXPECT_FALSE(matches("**/y/**", "x/y//b/a"));
  EXPECT_TRUE(matches("a", "x/y//b/a"));
}

TEST(IgnoreRules, SlashAtTheEndMeansDirectories) {
  EXPECT_TRUE(matches("a/", "x/a/"));
  EXPECT_FALSE(matches("a/", "x/a"));
  EXPECT_FALSE(matches("a//", "a/"));
  EXPECT_TRUE(matches("x/*/", "x/a/"));
  EXPECT_FALSE(matches("x/**/", "x/a"));
  EXPECT_TRUE(matches("x/**/", "x/a/b/"));
  EXPECT_FALSE(matches("a\\/", "a/"));
}

TEST(IgnoreRules, StarAndQuestionMarkStopAtSlashes) {
  EXPECT_TRUE(matches("foo/*", "foo/test.json"));
  EXPECT_FALSE(matches("foo/*", "foo/bar/hello.c"));
  EXPECT_TRUE(matches("*", "a/b"));
  EXPECT_TRUE(matches("a*c", "x/abbc"));
  EXPECT_FALSE(matches("x/a*c", "x/a/c"));
  EXPECT_FALSE(matches("x?a", "x/a"));
  EXPECT_TRUE(matches("?", "x/\xff"));
  EXPECT_FALSE(matches("?", "\xc3\xa9"));  // two bytes
  EXPECT_TRUE(matches("*a*", "bac"));
  EXPECT_FALSE(matches("aXb*Xba", "aXba"));
}

TEST(IgnoreRules, TwoStarsAtTheBeginning) {
  EXPECT_TRUE(matches("**/foo", "foo"));
  EXPECT_TRUE(matches("**/foo", "a/b/foo"));
  EXPECT_FALSE(matches("**/foo", "a/xfoo"));
  EXPECT_TRUE(matches("**/foo/bar", "a/foo/bar"));
  EXPECT_FALSE(matches("**/foo/bar", "foo/a/bar"));
  EXPECT_TRUE(matches("**/foo/**", "a/b/foo/c/d"));
  EXPECT_TRUE(matches("**/foo/**", "foo/c"));
  EXPECT_FALSE(matches("**/foo/**", "xfoo/c"));
  EXPECT_FALSE(matches("**/foo/**", "a/foo"));
  EXPECT_TRUE(matches("**/**/x", "x"));
}

TEST(IgnoreRules, TwoStarsAtTheEnd) {
  EXPECT_TRUE(matches("abc/**", "abc/d"));
  EXPECT_TRUE(matches("abc/**", "abc/d/e"));
  EXPECT_FALSE(matches("abc/**", "abc/"));
  EXPECT_FALSE(matches("abc/**", "x/abc/d"));
  EXPECT_TRUE(matches("/**", "abc/d"));
  EXPECT_TRUE(matches("x/a**", "x/abc/d"));  // what follows plain bytes begins
  EXPECT_FALSE(matches("x/?**", "x/abc/d"));
}

TEST(IgnoreRules, TwoStarsBetween) {
  EXPECT_TRUE(matches("a/**/b", "a/b"));
  EXPECT_TRUE(matches("a/**/b", "a/x/b"));
  EXPECT_TRUE(matches("a/**/b", "a/x/y/b"));
  EXPECT_FALSE(matches("a/**/b", "ab"));
  EXPECT_FALSE(matches("a/**/b", "a/xb"));
  EXPECT_TRUE(matches("a/***/b", "a/x/y/b"));
  EXPECT_TRUE(matches("a/**/**/b", "a/b"));
  EXPECT_FALSE(matches("a/**\\/b", "a/b"));
  EXPECT_TRUE(matches("a/**\\/b", "a/x/y/b"));
}

TEST(IgnoreRules, TwoStarsThatAreNotAloneAreOne) {
  EXPECT_TRUE(matches("?**/b", "xyz/b"));
  EXPECT_FALSE(matches("?**/b", "x/y/b"));
  EXPECT_TRUE(matches("x/**b", "x/ab"));
  EXPECT_FALSE(matches("x/**b", "x/a/b"));
  EXPECT_TRUE(matches("**b", "x/ab"));
}

TEST(IgnoreRules, TwoStarsBehindPlainBytesCountAsABeginning) {
  EXPECT_TRUE(matches("a**/b", "a/b"));
  EXPECT_TRUE(matches("a**//", "a/"));
  EXPECT_FALSE(matches("a**//", "ab/"));
  EXPECT_FALSE(matches("a/**//", "a/"));
  EXPECT_TRUE(matches("a**/b", "ab"));
  EXPECT_TRUE(matches("a**/b", "axx/yy/b"));
  EXPECT_FALSE(matches("a**/b", "axb"));
  EXPECT_TRUE(matches("x/a**/b/*.c", "x/ab/y.c"));
}

TEST(IgnoreRules, Classes) {
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[!a-c]x", "bx"));
  EXPECT_FALSE(matches("[^a-c]x", "bx"));
  EXPECT_TRUE(matches("[^a-c]x",
                      "\xff"
                      "x"));
  EXPECT_TRUE(matches("[]-]", "]"));
  EXPECT_TRUE(matches("[]-]", "-"));
  EXPECT_TRUE(matches("[]-a]", "^"));
  EXPECT_TRUE(matches("[!]a-]", "b"));
  EXPECT_FALSE(matches("[!]a-]", "]"));
  EXPECT_TRUE(matches("[a-c-e]", "-"));  // 'c' ended a range and begins none
  EXPECT_FALSE(matches("[a-c-e]", "d"));
  EXPECT_TRUE(matches("[\\]]", "]"));
  EXPECT_TRUE(matches("[a\\-c]", "-"));
  EXPECT_FALSE(matches("[a\\-c]", "b"));
  EXPECT_TRUE(matches("[a-\\c]", "b"));
  EXPECT_TRUE(matches("[\\\\]", "\\"));
  EXPECT_FALSE(matches("[c-a]", "b"));
  EXPECT_FALSE(matches("x[/]a", "x/a"));
  EXPECT_FALSE(matches("x[!b]a", "x/a"));
  EXPECT_TRUE(matches("[\x80-\xff]", "\xc3"));
}

TEST(IgnoreRules, NamedClasses) {
  EXPECT_TRUE(matches("[[:alpha:]]", "x"));
  EXPECT_TRUE(matches("[[:digit:][:upper:]]", "X"));
  EXPECT_FALSE(matches("[[:digit:][:upper:]]", "x"));
  EXPECT_TRUE(matches("[![:alnum:]]", "_"));
  EXPECT_TRUE(matches("[[:punct:]]", "~"));
  EXPECT_TRUE(matches("[[:xdigit:]]", "f"));
  EXPECT_FALSE(matches("[[:alpha:]]", "\xe9"));
  EXPECT_TRUE(matches("[[:space:]]", "\r"));
  EXPECT_FALSE(matches("[[:space:]]", "\v"));
  EXPECT_TRUE(matches("[[:cntrl:]]", "\v"));
  EXPECT_FALSE(matches("[[:print:]]", "\x7f"));
  EXPECT_TRUE(matches("[[:alpha:]-z]", "-"));  // no range begins with a name
  EXPECT_TRUE(matches("[a[:digit:]-z]", "-"));
  EXPECT_FALSE(matches("[a[:digit:]-z]", "m"));
  EXPECT_TRUE(matches("[[:]", ":"));
  EXPECT_TRUE(matches("[[:a]", "["));
  EXPECT_FALSE(matches("[[::]]", ":"));
  EXPECT_FALSE(matches("[[:Alpha:]]", "x"));
  EXPECT_FALSE(matches("[x[:none:]]", "x"));
}

TEST(IgnoreRules, UnclosedClassesMatchNothing) {
  EXPECT_FALSE(matches("[ab", "a"));
  EXPECT_FALSE(matches("[ab", "[ab"));
  EXPECT_FALSE(matches("a[", "a["));
  EXPECT_FALSE(matches("[]", "[]"));
  EXPECT_FALSE(matches("[a-", "a"));
  EXPECT_FALSE(matches("[a\\", "a"));
  EXPECT_FALSE(matches("*[!", "a"));
  EXPECT_FALSE(matches("[a/", "a/"));
}

TEST(IgnoreRules, Backslashes) {
  EXPECT_TRUE(matches("\\a", "a"));
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_TRUE(matches("\\#a", "#a"));
  EXPECT_FALSE(matches("#a", "#a"));
  EXPECT_TRUE(matches(" #a", " #a"));
  EXPECT_TRUE(matches("\\!a", "!a"));
  EXPECT_TRUE(matches("!!a", "!a"));
  EXPECT_TRUE(matches("!\\!a", "!a"));
  EXPECT_TRUE(matches("\\\\", "\\"));
  EXPECT_FALSE(matches("a\\", "a"));
  EXPECT_FALSE(matches("a\\", "a\\"));
  EXPECT_TRUE(matches("x\\/a", "x/a"));
}

TEST(IgnoreRules, SpacesAtTheEnd) {
  EXPECT_TRUE(matches("a  ", "a"));
  EXPECT_FALSE(matches("a  ", "a  "));
  EXPECT_TRUE(matches("a\\ ", "a "));
  EXPECT_TRUE(matches("a\\  ", "a "));
  EXPECT_TRUE(matches("a \\ ", "a  "));
  EXPECT_FALSE(matches("a\\\\ ", "a\\ "));
  EXPECT_TRUE(matches("a\\\\ ", "a\\"));
  EXPECT_TRUE(matches("a\t", "a\t"));
  EXPECT_FALSE(matches("a\t", "a"));
  EXPECT_TRUE(matches("a \t", "a \t"));
  EXPECT_TRUE(matches(" a", " a"));
  EXPECT_TRUE(matches("a/ ", "a/"));
}

TEST(IgnoreRules, BytesOfTheFile) {
  EXPECT_EQ(line_for("\xEF\xBB\xBF"
                     "a\nb\n",
                     "a"),
            1U);
  EXPECT_EQ(line_for("b\n\xEF\xBB\xBF"
                     "a\n",
                     "a"),
            0U);
  EXPECT_EQ(line_for("b\r\na\r\n", "a"), 2U);
  EXPECT_EQ(line_for("b\na\r", "a"), 2U);
  EXPECT_EQ(line_for("a\r\r\n", "a\r"), 1U);
  EXPECT_EQ(line_for("a \r\n", "a"), 1U);
  EXPECT_EQ(line_for("\r\n\r\na", "a"), 3U);
  EXPECT_EQ(line_for(std::string_view("a\0b\nc\n", 6), "a"), 1U);
  EXPECT_EQ(line_for(std::string_view("a \0b\nc\n", 7), "a"), 1U);
  EXPECT_EQ(line_for(std::string_view("\0b\nc\n", 5), "c"), 2U);
  EXPECT_EQ(line_for("\xff\xfe*\n", "\xff\xfe\x80"), 1U);
  EXPECT_EQ(line_for("a\n\n\nb", "b"), 4U);
}

TEST(IgnoreRules, PatternsOfNothing) {
  for (const char* const file : {"/", "!", "//", "!/", "\r", "   ", "/ ", "\\"}) {
    EXPECT_FALSE(matches(file, "a")) << file;
    EXPECT_FALSE(matches(file, "a/")) << file;
    EXPECT_FALSE(matches(file, "a/b/")) << file;
  }
}

TEST(IgnoreRules, LaterRulesBeatEarlier) {
  const std::string file = "a*\n!*b\nab\n!**/[a]b\n/x/ab\n!x/**\n*c*\n";
  EXPECT_EQ(line_for(file, "ax"), 1U);
  EXPECT_EQ(line_for(file, "xb"), 2U);
  EXPECT_EQ(line_for(file, "ab"), 4U);
  EXPECT_EQ(line_for(file, "x/ab"), 6U);
  EXPECT_EQ(line_for(file, "x/acb"), 7U);
  EXPECT_EQ(line_for("[!a]\n![!b]\n", "c"), 2U);
  EXPECT_EQ(line_for("[!a]\n![!b]\n", "b"), 1U);
  EXPECT_EQ(line_for("a\n!a\na\n!a/\n", "a"), 3U);
  EXPECT_EQ(line_for("a\n!a\na\n!a/\n", "a/"), 4U);
}

TEST(IgnoreRules, CaseIsFoldedWhereGitFoldsIt) {
  EXPECT_FALSE(matches("abc", "aBc"));
  EXPECT_TRUE(folds("aBC", "Abc"));
  EXPECT_TRUE(folds("*.O", "x/a.o"));
  EXPECT_TRUE(folds("X/*a", "x/bA"));
  EXPECT_TRUE(folds("[a-c]", "B"));
  EXPECT_TRUE(folds("[A-C]", "b"));
  EXPECT_TRUE(folds("[b]", "B"));
  EXPECT_FALSE(folds("[B]", "b"));  // members are not folded, only the text is
  EXPECT_FALSE(folds("[B]", "B"));
  EXPECT_FALSE(folds("\\B", "B"));
  EXPECT_TRUE(folds("\\b", "B"));
  EXPECT_TRUE(folds("[[:upper:]]", "b"));
  EXPECT_TRUE(folds("[[:lower:]]", "B"));
  EXPECT_FALSE(folds("\xc3\xa9", "\xc3\x89"));  // ASCII only
  EXPECT_TRUE(folds("\xc1\xda*\xc1\xda\xe1\xfa!", "\xc1\xda\xc1\xda\xe1\xfa!"));
  // Eight at a time, and the rest.
  const std::string upper = "\xc1\xda@[`{ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const std::string lower = "\xc1\xda@\\[`{abcdefghijklmnopqrstuvwxyz";
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string more(i, '~');
    EXPECT_TRUE(folds(more + lower + more, more + upper + more));
  }
  EXPECT_FALSE(folds("\xc1*", "\xe1zzzzzzzz"));
}

TEST(IgnoreRules, ManyStatesAreAsFew) {
  // More than 64, across the words that hold them.
  for (const std::size_t size : {60U, 61U, 62U, 63U, 64U, 65U, 125U, 127U, 128U, 3000U}) {
    const std::string many(size, '?');
    EXPECT_TRUE(matches(many + "*[ab]", std::string(size + 3, 'x') + "b")) << size;
    EXPECT_FALSE(matches(many + "*[ab]", std::string(size - 1, 'x') + "b")) << size;
    EXPECT_TRUE(matches("?" + many + "/**/[ab]?", std::string(size + 1, 'x') + "/bc")) << size;
    EXPECT_TRUE(matches("?" + many + "/**/[ab]?", std::string(size + 1, 'x') + "/d/bc")) << size;
    EXPECT_FALSE(matches("?" + many + "/**/[ab]?", std::string(size + 1, 'x') + "/dbc")) << size;
  }
}

TEST(IgnoreRules, SmallSetsAreWrittenOut) {
  EXPECT_TRUE(matches("*.py[co]", "a.pyo"));
  EXPECT_FALSE(matches("*.py[co]", "a.pyx"));
  EXPECT_TRUE(matches("[Bb]in/", "bin/"));
  EXPECT_FALSE(matches("[Bb]in/", "bins/"));
  const std::string pairs = "[ab][cd][ef][gh][ij][kl]";
  EXPECT_TRUE(matches(pairs, "adehil"));
  EXPECT_FALSE(matches(pairs, "adehim"));
  EXPECT_TRUE(matches("*" + pairs, "xadehil"));
  EXPECT_FALSE(matches("*" + pairs, "xbdehix"));
  EXPECT_TRUE(matches(pairs + "*", "adehilx"));
  EXPECT_FALSE(matches(pairs + "*", "adehi"));
  EXPECT_TRUE(matches("**/[Ll]ogs/**", "a/Logs/b"));
}

TEST(IgnoreRules, FindsEachOfManyRules) {
  std::string file;
  for (int i = 0; i < 2000; ++i) {
    const std::string n = std::to_string(i);
    file += "n" + n + "\n*." + n + "x\np" + n + "-*\n*-" + n + "-*\n/d" + n + "/e" + n + "\nd" + n +
            "/*.so\n**/c" + n + "/**\nm" + n + "/**/Makefile\n?q" + n + "?\nw" + n + "/\n";
  }
  const IgnoreRules rules(file, "");
  const auto line_of = [&](const std::string& path) {
    const IgnoreRule* const rule = rule_for(rules, path);
    return rule == nullptr ? 0 : rule->line;
  };
  for (std::uint64_t i = 0; i < 2000; i += 7) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(line_of("a/n" + n), 10 * i + 1);
    EXPECT_EQ(line_of("a/b." + n + "x"), 10 * i + 2);
    EXPECT_EQ(line_of("p" + n + "-z"), 10 * i + 3);
    EXPECT_EQ(line_of("zz-" + n + "-z"), 10 * i + 4);
    EXPECT_EQ(line_of("d" + n + "/e" + n), 10 * i + 5);
    EXPECT_EQ(line_of("d" + n + "/e.so"), 10 * i + 6);
    EXPECT_EQ(line_of("u/c" + n + "/v/z"), 10 * i + 7);
    EXPECT_EQ(line_of("m" + n + "/v/Makefile"), 10 * i + 8);
    EXPECT_EQ(line_of("zq" + n + "z"), 10 * i + 9);
    EXPECT_EQ(line_of("u/w" + n + "/"), 10 * i + 10);
    EXPECT_EQ(line_of("u/w" + n), 0U);
    EXPECT_EQ(line_of("d" + n + "/f" + n), 0U);
  }
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

// Those that try one way after another would not end in a lifetime; nothing here takes a second.
TEST(IgnoreRules, NoPatternTakesLong) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string name(255, 'a');
  const std::string deep = repeated("aaa/", 1000) + "aaa";
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(matches(repeated("*a", 40) + "b", name));
    EXPECT_FALSE(matches(repeated("*a", 40) + "[bc]", name));
    EXPECT_FALSE(matches(repeated("*?", 120) + "[bc]", name));
    EXPECT_FALSE(matches(repeated("**/", 50) + "[bc]", deep));
    EXPECT_FALSE(matches(repeated("**/a*/", 50) + "[bc]", deep));
    EXPECT_FALSE(matches(repeated("**/*a*/", 50) + "**/b/**", deep));
    EXPECT_FALSE(matches(repeated("a/**/a*", 300) + "/b?", deep));
    EXPECT_FALSE(matches(repeated("a/**\\/*", 300) + "/[bc]", deep));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(IgnoreRules, LongLines) {
  const std::string plain(1 << 20, 'a');
  EXPECT_TRUE(matches(plain, plain));
  EXPECT_TRUE(matches("x\n" + plain + "*", plain + "b"));
  EXPECT_FALSE(matches("[" + plain, "a"));
  EXPECT_TRUE(matches("[" + plain + "]", "a"));
  EXPECT_TRUE(matches(repeated("\\a", 1 << 19), plain.substr(0, 1 << 19)));
  EXPECT_FALSE(matches(repeated("[ab]", 1 << 18), "a"));
  EXPECT_TRUE(matches(repeated("*", 1 << 20), "a"));
  EXPECT_TRUE(matches(repeated("**/", 1 << 18) + "a", "x/a"));
  EXPECT_EQ(line_for(plain + "\n" + std::string(1 << 20, ' ') + "\nb", "b"), 3U);
}

TEST(IgnoreRules, KeysThatNestDeeply) {
  std::string file;
  for (std::size_t i = 1; i <= 3000; ++i) file += std::string(i, 'a') + "\n";
  EXPECT_EQ(line_for(file, std::string(3000, 'a')), 3000U);
  EXPECT_EQ(line_for(file, std::string(1234, 'a')), 1234U);
  EXPECT_EQ(line_for(file, std::string(3001, 'a')), 0U);
}

}  // namespace
}  // namespace trawl::match
