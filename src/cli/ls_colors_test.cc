// SPDX-License-Identifier: Apache-2.0
#include "cli/ls_colors.h"

#include "support/environment.h"

#include <gtest/gtest.h>

#include <string>

namespace trawl::cli {
namespace {

std::string of_file(const LsColors& colors, const char* name, std::uint32_t mode = 0644) {
  return std::string(colors.of(name, FileType::regular, mode));
}

std::string of_directory(const LsColors& colors, std::uint32_t mode) {
  return std::string(colors.of("d", FileType::directory, mode));
}

TEST(LsColors, KnowsEveryType) {
  const LsColors colors("di=1:ln=2:pi=3:so=4:bd=5:cd=6:fi=7");
  const auto of = [&colors](FileType type) { return std::string(colors.of("x", type, 0644)); };
  EXPECT_EQ(of(FileType::directory), "1");
  EXPECT_EQ(of(FileType::symlink), "2");
  EXPECT_EQ(of(FileType::fifo), "3");
  EXPECT_EQ(of(FileType::socket), "4");
  EXPECT_EQ(of(FileType::block_device), "5");
  EXPECT_EQ(of(FileType::character_device), "6");
  EXPECT_EQ(of(FileType::regular), "7");
}

TEST(LsColors, LooksAtModes) {
  const LsColors colors("di=1:tw=2:ow=3:st=4:su=5:sg=6:ex=7");
  EXPECT_EQ(of_directory(colors, 0755), "1");
  EXPECT_EQ(of_directory(colors, 01777), "2");
  EXPECT_EQ(of_directory(colors, 0777), "3");
  EXPECT_EQ(of_directory(colors, 01755), "4");
  EXPECT_EQ(of_file(colors, "x", 04755), "5");
  EXPECT_EQ(of_file(colors, "x", 02755), "6");
  EXPECT_EQ(of_file(colors, "x", 0645), "7");
  EXPECT_EQ(of_file(colors, "x"), "");
}

TEST(LsColors, FallsBackToTheOrdinary) {
  const LsColors colors("di=1:tw=0:st=00:su=:no=9");
  EXPECT_EQ(of_directory(colors, 01777), "1");
  EXPECT_EQ(of_directory(colors, 0777), "1");
  EXPECT_EQ(of_directory(colors, 01755), "1");
  EXPECT_EQ(of_file(colors, "x", 04755), "9");
  EXPECT_EQ(colors.of("x", FileType::symlink, 0777), "9");
}

TEST(LsColors, TheLastSuffixThatFitsCounts) {
  const LsColors colors("*.tar.gz=1:*.gz=2:*README=3:ex=4");
  EXPECT_EQ(of_file(colors, "x.tar.gz"), "2");
  EXPECT_EQ(of_file(LsColors("*.gz=2:*.tar.gz=1"), "x.tar.gz"), "1");
  EXPECT_EQ(of_file(colors, "old.README"), "3");
  EXPECT_EQ(of_file(colors, "x.gz", 0755), "4");  // what can be run is that first
  EXPECT_EQ(colors.of("d.gz", FileType::directory, 0755), "");
  EXPECT_EQ(of_file(LsColors("fi=7:*.txt=0"), "a.txt"), "");
}

TEST(LsColors, SuffixesFitInEitherCaseUnlessOneFitsBetter) {
  EXPECT_EQ(of_file(LsColors("*.jpg=1"), "A.JPG"), "1");
  EXPECT_EQ(of_file(LsColors("*.c=1:*.C=2"), "a.c"), "1");
  EXPECT_EQ(of_file(LsColors("*.c=1:*.C=2"), "a.C"), "2");
}

TEST(LsColors, ReadsEscapes) {
  EXPECT_EQ(of_file(LsColors(R"(*\:x=1)"), "a:x"), "1");
  EXPECT_EQ(of_file(LsColors(R"(*\=x=1)"), "a=x"), "1");
  EXPECT_EQ(of_file(LsColors(R"(*a\_b=1)"), "a b"), "1");
  EXPECT_EQ(of_file(LsColors(R"(*a\x62\143=1)"), "abc"), "1");
  EXPECT_EQ(of_file(LsColors(R"(*^A^?=1)"), "\x01\x7f"), "1");
  EXPECT_EQ(of_file(LsColors(R"(*\a\b\e\f\n\r\t\v\?\\\^=1)"), "\a\b\033\f\n\r\t\v\177\\^"), "1");
}

TEST(LsColors, LetsNothingButColoursThrough) {
  const LsColors colors("di=1\033]0;title\007:fi=\\e[2J:ln=target:*.txt=38;5;208:ex=38:5:1");
  EXPECT_EQ(of_directory(colors, 0755), "");
  EXPECT_EQ(of_file(colors, "x"), "");
  EXPECT_EQ(colors.of("x", FileType::symlink, 0777), "");
  EXPECT_EQ(of_file(colors, "x.txt"), "38;5;208");
}

TEST(LsColors, KeepsWhatComesBeforeAMistake) {
  const LsColors colors("::di=1:*.gz=2:broken:ln=3");
  EXPECT_EQ(of_directory(colors, 0755), "1");
  EXPECT_EQ(of_file(colors, "x.gz"), "2");
  EXPECT_EQ(colors.of("x", FileType::symlink, 0777), "");
  for (const char* text : {"", ":", "=", "*", "*=", "di", "di=", "\\", "*\\", "^", "*^", "a\\x"}) {
    EXPECT_EQ(of_directory(LsColors(text), 0755), "") << text;
  }
}

TEST(LsColors, HasDefaults) {
  const testing::ScopedEnvironment unset({{"LS_COLORS", nullptr}});
  EXPECT_EQ(of_directory(LsColors::from_environment(), 0755), "01;34");
  const testing::ScopedEnvironment set({{"LS_COLORS", "di=7"}});
  EXPECT_EQ(of_directory(LsColors::from_environment(), 0755), "7");
}

}  // namespace
}  // namespace trawl::cli
