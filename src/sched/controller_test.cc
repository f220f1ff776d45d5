// SPDX-License-Identifier: Apache-2.0
//
// The controller against models of machines and media. Each regime runs under a sweep of fixed
// limits first; the controller has to be about as fast as the best of them, wherever that is.
#include "sched/controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/medium_model.h"
#include "support/random.h"

namespace trawl::sched {
namespace {

using std::chrono::nanoseconds;
using testing::jittered;
using testing::Outcome;
using testing::Random;
using testing::Visit;
using testing::World;

using Visiting = std::function<Visit(double now, double done, Random& random)>;

struct Regime {
  std::string name;
  World world;
  double settles_within = 0.01;  // s; the first time at a limit that is good throughout
  bool rotational = false;
  double at_most = 1.10;   // of the time of the best fixed limit
  bool stationary = true;  // the same limits are good throughout
  // Of the limits up to this one: who takes a core from others by force of numbers is faster.
  unsigned best_up_to = 256;
};

World world(double visits, unsigned served_at_once, Visiting visit) {
  World result;
  result.visits = visits;
  result.served_at_once = served_at_once;
  result.visit = std::move(visit);
  return result;
}

// 40 calls of 0.7 µs.
Visit cached(Random& random) { return {jittered(28e-6, random), 0, 40}; }
Visit ssd(Random& random) { return {3e-6, jittered(110e-6, random), 1}; }
Visit disk(Random& random) { return {5e-6, jittered(8e-3, random), 1}; }
Visit fuse(Random& random) { return {8e-6, jittered(1e-3, random), 1}; }

const Visiting kCached = [](double, double, Random& random) { return cached(random); };
const Visiting kSsd = [](double, double, Random& random) { return ssd(random); };
const Visiting kDisk = [](double, double, Random& random) { return disk(random); };
const Visiting kFuse = [](double, double, Random& random) { return fuse(random); };

const Visiting kFuseStat = [](double, double, Random& random) {  // lookup and getattr
  return Visit{8e-6, jittered(2e-3, random), 1};
};

std::vector<Regime> cached_regimes() {
  std::vector<Regime> all;
  all.push_back({"cached", world(40e3, 1, kCached)});
  Regime ticks{"cached_seen_in_ticks", world(40e3, 1, kCached)};
  ticks.world.cpu_tick = 4e-3;
  ticks.world.waiting_is_seen = false;
  all.push_back(ticks);
  all.push_back({.name = "cached_disk", .world = world(40e3, 1, kCached), .rotational = true});
  for (const bool seen : {true, false}) {
    Regime busy{seen ? "half_taken" : "half_taken_unseen", world(40e3, 1, kCached)};
    busy.world.cores_taken_share = 0.5;
    busy.world.waiting_is_seen = seen;
    busy.stationary = seen;
    all.push_back(busy);
  }
  Regime other{.name = "other_processes", .world = world(40e3, 1, kCached), .best_up_to = 0};
  other.world.other_processes = 1;
  all.push_back(other);
  return all;
}

std::vector<Regime> waiting_regimes() {
  std::vector<Regime> all;
  all.push_back({"ssd", world(200e3, 64, kSsd)});
  all.push_back({"ssd_and_processor", world(100e3, 64, [](double, double, Random& random) {
                   return Visit{jittered(8e-6, random), jittered(110e-6, random), 1};
                 })});
  all.push_back({.name = "ssd_partly_cached",
                 .world = world(200e3, 64,
                                [](double, double, Random& random) {
                                  return random.below(10) < 7 ? Visit{2e-6, 0, 2} : ssd(random);
                                }),
                 .settles_within = 0.1});
  // Each 500 visits have their own share of cached ones.
  all.push_back(
      {.name = "ssd_patchy",
       .world = world(200e3, 64,
                      [](double, double done, Random& random) {
                        const auto patch = static_cast<std::uint64_t>(done / 500);
                        const std::uint64_t percent = Random(patch).below(100);
                        return random.below(100) < percent ? Visit{2e-6, 0, 2} : ssd(random);
                      }),
       .settles_within = 0.1,
       .at_most = 1.25,
       .stationary = false});
  Regime one{
      .name = "disk", .world = world(1000, 1, kDisk), .settles_within = 0, .rotational = true};
  one.world.slowdown = [](unsigned waiting) { return 1 + 0.15 * std::min(waiting - 1, 8U); };
  all.push_back(one);
  one.name = "disk_not_known_as_such";
  one.rotational = false;  // then it never has less than the cores' number
  one.at_most = 2.2;       // with many cores
  one.stationary = false;
  all.push_back(one);
  // The drive sorts a few commands.
  Regime few{.name = "disk_serves_4",
             .world = world(2000, 4, kDisk),
             .settles_within = 0.6,
             .rotational = true,
             .at_most = 1.4};
  few.world.slowdown = [](unsigned waiting) { return 1 + 0.2 * std::min(waiting - 1, 20U); };
  all.push_back(few);
  all.push_back({"fuse_serves_1", world(1000, 1, kFuse)});
  all.push_back({"fuse_serves_10", world(6e3, 10, kFuse)});
  all.push_back(
      {.name = "fuse_serves_128", .world = world(60e3, 128, kFuse), .settles_within = 0.016});
  // A short walk, and a server on the same machine: more workers than it serves cost something.
  Regime local{.name = "fuse_short", .world = world(7e3, 64, kFuseStat), .settles_within = 0.012};
  local.world.slowdown = [](unsigned waiting) { return 1 + 0.004 * (std::max(waiting, 64U) - 64); };
  all.push_back(local);
  all.push_back({.name = "nfs",
                 .world = world(
                     20e3, 100,
                     [](double, double, Random& random) {
                       return Visit{10e-6, jittered(random.one_in(50) ? 40e-3 : 4.3e-3, random), 1};
                     }),
                 .settles_within = 0.08});
  all.push_back({.name = "wan_200_ms",
                 .world = world(6000, 200,
                                [](double, double, Random& random) {
                                  return Visit{10e-6, jittered(200e-3, random), 1};
                                }),
                 .settles_within = 2.5,
                 .at_most = 1.4});
  return all;
}

std::vector<Regime> changing_regimes() {
  std::vector<Regime> all;
  all.push_back({.name = "cold_then_cached",
                 .world = world(150e3, 64,
                                [](double, double done, Random& random) {
                                  return done < 120e3 ? ssd(random) : cached(random);
                                }),
                 .stationary = false});
  all.push_back({.name = "cached_then_cold",
                 .world = world(250e3, 64,
                                [](double, double done, Random& random) {
                                  return done < 20e3 ? cached(random) : ssd(random);
                                }),
                 .stationary = false});
  // As fast as the change is noticed.
  all.push_back({.name = "in_turns",
                 .world = world(200e3, 64,
                                [](double, double done, Random& random) {
                                  return std::fmod(done, 40e3) < 5e3 ? cached(random) : ssd(random);
                                }),
                 .at_most = 1.4,
                 .stationary = false});
  for (const bool is_disk : {false, true}) {
    Regime stall{.name = is_disk ? "disk_stalls" : "ssd_stalls",
                 .world = is_disk ? world(1000, 1, kDisk) : world(300e3, 64, kSsd),
                 .rotational = is_disk,
                 .stationary = false};
    stall.world.stalls_from = 0.3;
    stall.world.stalls_to = 2.3;
    all.push_back(stall);
  }
  all.push_back({.name = "one_call_stalls",
                 .world = world(200e3, 64,
                                [](double, double done, Random& random) {
                                  Visit visit = ssd(random);
                                  visit.wait += done == 50e3 ? 2 : 0;
                                  return visit;
                                }),
                 .at_most = 1.12});
  return all;
}

class ControllerInRegime : public ::testing::TestWithParam<Regime> {};

// The number of trials that the growing holds leave time for, and a few to begin with.
double trials_within(double seconds) {
  return 4 + std::min(6.0, std::log2(1 + seconds / 0.05)) + seconds / 2;
}

unsigned longest_in_second_half(const Outcome& outcome) {
  std::map<unsigned, double> times;
  for (std::size_t i = 0; i < outcome.changes.size(); ++i) {
    const bool last = i + 1 == outcome.changes.size();
    const double from = std::max(outcome.seconds / 2, outcome.changes[i].at);
    const double to = last ? outcome.seconds : outcome.changes[i + 1].at;
    times[outcome.changes[i].limit] += std::max(0.0, to - from);
  }
  const auto longest = std::max_element(
      times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return longest->first;
}

TEST_P(ControllerInRegime, IsAboutAsGoodAsTheBestFixedLimit) {
  const std::uint64_t seed = testing::fresh_seed();
  const Regime& regime = GetParam();
  const std::vector<unsigned> all_cores =
      testing::effort(10) == 10 ? std::vector<unsigned>{1, 2, 16, 64} : std::vector<unsigned>{2};
  for (const unsigned cores : all_cores) {
    SCOPED_TRACE(cores);
    World world = regime.world;
    world.cores = cores;
    std::map<unsigned, double> times;
    const auto fixed = [&](unsigned limit) {
      const auto [place, is_new] = times.try_emplace(limit, 0);
      if (is_new) {
        place->second = testing::run_fixed(world, seed, limit).seconds;
      }
      return place->second;
    };
    double best = world.give_up;
    unsigned best_limit = 0;
    for (unsigned limit = 1; limit <= std::max(cores, regime.best_up_to); limit *= 2) {
      if (fixed(limit) < 0.999 * best) {
        best = fixed(limit);
        best_limit = limit;
      }
    }

    const Outcome outcome = testing::run_controlled(world, seed, {cores, 256, regime.rotational});
    ASSERT_TRUE(outcome.finished);
    const auto good = [&](const testing::Change& change) {
      return fixed(change.limit) <= 1.10 * best;
    };
    const auto settled = std::find_if(outcome.changes.begin(), outcome.changes.end(), good);
    const double settled_at = settled == outcome.changes.end() ? outcome.seconds : settled->at;
    const auto changes_since = outcome.changes.end() - settled;
    const unsigned limit = longest_in_second_half(outcome);
    std::printf(
        "%-24s %2u cores: best %3u in %7.3f s; settled %6.1f ms, limit %3u, changes %2d, "
        "time %.3f\n",
        regime.name.c_str(), cores, best_limit, best, settled_at * 1e3, limit,
        static_cast<int>(changes_since), outcome.seconds / best);

    std::string story;
    for (const testing::Change& change : outcome.changes) {
      story += std::to_string(change.at * 1e3) + ":" + std::to_string(change.limit) + " ";
      EXPECT_GE(change.limit, 1U);
      EXPECT_LE(change.limit, 256U);
    }
    EXPECT_LE(outcome.seconds, regime.at_most * best + 2e-3) << story;
    for (const double interval : outcome.intervals) {
      EXPECT_GE(interval, 0.5e-3);
      EXPECT_LE(interval, 50.001e-3);
    }
    if (regime.stationary) {
      EXPECT_LE(settled_at, regime.settles_within) << story;
      EXPECT_LE(fixed(limit), 1.10 * best) << story;
      EXPECT_LE(static_cast<double>(changes_since), 3 * trials_within(outcome.seconds)) << story;
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Regime>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Cached, ControllerInRegime, ::testing::ValuesIn(cached_regimes()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Waiting, ControllerInRegime, ::testing::ValuesIn(waiting_regimes()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Changing, ControllerInRegime, ::testing::ValuesIn(changing_regimes()),
                         name_of);

// The limit at a time.
unsigned limit_at(const Outcome& outcome, double at) {
  const auto later = std::find_if(outcome.changes.begin() + 1, outcome.changes.end(),
                                  [&](const testing::Change& change) { return change.at > at; });
  return (later - 1)->limit;
}

TEST(Controller, NoticesAnotherRegime) {
  const std::uint64_t seed = testing::fresh_seed();
  const auto world_of = [](Visit (*first)(Random&), Visit (*second)(Random&)) {
    World result = world(1e9, 128, [first, second](double now, double, Random& random) {
      return now < 1 ? first(random) : second(random);
    });
    result.give_up = 1.2;
    return result;
  };
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(testing::effort(10)); ++i) {
    SCOPED_TRACE(seed + i);
    const Outcome waits = testing::run_controlled(world_of(cached, fuse), seed + i, {.cores = 2});
    EXPECT_EQ(limit_at(waits, 0.999), 2U);
    EXPECT_GE(limit_at(waits, 1.06), 8U);
    EXPECT_GE(limit_at(waits, 1.09), 64U);
    const Outcome computes =
        testing::run_controlled(world_of(fuse, cached), seed + i, {.cores = 2});
    EXPECT_GE(limit_at(computes, 0.9), 64U);
    EXPECT_LE(limit_at(computes, 1.15), 128U);
  }
}

// A few calls, or a patch of other work, lead astray now and then, but not far or for long.
TEST(Controller, IsNotMisledByChance) {
  const std::uint64_t seed = testing::fresh_seed();
  for (const Regime& regime : waiting_regimes()) {
    const unsigned good = regime.name == "ssd_patchy" ? 64 : regime.name == "disk_serves_4" ? 4 : 0;
    double time = 0;
    double good_time = 0;
    for (std::uint64_t i = 0; good != 0 && i < static_cast<std::uint64_t>(testing::effort(10));
         ++i) {
      time += testing::run_controlled(regime.world, seed + i, {2, 256, regime.rotational}).seconds;
      good_time += testing::run_fixed(regime.world, seed + i, good).seconds;
    }
    EXPECT_LE(time, 1.15 * good_time) << regime.name;
  }
}

TEST(Controller, LeavesABusyMachineAlone) {
  for (const Regime& regime : cached_regimes()) {
    if (regime.name == "half_taken" || regime.name == "other_processes") {
      const Outcome outcome =
          testing::run_controlled(regime.world, testing::fresh_seed(), {.cores = 2});
      EXPECT_EQ(outcome.changes.size(), 1U) << regime.name;
    }
  }
}

// The first visits meet a dead server, and there are more of them than workers to begin with.
TEST(Controller, GetsPastCallsThatNeverReturn) {
  World dead = world(20e3, 1000, [](double, double, Random& random) { return ssd(random); });
  const auto entered = std::make_shared<int>(0);
  dead.visit = [entered](double, double, Random& random) {
    Visit visit = ssd(random);
    visit.wait = ++*entered <= 10 ? 1e9 : visit.wait;
    return visit;
  };
  const Outcome outcome = testing::run_controlled(dead, testing::fresh_seed(), {.cores = 2});
  EXPECT_TRUE(outcome.finished);
  EXPECT_LE(outcome.seconds, 1.5);
}

TEST(Controller, LeavesLittleWorkAlone) {
  const std::uint64_t seed = testing::fresh_seed();
  for (std::uint64_t i = 0; i < 50; ++i) {
    World tiny = world(300, 64, kSsd);
    tiny.cores = 2;
    tiny.finds = [](Random& random) { return static_cast<unsigned>(random.below(4)); };
    tiny.give_up = 1;  // it may find nothing more, and end
    const Outcome outcome = testing::run_controlled(tiny, seed + i, {.cores = 2});
    if (outcome.finished) {
      EXPECT_LE(outcome.seconds, 1.1 * testing::run_fixed(tiny, seed + i, 2).seconds + 1e-3);
    }
  }
}

Observation slow_calls(unsigned running, bool starved) {
  return {.elapsed = std::chrono::milliseconds(1),
          .run_time = running * std::chrono::milliseconds(1),
          .calls = running,
          .cpu = std::chrono::microseconds(10) * running,
          .starved = starved};
}

TEST(Controller, DoesNotGrowWhileWorkIsLacking) {
  Controller controller({.cores = 2});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(controller.observe(slow_calls(2, true)).limit, 2U);
  }
  EXPECT_GT(controller.observe(slow_calls(2, false)).limit +
                controller.observe(slow_calls(2, false)).limit,
            4U);
}

TEST(Controller, LeapsWhereCallsOnlyWait) {
  Controller controller({.cores = 2});
  unsigned limit = 2;
  for (int i = 0; i < 10 && limit == 2; ++i) {
    limit = controller.observe(slow_calls(2, false)).limit;
  }
  EXPECT_EQ(limit, 64U);
}

// Calls as slow as a server's, but because others have the processors.
TEST(Controller, DoesNotLeapOnABusyMachine) {
  Controller controller({.cores = 2});
  for (int i = 0; i < 1000; ++i) {
    Observation observation = slow_calls(2, false);
    observation.waited = std::chrono::microseconds(1900);
    EXPECT_EQ(controller.observe(observation).limit, 2U);
  }
}

TEST(Controller, DoesNotLeapOnWhatMayBeADisk) {
  for (const bool rotational : {true, false}) {
    Controller controller({.cores = 2, .rotational = rotational});
    Decision decision = controller.first();
    const unsigned first = decision.limit;
    while (decision.limit == first) {
      Observation observation = slow_calls(first, false);  // 8 ms each
      observation.elapsed *= 8;
      observation.run_time *= 8;
      decision = controller.observe(observation);
    }
    EXPECT_EQ(decision.limit, rotational ? 2U : 8U);
  }
}

// What only many workers make necessary does not speak for them.
TEST(Controller, DoesNotTakeCallsToShareForProgress) {
  for (const bool told : {true, false}) {
    Controller controller({.cores = 2});
    Decision decision = controller.first();
    double at_most = 0;
    double seconds = 0;
    while (seconds < 5) {
      // 20 calls per ms that get ahead, and more than as many again of the others with each
      // doubling.
      const double passed = std::chrono::duration<double>(decision.interval).count();
      const double useful = passed * 1000 * std::min(decision.limit, 20U);
      const double others = useful * std::max(0.0, std::log2(decision.limit / 16.0));
      at_most += passed * decision.limit;
      seconds += passed;
      decision =
          controller.observe({.elapsed = decision.interval,
                              .run_time = decision.limit * decision.interval,
                              .calls = static_cast<std::uint64_t>(useful + others),
                              .calls_to_share = told ? static_cast<std::uint64_t>(others) : 0});
    }
    if (told) {
      EXPECT_LE(at_most / seconds, 80);
    } else {
      EXPECT_GE(at_most / seconds, 120);
    }
  }
}

// No more threads can be had, though the pace rises.
TEST(Controller, DoesNotGrowBeyondWhatRuns) {
  Controller controller({.cores = 2});
  unsigned limit = controller.first().limit;
  for (unsigned i = 0; i < 1000; ++i) {
    Observation observation = slow_calls(std::min(limit, 5U), false);
    observation.calls = 10 + i;
    limit = controller.observe(observation).limit;
    EXPECT_LE(limit, 8U);
  }
}

// The limit that it keeps longest on a medium whose pace is a function of it.
unsigned settles_at(Controller::Machine machine, double (*calls_per_second)(unsigned limit)) {
  Controller controller(machine);
  Decision decision = controller.first();
  std::map<unsigned, double> times;
  double calls = 0;
  for (double now = 0; now < 20;) {
    const double seconds = std::chrono::duration<double>(decision.interval).count();
    calls += seconds * calls_per_second(decision.limit);
    now += seconds;
    times[decision.limit] += seconds;
    const auto whole = static_cast<std::uint64_t>(calls);
    calls -= static_cast<double>(whole);
    decision = controller.observe({.elapsed = decision.interval,
                                   .run_time = decision.limit * decision.interval,
                                   .calls = whole});
  }
  return std::max_element(times.begin(), times.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

TEST(Controller, WantsMoreProofOnDisks) {
  const auto brings_a_fifth = [](unsigned limit) { return 1000 * std::pow(1.2, std::log2(limit)); };
  EXPECT_EQ(settles_at({.cores = 2, .rotational = true}, brings_a_fifth), 1U);
  EXPECT_EQ(settles_at({.cores = 2, .rotational = false}, brings_a_fifth), 256U);
  const auto brings_a_half = [](unsigned limit) { return 1000 * std::pow(1.5, std::log2(limit)); };
  EXPECT_EQ(settles_at({.cores = 2, .rotational = true}, brings_a_half), 256U);
}

TEST(Controller, GrowsInAStallButNotOnDisks) {
  const auto nothing = [](unsigned) { return 0.0; };
  EXPECT_EQ(settles_at({.cores = 2, .rotational = true}, nothing), 1U);
  EXPECT_EQ(settles_at({.cores = 2, .rotational = false}, nothing), 256U);
}

TEST(Controller, GoesBackAfterAStall) {
  Controller controller({.cores = 2});
  Decision decision = controller.first();
  const auto observe = [&](std::uint64_t calls) {
    decision = controller.observe({.elapsed = decision.interval,
                                   .run_time = decision.limit * decision.interval,
                                   .calls = calls});
  };
  // 10 000 calls per second, whatever the limit.
  const auto some = [&] { return static_cast<std::uint64_t>(decision.interval.count() / 100'000); };
  for (int i = 0; i < 1000; ++i) {
    observe(some());
  }
  const unsigned before = decision.limit;
  while (decision.limit < 64) {
    observe(0);
  }
  for (int i = 0; i < 10; ++i) {
    observe(some());
  }
  EXPECT_LE(decision.limit, 2 * before);
}

// No call fewer does not mean that the step was in vain, if there was nothing to do.
TEST(Controller, DoesNotJudgeByTimesWithoutWork) {
  Controller controller({.cores = 2});
  unsigned limit = 2;
  while (limit == 2) {
    limit = controller.observe(slow_calls(2, false)).limit;
  }
  const unsigned grown = limit;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(controller.observe(slow_calls(1, true)).limit, grown);
  }
  for (int i = 0; i < 20 && limit == grown; ++i) {
    limit = controller.observe(slow_calls(grown, false)).limit;
  }
  EXPECT_GT(limit, grown);
}

TEST(Controller, TellsTheTimeOfACall) {
  Controller controller({.cores = 2, .ceiling = 2});
  EXPECT_EQ(controller.first().call_time.count(), 0);
  Decision decision;
  for (int i = 0; i < 10; ++i) {
    decision = controller.observe(slow_calls(2, false));
  }
  EXPECT_NEAR(static_cast<double>(decision.call_time.count()), 1e6, 2e5);
}

TEST(Controller, BeginsWithinItsBounds) {
  EXPECT_EQ(Controller({.cores = 16, .ceiling = 256}).first().limit, 4U);
  EXPECT_EQ(Controller({.cores = 16, .ceiling = 3}).first().limit, 3U);
  EXPECT_EQ(Controller({.cores = 2, .ceiling = 256}).first().limit, 2U);
  EXPECT_EQ(Controller({.cores = 0, .ceiling = 0}).first().limit, 1U);
  EXPECT_EQ(Controller({.cores = 16, .rotational = true}).first().limit, 1U);
}

// Whatever is observed: nothing, everything, or times that no clock shows.
TEST(Controller, StaysWithinItsBounds) {
  const std::uint64_t seed = testing::fresh_seed();
  Random random(seed);
  const auto any_time = [&] {
    constexpr std::array<std::int64_t, 5> kOdd{0, 1, -1, std::numeric_limits<std::int64_t>::max(),
                                               std::numeric_limits<std::int64_t>::min()};
    return nanoseconds(random.one_in(8) ? kOdd[random.below(kOdd.size())]
                                        : static_cast<std::int64_t>(random.below(100'000'000)));
  };
  for (int run = 0; run < testing::effort(2000); ++run) {
    const Controller::Machine machine{.cores = static_cast<unsigned>(random.below(80)),
                                      .ceiling = static_cast<unsigned>(random.below(300)),
                                      .rotational = random.one_in(3)};
    SCOPED_TRACE(run);
    Controller controller(machine);
    Decision decision = controller.first();
    const std::uint64_t pace = random.below(1000);
    for (int i = 0; i < 300; ++i) {
      ASSERT_GE(decision.limit, 1U);
      ASSERT_LE(decision.limit, std::max(1U, machine.ceiling));
      ASSERT_GE(decision.interval, std::chrono::microseconds(500));
      ASSERT_LE(decision.interval, std::chrono::milliseconds(51));
      ASSERT_GE(decision.call_time.count(), 0);
      const bool odd = random.one_in(20);
      Observation observation{
          .elapsed = odd ? any_time() : decision.interval,
          .run_time = random.one_in(4) ? any_time() : decision.limit * decision.interval,
          .calls = random.one_in(10) ? 0 : random.below(1 + pace * decision.limit),
          .cpu = any_time() / (1 + random.below(100)),
          .waited = any_time() / (1 + random.below(100)),
          .starved = random.one_in(10)};
      if (random.one_in(50)) {
        observation.calls = std::numeric_limits<std::uint64_t>::max();
        observation.run_time = nanoseconds::max();
      }
      decision = controller.observe(observation);
    }
  }
}

}  // namespace
}  // namespace trawl::sched
