// SPDX-License-Identifier: Apache-2.0
//
// The answer must not depend on what the walk decides: listings are shared in the smallest pieces,
// by all directories, and workers are sent to the bench and back at random, while calls take their
// time.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

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
                                    .listing_buffer = 512,
                                    .read_before_split = random.one_in(2) ? 1U : 1000U,
                                    .limits_seed = random.next() | 1};
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
