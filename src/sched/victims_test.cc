// SPDX-License-Identifier: Apache-2.0
#include "sched/victims.h"

#include <gtest/gtest.h>

#include <vector>

namespace trawl::sched {
namespace {

using Workers = std::vector<unsigned>;

Workers order(unsigned thief, unsigned workers) {
  Workers seen;
  EXPECT_FALSE(look_at_victims(thief, workers, [&](unsigned victim) {
    seen.push_back(victim);
    return false;
  }));
  return seen;
}

// By the node of each worker.
Workers order(unsigned thief, const Workers& nodes) {
  Workers seen;
  EXPECT_FALSE(look_at_victims(
      thief, static_cast<unsigned>(nodes.size()),
      [&](unsigned victim) { return nodes.at(victim) == nodes.at(thief); },
      [&](unsigned victim) {
        seen.push_back(victim);
        return false;
      }));
  return seen;
}

TEST(Victims, AreLookedAtFromTheNeighbourOn) {
  EXPECT_EQ(order(0, 1), Workers{});
  EXPECT_EQ(order(0, 4), (Workers{1, 2, 3}));
  EXPECT_EQ(order(2, 4), (Workers{3, 0, 1}));
  EXPECT_EQ(order(3, 4), (Workers{0, 1, 2}));
}

TEST(Victims, OfTheOwnNodeComeFirst) {
  EXPECT_EQ(order(0, {0, 1, 0, 1, 0}), (Workers{2, 4, 1, 3}));
  EXPECT_EQ(order(3, {0, 1, 0, 1, 0, 1}), (Workers{5, 1, 4, 0, 2}));
  EXPECT_EQ(order(2, {8, 0, 0, 8, 4}), (Workers{1, 3, 4, 0}));
}

TEST(Victims, OfOneNodeComeInTurn) {
  EXPECT_EQ(order(1, {0, 0, 0, 0}), (Workers{2, 3, 0}));
  EXPECT_EQ(order(1, {0, 1, 0, 0}), (Workers{2, 3, 0}));
}

TEST(Victims, AreLookedAtUntilOneHasSomething) {
  Workers seen;
  const auto look = [&](unsigned victim) {
    seen.push_back(victim);
    return victim == 3;
  };
  EXPECT_TRUE(look_at_victims(1, 5, look));
  EXPECT_EQ(seen, (Workers{2, 3}));
  seen.clear();
  EXPECT_TRUE(look_at_victims(
      1, 5, [](unsigned victim) { return victim >= 3; }, look));
  EXPECT_EQ(seen, Workers{3});
  seen.clear();
  EXPECT_TRUE(look_at_victims(
      1, 5, [](unsigned victim) { return victim == 0; }, look));
  EXPECT_EQ(seen, (Workers{0, 2, 3}));
}

}  // namespace
}  // namespace trawl::sched
