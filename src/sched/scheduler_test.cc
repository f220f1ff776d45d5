// SPDX-License-Identifier: Apache-2.0
//
// The scheduler with trees that exist in numbers only: a node's children follow from its own
// number, and its completion from theirs. What is lost shows as a run that does not end, what is
// done twice in the counts.
#include "sched/scheduler.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/random.h"

namespace trawl::sched {
namespace {

using testing::effort;
using testing::passes_in_child;
using testing::Random;

struct Node {
  Node* parent = nullptr;
  std::uint64_t number = 0;
  int depth = 0;
  std::uint32_t children = 0;
  std::atomic<std::uint32_t> pending{1};
};

struct Task {
  Node* parent = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 1;

  std::size_t units() const { return end - begin; }
  Task take_first() {
    Task first = *this;
    first.end = ++begin;
    return first;
  }
  Task take_back_half() {
    Task half = *this;
    half.begin = end -= (end - begin) / 2;
    return half;
  }
};

struct Shape {
  std::uint64_t seed = 1;
  int depth = 6;
  std::uint32_t least_children = 0;
  std::uint32_t most_children = 8;
  std::chrono::nanoseconds work{0};  // of each node, by spinning

  std::uint32_t children_of(std::uint64_t number, int at_depth) const {
    return at_depth == depth ? 0
                             : least_children + static_cast<std::uint32_t>(Random(number).below(
                                                    most_children - least_children + 1));
  }
  static std::uint64_t child(std::uint64_t number, std::uint32_t index) {
    return Random(number ^ (index + 1) * 0xD1B54A32D192ED03U).next();
  }
  // How many nodes there are, and their numbers added up.
  struct Sum {
    std::uint64_t nodes = 0;
    std::uint64_t numbers = 0;
  };
  Sum sum() const {
    Sum all;
    std::vector<std::pair<std::uint64_t, int>> open{{child(seed, 0), 0}};
    while (!open.empty()) {
      const auto [number, at_depth] = open.back();
      open.pop_back();
      ++all.nodes;
      all.numbers += number;
      for (std::uint32_t i = children_of(number, at_depth); i-- > 0;) {
        open.emplace_back(child(number, i), at_depth + 1);
      }
    }
    return all;
  }
};

class Client {
 public:
  Client(const Shape& shape, unsigned workers)
      : shape_(shape), workers_(workers), scheduler_(*this, workers) {
    for (auto& worker : workers_) worker = std::make_unique<Worker>();
  }

  void allow(unsigned workers) { allowed_ = workers; }
  void set_nodes(unsigned nodes) { nodes_ = nodes; }
  // Other limits all the time, also such as can't be.
  void limit_at_random(std::uint64_t seed) {
    random_limits_ = true;
    random_ = Random(seed);
  }
  void run() {
    nobody_.number = shape_.seed;
    scheduler_.run({&nobody_, 0, 1});
  }

  // --- for the scheduler
  void start_worker(unsigned index) {
    Worker& worker = *workers_.at(index);
    EXPECT_FALSE(worker.started) << index;
    worker.started = true;
    worker.thread = std::this_thread::get_id();
  }
  void run_task(unsigned index, Task task) {
    Worker& worker = mine(index);
    EXPECT_EQ(task.units(), 1U);
    auto* node = new Node;
    node->parent = task.parent;
    node->number = Shape::child(task.parent->number, task.begin);
    node->depth = task.parent == &nobody_ ? 0 : task.parent->depth + 1;
    node->children = shape_.children_of(node->number, node->depth);
    ++worker.nodes;
    ++worker.calls;
    worker.numbers += node->number;
    const auto end = std::chrono::steady_clock::now() + shape_.work;
    while (shape_.work.count() > 0 && std::chrono::steady_clock::now() < end) {
    }
    node->pending.fetch_add(node->children, std::memory_order_relaxed);
    if (node->children > 0) scheduler_.push(index, {node, 0, node->children});
    for (Node* done = node; done->pending.fetch_sub(1) == 1;) {
      Node* const parent = done->parent;
      delete done;
      if (parent == &nobody_) {
        scheduler_.finish();
        return;
      }
      done = parent;
    }
  }
  void idle(unsigned index) { ++mine(index).idle; }
  void end_worker(unsigned index) { ++mine(index).idle; }
  Decision first_decision() {
    EXPECT_EQ(started(), 1U);
    EXPECT_FALSE(asked_) << "twice";
    asked_ = true;
    return {.limit = allowed_, .interval = std::chrono::milliseconds(1)};
  }
  bool has_nodes() {
    EXPECT_EQ(started(), 1U);
    return nodes_ > 1;
  }
  unsigned node(unsigned index) {
    EXPECT_GT(nodes_, 1U) << "nobody needs to know";
    EXPECT_EQ(workers_.at(index)->thread, std::this_thread::get_id());
    // It may be another one each time.
    return static_cast<unsigned>((index + ++workers_.at(index)->moves / 8) % nodes_);
  }
  Decision decide(const Observation& observation) {
    EXPECT_GE(observation.run_time.count(), 0);
    EXPECT_GT(observation.elapsed.count(), 0);
    ++decisions_;
    const unsigned limit =
        random_limits_ ? static_cast<unsigned>(random_.below(workers_.size() + 3)) : allowed_;
    return {.limit = limit, .interval = std::chrono::microseconds(random_limits_ ? 200 : 1000)};
  }
  WorkDone work_done(unsigned workers) const {
    WorkDone done;
    for (unsigned i = 0; i < workers; ++i) done.calls += workers_.at(i)->calls.load();
    return done;
  }

  // --- for tests
  Shape::Sum sum() const {
    Shape::Sum all;
    for (const auto& worker : workers_) {
      all.nodes += worker->nodes;
      all.numbers += worker->numbers;
    }
    return all;
  }
  void expect_all_done() const {
    const Shape::Sum expected = shape_.sum();
    EXPECT_EQ(sum().nodes, expected.nodes);
    EXPECT_EQ(sum().numbers, expected.numbers);
    EXPECT_LE(scheduler_.started_workers(), workers_.size());
    std::set<std::thread::id> threads;
    std::uint64_t units = 0;
    for (unsigned i = 0; i < workers_.size(); ++i) {
      EXPECT_EQ(workers_[i]->started, i < scheduler_.started_workers()) << i;
      if (!workers_[i]->started) continue;
      threads.insert(workers_[i]->thread);
      const WorkerCounters& counters = scheduler_.counters(i);
      EXPECT_LE(counters.steals, counters.stolen_units);
      EXPECT_GE(workers_[i]->idle, counters.parks);
      units += workers_[i]->nodes;
    }
    EXPECT_EQ(units, expected.nodes);
    EXPECT_EQ(workers_[0]->thread, std::this_thread::get_id());
  }
  unsigned started() const { return scheduler_.started_workers(); }
  std::uint64_t decisions() const { return decisions_; }
  const std::vector<LimitChange>& limit_changes() const { return scheduler_.limit_changes(); }
  std::uint64_t steals() const {
    std::uint64_t steals = 0;
    for (unsigned i = 0; i < started(); ++i) steals += scheduler_.counters(i).steals;
    return steals;
  }
  // True if each worker that ran gave back what it held after its last task.
  bool all_ended_idle() const {
    return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
      return !worker->started || worker->idle > worker->idle_at_last_task;
    });
  }

 private:
  struct Worker {
    bool started = false;
    std::thread::id thread;
    std::atomic<std::uint64_t> calls{0};
    std::uint64_t nodes = 0;
    std::uint64_t numbers = 0;
    std::uint64_t idle = 0;
    std::uint64_t idle_at_last_task = 0;
    std::uint64_t moves = 0;
  };

  // Worker `index` is a thread that was started, and this is it.
  Worker& mine(unsigned index) {
    Worker& worker = *workers_.at(index);
    EXPECT_TRUE(worker.started);
    EXPECT_EQ(worker.thread, std::this_thread::get_id());
    worker.idle_at_last_task = worker.idle;
    return worker;
  }

  const Shape shape_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Node nobody_;
  unsigned allowed_ = UINT32_MAX;
  unsigned nodes_ = 1;
  bool random_limits_ = false;
  Random random_{1};
  std::uint64_t decisions_ = 0;  // the monitor's until run() returns
  bool asked_ = false;
  Scheduler<Task, Client> scheduler_;
};

class SchedulerWith : public ::testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(Workers, SchedulerWith, ::testing::Values(1U, 2U, 3U, 16U, 64U),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(SchedulerWith, RunsEachUnitOnce) {
  Random random(testing::fresh_seed());
  for (int round = 0; round < effort(40); ++round) {
    const Shape shape{.seed = random.next(), .depth = 7, .most_children = 7};
    Client client(shape, GetParam());
    client.run();
    client.expect_all_done();
    if (HasFailure()) break;
  }
}

TEST_P(SchedulerWith, RunsWideTrees) {
  const Shape shape{.seed = 5, .depth = 2, .most_children = 300};
  for (const unsigned nodes : {1U, 2U, 5U}) {
    Client client(shape, GetParam());
    client.set_nodes(nodes);
    client.run();
    client.expect_all_done();
  }
}

TEST_P(SchedulerWith, RunsChains) {
  const Shape shape{.depth = effort(20'000), .least_children = 1, .most_children = 1};
  Client client(shape, GetParam());
  client.run();
  client.expect_all_done();
}

// Starting, parking and ending meet in every way.
TEST_P(SchedulerWith, RunsThousandsOfShortRuns) {
  Random random(testing::fresh_seed());
  for (int round = 0; round < effort(3000); ++round) {
    const Shape shape{.seed = random.next(),
                      .depth = random.between(0, 4),
                      .most_children = 4,
                      .work = std::chrono::microseconds(random.below(40))};
    Client client(shape, GetParam());
    client.run();
    client.expect_all_done();
    ASSERT_FALSE(HasFailure()) << "in round " << round;
  }
}

TEST_P(SchedulerWith, TellsEachWorkerWhenItsWorkIsOver) {
  const Shape shape{
      .seed = 77, .depth = 6, .most_children = 8, .work = std::chrono::microseconds(20)};
  Client client(shape, GetParam());
  client.run();
  EXPECT_TRUE(client.all_ended_idle());
}

TEST(Scheduler, OneWorkerStartsNoThread) {
  const Shape shape{
      .seed = 3, .depth = 6, .most_children = 8, .work = std::chrono::microseconds(5)};
  Client client(shape, 1);
  client.run();
  client.expect_all_done();
  EXPECT_EQ(client.started(), 1U);
  EXPECT_EQ(client.steals(), 0U);
}

TEST(Scheduler, StartsNoThreadWhereNothingCanBeShared) {
  const Shape chain{
      .depth = 500, .least_children = 1, .most_children = 1, .work = std::chrono::microseconds(10)};
  Client client(chain, 16);
  client.run();
  EXPECT_EQ(client.started(), 1U);
}

TEST(Scheduler, StartsNoMoreThanAllowed) {
  const Shape shape{
      .seed = 77, .depth = 6, .most_children = 8, .work = std::chrono::microseconds(20)};
  for (const unsigned allowed : {0U, 1U, 2U, 3U}) {
    Client client(shape, 16);
    client.allow(allowed);
    client.run();
    client.expect_all_done();
    EXPECT_LE(client.started(), std::max(1U, allowed));
  }
}

// Workers go to the bench and come back while they have work, and while the run ends.
TEST_P(SchedulerWith, FollowsTheLimit) {
  Random random(testing::fresh_seed());
  std::uint64_t changes = 0;
  for (int round = 0; round < effort(20); ++round) {
    const Shape shape{.seed = random.next(),
                      .depth = 6,
                      .least_children = 2,
                      .most_children = 4,
                      .work = std::chrono::microseconds(random.below(30))};
    Client client(shape, GetParam());
    client.limit_at_random(random.next());
    client.run();
    client.expect_all_done();
    EXPECT_TRUE(client.all_ended_idle());
    for (const LimitChange& change : client.limit_changes()) {
      EXPECT_GE(change.limit, 1U);
      EXPECT_LE(change.limit, GetParam());
    }
    changes += client.limit_changes().size();
    ASSERT_FALSE(HasFailure()) << "in round " << round;
  }
  EXPECT_EQ(changes > 0, GetParam() > 1);
}

TEST(Scheduler, ObservesOnlyWhatMayNeedOthers) {
  const Shape shape{.depth = 6, .most_children = 8, .work = std::chrono::microseconds(20)};
  Client alone(shape, 1);
  alone.run();
  EXPECT_EQ(alone.decisions(), 0U);
  Client several({.depth = 7,
                  .least_children = 4,
                  .most_children = 6,
                  .work = std::chrono::microseconds(20)},
                 2);
  several.run();
  EXPECT_GT(several.decisions(), 10U);
}

// A client that runs functions.
class Functions {
 public:
  using Function = std::function<void(Functions&, unsigned worker, std::size_t unit)>;

  Functions(unsigned workers, Function function)
      : function_(std::move(function)), scheduler_(*this, workers) {}

  struct Units {
    std::size_t begin = 0;
    std::size_t end = 1;
    std::size_t units() const { return end - begin; }
    Units take_first() {
      const Units first{begin, begin + 1};
      ++begin;
      return first;
    }
    Units take_back_half() {
      const std::size_t half = units() / 2;
      end -= half;
      return {end, end + half};
    }
  };

  void start_worker(unsigned) {}
  void run_task(unsigned worker, Units task) { function_(*this, worker, task.begin); }
  void idle(unsigned) {}
  void end_worker(unsigned) {}
  Decision first_decision() { return {.limit = UINT32_MAX, .interval = std::chrono::milliseconds(1)}; }
  Decision decide(const Observation&) { return first_decision(); }
  WorkDone work_done(unsigned) const { return {}; }
  bool has_nodes() const { return !nodes.empty(); }
  unsigned node(unsigned worker) const { return nodes.at(worker); }

  std::vector<unsigned> nodes;  // of each worker

  Scheduler<Units, Functions>& scheduler() { return scheduler_; }

 private:
  Function function_;
  Scheduler<Units, Functions> scheduler_;
};

// The only push comes at once, before a thread would pay; and then it turns out that it does.
TEST(Scheduler, SharesARangeThatWasPushedAtOnce) {
  constexpr std::size_t kUnits = 64;
  std::atomic<std::size_t> left = kUnits;
  Functions client(4, [&](Functions& self, unsigned worker, std::size_t unit) {
    if (unit == 0) {
      self.scheduler().push(worker, {1, 1 + kUnits});
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    if (--left == 0) self.scheduler().finish();
  });
  client.scheduler().run({});
  EXPECT_EQ(client.scheduler().started_workers(), 4U);
}

// Workers 0 and 1 have work, and are busy; whose do 2 and 3 take?
std::vector<unsigned> victims_of_2_and_3(std::vector<unsigned> nodes) {
  constexpr unsigned kWorkers = 4;
  constexpr std::size_t kOf0 = 1000;
  constexpr std::size_t kOf1 = 2000;
  std::atomic<unsigned> arrived = 0;
  std::atomic<unsigned> have_work = 0;
  std::atomic<unsigned> chosen = 0;
  std::vector<unsigned> victims(kWorkers, UINT32_MAX);
  const auto wait = [](const std::atomic<unsigned>& number, unsigned until) {
    while (number < until) std::this_thread::yield();
  };
  Functions client(kWorkers, [&](Functions& self, unsigned worker, std::size_t unit) {
    if (unit == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(150));
      self.scheduler().push(worker, {1, kWorkers});
    }
    if (unit < kWorkers) {  // each worker has one of these
      ++arrived;
      wait(arrived, kWorkers);
      if (worker <= 1) {
        const std::size_t begin = worker == 0 ? kOf0 : kOf1;
        self.scheduler().push(worker, {begin, begin + 100});
        ++have_work;
        wait(chosen, 2);
      }
      wait(have_work, 2);
    } else if (worker >= 2 && victims[worker] == UINT32_MAX) {
      victims[worker] = unit < kOf1 ? 0 : 1;
      if (++chosen == 2) self.scheduler().finish();
      wait(chosen, 2);
    }
  });
  client.nodes = std::move(nodes);
  client.scheduler().run({});
  return {victims[2], victims[3]};
}

TEST(Scheduler, StealsFromTheOwnNodeFirst) {
  using Victims = std::vector<unsigned>;
  for (int round = 0; round < effort(20); ++round) {
    EXPECT_EQ(victims_of_2_and_3({}), (Victims{0, 0})) << "all are equally near";
    EXPECT_EQ(victims_of_2_and_3({0, 1, 0, 1}), (Victims{0, 1}));
    EXPECT_EQ(victims_of_2_and_3({0, 1, 1, 0}), (Victims{1, 0}));
    EXPECT_EQ(victims_of_2_and_3({4, 8, 8, 8}), (Victims{1, 1}));
    EXPECT_EQ(victims_of_2_and_3({0, 1, 2, 2}), (Victims{0, 0})) << "the others come after all";
    ASSERT_FALSE(::testing::Test::HasFailure()) << "in round " << round;
  }
}

// All others are asleep when it ends.
TEST(Scheduler, FinishWakesSleepers) {
  for (int round = 0; round < effort(200); ++round) {
    constexpr unsigned kWorkers = 8;
    std::atomic<unsigned> meeting = 0;
    Functions client(kWorkers, [&](Functions& self, unsigned worker, std::size_t unit) {
      if (unit == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(150));
        self.scheduler().push(worker, {1, 1 + kWorkers});
        return;
      }
      // As soon as two are there the others may sleep; the one that is left takes its time.
      if (++meeting < kWorkers) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      self.scheduler().finish();
    });
    client.scheduler().run({});
    EXPECT_EQ(meeting, kWorkers);
  }
}

// The end may come while tasks wait: they are dropped.
TEST(Scheduler, FinishDropsWhatWaits) {
  std::atomic<unsigned> done = 0;
  Functions client(4, [&](Functions& self, unsigned worker, std::size_t unit) {
    if (unit == 0) {
      self.scheduler().push(worker, {1, 100'001});
    } else if (++done == 1000) {
      self.scheduler().finish();
    }
  });
  client.scheduler().run({});
  EXPECT_GE(done, 1000U);
  EXPECT_LT(done, 100'000U);
}

TEST(Scheduler, GoesOnWithoutThreads) {
  EXPECT_TRUE(passes_in_child([] {
    // Limits on processes do not bind root.
    ASSERT_TRUE(::geteuid() != 0 || ::setuid(65534) == 0);
    const struct rlimit none = {0, 0};
    ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &none), 0);
    const Shape shape{
        .seed = 11, .depth = 6, .most_children = 8, .work = std::chrono::microseconds(5)};
    for (const unsigned workers : {2U, 64U}) {
      Client client(shape, workers);
      client.run();
      client.expect_all_done();
      EXPECT_EQ(client.started(), 1U);
    }
  }));
}

}  // namespace
}  // namespace trawl::sched
