// SPDX-License-Identifier: Apache-2.0
//
// The controller against models of machines and media. Each regime runs under a sweep of fixed limits
// first; the controller has to be about as fast as the best of them, wherever that is.
#include "sched/controller.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <functional>
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

struct Regime {
  std::string name;
  World world;
  bool rotational = false;
  double at_most = 1.10;  // of the time of the best fixed limit
};

World world(double visits, unsigned served_at_once, std::function<Visit(double, double, Random&)> visit) {
  World result;
  result.visits = visits;
  result.served_at_once = served_at_once;
  result.visit = std::move(visit);
  return result;
}

// A portion of calls, for speed.
Visit cached(Random& random) { return {jittered(28e-6, random), 0, 40}; }
Visit ssd(Random& random) { return {3e-6, jittered(110e-6, random), 1}; }

std::vector<Regime> regimes() {
  std::vector<Regime> all;
  all.push_back({"cached", world(40e3, 1, [](double, double, Random& r) { return cached(r); })});
  all.push_back({"ssd", world(300e3, 64, [](double, double, Random& r) { return ssd(r); })});
  // The processor is the limit once enough calls overlap.
  all.push_back({"ssd, processor-bound", world(100e3, 64, [](double, double, Random& r) {
                   return Visit{jittered(8e-6, r), jittered(110e-6, r), 1};
                 })});
  all.push_back({"ssd, partly cached", world(200e3, 64, [](double, double, Random& r) {
                   return r.below(10) < 7 ? Visit{2e-6, 0, 2} : ssd(r);
                 })});
  Regime disk{"disk", world(1000, 1, [](double, double, Random& r) {
                return Visit{5e-6, jittered(8e-3, r), 1};
              })};
  disk.world.slowdown = [](unsigned waiting) { return 1 + 0.15 * std::min(waiting - 1, 8U); };
  disk.rotational = true;
  all.push_back(disk);
  // A queue of commands that the drive sorts.
  disk.name = "disk, better with 4";
  disk.world.served_at_once = 4;
  disk.world.slowdown = [](unsigned waiting) { return 1 + 0.2 * std::min(waiting - 1, 20U); };
  all.push_back(disk);
  disk.name = "disk, cached";
  disk.world = world(40e3, 1, [](double, double, Random& r) { return cached(r); });
  all.push_back(disk);
  disk.name = "disk, not known as such";
  disk.rotational = false;
  disk.world = world(1000, 1, [](double, double, Random& r) {
    return Visit{5e-6, jittered(8e-3, r), 1};
  });
  disk.world.slowdown = [](unsigned waiting) { return 1 + 0.15 * std::min(waiting - 1, 8U); };
  all.push_back(disk);
  const auto fuse = [](double, double, Random& r) { return Visit{8e-6, jittered(1e-3, r), 1}; };
  all.push_back({"fuse 1 ms, 1 served", world(1000, 1, fuse)});
  all.push_back({"fuse 1 ms, 10 served", world(6e3, 10, fuse)});
  all.push_back({"fuse 1 ms, 128 served", world(60e3, 128, fuse)});
  all.push_back({"nfs 5 ms", world(20e3, 100, [](double, double, Random& r) {
                   return Visit{10e-6, jittered(r.one_in(50) ? 40e-3 : 4.3e-3, r), 1};
                 })});
  all.push_back({"wan 200 ms", world(3000, 200, [](double, double, Random& r) {
                   return Visit{10e-6, jittered(200e-3, r), 1};
                 })});
  all.push_back({"cold, then cached", world(150e3, 64, [](double, double done, Random& r) {
                   return done < 120e3 ? ssd(r) : cached(r);
                 })});
  all.push_back({"cached, then cold", world(250e3, 64, [](double, double done, Random& r) {
                   return done < 20e3 ? cached(r) : ssd(r);
                 })});
  all.push_back({"in turns", world(200e3, 64, [](double, double done, Random& r) {
                   return std::fmod(done, 40e3) < 5e3 ? cached(r) : ssd(r);
                 })});
  Regime busy{"busy machine, half taken", world(40e3, 1, [](double, double, Random& r) {
                return cached(r);
              })};
  busy.world.cores_taken = 1;
  all.push_back(busy);
  busy.name = "busy machine, one other";
  busy.world.cores_taken = 0;
  busy.world.other_processes = 1;
  all.push_back(busy);
  Regime ticks{"cached, time in ticks", world(40e3, 1, [](double, double, Random& r) {
                 return cached(r);
               })};
  ticks.world.cpu_tick = 4e-3;
  all.push_back(ticks);
  all[12].at_most = 1.5;  // wan: begins with two workers
  all[15].at_most = 1.5;
  all[17].at_most = 1.2;
  return all;
}

TEST(Controller, IsAboutAsFastAsTheBestFixedLimit) {
  const std::uint64_t seed = testing::fresh_seed();
  for (const Regime& regime : regimes()) {
    double best = regime.world.give_up;
    for (unsigned limit = 1; limit <= 256; limit *= 2) {
      best = std::min(best, testing::run_fixed(regime.world, seed, limit).seconds);
    }
    const Outcome outcome = testing::run_controlled(regime.world, seed, {2, 256, regime.rotational});
    EXPECT_LE(outcome.seconds, regime.at_most * best) << regime.name;
    for (const testing::Change& change : outcome.changes) {
      EXPECT_GE(change.limit, 1U);
      EXPECT_LE(change.limit, 256U);
    }
  }
}

}  // namespace
}  // namespace trawl::sched
