// SPDX-License-Identifier: Apache-2.0
//
// Next to nothing to be had: descriptors, threads, stack. Limits are set in child processes.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/deep_tree.h"
#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/tree.h"
#include "sys/filesystem.h"

namespace trawl {
namespace {

using testing::Call;
using testing::compare;
using testing::DeepTree;
using testing::describe;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::Oracle;
using testing::passes_in_child;
using testing::RandomTree;
using testing::record;
using testing::Recording;
using testing::walk_naively;
using testing::with_threads;

std::set<int> open_descriptors() {
  std::set<int> open;
  DIR* const stream = ::opendir("/proc/self/fd");
  while (const struct dirent* entry = ::readdir(stream)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(stream)) open.insert(fd);
  }
  ::closedir(stream);
  return open;
}

void close_all_but_standard() {
  for (const int fd : open_descriptors()) {
    if (fd > 2) ::close(fd);
  }
}

class WalkLimits : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, WalkLimits,
                         ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

// ulimit -n 8: five descriptors for sixteen workers.
TEST_P(WalkLimits, EightDescriptors) {
  const RandomTree tree(fresh_seed(), {.directories = 300, .depth = 12, .entries = 4});
  for (const bool private_descriptors : {false, true}) {
    EXPECT_TRUE(passes_in_child([&] {
      for (const unsigned threads : {1U, 2U, 16U, 64U}) {
        Options options = with_threads(threads);
        options.backend = GetParam();
        options.private_descriptors = private_descriptors;
        const Oracle oracle = walk_naively(tree.roots(), options);
        close_all_but_standard();
        const struct rlimit eight = {8, 20'000};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &eight), 0);
        const Recording recording = record(tree.roots(), options);
        EXPECT_EQ(compare(recording, oracle, options), "") << describe(options);
        const struct rlimit many = {20'000, 20'000};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &many), 0);
      }
    }));
  }
}

// The same where directories lie far below the last that is open.
TEST_P(WalkLimits, EightDescriptorsInTheDeep) {
  const DeepTree tree(60, std::string(200, 'n'), true);
  const std::vector<std::string> roots{tree.path()};
  for (const bool private_descriptors : {false, true}) {
    EXPECT_TRUE(passes_in_child([&] {
      for (const unsigned threads : {1U, 16U}) {
        Options options = with_threads(threads);
        options.backend = GetParam();
        options.private_descriptors = private_descriptors;
        const Oracle oracle = walk_naively(roots, options);
        close_all_but_standard();
        const struct rlimit eight = {8, 20'000};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &eight), 0);
        const Recording recording = record(roots, options);
        EXPECT_EQ(compare(recording, oracle, options), "") << describe(options);
        const struct rlimit many = {20'000, 20'000};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &many), 0);
      }
    }));
  }
}

// Each listing takes its time, so that all workers want descriptors at once and keep them long.
TEST(WalkDescriptors, AreSharedByManyWorkers) {
  const RandomTree tree(fresh_seed(), {.directories = 200, .depth = 12, .entries = 2});
  EXPECT_TRUE(passes_in_child([&] {
    const Options options = with_threads(32);
    const Oracle oracle = walk_naively(tree.roots(), options);
    FaultFileSystem fs(sys::linux_filesystem());
    fs.delay(Call::read, std::chrono::milliseconds(3));
    close_all_but_standard();
    const struct rlimit eight = {8, 8};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &eight), 0);
    const Recording recording = record(fs, tree.roots(), options);
    EXPECT_EQ(compare(recording, oracle, options), "");
    EXPECT_EQ(fs.open_handles(), 0);
  }));
}

// No descriptor at all: an error, in finite time.
TEST_P(WalkLimits, NoDescriptors) {
  if (testing::kAddressSanitizer) GTEST_SKIP() << "needs a pipe to look at an object's type";
  const RandomTree tree(fresh_seed());
  EXPECT_TRUE(passes_in_child([&] {
    close_all_but_standard();
    const struct rlimit three = {3, 3};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &three), 0);
    Options options = with_threads(4);
    options.backend = GetParam();
    const Recording recording = record(tree.roots(), options);
    EXPECT_EQ(recording.result.ending, Ending::complete);
    ASSERT_EQ(recording.result.errors.size(), 1U);
    EXPECT_EQ(recording.result.errors[0].code, EMFILE);
    EXPECT_FALSE(recording.result.complete());
  }));
}

// What the process has open is left alone, and nothing is added to it.
TEST_P(WalkLimits, LeavesOtherDescriptorsAlone) {
  const RandomTree tree(fresh_seed(), {.directories = 200, .depth = 12, .entries = 4});
  EXPECT_TRUE(passes_in_child([&] {
    std::set<int> mine;
    for (int i = 0; i < 40; ++i) mine.insert(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    // With gaps, which the walk will use.
    for (int i = 0; i < 20; ++i) {
      ::close(*mine.begin());
      mine.erase(mine.begin());
    }
    const std::set<int> before = open_descriptors();
    for (int round = 0; round < testing::effort(60); ++round) {
      for (const bool private_descriptors : {false, true}) {
        Options options = with_threads(round % 2 == 0 ? 4 : 16);
        options.backend = GetParam();
        options.private_descriptors = private_descriptors;
        const Recording recording = record(tree.roots(), options);
        EXPECT_TRUE(recording.result.complete());
        ASSERT_EQ(open_descriptors(), before) << "round " << round;
      }
    }
  }));
}

// No handle is used or closed by a thread with another descriptor table than that it belongs to.
TEST(WalkDescriptors, PrivateOnesStayWithTheirThread) {
  const RandomTree tree(fresh_seed(), {.directories = 200, .depth = 12, .entries = 4});
  EXPECT_TRUE(passes_in_child([&] {
    for (int round = 0; round < testing::effort(30); ++round) {
      FaultFileSystem fs(sys::linux_filesystem());
      fs.delay(Call::read, std::chrono::microseconds(50));
      Options options = with_threads(4);
      options.private_descriptors = true;
      const Recording recording = record(fs, tree.roots(), options);
      EXPECT_GT(recording.result.statistics.workers, 1U);
      EXPECT_EQ(fs.calls(Call::make_private), recording.result.statistics.workers - 1);
      ASSERT_EQ(fs.foreign_uses(), 0U);
      ASSERT_EQ(fs.open_handles(), 0);
    }
  }));
}

TEST_P(WalkLimits, NoThreads) {
  const RandomTree tree(fresh_seed(), {.directories = 200});
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(::geteuid() != 0 || ::setuid(65534) == 0);
    const struct rlimit none = {0, 0};
    ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &none), 0);
    Options options = with_threads(16);
    options.backend = GetParam();
    const Recording recording = record(tree.roots(), options);
    EXPECT_EQ(compare(recording, walk_naively(tree.roots(), options), options), "");
    EXPECT_EQ(recording.result.statistics.workers, 1U);
  }));
}

// ulimit -s 64: recursion would show.
TEST_P(WalkLimits, LittleStack) {
  if (testing::kAddressSanitizer || testing::kThreadSanitizer) GTEST_SKIP() << "needs more itself";
  const DeepTree tree(5'000, "d", true);
  const std::vector<std::string> roots{tree.path()};
  EXPECT_TRUE(passes_in_child([&] {
    const struct rlimit little = {64 << 10, 64 << 10};
    ASSERT_EQ(::setrlimit(RLIMIT_STACK, &little), 0);
    for (const unsigned threads : {1U, 8U}) {
      Options options = with_threads(threads);
      options.backend = GetParam();
      Visitor visitor;
      const Result result = walk(roots, options, [&](unsigned) -> Visitor& { return visitor; });
      EXPECT_TRUE(result.complete());
      EXPECT_EQ(result.statistics.entries, tree.entries());
    }
  }));
}

}  // namespace
}  // namespace trawl
