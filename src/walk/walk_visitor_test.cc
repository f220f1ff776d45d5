// SPDX-License-Identifier: Apache-2.0
//
// What visitors may answer, what happens when they throw, and how a walk is ended from outside.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::Answers;
using testing::Call;
using testing::effort;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::kNone;
using testing::Oracle;
using testing::Random;
using testing::RandomTree;
using testing::record;
using testing::Recording;
using testing::TemporaryDirectory;
using testing::walk_naively;
using testing::with_threads;

std::set<std::string> paths_of(const Recording& recording) {
  std::set<std::string> paths;
  for (const auto& entry : recording.entries) paths.insert(entry.path);
  return paths;
}

class WalkVisitor : public ::testing::TestWithParam<unsigned> {
 protected:
  WalkVisitor() : options_(with_threads(GetParam())) {}
  Options options_;
};

INSTANTIATE_TEST_SUITE_P(Workers, WalkVisitor, ::testing::Values(1U, 4U, 16U),
                         [](const auto& test) { return std::to_string(test.param); });

// --- Verdicts
// --------------------------------------------------------------------------------------

TEST_P(WalkVisitor, PruneKeepsOutOfADirectory) {
  const RandomTree tree(fresh_seed(), {.directories = 80});
  const auto pruned = [&](const std::string& path) { return path.size() % 3 == 0; };
  Answers answers;
  answers.enter = [&](Directory& directory) {
    std::string path;
    directory.append_path(path);
    return directory.depth() > 0 && pruned(path) ? Verdict::prune : Verdict::proceed;
  };
  const Recording recording = record(tree.roots(), options_, answers);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::complete);

  std::set<std::string> expected;
  const Oracle oracle = walk_naively(tree.roots(), options_);
  std::set<std::string> closed;
  for (const auto& directory : oracle.directories) {
    if (directory.depth > 0 && pruned(directory.path)) closed.insert(directory.path);
  }
  for (const auto& entry : oracle.entries) {
    bool reached = true;
    for (auto slash = entry.path.rfind('/'); slash > tree.path().size();
         slash = entry.path.rfind('/', slash - 1)) {
      reached = reached && closed.count(entry.path.substr(0, slash)) == 0;
    }
    if (reached) expected.insert(entry.path);
  }
  EXPECT_EQ(paths_of(recording), expected);
  for (const auto& directory : recording.directories) {
    EXPECT_EQ(directory.state, closed.count(directory.path) != 0 ? State::pruned : State::complete);
    EXPECT_TRUE(directory.entered);
  }
}

TEST_P(WalkVisitor, SkippedEntriesAreNotLookedAt) {
  TemporaryDirectory directory;
  for (int i = 0; i < 600; ++i) directory.file((i % 2 == 0 ? "keep" : "skip") + std::to_string(i));
  directory.directory("skip_directory");
  directory.file("skip_directory/below");
  directory.directory("keep_directory");
  FaultFileSystem fs(sys::linux_filesystem());
  Answers answers;
  answers.select = [](Directory&, std::span<Entry> batch) {
    for (Entry& entry : batch) entry.skip = entry.name.starts_with("skip");
  };
  const std::vector<std::string> roots{directory.path()};
  const Recording recording = record(fs, roots, options_, answers);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.entries.size(), 302U);
  EXPECT_EQ(recording.directories.size(), 2U);
  EXPECT_EQ(recording.directories.back().entry_count, 602U) << "names listed are counted";
  for (const auto& place : fs.trace()) {
    EXPECT_EQ(place.path.find("skip"), std::string::npos) << place.path;
  }
}

TEST_P(WalkVisitor, DirectoriesWithoutDescendAreNotEntered) {
  const RandomTree tree(fresh_seed(), {.directories = 60});
  Answers answers;
  answers.entries = [](Directory& directory, std::span<Entry> batch) {
    for (Entry& entry : batch) {
      if (directory.depth() >= 0 && entry.position % 2 == 0) entry.descend = false;
    }
    return Verdict::proceed;
  };
  const Recording recording = record(tree.roots(), options_, answers);
  EXPECT_EQ(recording.violations, kNone);
  std::set<std::string> to_enter;
  for (const auto& entry : recording.entries) {
    if (entry.descend) to_enter.insert(entry.path);
  }
  std::set<std::string> entered;
  for (const auto& directory : recording.directories) entered.insert(directory.path);
  EXPECT_EQ(entered, to_enter);
}

TEST_P(WalkVisitor, PruneInEntriesEntersNoneOfTheBatch) {
  TemporaryDirectory directory;
  for (int i = 0; i < 20; ++i) {
    directory.directory("d" + std::to_string(i));
    directory.file("d" + std::to_string(i) + "/below");
  }
  Answers answers;
  answers.entries = [](Directory& at, std::span<Entry>) {
    return at.is_origin() ? Verdict::proceed : Verdict::prune;
  };
  const std::vector<std::string> roots{directory.path()};
  const Recording recording = record(roots, options_, answers);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.entries.size(), 21U);
  EXPECT_EQ(recording.directories.size(), 1U);
  EXPECT_EQ(recording.result.ending, Ending::complete);
}

TEST_P(WalkVisitor, StopEndsTheWalk) {
  const RandomTree tree(fresh_seed(), {.directories = 300, .entries = 3});
  for (const bool in_enter : {true, false}) {
    std::atomic<int> left = 20;
    Answers answers;
    if (in_enter) {
      answers.enter = [&](Directory&) { return --left <= 0 ? Verdict::stop : Verdict::proceed; };
    } else {
      answers.entries = [&](Directory&, std::span<Entry>) {
        return --left <= 0 ? Verdict::stop : Verdict::proceed;
      };
    }
    const Recording recording = record(tree.roots(), options_, answers);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::stopped);
    EXPECT_FALSE(recording.result.complete());
    EXPECT_EQ(recording.result.statistics.errors, 0U);
    ASSERT_TRUE(recording.origin);
    EXPECT_EQ(recording.origin->state, State::cancelled);
    if (in_enter) {  // entries() is not called for empty directories: any number of them may come
      EXPECT_LE(recording.directories.size(), 20U + 2 * GetParam());
    }
  }
}

// --- Exceptions
// ------------------------------------------------------------------------------------

struct Thrown {
  int value;
};

// Throws at the given call of one visitor function.
class Thrower {
 public:
  explicit Thrower(int at) : left_(at) {}
  void operator()() {
    if (left_.fetch_sub(1) == 1) throw Thrown{42};
  }
  bool has_thrown() const { return left_ <= 0; }

 private:
  std::atomic<int> left_;
};

TEST_P(WalkVisitor, ExceptionsComeOut) {
  const RandomTree tree(fresh_seed(), {.roots = 2, .directories = 100});
  for (const char* const where : {"enter", "select", "entries", "listed", "leave"}) {
    for (int at = 1; at < 60; at += 1 + at / 4) {
      Thrower thrower(at);
      Answers answers;
      const std::string function = where;
      if (function == "enter") {
        answers.enter = [&](Directory&) { return thrower(), Verdict::proceed; };
      } else if (function == "select") {
        answers.select = [&](Directory&, std::span<Entry>) { thrower(); };
      } else if (function == "entries") {
        answers.entries = [&](Directory&, std::span<Entry>) { return thrower(), Verdict::proceed; };
      } else if (function == "listed") {
        answers.listed = [&](Directory&) { thrower(); };
      } else {
        answers.leave = [&](Directory&) { thrower(); };
      }
      FaultFileSystem fs(sys::linux_filesystem());
      bool caught = false;
      try {
        record(fs, tree.roots(), options_, answers);
      } catch (const Thrown& thrown) {
        caught = thrown.value == 42;
      }
      EXPECT_TRUE(thrower.has_thrown()) << where;
      EXPECT_TRUE(caught) << where << " " << at;
      EXPECT_EQ(fs.open_handles(), 0) << where << " " << at;
    }
  }
}

// All at once: one of them comes out.
TEST_P(WalkVisitor, ManyExceptionsAreOne) {
  const RandomTree tree(fresh_seed(), {.directories = 100});
  for (int round = 0; round < effort(50); ++round) {
    FaultFileSystem fs(sys::linux_filesystem());
    std::atomic<int> left = round;
    Answers answers;
    answers.enter = [&](Directory&) -> Verdict {
      if (--left < 0) throw std::runtime_error("enter");
      return Verdict::proceed;
    };
    answers.leave = [&](Directory&) {
      if (left < 0) throw std::runtime_error("leave");
    };
    EXPECT_THROW(record(fs, tree.roots(), options_, answers), std::runtime_error);
    EXPECT_EQ(fs.open_handles(), 0);
  }
}

// With the seam in hand, so that threads start for certain: each read takes its time.
TEST_P(WalkVisitor, ExceptionOfTheFactoryComesOut) {
  const RandomTree tree(fresh_seed(), {.directories = 100, .entries = 2});
  for (unsigned thrower = 0; thrower < std::min(GetParam(), 3U); ++thrower) {
    FaultFileSystem fs(sys::linux_filesystem());
    fs.delay(Call::read, std::chrono::microseconds(300));
    Visitor visitor;
    unsigned made = 0;
    const VisitorFactory factory = [&](unsigned) -> Visitor& {
      if (made++ == thrower) throw Thrown{7};
      return visitor;
    };
    EXPECT_THROW(engine::Engine(fs, tree.roots(), options_, factory).run(), Thrown);
    EXPECT_EQ(fs.open_handles(), 0);
  }
}

// --- From outside
// ----------------------------------------------------------------------------------

TEST_P(WalkVisitor, CancelledBeforeItBegins) {
  const RandomTree tree(fresh_seed());
  CancelToken token;
  token.cancel();
  options_.cancel = &token;
  const Recording recording = record(tree.roots(), options_);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::cancelled);
  EXPECT_FALSE(recording.result.complete());
  EXPECT_TRUE(recording.entries.empty());
  ASSERT_TRUE(recording.origin);
  EXPECT_EQ(recording.origin->state, State::cancelled);
}

TEST_P(WalkVisitor, CancelledByAnotherThread) {
  const RandomTree tree(fresh_seed(), {.directories = 300, .entries = 3});
  Random random(1);
  for (int round = 0; round < effort(20); ++round) {
    FaultFileSystem fs(sys::linux_filesystem());
    fs.delay(Call::read, std::chrono::milliseconds(1));
    CancelToken token;
    options_.cancel = &token;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(10'000)));
      token.cancel();
    });
    const Recording recording = record(fs, tree.roots(), options_);
    canceller.join();
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::cancelled);
    EXPECT_EQ(recording.origin->state, State::cancelled);
    EXPECT_LT(recording.directories.size(), 300U);
    EXPECT_EQ(fs.open_handles(), 0);
    // What was entered was left, cut short or not.
    for (const auto& directory : recording.directories) {
      EXPECT_TRUE(directory.state == State::complete || directory.state == State::cancelled);
    }
  }
}

TEST_P(WalkVisitor, DeadlineInThePast) {
  const RandomTree tree(fresh_seed());
  options_.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const Recording recording = record(tree.roots(), options_);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::timed_out);
  EXPECT_TRUE(recording.entries.empty());
  EXPECT_EQ(recording.origin->state, State::cancelled);
}

TEST_P(WalkVisitor, DeadlineEndsTheWalk) {
  const RandomTree tree(fresh_seed(), {.directories = 300, .entries = 3});
  FaultFileSystem fs(sys::linux_filesystem());
  fs.delay(Call::read, std::chrono::milliseconds(20));
  options_.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  const Recording recording = record(fs, tree.roots(), options_);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::timed_out);
  EXPECT_FALSE(recording.entries.empty());
  EXPECT_LT(recording.directories.size(), 300U);
}

TEST_P(WalkVisitor, DeadlineFarAwayDoesNothing) {
  const RandomTree tree(fresh_seed());
  options_.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  CancelToken token;
  options_.cancel = &token;
  const Recording recording = record(tree.roots(), options_);
  EXPECT_EQ(compare(recording, walk_naively(tree.roots(), options_), options_), "");
}

// --- Other promises
// --------------------------------------------------------------------------------

TEST_P(WalkVisitor, KeepsSomeErrorsAndCountsAll) {
  const RandomTree tree(fresh_seed(), {.directories = 100, .entries = 20});
  FaultFileSystem fs(sys::linux_filesystem());
  fs.fail_when([](const testing::Request& request) {
    return request.call == Call::stat_at && request.fd != sys::kWorkingDirectory ? EIO : 0;
  });
  std::uint64_t expected = 1;  // the missing root
  for (const auto& entry : walk_naively(tree.roots(), options_).entries) {
    expected += entry.type != FileType::directory ? 1U : 0U;
  }
  std::vector<std::string> roots = tree.roots();
  roots.emplace_back(tree.path() + "/missing");
  for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    options_.max_errors = most;
    const Recording recording = record(fs, roots, options_);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.statistics.errors, expected);
    EXPECT_EQ(recording.result.errors.size(), std::min<std::size_t>(most, expected));
    EXPECT_EQ(recording.result.ending, Ending::complete);
    EXPECT_FALSE(recording.result.complete());
  }
}

TEST_P(WalkVisitor, LocksExclude) {
  TemporaryDirectory directory;
  for (int i = 0; i < 64; ++i) directory.directory("d" + std::to_string(i));
  struct Slot {
    std::uint64_t plain;  // a data race if the lock does not work
  };
  class Counter final : public Visitor {
   public:
    void leave(Directory& at) override {
      if (at.is_origin() || at.depth() == 0) {
        if (at.depth() == 0) total = at.slot<Slot>().plain;
        return;
      }
      for (int i = 0; i < 1000; ++i) {
        const std::lock_guard lock(*at.parent());
        ++at.parent()->slot<Slot>().plain;
      }
    }
    std::uint64_t total = 0;
  };
  FaultFileSystem fs(sys::linux_filesystem());
  fs.delay(Call::read, std::chrono::microseconds(200));
  options_.slot_bytes = sizeof(Slot);
  std::vector<std::unique_ptr<Counter>> counters;
  const VisitorFactory factory = [&](unsigned) -> Visitor& {
    return *counters.emplace_back(std::make_unique<Counter>());
  };
  const std::vector<std::string> roots{directory.path()};
  engine::Engine(fs, roots, options_, factory).run();
  std::uint64_t total = 0;
  for (const auto& counter : counters) total += counter->total;
  EXPECT_EQ(total, 64'000U);
}

TEST_P(WalkVisitor, VisitorsOfATypeComeBack) {
  const RandomTree tree(fresh_seed());
  class Counter final : public Visitor {
   public:
    Verdict entries(Directory&, std::span<Entry> batch) override {
      count += batch.size();
      return Verdict::proceed;
    }
    std::size_t count = 0;
  };
  const auto [result, visitors] = walk<Counter>(tree.roots(), options_);
  std::size_t count = 0;
  for (const auto& visitor : visitors) count += visitor->count;
  EXPECT_EQ(count, result.statistics.entries);
  EXPECT_EQ(visitors.size(), result.statistics.workers);
}

TEST(WalkVisitorDefaults, DoNothing) {
  const RandomTree tree(fresh_seed());
  Visitor visitor;
  const Result result =
      walk(tree.roots(), Options{}, [&](unsigned) -> Visitor& { return visitor; });
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(result.statistics.entries, walk_naively(tree.roots(), Options{}).entries.size());
}

}  // namespace
}  // namespace trawl
