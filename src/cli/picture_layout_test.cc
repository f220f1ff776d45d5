// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_layout.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/usage_trees.h"

namespace trawl::cli {
namespace {

using testing::directory;
using testing::file;
using testing::usage_tree;

// "level:name/name value", or "level:+count value" for what is left out.
std::vector<std::string> laid_out(const UsageTree& tree, const PictureLimits& limits,
                                  const PictureOptions& options = {}) {
  std::vector<std::string> out;
  for (const PictureLine& line : lay_out(tree, options, limits)) {
    std::string text = std::to_string(line.level) + ':';
    for (const UsageNode* node : line.chain) {
      text += (node == line.chain.front() ? "" : "/") + node->name;
    }
    if (line.chain.empty()) {
      text += '+' + std::to_string(line.left_out);
    }
    out.push_back(text + ' ' + std::to_string(line.value));
  }
  return out;
}

using Lines = std::vector<std::string>;

UsageTree example() {
  return usage_tree({directory(
      "r", 100,
      {directory("a", 60, {file("a1", 40), file("a2", 15)}, 2), file("b", 30), file("c", 4)}, 3)});
}

TEST(PictureLayout, TakesTheBiggestWhateverTheirDepth) {
  const UsageTree tree = example();
  EXPECT_EQ(laid_out(tree, {.lines = 1}), (Lines{"0:r 100"}));
  EXPECT_EQ(laid_out(tree, {.lines = 3}), (Lines{"0:r 100", "1:a 60", "2:a1 40"}));
  EXPECT_EQ(laid_out(tree, {.lines = 4}), (Lines{"0:r 100", "1:a 60", "2:a1 40", "1:b 30"}));
  EXPECT_EQ(laid_out(tree, {.lines = 40}),
            (Lines{"0:r 100", "1:a 60", "2:a1 40", "2:a2 15", "1:b 30", "1:c 4", "1:+3 6"}));
}

TEST(PictureLayout, SumsWhatIsLeftOutOnlyIfItIsAsBigAsWhatIsShown) {
  const auto of_rest = [](std::uint64_t rest) {
    return laid_out(usage_tree({directory("r", 50 + rest, {file("a", 40), file("b", 10)}, 7)}),
                    {.lines = 40});
  };
  EXPECT_EQ(of_rest(9), (Lines{"0:r 59", "1:a 40", "1:b 10"}));
  EXPECT_EQ(of_rest(10), (Lines{"0:r 60", "1:a 40", "1:b 10", "1:+7 10"}));
}

TEST(PictureLayout, CountsAmongWhatIsLeftOutTheChildrenThatFoundNoLine) {
  const UsageTree tree = usage_tree(
      {directory("r", 100, {file("a", 40), file("b", 12), file("c", 11), file("d", 10)}, 7)});
  EXPECT_EQ(laid_out(tree, {.lines = 3}), (Lines{"0:r 100", "1:a 40", "1:+10 60"}));
  EXPECT_EQ(laid_out(tree, {.lines = 4}), (Lines{"0:r 100", "1:a 40", "1:b 12", "1:+9 48"}));
}

TEST(PictureLayout, NeverExceedsTheLines) {
  const UsageTree tree = example();
  for (std::size_t lines = 1; lines < 10; ++lines) {
    EXPECT_LE(laid_out(tree, {.lines = lines}).size(), lines);
  }
}

TEST(PictureLayout, SharesALineAmongDirectoriesThatArePracticallyOne) {
  EXPECT_EQ(laid_out(usage_tree({directory(
                         "r", 200, {directory("a", 100, {directory("b", 97, {file("c", 95)})})})}),
                     {.lines = 40}),
            (Lines{"0:r 200", "1:a/b/c 100"}));
  // All of them against the first: many small differences add up.
  EXPECT_EQ(laid_out(usage_tree({directory(
                         "r", 200, {directory("a", 100, {directory("b", 97, {file("c", 94)})})})}),
                     {.lines = 40}),
            (Lines{"0:r 200", "1:a/b 100", "2:c 94"}));
  // A second child is worth a line of its own.
  EXPECT_EQ(
      laid_out(
          usage_tree({directory("r", 200, {directory("a", 100, {file("b", 97), file("c", 2)})})}),
          {.lines = 40}),
      (Lines{"0:r 200", "1:a 100", "2:b 97", "2:c 2"}));
  // A root is what the user named.
  EXPECT_EQ(laid_out(usage_tree({directory("r", 100, {directory("a", 100)})}), {.lines = 40}),
            (Lines{"0:r 100", "1:a 100"}));
  // What is nothing is not all of nothing.
  EXPECT_EQ(
      laid_out(usage_tree({directory("r", 9, {directory("a", 0, {file("b", 0)})})}), {.lines = 40}),
      (Lines{"0:r 9", "1:a 0", "2:b 0"}));
}

TEST(PictureLayout, SumsRootsThatFoundNoLine) {
  const UsageTree tree = usage_tree({file("x", 10), directory("y", 50), file("z", 40)});
  EXPECT_EQ(laid_out(tree, {.lines = 40}), (Lines{"0:y 50", "0:z 40", "0:x 10"}));
  EXPECT_EQ(laid_out(tree, {.lines = 2}), (Lines{"0:y 50", "0:z 40"}));
  EXPECT_EQ(laid_out(tree, {.lines = 1}), (Lines{"0:y 50"}));
  EXPECT_EQ(laid_out(usage_tree({file("x", 40), directory("y", 50), file("z", 40)}), {.lines = 2}),
            (Lines{"0:y 50", "0:+2 80"}));
}

TEST(PictureLayout, LeavesOutWhatIsTooDeepForTheWidth) {
  EXPECT_EQ(laid_out(example(), {.lines = 40, .levels = 2}),
            (Lines{"0:r 100", "1:a 60", "1:b 30", "1:c 4", "1:+3 6"}));
  EXPECT_EQ(laid_out(example(), {.lines = 40, .levels = 1}), (Lines{"0:r 100"}));
}

TEST(PictureLayout, LeavesOutSmallShares) {
  PictureOptions options;
  options.min_share = 15;
  EXPECT_EQ(laid_out(example(), {.lines = 40}, options),
            (Lines{"0:r 100", "1:a 60", "2:a1 40", "2:a2 15", "1:b 30"}));
  options.min_share = 15.1;
  EXPECT_EQ(laid_out(example(), {.lines = 40}, options),
            (Lines{"0:r 100", "1:a 60", "2:a1 40", "1:b 30"}));
}

TEST(PictureLayout, Sorts) {
  PictureOptions options;
  options.sort = SortBy::name;
  options.reverse = true;
  EXPECT_EQ(laid_out(example(), {.lines = 5}, options),
            (Lines{"0:r 100", "1:b 30", "1:a 60", "2:a2 15", "2:a1 40"}));
  UsageTree tree = usage_tree({directory("r", 9, {file("a", 5), directory("b", 4, {}, 8)})});
  options.reverse = false;
  options.sort = SortBy::count;
  EXPECT_EQ(laid_out(tree, {.lines = 5}, options), (Lines{"0:r 9", "1:b 4", "1:a 5"}));
}

TEST(PictureLayout, MeasuresWhatItIsTold) {
  PictureOptions options;
  options.measure = Measure::inodes;
  EXPECT_EQ(laid_out(example(), {.lines = 3}, options), (Lines{"0:r 11", "1:a 5", "1:+5 5"}));
}

TEST(PictureLayout, OfNothing) {
  EXPECT_TRUE(laid_out(UsageTree{}, {.lines = 40}).empty());
  EXPECT_EQ(laid_out(usage_tree({directory("r", 0, {file("a", 0)}, 3)}), {.lines = 40}),
            (Lines{"0:r 0", "1:a 0"}));
}

}  // namespace
}  // namespace trawl::cli
