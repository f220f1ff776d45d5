// SPDX-License-Identifier: Apache-2.0
//
// walk() against the oracle on random trees: with every combination of options the same entries,
// once each, with the same metadata, and calls in the promised order.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::compare;
using testing::describe;
using testing::effort;
using testing::fresh_seed;
using testing::mostly_in_memory;
using testing::Oracle;
using testing::passes_in_child;
using testing::Random;
using testing::RandomTree;
using testing::record;
using testing::Recording;
using testing::walk_naively;

// All combinations. Of `private_descriptors` only tests that have a process of their own want both.
std::vector<Options> combinations(Backend backend, bool private_descriptors) {
  std::vector<Options> all;
  for (const unsigned threads : {1U, 2U, 16U, 64U}) {
    for (const Fields fields : {Fields::none, Fields::basic}) {
      for (const int max_depth : {INT32_MAX, 0, 1, 3}) {
        for (const bool in_batch : {false, true}) {
          for (const bool one_file_system : {false, true}) {
            for (const int follow : {0, 1, 2, 3}) {
              Options options;
              options.threads = threads;
              options.fields = fields;
              options.max_depth = max_depth;
              options.directory_metadata_in_batch = in_batch;
              options.one_file_system = one_file_system;
              options.follow = static_cast<Follow>(follow < 3 ? follow : 2);
              options.visit_once = follow != 3;
              options.backend = backend;
              options.private_descriptors = private_descriptors;
              // By several paths a limit of depth reaches this or that.
              if (options.follow == Follow::all && options.visit_once && threads > 1 &&
                  max_depth != INT32_MAX) {
                continue;
              }
              // Every path of a tree whose links lead everywhere: too many if nothing ends them.
              if (follow == 3 && max_depth > 1) options.max_depth = 1;
              all.push_back(options);
            }
          }
        }
      }
    }
  }
  return all;
}

void expect_oracle(const std::vector<std::string>& roots, const Options& options) {
  const Oracle oracle = walk_naively(roots, options);
  const Recording recording = record(roots, options);
  EXPECT_EQ(compare(recording, oracle, options), "") << describe(options);
}

class WalkOracle : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, WalkOracle,
                         ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkOracle, EveryCombinationOnOneTree) {
  const RandomTree tree(fresh_seed(), {.roots = 3, .directories = 30, .entries = 6});
  const std::vector<Options> all = combinations(GetParam(), false);
  const std::size_t step = testing::kThreadSanitizer ? 7 : 1;
  for (std::size_t i = 0; i < all.size() && !HasFailure(); i += step) {
    expect_oracle(tree.roots(), all[i]);
  }
}

TEST_P(WalkOracle, SomeCombinationsOnManyTrees) {
  Random random(fresh_seed());
  const std::vector<Options> all = combinations(GetParam(), false);
  for (int round = 0; round < effort(40) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(),
                          {.roots = random.between(1, 3),
                           .directories = random.between(1, 100),
                           .depth = random.between(1, 12),
                           .entries = random.between(0, 16)},
                          mostly_in_memory(random));
    for (int i = 0; i < 12; ++i) expect_oracle(tree.roots(), all[random.below(all.size())]);
  }
}

// In another process, for after that its threads' tables are the only ones of their kind.
TEST_P(WalkOracle, PrivateDescriptors) {
  const std::uint64_t seed = fresh_seed();
  EXPECT_TRUE(passes_in_child([&] {
    Random random(seed);
    const std::vector<Options> all = combinations(GetParam(), true);
    for (int round = 0; round < effort(10) && !HasFailure(); ++round) {
      const RandomTree tree(random.next(), {.roots = 2, .directories = 60},
                            mostly_in_memory(random));
      for (int i = 0; i < 12; ++i) expect_oracle(tree.roots(), all[random.below(all.size())]);
    }
  }));
}

TEST_P(WalkOracle, UnreadableDirectories) {
  const std::uint64_t seed = fresh_seed();
  EXPECT_TRUE(passes_in_child([&] {
    // Root may read everything.
    ASSERT_TRUE(::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0));
    Random random(seed);
    const std::vector<Options> all = combinations(GetParam(), false);
    for (int round = 0; round < effort(20) && !HasFailure(); ++round) {
      const RandomTree tree(random.next(), {.directories = 60, .depth = 8, .unreadable = true},
                            mostly_in_memory(random));
      for (int i = 0; i < 12; ++i) {
        Options options = all[random.below(all.size())];
        options.follow = random.one_in(2) ? Follow::never : Follow::roots;
        expect_oracle(tree.roots(), options);
      }
    }
  }));
}

// With one worker the order is that of a serial walk.
TEST_P(WalkOracle, OneWorkerWalksInListingOrder) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(30); ++round) {
    const RandomTree tree(random.next(), {.roots = 2, .directories = 50}, mostly_in_memory(random));
    Options options;
    options.threads = 1;
    options.backend = GetParam();
    const Oracle oracle = walk_naively(tree.roots(), options);
    const Recording recording = record(tree.roots(), options);
    ASSERT_EQ(recording.entries.size(), oracle.entries.size());
    for (std::size_t i = 0; i < oracle.entries.size(); ++i) {
      ASSERT_EQ(recording.entries[i].path, oracle.entries[i].path);
    }
    ASSERT_EQ(recording.directories.size(), oracle.directories.size());
    for (std::size_t i = 0; i < oracle.directories.size(); ++i) {
      ASSERT_EQ(recording.directories[i].path, oracle.directories[i].path);
    }
  }
}

TEST_P(WalkOracle, CountsWhatItDoes) {
  const RandomTree tree(fresh_seed(), {.directories = 100, .symlinks = false});
  for (const unsigned threads : {1U, 4U}) {
    Options options;
    options.threads = threads;
    options.fields = Fields::basic;
    options.backend = GetParam();
    std::atomic<std::uint64_t> progress = 0;
    options.progress_entries = &progress;
    const Oracle oracle = walk_naively(tree.roots(), options);
    const Recording recording = record(tree.roots(), options);
    const Statistics& statistics = recording.result.statistics;
    EXPECT_EQ(statistics.entries, oracle.entries.size());
    EXPECT_EQ(progress, oracle.entries.size());
    EXPECT_EQ(statistics.directories, oracle.directories.size());
    EXPECT_EQ(statistics.errors, 0U);
    EXPECT_EQ(statistics.vanished, 0U);
    EXPECT_EQ(statistics.open_calls, statistics.close_calls);
    EXPECT_TRUE(recording.result.errors.empty());
    EXPECT_TRUE(recording.result.complete());
    EXPECT_EQ(recording.visitors, statistics.workers);
    EXPECT_LE(statistics.workers, threads);
  }
}

TEST_P(WalkOracle, AsksForTheFieldsWanted) {
  const RandomTree tree(fresh_seed(), {.directories = 10});
  Options options;
  options.fields = Fields::size | Fields::mtime;
  options.threads = 1;
  options.backend = GetParam();
  const Recording recording = record(tree.roots(), options);
  EXPECT_EQ(recording.violations, std::vector<std::string>());
  for (const auto& entry : recording.entries) {
    if (!entry.metadata) continue;
    EXPECT_TRUE(has(entry.metadata->valid, options.fields | Fields::type | Fields::identity));
  }
}

}  // namespace
}  // namespace trawl
