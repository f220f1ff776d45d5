// SPDX-License-Identifier: Apache-2.0
//
// The usage fold as a library user sees it; tests/differential holds it to GNU du.
#include <gtest/gtest.h>
#include <trawl/usage.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/random.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::fresh_seed;
using testing::RandomTree;

class Lines final : public UsageListener {
 public:
  explicit Lines(std::size_t enough = SIZE_MAX) : enough_(enough) {}
  void root(std::size_t index) override { roots.push_back(index); }
  bool line(const UsageLine& line) override {
    paths.emplace_back(line.path);
    sums.push_back(line.sums);
    return paths.size() < enough_;
  }
  void error(const UsageError& error) override { errors.emplace_back(error.path); }

  std::vector<std::size_t> roots;
  std::vector<std::string> paths;
  std::vector<UsageSums> sums;
  std::vector<std::string> errors;

 private:
  const std::size_t enough_;
};

const RandomTree& tree() {
  static const RandomTree tree(fresh_seed(), {.directories = 80, .entries = 6});
  return tree;
}

TEST(ListUsage, CallsNoMoreOnceTheListenerHasEnough) {
  for (const unsigned threads : {1U, 4U}) {
    UsageOptions options;
    options.walk.threads = threads;
    options.all = true;
    Lines lines(3);
    const UsageResult result = list_usage(tree().roots(), options, lines);
    EXPECT_EQ(lines.paths.size(), 3U);
    EXPECT_NE(result.walk.ending, Ending::complete);
  }
}

TEST(ListUsage, CountsRootsThatAreWithinOthersOnce) {
  const std::string top = tree().roots()[0];
  Lines once;
  const UsageResult alone = list_usage(std::vector{top}, {}, once);
  for (const unsigned threads : {1U, 2U, 16U}) {
    UsageOptions options;
    options.walk.threads = threads;
    // All directories, each twice, after the top and before it.
    std::vector<std::string> roots{top};
    for (const int round : {0, 1}) {
      roots.insert(roots.end(), once.paths.begin(), once.paths.end() - (round == 0 ? 0 : 1));
    }
    Lines after;
    const UsageResult result = list_usage(roots, options, after);
    EXPECT_EQ(after.paths, once.paths);
    EXPECT_EQ(result.total.disk_usage, alone.total.disk_usage);
    EXPECT_EQ(result.total.inodes, alone.total.inodes);
    EXPECT_LE(result.walk.statistics.open_calls, 2 * once.paths.size() + 16);

    roots.assign(once.paths.begin(), once.paths.end());  // children first
    Lines before;
    EXPECT_EQ(list_usage(roots, options, before).total.inodes, alone.total.inodes);
    EXPECT_EQ(before.paths, once.paths);
  }
}

TEST(ListUsage, OfNoRootsIsNothing) {
  Lines lines;
  const UsageResult result = list_usage({}, {}, lines);
  EXPECT_TRUE(result.walk.complete());
  EXPECT_TRUE(lines.paths.empty());
  EXPECT_EQ(result.total.inodes, 0U);
}

std::uint64_t sum_of_nodes(const UsageNode& node, const std::map<std::string, UsageSums>& expected,
                           const std::string& path) {
  const auto found = expected.find(path);
  EXPECT_NE(found, expected.end()) << path;
  if (found != expected.end()) {
    EXPECT_EQ(node.sums.disk_usage, found->second.disk_usage) << path;
    EXPECT_EQ(node.sums.inodes, found->second.inodes) << path;
  }
  std::uint64_t nodes = 1;
  for (const UsageNode& child : node.children) {
    nodes += sum_of_nodes(child, expected, path + "/" + child.name);
  }
  return nodes;
}

TEST(MeasureUsage, HasTheFiguresOfTheList) {
  UsageOptions list;
  list.all = true;
  Lines lines;
  list_usage(tree().roots(), list, lines);
  std::map<std::string, UsageSums> expected;
  for (std::size_t i = 0; i < lines.paths.size(); ++i) expected[lines.paths[i]] = lines.sums[i];
  for (const std::size_t nodes : {1U, 5U, 30U, 10'000U}) {
    UsageTreeOptions options;
    options.max_nodes = nodes;
    const UsageTree found = measure_usage(tree().roots(), options);
    ASSERT_EQ(found.roots.size(), 1U);
    const std::uint64_t kept = sum_of_nodes(found.roots[0], expected, found.roots[0].name);
    EXPECT_LE(kept, std::max<std::size_t>(nodes, 1));
    EXPECT_EQ(found.result.total.disk_usage, found.roots[0].sums.disk_usage);
  }
}

}  // namespace
}  // namespace trawl
