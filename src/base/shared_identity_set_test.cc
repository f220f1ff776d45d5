// SPDX-License-Identifier: Apache-2.0
#include "base/shared_identity_set.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/effort.h"

namespace trawl::base {
namespace {

TEST(SharedIdentitySet, InsertTellsNewFromKnown) {
  SharedIdentitySet set;
  EXPECT_TRUE(set.insert({8, 100}));
  EXPECT_FALSE(set.insert({8, 100}));
  EXPECT_TRUE(set.insert({9, 100}));
  EXPECT_TRUE(set.insert({0, 0}));
  EXPECT_FALSE(set.insert({0, 0}));
}

// Of all threads that insert the same identity, one alone is told that it was new.
TEST(SharedIdentitySet, OneThreadWins) {
  constexpr unsigned kThreads = 8;
  const auto identities = static_cast<std::uint64_t>(testing::effort(50'000));
  SharedIdentitySet set;
  std::atomic<std::uint64_t> wins = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::uint64_t mine = 0;
      for (std::uint64_t i = 0; i < identities; ++i) {
        // Half of them upwards, half downwards, so that they meet in the middle.
        const std::uint64_t inode = t % 2 == 0 ? i : identities - 1 - i;
        mine += set.insert({1, inode}) ? 1U : 0U;
      }
      wins += mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wins.load(), identities);
}

}  // namespace
}  // namespace trawl::base
