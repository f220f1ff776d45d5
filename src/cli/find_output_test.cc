// SPDX-License-Identifier: Apache-2.0
#include "cli/find_output.h"

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <utility>

namespace trawl::cli {
namespace {

std::string applied(const PathStyle& style, std::string path) {
  style.apply(path);
  return path;
}

TEST(PathStyle, StripsAndGuards) {
  const PathStyle plain, strip{.strip = true}, guard{.guard = true};
  EXPECT_EQ(applied(plain, "./a"), "./a");
  EXPECT_EQ(applied(strip, "./a"), "a");
  EXPECT_EQ(applied(strip, "./"), "");
  EXPECT_EQ(applied(strip, "./-a"), "-a");
  EXPECT_EQ(applied(strip, ".a"), ".a");
  EXPECT_EQ(applied(guard, "-a/"), "./-a/");
  EXPECT_EQ(applied(guard, "./-a"), "./-a");
  EXPECT_EQ(applied(guard, "a-"), "a-");
}

std::string line(const LineStyle& style, std::string_view path, FileType type,
                 std::uint32_t mode = 0) {
  Metadata metadata;
  metadata.mode = mode;
  std::string out;
  style.append(
      out,
      {.path = path, .name = path.rfind('/') + 1, .depth = 1, .type = type, .metadata = &metadata});
  return out;
}

TEST(LineStyle, EndsDirectoriesWithASlash) {
  LineStyle style;
  EXPECT_TRUE(style.is_plain());
  EXPECT_EQ(line(style, "a/b", FileType::directory), "a/b/\n");
  EXPECT_EQ(line(style, "a/b", FileType::symlink), "a/b\n");
  style.separator = "::";
  style.end = '\0';
  EXPECT_FALSE(style.is_plain());
  EXPECT_EQ(line(style, "a/b", FileType::directory), std::string("a::b::\0", 7));
}

TEST(LineStyle, PaintsPieces) {
  LineStyle style;
  style.colors = LsColors("di=1;34:ex=32:*.c=33");
  EXPECT_EQ(line(style, "a/b.c", FileType::regular, 0644),
            "\033[1;34ma/\033[0m\033[33mb.c\033[0m\n");
  EXPECT_EQ(line(style, "b", FileType::regular, 0755), "\033[32mb\033[0m\n");
  EXPECT_EQ(line(style, "b", FileType::regular, 0644), "b\n");
  EXPECT_EQ(line(style, "d", FileType::directory, 0755), "\033[1;34md\033[0m\033[1;34m/\033[0m\n");
}

TEST(LineStyle, EncodesLinks) {
  std::string out;
  append_encoded(out, "a b/%\xff\n;é-._~:");
  EXPECT_EQ(out, "a%20b/%25%FF%0A%3B%C3%A9-._~:");
  LineStyle style;
  style.url = "file://host";
  style.base = "/here/";
  EXPECT_EQ(line(style, "./a b", FileType::regular),
            "\033]8;;file://host/here/a%20b\033\\./a b\033]8;;\033\\\n");
  EXPECT_EQ(line(style, "/a", FileType::directory),
            "\033]8;;file://host/a\033\\/a/\033]8;;\033\\\n");
}

std::string ranked(const Ranking& ranking, std::initializer_list<std::pair<const char*, int>> all,
                   std::size_t workers = 1) {
  std::deque<Ranked> each;
  while (each.size() < workers) {
    each.emplace_back(ranking);
  }
  std::size_t at = 0;
  for (const auto& [path, size] : all) {
    Metadata metadata;
    metadata.size = static_cast<std::uint64_t>(size);
    metadata.mtime.seconds = metadata.ctime.seconds = size;
    const std::string_view text = path;
    each[at++ % workers].add({.path = text, .name = text.rfind('/') + 1, .metadata = &metadata});
  }
  for (std::size_t i = 1; i < workers; ++i) {
    each[0].merge(std::move(each[i]));
  }
  std::string out;
  for (const KeptFinding& kept : each[0].take()) {
    out += kept.path + ' ';
  }
  return out;
}

TEST(Ranked, OrdersAndCuts) {
  const auto all = {std::pair{"b/x", 3}, {"a/z", 5}, {"c", 1}, {"a/y", 3}, {"d", 9}};
  for (std::size_t workers = 1; workers < 4; ++workers) {
    EXPECT_EQ(ranked({.by = RankBy::path}, all, workers), "a/y a/z b/x c d ");
    EXPECT_EQ(ranked({.by = RankBy::name}, all, workers), "c d b/x a/y a/z ");
    EXPECT_EQ(ranked({.by = RankBy::size}, all, workers), "d a/z a/y b/x c ");
    for (const RankBy by : {RankBy::size, RankBy::mtime, RankBy::ctime}) {
      EXPECT_EQ(ranked({.by = by, .most = 3}, all, workers), "d a/z a/y ");
    }
    EXPECT_EQ(ranked({.by = RankBy::size, .most = 1}, all, workers), "d ");
    EXPECT_EQ(ranked({.by = RankBy::size, .most = 0}, all, workers), "");
  }
}

}  // namespace
}  // namespace trawl::cli
