// SPDX-License-Identifier: Apache-2.0
//
// Trees so deep that no path reaches their end.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/deep_tree.h"
#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/recorder.h"
#include "sys/filesystem.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::compare;
using testing::DeepTree;
using testing::describe;
using testing::effort;
using testing::FaultFileSystem;
using testing::passes_in_child;
using testing::record;
using testing::Recording;
using testing::walk_naively;

std::vector<Options> option_sets(Backend backend) {
  std::vector<Options> all;
  for (const unsigned threads : {1U, 2U, 16U}) {
    for (const Fields fields : {Fields::none, Fields::basic}) {
      Options options;
      options.threads = threads;
      options.fields = fields;
      options.backend = backend;
      all.push_back(options);
    }
  }
  return all;
}

// Paths of 10,000 levels would take 100 MB: this one counts.
class Counter final : public Visitor {
 public:
  Verdict entries(Directory& directory, std::span<Entry> batch) override {
    count += batch.size();
    for (const Entry& entry : batch) errors += entry.error != 0 ? 1U : 0U;
    if (directory.depth() >= deepest && directory.depth() % 100 == 99) {  // it takes its time
      deepest = directory.depth();
      std::string longer;  // than that of a side branch at the same depth
      directory.append_path(longer);
      if (longer.size() > path.size()) path = longer;
    }
    return Verdict::proceed;
  }
  void leave(Directory& directory) override {
    complete += directory.state() == State::complete ? 1U : 0U;
  }

  std::uint64_t count = 0;
  std::uint64_t complete = 0;
  std::uint64_t errors = 0;
  int deepest = -2;
  std::string path;
};

void expect_all_counted(const DeepTree& tree, int levels, std::size_t name_size,
                        const Options& options) {
  const std::vector<std::string> roots{tree.path()};
  const auto [result, counters] = walk<Counter>(roots, options);
  Counter sum;
  for (const auto& counter : counters) {
    sum.count += counter->count;
    sum.complete += counter->complete;
    sum.errors += counter->errors;
    sum.deepest = std::max(sum.deepest, counter->deepest);
    if (counter->path.size() > sum.path.size()) sum.path = counter->path;
  }
  EXPECT_TRUE(result.complete()) << describe(options);
  EXPECT_EQ(sum.count, tree.entries()) << describe(options);
  EXPECT_EQ(sum.complete, tree.directories_below() + 2) << describe(options);
  EXPECT_EQ(sum.errors, 0U);
  EXPECT_EQ(result.statistics.vanished, 0U) << describe(options);
  EXPECT_GE(sum.deepest, levels - 1);  // which has the last entries
  EXPECT_GE(sum.path.size(),
            tree.path().size() + static_cast<std::size_t>(levels - 1) * (name_size + 1));
}

class WalkDeep : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, WalkDeep, ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkDeep, SixtyLevelsOfLongNames) {
  const DeepTree tree(60, std::string(200, 'n'), true);
  const std::vector<std::string> roots{tree.path()};
  for (Options options : option_sets(GetParam())) {
    for (const bool one_file_system : {false, true}) {
      options.one_file_system = one_file_system;
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
      EXPECT_EQ(recording.entries.size(), tree.entries());
    }
  }
}

TEST_P(WalkDeep, LongestNames) {
  const DeepTree tree(100, std::string(255, '\xfe'), true);
  for (const Options& options : option_sets(GetParam())) {
    expect_all_counted(tree, 100, 255, options);
  }
}

TEST_P(WalkDeep, TenThousandLevels) {
  const int levels = testing::kThreadSanitizer ? 2'000 : 10'000;
  const DeepTree tree(levels, "d");
  for (const Options& options : option_sets(GetParam())) {
    expect_all_counted(tree, levels, 1, options);
  }
}

// With something to steal at each level, so that workers have to find their way down on their own.
TEST_P(WalkDeep, TenThousandLevelsWithBranches) {
  const int levels = testing::kThreadSanitizer ? 1'000 : 10'000;
  const DeepTree tree(levels, "dir", true);
  for (const Options& options : option_sets(GetParam())) {
    expect_all_counted(tree, levels, 3, options);
  }
}

TEST_P(WalkDeep, PrivateDescriptors) {
  EXPECT_TRUE(passes_in_child([&] {
    const int levels = effort(3'000);
    const DeepTree tree(levels, std::string(20, 'x'), true);
    for (Options options : option_sets(GetParam())) {
      options.private_descriptors = true;
      expect_all_counted(tree, levels, 20, options);
    }
  }));
}

// Following links asks every ancestor whether it is the same.
TEST_P(WalkDeep, WithLinksFollowed) {
  const int levels = effort(3'000);
  const DeepTree tree(levels, "d", true);
  for (Options options : option_sets(GetParam())) {
    options.follow = Follow::all;
    for (const bool once : {true, false}) {
      options.visit_once = once;
      expect_all_counted(tree, levels, 1, options);
    }
  }
}

// Three anchors and the directory that is listed.
TEST_P(WalkDeep, HoldsFewDescriptors) {
  const DeepTree tree(400, std::string(200, 'n'), true);
  FaultFileSystem fs(GetParam() == Backend::posix ? sys::posix_filesystem()
                                                  : sys::linux_filesystem());
  const std::vector<std::string> roots{tree.path()};
  for (const Options& options : option_sets(GetParam())) {
    Visitor visitor;
    const VisitorFactory factory = [&](unsigned) -> Visitor& { return visitor; };
    const Result result = engine::Engine(fs, roots, options, factory).run();
    EXPECT_TRUE(result.complete());
    EXPECT_EQ(fs.open_handles(), 0);
    EXPECT_LE(fs.most_open_handles(), 4 * options.threads);
    EXPECT_EQ(result.statistics.open_calls, result.statistics.close_calls);
  }
}

}  // namespace
}  // namespace trawl
