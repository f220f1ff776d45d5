// SPDX-License-Identifier: Apache-2.0
//
// The answer must not depend on what the walk decides: listings are shared in the smallest pieces,
// by all directories, and workers are sent to the bench and back at random, while calls take their
// time.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/walk.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/tree.h"
#include "walk/tuning.h"

namespace trawl {
namespace {

using testing::compare;
using testing::effort;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::Random;
using testing::RandomTree;
using testing::record;
using testing::Recording;
using testing::Request;
using testing::walk_naively;

TEST(WalkTuning, ForcedDecisionsChangeNothing) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(12); ++round) {
    const RandomTree tree(random.next(), {.directories = 40, .entries = 12});
    for (const Fields fields : {Fields::none, Fields::basic}) {
      for (const Follow follow : {Follow::never, Follow::all}) {
        Options options;
        options.threads = random.one_in(2) ? 0 : 1 + static_cast<unsigned>(random.below(64));
        options.fields = fields;
        options.follow = follow;
        const engine::Tuning tuning{.piece = 1 + static_cast<std::uint32_t>(random.below(4)),
                                    .share_always = !random.one_in(4),
                                    .listing_buffer = random.one_in(4) ? 1U << 20 : 512U,
                                    .read_before_split = random.one_in(2) ? 1U : 1000U,
                                    .limits_seed = random.next() | 1,
                                    .nodes = static_cast<unsigned>(random.below(4)),
                                    .inode_order = random.one_in(2)};
        FaultFileSystem fs(sys::linux_filesystem());
        const std::uint64_t delays = random.next();
        fs.fail_when([delays](const Request& request) {
          if (((request.ordinal + 1) * delays >> 32) % 16 == 0) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
          }
          return 0;
        });
        const Recording recording = record(fs, tree.roots(), options, {}, tuning);
        EXPECT_EQ(compare(recording, walk_naively(tree.roots(), options), options), "")
            << testing::describe(options) << " round " << round;
        EXPECT_EQ(fs.open_handles(), 0);
      }
    }
  }
}

// Stats come in the order of inodes, reports in the listing's.
TEST(WalkTuning, StatsInInodeOrder) {
  const RandomTree tree(fresh_seed(), {.directories = 1, .entries = 200});
  Options options;
  options.threads = 1;
  options.fields = Fields::basic;
  FaultFileSystem fs(sys::linux_filesystem());
  std::vector<std::uint64_t> inodes;
  fs.fail_when([&](const Request& request) {
    struct stat info;
    if (request.call == testing::Call::stat_at && std::strchr(request.path, '/') == nullptr &&
        ::fstatat(request.fd, request.path, &info, AT_SYMLINK_NOFOLLOW) == 0) {
      inodes.push_back(info.st_ino);
    }
    return 0;
  });
  const Recording recording = record(fs, tree.roots(), options, {}, {.inode_order = true});
  EXPECT_EQ(compare(recording, walk_naively(tree.roots(), options), options), "");
  EXPECT_GT(inodes.size(), 20U);
  EXPECT_TRUE(std::is_sorted(inodes.begin(), inodes.end()));
}

TEST(WalkTuning, WordsOfTheEnvironment) {
  ASSERT_EQ(::setenv("TRAWL_TUNING", "dont-sync,inode-order,buffer=131072,what=7", 1), 0);
  engine::Tuning tuning = engine::Tuning::from_environment();
  EXPECT_TRUE(tuning.dont_sync);
  EXPECT_TRUE(tuning.inode_order);
  EXPECT_EQ(tuning.listing_buffer, 131072U);
  ASSERT_EQ(::setenv("TRAWL_TUNING", "buffer=1", 1), 0);
  tuning = engine::Tuning::from_environment();
  EXPECT_FALSE(tuning.dont_sync);
  EXPECT_FALSE(tuning.inode_order);
  EXPECT_EQ(tuning.listing_buffer, 512U);
  ASSERT_EQ(::unsetenv("TRAWL_TUNING"), 0);
  EXPECT_EQ(engine::Tuning::from_environment().listing_buffer, 0U);
}

// Small directories too, so that pieces are one entry.
TEST(WalkTuning, PiecesAreReallyShared) {
  const RandomTree tree(fresh_seed(), {.directories = 40, .entries = 12});
  Options options;
  options.threads = 4;
  options.fields = Fields::basic;
  const Recording recording = record(sys::linux_filesystem(), tree.roots(), options, {},
                                     {.piece = 1, .share_always = true});
  EXPECT_GT(recording.result.statistics.splits, 10U);
}

}  // namespace
}  // namespace trawl
