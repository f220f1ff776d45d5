// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "support/environment.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <string>
#include <string_view>

namespace trawl::cli {
namespace {

using testing::ScopedEnvironment;

TEST(Printable, KeepsTextAndShowsTheRestAsBytes) {
  EXPECT_EQ(printable("plain name.txt", true), "plain name.txt");
  EXPECT_EQ(printable("naïve 宽 🎉", true), "naïve 宽 🎉");
  EXPECT_EQ(printable("a\tb\nc\x1b[31m\x7f", true), R"(a\x09b\x0ac\x1b[31m\x7f)");
  EXPECT_EQ(printable("\xff\xc3", true), R"(\xff\xc3)");
  EXPECT_EQ(printable("\xc2\x9b", true), R"(\xc2\x9b)");          // C1: CSI in one character
  EXPECT_EQ(printable("\xed\xa0\x80", true), R"(\xed\xa0\x80)");  // half of a surrogate pair
  EXPECT_EQ(printable(std::string_view("a\0b", 3), true), R"(a\x00b)");
}

TEST(Printable, TellsBytesFromTheirDescription) {
  EXPECT_EQ(printable("a\\x1b", true), R"(a\\x1b)");
  EXPECT_EQ(printable("a\\\x1b", true), R"(a\\\x1b)");
  EXPECT_EQ(printable("\\", true), R"(\\)");
  EXPECT_EQ(printable("\\", false), R"(\\)");
}

TEST(Printable, LetsNothingTurnTextAround) {
  EXPECT_EQ(printable("a\u202egpj.exe", true),
            R"(a\xe2\x80\xaegpj.exe)");                         // right-to-left override
  EXPECT_EQ(printable("a\u2066b", true), R"(a\xe2\x81\xa6b)");  // isolate
  EXPECT_EQ(printable("a\u2028b", true), R"(a\xe2\x80\xa8b)");  // line separator
  EXPECT_EQ(printable("👩\u200d🚀", true), "👩\u200d🚀");           // joiner
}

TEST(Printable, IsAsciiInOtherLocales) {
  EXPECT_EQ(printable("na\xc3\xafve", false), R"(na\xc3\xafve)");
}

TEST(Width, IsThatOfColumns) {
  EXPECT_EQ(width_of("abc", true), 3U);
  EXPECT_EQ(width_of("宽字", true), 4U);
  EXPECT_EQ(width_of("e\u0301", true), 1U);  // e and an accent
  EXPECT_EQ(width_of("│…█", true), 3U);
  EXPECT_EQ(width_of("", true), 0U);
}

TEST(Fitted, LeavesOutTheMiddle) {
  EXPECT_EQ(fitted("short", 5, true), "short");
  EXPECT_EQ(fitted("abcdefghij", 9, true), "abcd…ghij");
  EXPECT_EQ(fitted("abcdefghij", 4, true), "ab…j");
  EXPECT_EQ(fitted("abcdefghij", 6, false), "ab..ij");
  EXPECT_EQ(fitted("abcdefghij", 1, true), ".");
  EXPECT_EQ(fitted("abcdefghij", 0, true), "");
}

TEST(Fitted, CutsNoCharacterInHalf) {
  EXPECT_EQ(fitted("宽宽宽宽宽", 9, true), "宽宽…宽宽");
  EXPECT_EQ(fitted("宽宽宽宽宽", 8, true), "宽宽…宽");
  EXPECT_EQ(fitted("宽宽宽宽宽", 2, true), "…");
  // An accent stays on its letter, or goes with it.
  EXPECT_EQ(fitted("aae\u0301bbbb", 5, true), "aa…bb");
  EXPECT_EQ(fitted("aaaabe\u0301", 3, true), "a…e\u0301");
}

TEST(Painted, OnlyInColour) {
  EXPECT_EQ(painted("x", "01;34", {.color = true}), "\033[01;34mx\033[0m");
  EXPECT_EQ(painted("x", "01;34", {.color = false}), "x");
  EXPECT_EQ(painted("x", "", {.color = true}), "x");
  EXPECT_EQ(painted("", "1", {.color = true}), "");
}

class LookAtTerminal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::isatty(STDOUT_FILENO) == 1) {
      GTEST_SKIP() << "standard output is a terminal";
    }
  }
};

TEST_F(LookAtTerminal, TakesTheSizeFromTheEnvironment) {
  const ScopedEnvironment environment({{"COLUMNS", "132"}, {"LINES", "50"}});
  const Terminal terminal = look_at_terminal(When::automatic);
  EXPECT_FALSE(terminal.is_terminal);
  EXPECT_EQ(terminal.columns, 132U);
  EXPECT_EQ(terminal.rows, 50U);
}

TEST_F(LookAtTerminal, HasASizeOfItsOwn) {
  for (const char* nonsense : {"", "0", "-3", "wide", "80x", "99999999999999999999"}) {
    const ScopedEnvironment environment({{"COLUMNS", nonsense}, {"LINES", nonsense}});
    EXPECT_EQ(look_at_terminal(When::automatic).columns, 80U) << nonsense;
    EXPECT_EQ(look_at_terminal(When::automatic).rows, 40U) << nonsense;
  }
  const ScopedEnvironment unset({{"COLUMNS", nullptr}, {"LINES", nullptr}});
  EXPECT_EQ(look_at_terminal(When::automatic).columns, 80U);
  const ScopedEnvironment narrow({{"COLUMNS", "3"}});
  EXPECT_EQ(look_at_terminal(When::automatic).columns, 20U);
}

TEST_F(LookAtTerminal, ColoursWhereTheyAreWanted) {
  const auto color = [](When when, const char* no_color, const char* force) {
    const ScopedEnvironment environment(
        {{"NO_COLOR", no_color}, {"CLICOLOR_FORCE", force}, {"TERM", "xterm"}});
    return look_at_terminal(when).color;
  };
  EXPECT_FALSE(color(When::automatic, nullptr, nullptr));
  EXPECT_TRUE(color(When::automatic, nullptr, "1"));
  EXPECT_FALSE(color(When::automatic, nullptr, "0"));
  EXPECT_FALSE(color(When::automatic, nullptr, ""));
  EXPECT_FALSE(color(When::automatic, "1", "1"));
  EXPECT_TRUE(color(When::automatic, "", "1"));
  EXPECT_TRUE(color(When::always, "1", nullptr));
  EXPECT_FALSE(color(When::never, nullptr, "1"));
}

}  // namespace
}  // namespace trawl::cli
