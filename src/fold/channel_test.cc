// SPDX-License-Identifier: Apache-2.0
#include "fold/channel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/random.h"

namespace trawl::fold {
namespace {

using namespace std::chrono_literals;
using Item = std::unique_ptr<int>;

const auto patient = [] { return true; };
const auto nothing_more = [] { return true; };

TEST(Channel, GivesOutInOrder) {
  Channel<Item> channel(100);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(channel.push(std::make_unique<int>(i), 20, patient));
  }
  channel.close();
  Item item;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(channel.pop(item, nothing_more));
    EXPECT_EQ(*item, i);
  }
  EXPECT_FALSE(channel.pop(item, nothing_more));
}

TEST(Channel, HoldsNoMoreThanItsCapacity) {
  Channel<Item> channel(10);
  std::atomic<int> pushed = 0;
  std::jthread producer([&] {
    for (int i = 0; i < 100; ++i) {
      channel.push(std::make_unique<int>(i), 3, patient);
      ++pushed;
    }
    channel.close();
  });
  int popped = 0;
  for (Item item; channel.pop(item, nothing_more); ++popped) {
    if (popped % 10 == 0) std::this_thread::sleep_for(1ms);
    EXPECT_LE(pushed, popped + 1 + 10 / 3);
    EXPECT_EQ(*item, popped);
  }
  EXPECT_EQ(popped, 100);
}

TEST(Channel, WhatIsHeavierThanTheCapacityPassesAlone) {
  Channel<Item> channel(1);
  std::jthread producer([&] {
    for (int i = 0; i < 50; ++i) channel.push(std::make_unique<int>(i), 128, patient);
    channel.close();
  });
  int popped = 0;
  for (Item item; channel.pop(item, nothing_more); ++popped) EXPECT_EQ(*item, popped);
  EXPECT_EQ(popped, 50);
}

TEST(Channel, WhoMayNotWaitGoesBeyondTheCapacity) {
  Channel<Item> channel(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(channel.push(std::make_unique<int>(i), 1, [] { return false; }));
  }
  // Also who waits already.
  std::atomic<bool> may_wait = true;
  std::jthread producer([&] {
    EXPECT_TRUE(channel.push(std::make_unique<int>(3), 1, [&] { return may_wait.load(); }));
    channel.close();
  });
  std::this_thread::sleep_for(5ms);
  may_wait = false;
  producer.join();
  int popped = 0;
  for (Item item; channel.pop(item, nothing_more); ++popped) EXPECT_EQ(*item, popped);
  EXPECT_EQ(popped, 4);
}

TEST(Channel, CancelWakesEverybody) {
  Channel<Item> channel(1);
  ASSERT_TRUE(channel.push(std::make_unique<int>(0), 1, patient));
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      Item item = std::make_unique<int>(7);
      EXPECT_FALSE(channel.push(std::move(item), 1, patient));
      EXPECT_EQ(*item, 7);  // it stays with who had it
    });
  }
  waiting.emplace_back([&] { channel.wait_until_lower(patient); });
  std::this_thread::sleep_for(10ms);
  channel.cancel();
  waiting.clear();
  Item item;
  EXPECT_FALSE(channel.pop(item, nothing_more));
  EXPECT_TRUE(channel.is_cancelled());

  Channel<Item> empty(1);
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      Item none;
      EXPECT_FALSE(empty.pop(none, nothing_more));
    });
  }
  std::this_thread::sleep_for(10ms);
  empty.cancel();
}

TEST(Channel, CloseWakesConsumers) {
  Channel<Item> channel(1);
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      Item none;
      EXPECT_FALSE(channel.pop(none, nothing_more));
    });
  }
  std::this_thread::sleep_for(10ms);
  channel.close();
}

TEST(Channel, HungryConsumersFetch) {
  Channel<Item> channel(10'000);
  std::atomic<int> asked = 0;
  std::jthread consumer([&] {
    Item item;
    // What could not be looked at is looked at again.
    EXPECT_TRUE(channel.pop(item, [&] { return ++asked == 3; }));
  });
  for (int i = 0; i < 5000 && asked < 3; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(channel.is_hungry());
  channel.push(std::make_unique<int>(1), 1, patient);  // too little to be woken for, if not hungry
  consumer.join();
  EXPECT_EQ(asked, 3);
  EXPECT_FALSE(channel.is_hungry());
}

TEST(Channel, EveryItemComesOutOnce) {
  testing::Random random(testing::fresh_seed());
  for (int round = 0; round < testing::effort(60); ++round) {
    constexpr int kEach = 300;
    const int producers = random.between(1, 5);
    const int consumers = random.between(1, 5);
    const std::size_t capacity = std::size_t{1} << random.below(9);
    const std::size_t heaviest = 1 + random.below(2 * capacity);
    Channel<Item> channel(capacity);
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(producers * kEach));
    std::vector<std::jthread> consuming;
    for (int c = 0; c < consumers; ++c) {
      consuming.emplace_back([&] {
        std::vector<int> last(static_cast<std::size_t>(producers), -1);
        for (Item item; channel.pop(item, nothing_more);) {
          ++seen[static_cast<std::size_t>(*item)];
          int& before = last[static_cast<std::size_t>(*item / kEach)];
          EXPECT_LT(before, *item);  // in each producer's order
          before = *item;
        }
      });
    }
    {
      std::vector<std::jthread> producing;
      for (int p = 0; p < producers; ++p) {
        producing.emplace_back([&, p, seed = random.next()] {
          testing::Random own(seed);
          for (int i = 0; i < kEach; ++i) {
            channel.push(std::make_unique<int>(p * kEach + i), 1 + own.below(heaviest), patient);
          }
        });
      }
    }
    channel.close();
    consuming.clear();
    for (const auto& times : seen) ASSERT_EQ(times, 1);
  }
}

}  // namespace
}  // namespace trawl::fold
