// SPDX-License-Identifier: Apache-2.0
//
// A lost wake-up shows as a test that does not end.
#include "sched/parking.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/effort.h"

namespace trawl::sched {
namespace {

using testing::effort;

TEST(Parking, KnowsItsSleepers) {
  Parking parking;
  EXPECT_FALSE(parking.has_sleepers());
  parking.prepare();
  EXPECT_TRUE(parking.has_sleepers());
  parking.cancel();
  EXPECT_FALSE(parking.has_sleepers());
}

TEST(Parking, DoesNotSleepWithAnOldTicket) {
  Parking parking;
  const Parking::Ticket one = parking.prepare();
  parking.unpark_one();
  parking.park(one);  // returns
  const Parking::Ticket two = parking.prepare();
  parking.unpark_all();
  parking.park(two);
  EXPECT_FALSE(parking.has_sleepers());
}

TEST(Parking, SleepsUntilUnparked) {
  Parking parking;
  std::atomic<bool> awake = false;
  std::thread sleeper([&] {
    parking.park(parking.prepare());
    awake = true;
  });
  while (!parking.has_sleepers()) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(awake);
  parking.unpark_one();
  sleeper.join();
  EXPECT_TRUE(awake);
  EXPECT_FALSE(parking.has_sleepers());
}

TEST(Parking, UnparkAllWakesAll) {
  constexpr unsigned kSleepers = 8;
  Parking parking;
  std::atomic<unsigned> prepared = 0;
  std::vector<std::thread> sleepers;
  for (unsigned i = 0; i < kSleepers; ++i) {
    sleepers.emplace_back([&] {
      const Parking::Ticket ticket = parking.prepare();
      ++prepared;
      parking.park(ticket);
    });
  }
  while (prepared < kSleepers) std::this_thread::yield();
  parking.unpark_all();
  for (std::thread& sleeper : sleepers) sleeper.join();
  EXPECT_FALSE(parking.has_sleepers());
}

// Work is a number of units that anyone may take; takers park when there is none, and the giver
// wakes one only if it sees a sleeper.
void give_and_take(unsigned takers, std::uint64_t units, std::uint64_t burst) {
  Parking parking;
  std::atomic<std::uint64_t> available = 0;
  std::atomic<std::uint64_t> taken = 0;
  std::atomic<bool> finished = false;
  const auto take = [&] {
    std::uint64_t seen = available.load();
    while (seen > 0 && !available.compare_exchange_weak(seen, seen - 1)) {
    }
    return seen > 0;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < takers; ++i) {
    threads.emplace_back([&] {
      while (!finished) {
        if (take()) {
          ++taken;
          continue;
        }
        const Parking::Ticket ticket = parking.prepare();
        if (finished || available.load() != 0) {
          parking.cancel();
        } else {
          parking.park(ticket);
        }
      }
    });
  }
  for (std::uint64_t given = 0; given < units; given += burst) {
    available += burst;
    for (std::uint64_t i = 0; i < burst; ++i) {
      if (parking.has_sleepers()) parking.unpark_one();
    }
    // Everything has to be taken before there is more: so takers park again and again, and the last
    // wake-up of each round is the only one that they get.
    while (taken < given + burst) std::this_thread::yield();
  }
  finished = true;
  parking.unpark_all();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, (units + burst - 1) / burst * burst);
  EXPECT_FALSE(parking.has_sleepers());
}

TEST(Parking, LosesNoWakeUpOfOne) {
  give_and_take(1, static_cast<std::uint64_t>(effort(20'000)), 1);
}

TEST(Parking, LosesNoWakeUpOfMany) {
  give_and_take(6, static_cast<std::uint64_t>(effort(20'000)), 1);
  give_and_take(6, static_cast<std::uint64_t>(effort(20'000)), 4);
}

}  // namespace
}  // namespace trawl::sched
