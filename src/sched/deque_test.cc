// SPDX-License-Identifier: Apache-2.0
#include "sched/deque.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/random.h"

namespace trawl::sched {
namespace {

using testing::effort;
using testing::Random;

// Units are the numbers [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t units() const { return end - begin; }
  Range take_first() {
    const Range first{begin, begin + 1};
    ++begin;
    return first;
  }
  Range take_back_half() {
    const std::size_t half = units() / 2;
    end -= half;
    return {end, end + half};
  }
  friend bool operator==(const Range&, const Range&) = default;
};

constexpr Range one(std::size_t number) { return {number, number + 1}; }

TEST(Deque, IsEmptyAtFirst) {
  Deque<Range> deque;
  EXPECT_EQ(deque.units(), 0U);
  EXPECT_EQ(deque.pop(), std::nullopt);
  EXPECT_EQ(deque.steal(), std::nullopt);
  EXPECT_EQ(deque.units(), 0U);
}

TEST(Deque, OwnerPopsNewest) {
  Deque<Range> deque;
  for (std::size_t i = 0; i < 3; ++i) deque.push(one(i));
  EXPECT_EQ(deque.pop(), one(2));
  deque.push(one(3));
  EXPECT_EQ(deque.pop(), one(3));
  EXPECT_EQ(deque.pop(), one(1));
  EXPECT_EQ(deque.pop(), one(0));
  EXPECT_EQ(deque.pop(), std::nullopt);
}

TEST(Deque, OwnerPopsUnitsOfARangeInOrder) {
  Deque<Range> deque;
  deque.push({10, 13});
  EXPECT_EQ(deque.pop(), one(10));
  deque.push(one(99));  // what a unit leads to comes before its siblings
  EXPECT_EQ(deque.pop(), one(99));
  EXPECT_EQ(deque.pop(), one(11));
  EXPECT_EQ(deque.pop(), one(12));
  EXPECT_EQ(deque.pop(), std::nullopt);
}

TEST(Deque, ThiefTakesOldest) {
  Deque<Range> deque;
  for (std::size_t i = 0; i < 3; ++i) deque.push(one(i));
  EXPECT_EQ(deque.steal(), one(0));
  EXPECT_EQ(deque.steal(), one(1));
  EXPECT_EQ(deque.pop(), one(2));
  EXPECT_EQ(deque.steal(), std::nullopt);
}

TEST(Deque, ThiefTakesBackHalfOfARange) {
  Deque<Range> deque;
  deque.push({0, 9});
  deque.push({100, 200});
  EXPECT_EQ(deque.steal(), (Range{5, 9}));
  EXPECT_EQ(deque.steal(), (Range{3, 5}));
  EXPECT_EQ(deque.steal(), (Range{2, 3}));
  EXPECT_EQ(deque.steal(), (Range{1, 2}));
  EXPECT_EQ(deque.steal(), one(0));
  EXPECT_EQ(deque.steal(), (Range{150, 200}));
}

TEST(Deque, CountsUnits) {
  Deque<Range> deque;
  deque.push({0, 9});
  EXPECT_EQ(deque.units(), 9U);
  deque.push(one(9));
  EXPECT_EQ(deque.units(), 10U);
  deque.pop();  // 9
  EXPECT_EQ(deque.units(), 9U);
  deque.pop();  // 0
  EXPECT_EQ(deque.units(), 8U);
  deque.steal();  // 5 to 8
  EXPECT_EQ(deque.units(), 4U);
  while (deque.pop()) {
  }
  EXPECT_EQ(deque.units(), 0U);
}

// Stolen tasks leave a gap at the front, which pushing closes when there is no room at the back.
TEST(Deque, KeepsOrderAfterThefts) {
  Deque<Range> deque;
  std::deque<Range> expected;
  std::size_t next = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) {
      expected.push_back(one(next));
      deque.push(one(next++));
    }
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(deque.steal(), expected.front());
      expected.pop_front();
    }
    ASSERT_EQ(deque.units(), expected.size());
  }
  while (!expected.empty()) {
    ASSERT_EQ(deque.pop(), expected.back());
    expected.pop_back();
  }
  EXPECT_EQ(deque.pop(), std::nullopt);
}

TEST(Deque, AgreesWithModel) {
  Random random(testing::fresh_seed());
  for (int round = 0; round < effort(300); ++round) {
    Deque<Range> deque;
    std::deque<Range> model;
    std::size_t next = 0;
    for (int step = 0; step < 300; ++step) {
      const auto choice = random.below(4);
      if (choice < 2) {
        const std::size_t units = 1 + (random.one_in(2) ? 0 : random.below(20));
        model.push_back({next, next + units});
        deque.push({next, next + units});
        next += units;
      } else if (choice == 2) {
        std::optional<Range> expected;
        if (!model.empty()) {
          expected = one(model.back().begin);
          if (++model.back().begin == model.back().end) model.pop_back();
        }
        ASSERT_EQ(deque.pop(), expected);
      } else {
        std::optional<Range> expected;
        if (!model.empty()) {
          Range& oldest = model.front();
          const std::size_t half = std::max<std::size_t>(1, oldest.units() / 2);
          expected = Range{oldest.end - half, oldest.end};
          oldest.end -= half;
          if (oldest.units() == 0) model.pop_front();
        }
        ASSERT_EQ(deque.steal(), expected);
      }
      std::size_t units = 0;
      for (const Range& range : model) units += range.units();
      ASSERT_EQ(deque.units(), units);
    }
  }
}

// A task may own something.
struct Owning {
  std::unique_ptr<int> value;
  std::size_t units() const { return 1; }
  Owning take_first() { return std::move(*this); }
  Owning take_back_half() { return std::move(*this); }
};

TEST(Deque, MovesTasks) {
  Deque<Owning> deque;
  for (int i = 0; i < 20; ++i) deque.push({std::make_unique<int>(i)});
  EXPECT_EQ(*deque.steal()->value, 0);
  EXPECT_EQ(*deque.pop()->value, 19);
  EXPECT_EQ(*deque.steal()->value, 1);
}  // what is left goes with it

// Every unit is handed out once, whoever takes it.
TEST(Deque, HandsOutEachUnitOnceToOwnerAndThieves) {
  const auto tasks = static_cast<std::size_t>(effort(100'000));
  constexpr std::size_t kMostUnits = 7;
  constexpr int kThieves = 3;
  Deque<Range> deque;
  std::vector<std::atomic<unsigned char>> taken(tasks * kMostUnits);
  std::atomic<bool> done = false;
  const auto take = [&](const Range& range) {
    for (std::size_t i = range.begin; i < range.end; ++i) taken[i].fetch_add(1);
  };
  std::vector<std::thread> thieves;
  for (int i = 0; i < kThieves; ++i) {
    thieves.emplace_back([&] {
      while (!done) {
        if (auto loot = deque.steal()) take(*loot);
      }
    });
  }
  Random random(testing::fresh_seed());
  std::size_t next = 0;
  for (std::size_t i = 0; i < tasks; ++i) {
    const std::size_t units = 1 + random.below(kMostUnits);
    deque.push({next, next + units});
    next += units;
    for (auto pops = random.below(2 * kMostUnits); pops > 0; --pops) {
      const auto task = deque.pop();
      if (!task) break;
      ASSERT_EQ(task->units(), 1U);
      take(*task);
    }
  }
  while (const auto task = deque.pop()) take(*task);
  done = true;
  for (std::thread& thief : thieves) thief.join();
  EXPECT_EQ(deque.units(), 0U);
  for (std::size_t i = 0; i < next; ++i) ASSERT_EQ(taken[i], 1) << i;
}

}  // namespace
}  // namespace trawl::sched
