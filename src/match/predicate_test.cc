// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <trawl/predicate.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/random.h"

namespace trawl {
namespace {

Metadata metadata_of(FileType type, std::uint32_t permissions = 0644) {
  static constexpr std::uint32_t kBits[] = {0,       0100000, 0040000, 0120000,
                                            0060000, 0020000, 0010000, 0140000};
  Metadata metadata;
  metadata.valid = Fields::all;
  metadata.mode = kBits[static_cast<unsigned>(type)] | permissions;
  metadata.links = 1;
  return metadata;
}

Answer judge(const Predicate& predicate, const Subject& subject) {
  return Plan(predicate).judge(subject);
}
Answer judge(const Predicate& predicate, const Metadata& metadata) {
  return judge(predicate, {.name = "x", .type = metadata.type(), .metadata = &metadata});
}
Answer judge_name(const Predicate& predicate, std::string_view name) {
  return judge(predicate, {.name = name, .type = FileType::regular});
}

// --- single tests
// ----------------------------------------------------------------------------------

TEST(Predicate, ConstantsAreConstant) {
  EXPECT_EQ(judge_name(Predicate::always(), "x"), Answer::yes);
  EXPECT_EQ(judge_name(Predicate::never(), "x"), Answer::no);
  EXPECT_EQ(judge_name(!Predicate::always(), "x"), Answer::no);
  EXPECT_EQ(judge_name(!Predicate::never(), "x"), Answer::yes);
  EXPECT_EQ(judge_name(Predicate::never() || Predicate::size({}), "x"), Answer::needs_metadata);
  EXPECT_EQ(judge_name(Predicate::size({}) || Predicate::always(), "x"), Answer::yes);
  EXPECT_EQ(judge_name(Predicate::size({}) && !Predicate::always(), "x"), Answer::no);
}

TEST(Predicate, NameAndPathAreThoseOfTheSubject) {
  const Subject subject{.name = "b.c", .path = "a/b.c", .type = FileType::regular};
  EXPECT_EQ(judge(Predicate::name(Pattern::glob("*.c")), subject), Answer::yes);
  EXPECT_EQ(judge(Predicate::name(Pattern::glob("a/*")), subject), Answer::no);
  EXPECT_EQ(judge(Predicate::path(Pattern::glob("a/*")), subject), Answer::yes);
  EXPECT_TRUE(Plan(!Predicate::path(Pattern::glob("a/*"))).needs_path());
  EXPECT_FALSE(Plan(Predicate::name(Pattern::glob("a/*"))).needs_path());
}

TEST(Predicate, ExtensionsFollowADot) {
  const Predicate images = Predicate::extension({"jpg", ".PNG", "tar.gz", "c++", "é"});
  for (const char* const name :
       {"a.jpg", "a.JPG", "a.png", "..png", "a.tar.gz", "a.b.jpg", "a.c++", "a.É", "\xff.jpg"}) {
    EXPECT_EQ(judge_name(images, name), Answer::yes) << name;
  }
  for (const char* const name : {"jpg", ".jpg", "ajpg", "a.gz", "a.jpg~", "a.cc", "a.tar", ""}) {
    EXPECT_EQ(judge_name(images, name), Answer::no) << name;
  }
  EXPECT_EQ(judge_name(Predicate::extension(std::vector<std::string>{}), "a.jpg"), Answer::no);
  EXPECT_EQ(judge_name(Predicate::extension({""}), "a."), Answer::yes);
  EXPECT_EQ(judge_name(Predicate::extension({"*", "{a,b}", "[c]", "?", "\\"}), "a.x"), Answer::no);
  EXPECT_EQ(judge_name(Predicate::extension({"*", "{a,b}", "[c]", "?", "\\"}), "a.{a,b}"),
            Answer::yes);
}

TEST(Predicate, TypeNeedsMetadataOnlyIfItIsUnknown) {
  const Predicate links = Predicate::type({FileType::symlink, FileType::socket});
  EXPECT_EQ(judge(links, {.name = "x", .type = FileType::symlink}), Answer::yes);
  EXPECT_EQ(judge(links, {.name = "x", .type = FileType::regular}), Answer::no);
  EXPECT_EQ(judge(links, {.name = "x"}), Answer::needs_metadata);
  const Metadata link = metadata_of(FileType::symlink);
  EXPECT_EQ(judge(links, {.name = "x", .metadata = &link}), Answer::yes);
  EXPECT_EQ(Plan(links).fields(), Fields::none);
}

TEST(Predicate, DepthHasBothEnds) {
  const Predicate some = Predicate::depth({1, 2});
  for (const auto& [depth, answer] :
       {std::pair(0, Answer::no), {1, Answer::yes}, {2, Answer::yes}, {3, Answer::no}}) {
    EXPECT_EQ(judge(some, {.name = "x", .depth = depth}), answer) << depth;
  }
}

TEST(Predicate, EmptyIsAFileWithoutBytesOrADirectoryWithoutEntries) {
  const Plan plan(Predicate::empty());
  EXPECT_TRUE(plan.needs_listing());
  EXPECT_EQ(plan.fields(), Fields::size);
  Metadata file = metadata_of(FileType::regular);
  EXPECT_EQ(plan.judge({.name = "x", .type = FileType::regular}), Answer::needs_metadata);
  EXPECT_EQ(judge(Predicate::empty(), file), Answer::yes);
  file.size = 1;
  EXPECT_EQ(judge(Predicate::empty(), file), Answer::no);
  EXPECT_EQ(judge(!Predicate::empty(), file), Answer::yes);
  Subject directory{.name = "x", .type = FileType::directory};
  EXPECT_EQ(plan.judge(directory), Answer::needs_listing);
  directory.is_empty_directory = false;
  EXPECT_EQ(plan.judge(directory), Answer::no);
  directory.is_empty_directory = true;
  EXPECT_EQ(plan.judge(directory), Answer::yes);
  for (const FileType type : {FileType::symlink, FileType::fifo, FileType::block_device}) {
    EXPECT_EQ(plan.judge({.name = "x", .type = type}), Answer::no);
    EXPECT_EQ(judge(!Predicate::empty(), {.name = "x", .type = type}), Answer::yes);
  }
}

TEST(Predicate, ExecutableIsARegularFileForAnybody) {
  EXPECT_EQ(judge(Predicate::executable(), metadata_of(FileType::regular, 0001)), Answer::yes);
  EXPECT_EQ(judge(Predicate::executable(), metadata_of(FileType::regular, 0644)), Answer::no);
  EXPECT_EQ(judge(Predicate::executable(), {.name = "x", .type = FileType::directory}), Answer::no);
  EXPECT_EQ(judge(Predicate::executable(), {.name = "x", .type = FileType::regular}),
            Answer::needs_metadata);
}

TEST(Predicate, MetadataIsCompared) {
  Metadata m = metadata_of(FileType::regular, 04750);
  m.size = 10;
  m.links = 3;
  m.uid = 1;
  m.gid = 2;
  m.device = 7;
  m.inode = 8;
  m.atime = {100, 5};
  m.mtime = {-1, 999'999'999};
  m.ctime = {0, 0};
  m.btime = {50, 0};
  const auto yes = [&m](const Predicate& p) {
    EXPECT_NE(judge(p, m), judge(!p, m));
    return judge(p, m) == Answer::yes;
  };
  EXPECT_TRUE(yes(Predicate::size({10, 10})));
  EXPECT_FALSE(yes(Predicate::size({.least = 11})));
  EXPECT_FALSE(yes(Predicate::size({.most = 9})));
  EXPECT_TRUE(yes(Predicate::links({.least = 3})));
  EXPECT_FALSE(yes(Predicate::links({0, 2})));
  EXPECT_TRUE(yes(Predicate::user(1)));
  EXPECT_FALSE(yes(Predicate::user(2)));
  EXPECT_TRUE(yes(Predicate::group(2)));
  EXPECT_FALSE(yes(Predicate::group(1)));
  EXPECT_TRUE(yes(Predicate::device(7)));
  EXPECT_FALSE(yes(Predicate::device(8)));
  EXPECT_TRUE(yes(Predicate::inode(8)));
  EXPECT_FALSE(yes(Predicate::inode(7)));
  EXPECT_TRUE(yes(Predicate::accessed({.since = Timestamp{100, 5}})));
  EXPECT_FALSE(yes(Predicate::accessed({.since = Timestamp{100, 6}})));
  EXPECT_TRUE(yes(Predicate::accessed({.until = Timestamp{100, 5}})));
  EXPECT_FALSE(yes(Predicate::accessed({.until = Timestamp{100, 4}})));
  EXPECT_TRUE(yes(Predicate::modified({.until = Timestamp{0, 0}})));
  EXPECT_FALSE(yes(Predicate::modified({.since = Timestamp{0, 0}})));
  EXPECT_TRUE(yes(Predicate::changed({.since = Timestamp{0, 0}, .until = Timestamp{0, 0}})));
  EXPECT_FALSE(yes(Predicate::born({.since = Timestamp{51, 0}, .until = Timestamp{60, 0}})));
}

// As find -perm MODE, -MODE, /MODE.
TEST(Predicate, PermissionsAreComparedAsByFind) {
  using Bits = Predicate::Bits;
  const auto yes = [](Bits how, std::uint32_t mode, std::uint32_t permissions) {
    return judge(Predicate::permissions(how, mode), metadata_of(FileType::regular, permissions)) ==
           Answer::yes;
  };
  EXPECT_TRUE(yes(Bits::exactly, 0644, 0644));
  EXPECT_FALSE(yes(Bits::exactly, 0644, 04644));
  EXPECT_TRUE(yes(Bits::exactly, 0100644, 0644));  // type bits don't count
  EXPECT_TRUE(yes(Bits::all, 0440, 0644));
  EXPECT_FALSE(yes(Bits::all, 0441, 0644));
  EXPECT_TRUE(yes(Bits::all, 0, 0));
  EXPECT_TRUE(yes(Bits::any, 0111, 0755));
  EXPECT_TRUE(yes(Bits::any, 0222, 0020));
  EXPECT_FALSE(yes(Bits::any, 0111, 0644));
  EXPECT_TRUE(yes(Bits::any, 0, 0644));
}

TEST(Predicate, CustomTestsGetWhatTheyAskFor) {
  int calls = 0;
  const Predicate by_name =
      Predicate::custom("a name of one letter", Fields::none, [&calls](const Subject& subject) {
        ++calls;
        return subject.name.size() == 1;
      });
  EXPECT_EQ(judge_name(by_name, "x"), Answer::yes);
  EXPECT_EQ(judge_name(!by_name, "x"), Answer::no);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(judge(by_name, {.name = "x"}), Answer::needs_metadata);  // for its type
  EXPECT_EQ(calls, 2);
  const Metadata file = metadata_of(FileType::fifo);
  const Predicate by_type = Predicate::custom("a pipe", Fields::links, [](const Subject& subject) {
    return subject.type == FileType::fifo;
  });
  EXPECT_EQ(judge(by_type, {.name = "x", .metadata = &file}), Answer::yes);
  EXPECT_EQ(judge(by_type, {.name = "x", .type = FileType::fifo}), Answer::needs_metadata);
  EXPECT_EQ(Plan(by_type).fields(), Fields::links);
  // Cheaper ones first.
  EXPECT_EQ(judge_name(by_name && Predicate::name(Pattern::fixed("y")), "x"), Answer::no);
  EXPECT_EQ(calls, 2);
}

TEST(Predicate, WhatWasNotAnsweredFailsEitherWay) {
  Metadata some = metadata_of(FileType::regular);
  some.valid = Fields::basic;
  const Predicate born = Predicate::born({});
  EXPECT_EQ(judge(born, some), Answer::no);
  EXPECT_EQ(judge(!born, some), Answer::no);
  EXPECT_EQ(judge(!!born, some), Answer::no);
  EXPECT_EQ(judge(!(born || Predicate::never()), some), Answer::no);
  EXPECT_EQ(judge(!(born && Predicate::user(5)), some), Answer::yes);
  const Metadata nothing;
  for (const Predicate& p : {Predicate::type({FileType::regular}), Predicate::empty(),
                             Predicate::executable(), Predicate::size({})}) {
    EXPECT_EQ(judge(p, {.name = "x", .metadata = &nothing}), Answer::no);
    EXPECT_EQ(judge(!p, {.name = "x", .metadata = &nothing}), Answer::no);
  }
}

// --- plans
// -----------------------------------------------------------------------------------------

TEST(Plan, AsksForMetadataOnlyWhereItMatters) {
  const Plan plan(Predicate::size({.least = 5}) && Predicate::name(Pattern::glob("*.log")) &&
                  Predicate::type({FileType::regular}));
  EXPECT_EQ(plan.judge({.name = "x.txt", .type = FileType::regular}), Answer::no);
  EXPECT_EQ(plan.judge({.name = "x.log", .type = FileType::directory}), Answer::no);
  EXPECT_EQ(plan.judge({.name = "x.log", .type = FileType::regular}), Answer::needs_metadata);
  EXPECT_EQ(plan.judge({.name = "x.txt"}), Answer::no);
  const Plan either(Predicate::size({.least = 5}) || Predicate::name(Pattern::glob("*.log")));
  EXPECT_EQ(either.judge({.name = "x.log", .type = FileType::regular}), Answer::yes);
  EXPECT_EQ(either.fields(), Fields::size);
}

TEST(Plan, AsksForAListingLast) {
  const Plan plan(Predicate::empty() && Predicate::user(1));
  Metadata mine = metadata_of(FileType::directory);
  Subject subject{.name = "x", .type = FileType::directory};
  EXPECT_EQ(plan.judge(subject), Answer::needs_metadata);
  subject.metadata = &mine;
  EXPECT_EQ(plan.judge(subject), Answer::no);
  mine.uid = 1;
  EXPECT_EQ(plan.judge(subject), Answer::needs_listing);
  subject.is_empty_directory = true;
  EXPECT_EQ(plan.judge(subject), Answer::yes);
}

TEST(Plan, ExplainsItselfInTheOrderOfCost) {
  const Predicate p =
      (Predicate::modified({.since = Timestamp{-5, 7}}) || Predicate::empty()) &&
      Predicate::size({1024, 2048}) && Predicate::path(Pattern::fixed("/x\n")) &&
      Predicate::custom("is odd", Fields::none, [](const Subject&) { return true; }) &&
      !Predicate::name(Pattern::glob("*\xff*.c", Case::ignored)) &&
      Predicate::extension({"c", "h"}) && !Predicate::executable() &&
      !Predicate::permissions(Predicate::Bits::all, 022) && Predicate::depth({.least = 2}) &&
      Predicate::links({2, 2}) && Predicate::type({FileType::regular, FileType::symlink});
  EXPECT_EQ(Plan(p).explain(),
            "all of:\n"
            "  depth is at least 2\n"
            "  type is regular file or symbolic link\n"
            "  name ends with one of '.c, .h'\n"
            "  name does not match the glob '*\\xFF*.c', in any case of letters\n"
            "  path contains '/x\\x0A'\n"
            "  is odd\n"
            "  size in bytes is from 1024 to 2048 [metadata]\n"
            "  it is not an executable file [metadata of files]\n"
            "  not: permissions have all of 0022 [metadata]\n"
            "  number of links is 2 [metadata]\n"
            "  any of:\n"
            "    time of modification is at or after @-5.000000007 [metadata]\n"
            "    it is an empty file or directory [metadata of files, listing of directories]\n");
  EXPECT_EQ(Plan(Predicate::always()).explain(), "everything\n");
  EXPECT_EQ(Plan(Predicate::never() && p).explain(), "nothing\n");
  EXPECT_EQ(Plan(!!Predicate::user(3)).explain(), "user is 3 [metadata]\n");
}

TEST(Plan, ManyPredicatesInARowAreOneLevel) {
  Predicate chain = Predicate::never();
  for (std::uint32_t uid = 0; uid < 3000; ++uid) chain = chain || Predicate::user(uid);
  Metadata m = metadata_of(FileType::regular);
  m.uid = 2999;
  EXPECT_EQ(judge(chain, m), Answer::yes);
  EXPECT_EQ(judge(!chain, m), Answer::no);
}

// --- random trees against an evaluation with full knowledge
// ----------------------------------------

// A predicate, and what it says if everything is known; none: the filesystem did not answer.
struct Model {
  Predicate predicate = Predicate::always();
  // Of `negated`: whether the whole, negated, is true.
  std::function<bool(const Subject&, bool negated)> says;
};

Model leaf(Predicate predicate, std::function<std::optional<bool>(const Subject&)> truth) {
  return {std::move(predicate), [truth = std::move(truth)](const Subject& subject, bool negated) {
            const std::optional<bool> value = truth(subject);
            return value && *value != negated;
          }};
}

Model random_leaf(testing::Random& random) {
  const auto known = [](const Subject& s, Fields field) { return has(s.metadata->valid, field); };
  switch (random.below(10)) {
    case 0: {
      const auto type = static_cast<FileType>(random.between(1, 3));
      return leaf(Predicate::type({type}), [type](const Subject& s) -> std::optional<bool> {
        return s.metadata->type() == type;
      });
    }
    case 1: {
      const std::uint64_t least = random.below(3);
      return leaf(Predicate::depth({.least = least}),
                  [least](const Subject& s) -> std::optional<bool> {
                    return static_cast<std::uint64_t>(s.depth) >= least;
                  });
    }
    case 2:
      return leaf(Predicate::name(Pattern::glob("a*")),
                  [](const Subject& s) -> std::optional<bool> { return s.name.starts_with('a'); });
    case 3:
      return leaf(Predicate::path(Pattern::fixed("/b")),
                  [](const Subject& s) -> std::optional<bool> {
                    return s.path.find("/b") != std::string_view::npos;
                  });
    case 4:
      return leaf(Predicate::empty(), [known](const Subject& s) -> std::optional<bool> {
        if (s.metadata->type() == FileType::directory) return *s.is_empty_directory;
        if (s.metadata->type() != FileType::regular) return false;
        if (!known(s, Fields::size)) return std::nullopt;
        return s.metadata->size == 0;
      });
    case 5:
      return leaf(Predicate::executable(), [](const Subject& s) -> std::optional<bool> {
        return s.metadata->type() == FileType::regular && (s.metadata->mode & 0111) != 0;
      });
    case 6: {
      const std::uint64_t most = random.below(3);
      return leaf(Predicate::size({.most = most}),
                  [known, most](const Subject& s) -> std::optional<bool> {
                    if (!known(s, Fields::size)) return std::nullopt;
                    return s.metadata->size <= most;
                  });
    }
    case 7:
      return leaf(Predicate::born({.since = Timestamp{1, 0}}),
                  [known](const Subject& s) -> std::optional<bool> {
                    if (!known(s, Fields::btime)) return std::nullopt;
                    return s.metadata->btime >= Timestamp{1, 0};
                  });
    case 8:
      return leaf(Predicate::custom("of b", Fields::none,
                                    [](const Subject& s) { return s.name.ends_with('b'); }),
                  [](const Subject& s) -> std::optional<bool> { return s.name.ends_with('b'); });
    default:
      return leaf(Predicate::custom("of root", Fields::owner,
                                    [](const Subject& s) { return s.metadata->uid == 0; }),
                  [known](const Subject& s) -> std::optional<bool> {
                    if (!known(s, Fields::owner)) return std::nullopt;
                    return s.metadata->uid == 0;
                  });
  }
}

Model random_model(testing::Random& random, int levels) {
  if (levels == 0 || random.one_in(4)) {
    return random_leaf(random);
  }
  const Model a = random_model(random, levels - 1);
  if (random.one_in(3)) {
    return {!a.predicate, [a](const Subject& s, bool negated) { return a.says(s, !negated); }};
  }
  const Model b = random_model(random, levels - 1);
  const bool is_and = random.one_in(2);
  return {is_and ? a.predicate && b.predicate : a.predicate || b.predicate,
          [a, b, is_and](const Subject& s, bool negated) {
            const bool x = a.says(s, negated);
            const bool y = b.says(s, negated);
            return is_and != negated ? x && y : x || y;
          }};
}

TEST(Plan, SaysWhatFullKnowledgeSaysAndNeverTakesItBack) {
  testing::Random random(testing::fresh_seed());
  int early = 0;
  int asked = 0;
  for (int round = 0; round < testing::effort(20000); ++round) {
    const Model model = random_model(random, 4);
    const Plan plan(model.predicate);
    for (int i = 0; i < 4; ++i) {
      static const std::vector<std::string> kNames = {"a", "b", "ab", "cb"};
      const std::string& name = kNames[random.below(kNames.size())];
      const std::string path = std::string("d/") + name;
      Metadata metadata =
          metadata_of(static_cast<FileType>(random.between(1, 4)), random.one_in(2) ? 0755 : 0644);
      metadata.size = random.below(3);
      metadata.uid = static_cast<std::uint32_t>(random.below(2));
      metadata.btime = {random.between(0, 2), 0};
      for (const Fields field : {Fields::size, Fields::btime, Fields::owner}) {
        if (random.one_in(4)) {
          metadata.valid = static_cast<Fields>(static_cast<std::uint32_t>(metadata.valid) &
                                               ~static_cast<std::uint32_t>(field));
        }
      }
      const Subject full{.name = name,
                         .path = path,
                         .depth = random.between(0, 3),
                         .type = metadata.type(),
                         .metadata = &metadata,
                         .is_empty_directory = random.one_in(2)};
      const Answer expected = model.says(full, false) ? Answer::yes : Answer::no;
      ASSERT_EQ(plan.judge(full), expected) << plan.explain();
      for (int known = 0; known < 8; ++known) {
        Subject part = full;
        if ((known & 1) == 0) part.type = FileType::unknown;
        if ((known & 2) == 0) part.metadata = nullptr;
        if ((known & 4) == 0) part.is_empty_directory.reset();
        const Answer answer = plan.judge(part);
        switch (answer) {
          case Answer::yes:
          case Answer::no:
            ASSERT_EQ(answer, expected) << plan.explain();
            ++early;
            break;
          case Answer::needs_metadata:
            ASSERT_EQ(part.metadata, nullptr) << plan.explain();
            ++asked;
            break;
          case Answer::needs_listing:
            ASSERT_FALSE(part.is_empty_directory.has_value()) << plan.explain();
            ASSERT_EQ(metadata.type(), FileType::directory);
            ASSERT_TRUE(plan.needs_listing());
            ++asked;
            break;
        }
      }
    }
  }
  EXPECT_GT(early, 1000);
  EXPECT_GT(asked, 1000);
}

TEST(Plan, MayBeUsedByManyThreads) {
  const Plan plan(Predicate::name(Pattern::glob("*é*")) && !Predicate::extension({"c"}));
  std::vector<std::thread> threads;
  std::vector<int> found(8, 0);
  for (int& mine : found) {
    threads.emplace_back([&plan, &mine] {
      for (int i = 0; i < 1000; ++i) {
        mine += plan.judge({.name = i % 2 == 0 ? "aé.h" : "aé.c"}) == Answer::yes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int mine : found) EXPECT_EQ(mine, 500);
}

}  // namespace
}  // namespace trawl
