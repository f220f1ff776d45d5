// SPDX-License-Identifier: Apache-2.0
#include "base/identity_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "support/random.h"

namespace trawl::base {
namespace {

using testing::Random;

TEST(IdentitySet, StartsEmpty) {
  const IdentitySet set;
  EXPECT_EQ(set.size(), 0U);
  EXPECT_FALSE(set.contains({1, 2}));
  EXPECT_FALSE(set.contains({0, 0}));
}

TEST(IdentitySet, InsertTellsNewFromKnown) {
  IdentitySet set;
  EXPECT_TRUE(set.insert({8, 100}));
  EXPECT_FALSE(set.insert({8, 100}));
  EXPECT_TRUE(set.contains({8, 100}));
  EXPECT_EQ(set.size(), 1U);
}

TEST(IdentitySet, DeviceAndInodeBothCount) {
  IdentitySet set;
  EXPECT_TRUE(set.insert({1, 2}));
  EXPECT_TRUE(set.insert({2, 1}));
  EXPECT_TRUE(set.insert({2, 2}));
  EXPECT_FALSE(set.contains({1, 1}));
  EXPECT_EQ(set.size(), 3U);
}

// All zero marks a free slot inside.
TEST(IdentitySet, HoldsZeroAndItsNeighbours) {
  IdentitySet set;
  EXPECT_FALSE(set.contains({0, 0}));
  EXPECT_TRUE(set.insert({0, 0}));
  EXPECT_FALSE(set.insert({0, 0}));
  EXPECT_TRUE(set.insert({0, 1}));
  EXPECT_TRUE(set.insert({1, 0}));
  EXPECT_TRUE(set.contains({0, 0}));
  EXPECT_EQ(set.size(), 3U);
}

TEST(IdentitySet, HoldsExtremes) {
  IdentitySet set;
  EXPECT_TRUE(set.insert({UINT64_MAX, UINT64_MAX}));
  EXPECT_TRUE(set.insert({UINT64_MAX, 0}));
  EXPECT_TRUE(set.insert({0, UINT64_MAX}));
  EXPECT_FALSE(set.insert({UINT64_MAX, UINT64_MAX}));
  EXPECT_EQ(set.size(), 3U);
}

TEST(IdentitySet, KeepsAllWhileItGrows) {
  IdentitySet set;
  constexpr std::uint64_t kCount = 10'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(set.insert({7, i})) << i;
    ASSERT_EQ(set.size(), i + 1);
  }
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(set.contains({7, i})) << i;
    ASSERT_FALSE(set.insert({7, i})) << i;
  }
  EXPECT_FALSE(set.contains({7, kCount}));
  EXPECT_EQ(set.size(), kCount);
}

TEST(IdentitySet, AgreesWithStdSet) {
  Random random(testing::fresh_seed());
  for (int round = 0; round < 30; ++round) {
    IdentitySet set;
    std::set<FileIdentity> expected;
    const std::uint64_t range = 1 + random.below(3000);
    for (int i = 0; i < 2000; ++i) {
      const FileIdentity id{random.below(3), random.below(range)};
      ASSERT_EQ(set.contains(id), expected.count(id) != 0);
      ASSERT_EQ(set.insert(id), expected.insert(id).second);
      ASSERT_EQ(set.size(), expected.size());
    }
  }
}

// Dense inodes, in groups, or with a number of their filesystem's in the high bits. A hash that
// looks at some of the bits only takes minutes for some of these.
TEST(IdentitySet, SpreadsInodesThatDifferInFewBits) {
  constexpr std::uint64_t kCount = 400'000;
  for (const int shift : {0, 1, 5, 8, 13, 20, 24, 32, 40}) {
    IdentitySet set;
    for (std::uint64_t i = 0; i < kCount; ++i) set.insert({0x801, i << shift});
    EXPECT_EQ(set.size(), kCount) << shift;
  }
}

}  // namespace
}  // namespace trawl::base
