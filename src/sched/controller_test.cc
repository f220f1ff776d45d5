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
  all.push_back({"ssd_partly_cached", world(200e3, 64, [](double, double, Random& random) {
                   return random.below(10) < 7 ? Visit{2e-6, 0, 2} : ssd(random);
                 })});
  // Each 500 visits have their own share of cached ones.
  all.push_back(
      {.name = "ssd_patchy",
       .world = world(200e3, 64,
                      [](double, double done, Random& random) {
                        const auto patch = static_cast<std::uint64_t>(done / 500);
                        const std::uint64_t percent = Random(patch).below(100);
                        return random.below(100) < percent ? Visit{2e-6, 0, 2} : ssd(random);
                      }),
       .settles_within = 0.02});
  Regime one{
      .name = "disk", .world = world(1000, 1, kDisk), .settles_within = 0, .rotational = true};
  one.world.slowdown = [](unsigned waiting) { return 1 + 0.15 * std::min(waiting - 1, 8U); };
  all.push_back(one);
  one.name = "disk_not_known_as_such";
  one.rotational = false;
  one.settles_within = 0.6;
  all.push_back(one);
  // The drive sorts a few commands.
  Regime few{.name = "disk_serves_4",
             .world = world(2000, 4, kDisk),
             .settles_within = 0.3,
             .rotational = true};
  few.world.slowdown = [](unsigned waiting) { return 1 + 0.2 * std::min(waiting - 1, 20U); };
  all.push_back(few);
  all.push_back({"fuse_serves_1", world(1000, 1, kFuse)});
  all.push_back({"fuse_serves_10", world(6e3, 10, kFuse)});
  all.push_back(
      {.name = "fuse_serves_128", .world = world(60e3, 128, kFuse), .settles_within = 0.012});
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
                 .at_most = 1.25});
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
                 .at_most = 1.25,
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
    EXPECT_LE(outcome.seconds, regime.at_most * best) << story;
    for (const double interval : outcome.intervals) {
      EXPECT_GE(interval, 0.5e-3);
      EXPECT_LE(interval, 50.001e-3);
    }
    if (regime.stationary) {
      EXPECT_LE(settled_at, regime.settles_within) << story;
      EXPECT_LE(fixed(limit), 1.10 * best) << story;
      EXPECT_LE(static_cast<double>(changes_since), 2 * trials_within(outcome.seconds)) << story;
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

}  // namespace
}  // namespace trawl::sched
