// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_options.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_directory.h"

namespace trawl::cli {
namespace {

using namespace std::chrono_literals;

// Parses "trawl" and these words; `said` has what went to standard error.
PictureCommand parse(std::vector<std::string> words, std::string* said = nullptr) {
  std::string program = "trawl";
  std::vector<char*> argv = {program.data()};
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::testing::internal::CaptureStderr();
  PictureCommand command = parse_picture_options(static_cast<int>(words.size()) + 1, argv.data());
  const std::string text = ::testing::internal::GetCapturedStderr();
  if (said != nullptr) {
    *said = text;
  }
  return command;
}

TEST(PictureOptions, HaveDefaults) {
  const PictureCommand command = parse({});
  ASSERT_FALSE(command.status);
  EXPECT_EQ(command.options.paths, std::vector<std::string>{"."});
  EXPECT_EQ(command.options.measure, Measure::disk_usage);
  EXPECT_EQ(command.options.depth, INT32_MAX);
  EXPECT_FALSE(command.options.top);
  EXPECT_EQ(command.options.sort, SortBy::size);
  EXPECT_EQ(command.options.color, When::automatic);
  EXPECT_EQ(command.options.progress, When::automatic);
  EXPECT_EQ(command.options.threads, 0U);
  EXPECT_FALSE(command.options.timeout);
  EXPECT_TRUE(command.options.filter.excludes.empty());
}

TEST(PictureOptions, AreAllRead) {
  const PictureCommand command =
      parse({"--depth=3", "-n", "7", "a", "--min-share=0.5", "--sort=name", "-rxL", "--json",
             "--errors", "--stats=json", "--color=never", "--progress", "--threads", "4",
             "--timeout=500ms", "--exclude=*.o", "--", "-b"});
  ASSERT_FALSE(command.status);
  const PictureOptions& options = command.options;
  EXPECT_EQ(options.depth, 3);
  EXPECT_EQ(options.top, 7U);
  EXPECT_EQ(options.min_share, 0.5);
  EXPECT_EQ(options.sort, SortBy::name);
  EXPECT_TRUE(options.reverse && options.one_file_system && options.follow);
  EXPECT_TRUE(options.json && options.list_errors);
  EXPECT_EQ(options.stats, StatsFormat::json);
  EXPECT_EQ(options.color, When::never);
  EXPECT_EQ(options.progress, When::always);
  EXPECT_EQ(options.threads, 4U);
  EXPECT_EQ(options.timeout, std::chrono::nanoseconds(500ms));
  EXPECT_TRUE(options.filter.excludes.matches("dir/x.o"));
  EXPECT_EQ(options.paths, (std::vector<std::string>{"a", "-b"}));
}

TEST(PictureOptions, ChooseTheMeasure) {
  EXPECT_EQ(parse({"--apparent-size"}).options.measure, Measure::apparent_size);
  EXPECT_EQ(parse({"--count"}).options.measure, Measure::inodes);
  EXPECT_EQ(parse({"--count", "--apparent-size"}).options.measure, Measure::apparent_size);
  EXPECT_EQ(parse({"--sort=count"}).options.sort, SortBy::count);
}

TEST(PictureOptions, ReadPatternsFromAFile) {
  const testing::TemporaryDirectory directory;
  const std::string name = directory.path() + "/patterns";
  std::ofstream(name) << "*.o\ncache\n";
  const PictureCommand command = parse({"-X", name});
  ASSERT_FALSE(command.status);
  EXPECT_TRUE(command.options.filter.excludes.matches("a/cache"));
  EXPECT_FALSE(command.options.filter.excludes.matches("a/b"));
}

TEST(PictureOptions, RefusalsNameTheArgumentInOneLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--depth", "deep"},    {"--depth", "-1"},           {"--depth", "3x"},
      {"--top", "0"},         {"--top", "1000001"},        {"--min-share", "-1"},
      {"--min-share", "101"}, {"--min-share", "nan"},      {"--sort", "width"},
      {"--threads", "0"},     {"--threads", "1025"},       {"--timeout", "0"},
      {"--timeout", "soon"},  {"--stall-timeout", "soon"}, {"--exclude-from", "/nonexistent/file"}};
  for (const std::vector<std::string>& words : wrong) {
    std::string said;
    const PictureCommand command = parse(words, &said);
    ASSERT_TRUE(command.status) << words[0] << ' ' << words[1];
    EXPECT_EQ(*command.status, 2);
    EXPECT_EQ(said.rfind("trawl: ", 0), 0U) << said;
    EXPECT_NE(said.find(words[1]), std::string::npos) << said;
    EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
    EXPECT_TRUE(command.out.empty());
  }
  for (const char* word : {"--color=blue", "--progress=no", "--nonsense", "-Z", "--json=1"}) {
    std::string said;
    EXPECT_EQ(parse({word}, &said).status, 2) << word;
    EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
  }
}

TEST(PictureOptions, HelpGoesToStandardOutput) {
  const PictureCommand help = parse({"--help", "--nonsense"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.out.rfind("Usage: trawl", 0), 0U);
  EXPECT_EQ(parse({"-h"}).out, help.out);
  const PictureCommand version = parse({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.rfind("trawl ", 0), 0U);
}

}  // namespace
}  // namespace trawl::cli
