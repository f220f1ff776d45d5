// SPDX-License-Identifier: Apache-2.0
//
// The stream of events as a library user sees it, against the oracle.
#include <gtest/gtest.h>
#include <trawl/events.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;
using Kind = WalkEvent::Kind;
using testing::effort;
using testing::fresh_seed;
using testing::Oracle;
using testing::OracleDirectory;
using testing::OracleEntry;
using testing::Random;
using testing::RandomTree;
using testing::TemporaryDirectory;
using testing::walk_naively;

// An event in words, without its metadata.
std::string words(Kind kind, const std::string& path, int depth, FileType type, State state,
                  int code) {
  constexpr const char* kNames[] = {"enter", "file", "exit", "error"};
  std::ostringstream out;
  // Of what could not be had, the listing may tell a type.
  out << kNames[static_cast<int>(kind)] << ' ' << path << " depth " << depth << " type "
      << static_cast<int>(kind == Kind::error ? FileType::unknown : type) << " state "
      << static_cast<int>(state) << " code " << code;
  return out.str();
}

struct Seen {
  Kind kind;
  std::string words;
  std::string path;
  std::string directory;
  int depth;
  std::optional<Metadata> metadata;
};

Seen seen(const WalkEvent& event) {
  if (event.failure != nullptr) {
    EXPECT_EQ(event.failure->path, event.path());
    EXPECT_EQ(event.failure->depth, event.depth);
  }
  EXPECT_EQ(event.failure != nullptr, event.kind == Kind::error);
  return {.kind = event.kind,
          .words = words(event.kind, event.path(), event.depth, event.type, event.state,
                         event.failure != nullptr ? event.failure->code : 0),
          .path = event.path(),
          .directory = std::string(event.directory),
          .depth = event.depth,
          .metadata = event.metadata != nullptr ? std::optional(*event.metadata) : std::nullopt};
}

struct Collected {
  Result result;
  std::vector<Seen> events;  // batches of several processors in no particular order
  std::size_t largest_batch = 0;
};

Collected collect(const std::vector<std::string>& roots, const EventOptions& options) {
  Collected all;
  std::mutex mutex;
  all.result = walk_events(roots, options, [&](EventBatch& batch) {
    const std::lock_guard lock(mutex);
    EXPECT_FALSE(batch.empty());
    all.largest_batch = std::max(all.largest_batch, batch.size());
    for (const WalkEvent& event : batch) all.events.push_back(seen(event));
    return true;
  });
  return all;
}

// What the oracle says, in order.
struct Expected {
  std::vector<std::string> words;
  std::map<std::string, struct stat> info;  // of files and directories
};

class Expecting {
 public:
  explicit Expecting(const Oracle& oracle) {
    for (const OracleDirectory& each : oracle.directories) directories_[each.path] = &each;
    for (const OracleEntry& each : oracle.entries) {
      const std::size_t name = each.path.rfind('/') + 1;
      std::string parent = each.depth == 0 ? "" : each.path.substr(0, name);
      while (parent.size() > 1 && parent.back() == '/' && !directories_.contains(parent)) {
        parent.pop_back();
      }
      in_[parent].push_back(&each);
    }
    all(std::string());
  }

  Expected expected;

 private:
  void all(const std::string& directory) {
    std::vector<const OracleEntry*> entries = in_[directory];
    if (!directory.empty()) {
      std::sort(entries.begin(), entries.end(),
                [](const OracleEntry* a, const OracleEntry* b) { return a->path < b->path; });
    }
    for (const OracleEntry* entry : entries) one(*entry);
  }

  void add(Kind kind, const OracleEntry& entry, FileType type, State state, int code) {
    expected.words.push_back(words(kind, entry.path, entry.depth, type, state, code));
    if (entry.info && kind != Kind::exit_dir) expected.info[entry.path] = *entry.info;
  }

  void one(const OracleEntry& entry) {
    if (!entry.descend) {
      const bool failed = entry.error != 0 && !entry.info;
      if (!failed) {
        add(Kind::file, entry, entry.type, State::open, 0);
      } else if (entry.error != ENOENT || entry.depth == 0) {
        add(Kind::error, entry, entry.type, State::open, entry.error);
      }
      return;
    }
    const OracleDirectory& directory = *directories_.at(entry.path);
    const FileType type = FileType::directory;
    switch (directory.state) {
      case State::complete:
        add(Kind::enter_dir, entry, type, State::open, 0);
        all(entry.path);
        add(Kind::exit_dir, entry, type, State::complete, 0);
        break;
      case State::unreadable:
        add(Kind::error, entry, type, State::unreadable, directory.error);
        break;
      default:
        add(Kind::file, entry, type, directory.state, 0);
        break;
    }
  }

  std::map<std::string, const OracleDirectory*> directories_;
  std::map<std::string, std::vector<const OracleEntry*>> in_;
};

// Whether every directory's events enclose what is in it.
std::string disorder(const std::vector<Seen>& events) {
  std::set<std::string> open;
  std::map<std::string, int> open_below;
  for (const Seen& event : events) {
    if (event.kind == Kind::exit_dir) {
      if (open.erase(event.path) == 0) return "left before it was entered: " + event.path;
      if (open_below[event.path] != 0) return "left too early: " + event.path;
      --open_below[event.directory];
    } else if (event.depth > 0 && !open.contains(event.directory)) {
      return "outside its directory: " + event.words;
    } else if (event.kind == Kind::enter_dir) {
      if (!open.insert(event.path).second) return "entered twice: " + event.path;
      ++open_below[event.directory];
    }
  }
  return open.empty() ? "" : "never left: " + *open.begin();
}

std::string first_difference(const std::vector<std::string>& found,
                             const std::vector<std::string>& wanted) {
  const auto [a, b] = std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end());
  if (a == found.end() && b == wanted.end()) return "";
  return "found: " + (a == found.end() ? "nothing" : *a) +
         "\nwanted: " + (b == wanted.end() ? "nothing" : *b);
}

std::string describe(const EventOptions& options) {
  std::ostringstream out;
  out << options.walk.threads << " threads, " << options.processors << " processors, capacity "
      << options.capacity << ", batch " << options.batch << (options.ordered ? ", ordered" : "")
      << ", follow " << static_cast<int>(options.walk.follow) << ", max_depth "
      << options.walk.max_depth << ", fields " << static_cast<unsigned>(options.walk.fields);
  return out.str();
}

void expect_oracle(const std::vector<std::string>& roots, const EventOptions& options) {
  const Expected expected = Expecting(walk_naively(roots, options.walk)).expected;
  const Collected all = collect(roots, options);
  std::vector<std::string> found;
  for (const Seen& event : all.events) {
    found.push_back(event.words);
    if (event.metadata && has(options.walk.fields, Fields::basic)) {
      EXPECT_EQ(testing::difference(*event.metadata, expected.info.at(event.path)), "")
          << event.words;
    }
    const bool has_some = event.kind == Kind::file || event.kind == Kind::enter_dir;
    EXPECT_TRUE(!has_some || event.metadata || options.walk.fields == Fields::none) << event.words;
  }
  EXPECT_LE(all.largest_batch, options.batch);
  EXPECT_EQ(all.result.ending, Ending::complete);
  std::vector<std::string> wanted = expected.words;
  if (options.processors == 1) {
    EXPECT_EQ(disorder(all.events), "") << describe(options);
  }
  if (options.processors > 1 || !options.ordered) {
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
  }
  EXPECT_EQ(first_difference(found, wanted), "") << describe(options);
}

std::vector<EventOptions> combinations() {
  std::vector<EventOptions> all;
  for (const unsigned threads : {1U, 2U, 16U, 64U}) {
    for (const unsigned processors : {1U, 4U}) {
      for (const bool ordered : {false, true}) {
        for (const std::size_t capacity : {1U, 200U, 10'000U}) {
          EventOptions options;
          options.walk.threads = threads;
          options.walk.fields = Fields::basic;
          options.processors = processors;
          options.ordered = ordered;
          options.capacity = capacity;
          all.push_back(options);
        }
      }
    }
  }
  return all;
}

EventOptions vary(EventOptions options, Random& random) {
  constexpr std::size_t kBatches[] = {1, 7, 128, 1000};
  options.batch = kBatches[random.below(4)];
  options.walk.max_depth = random.one_in(4) ? random.between(0, 3) : INT32_MAX;
  options.walk.fields = random.one_in(4) ? Fields::none : Fields::basic;
  options.walk.one_file_system = random.one_in(4);
  options.walk.follow = random.one_in(3) ? Follow::roots : Follow::never;
  if (random.one_in(3)) {
    // Which path is taken depends on the order.
    options.walk.follow = Follow::all;
    options.walk.threads = 1;
  }
  return options;
}

TEST(Events, AreWhatTheOracleSays) {
  const RandomTree tree(fresh_seed(), {.roots = 3, .directories = 60, .entries = 12});
  for (const EventOptions& options : combinations()) {
    expect_oracle(tree.roots(), options);
    if (HasFailure()) return;
  }
}

TEST(Events, AreWhatTheOracleSaysOfManyTrees) {
  Random random(fresh_seed());
  const std::vector<EventOptions> all = combinations();
  for (int round = 0; round < effort(40) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(),
                          {.roots = random.between(1, 4),
                           .directories = random.between(1, 200),
                           .depth = random.between(1, 12),
                           .entries = random.between(0, 16)},
                          mostly_in_memory(random));
    for (int i = 0; i < 16 && !HasFailure(); ++i) {
      expect_oracle(tree.roots(), vary(all[random.below(all.size())], random));
    }
  }
}

TEST(Events, OfUnreadableDirectories) {
  const std::uint64_t seed = fresh_seed();
  EXPECT_TRUE(testing::passes_in_child([&] {
    ASSERT_TRUE(::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0));
    Random random(seed);
    const std::vector<EventOptions> all = combinations();
    for (int round = 0; round < effort(10) && !HasFailure(); ++round) {
      const RandomTree tree(random.next(), {.directories = 60, .depth = 8, .unreadable = true});
      for (int i = 0; i < 12 && !HasFailure(); ++i) {
        EventOptions options = vary(all[random.below(all.size())], random);
        options.walk.follow = Follow::never;
        expect_oracle(tree.roots(), options);
      }
    }
  }));
}

// Large directories are shared among workers, and their entries come from several.
TEST(Events, OfLargeDirectories) {
  const TemporaryDirectory top(testing::in_memory());
  for (int i = 0; i < 3000; ++i) top.file("file" + std::to_string(i));
  for (int i = 0; i < 300; ++i) {
    top.file(top.directory("dir" + std::to_string(i)).substr(top.path().size() + 1) + "/in");
  }
  for (const EventOptions& options : combinations()) {
    if (testing::kThreadSanitizer && options.capacity == 200) continue;
    expect_oracle({top.path()}, options);
    if (HasFailure()) return;
  }
}

TEST(Events, OfRootsThatAreOdd) {
  const TemporaryDirectory top(testing::in_memory());
  const std::string file = top.file("file");
  const std::string dir = top.directory("dir");
  top.file("dir/x");
  top.directory("dir/y");
  const std::string dangling = top.link("dangling", "nowhere");
  const std::string linked = top.link("linked", "dir");
  for (const bool ordered : {false, true}) {
    for (const Follow follow : {Follow::never, Follow::roots}) {
      EventOptions options;
      options.ordered = ordered;
      options.walk.fields = Fields::basic;
      options.walk.follow = follow;
      expect_oracle({linked, file, top.at("missing"), dir + "/", dangling, ""}, options);
      expect_oracle({}, options);
    }
  }
  EventOptions options;
  options.ordered = true;
  const Collected all = collect({dir + "/"}, options);
  ASSERT_EQ(all.events.size(), 5U);
  EXPECT_EQ(all.events[0].path, dir + "/");
  EXPECT_EQ(all.events[0].directory, "");
  EXPECT_EQ(all.events[1].path, dir + "/x");
  EXPECT_EQ(all.events[1].directory, dir + "/");
  EXPECT_EQ(all.events[2].directory, dir + "/");
}

TEST(Events, MayBeKept) {
  const RandomTree tree(fresh_seed(), {.directories = 60});
  EventOptions options;
  options.batch = 3;
  std::vector<EventBatch> kept;
  walk_events(tree.roots(), options, [&](EventBatch& batch) {
    if (kept.size() % 3 != 2) {
      kept.push_back(std::move(batch));
    } else {
      EventBatch copy = std::move(batch);
      kept.emplace_back();
      kept.back() = std::move(copy);
    }
    return true;
  });
  std::vector<std::string> found;
  for (const EventBatch& batch : kept) {
    for (const WalkEvent& event : batch) found.push_back(seen(event).words);
  }
  std::vector<std::string> wanted =
      Expecting(walk_naively(tree.roots(), options.walk)).expected.words;
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted);
}

// --- the end, before its time

class EarlyEnd : public ::testing::TestWithParam<bool> {
 protected:
  EventOptions options(unsigned threads = 4) const {
    EventOptions options;
    options.ordered = GetParam();
    options.walk.threads = threads;
    options.walk.fields = Fields::basic;
    options.capacity = 20;
    options.batch = 4;
    return options;
  }
  const RandomTree tree{fresh_seed(), {.directories = 200, .entries = 10}};
};

INSTANTIATE_TEST_SUITE_P(Orders, EarlyEnd, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "ordered" : "unordered"; });

TEST_P(EarlyEnd, ConsumerThrows) {
  for (const unsigned threads : {1U, 2U, 16U}) {
    for (const unsigned processors : {1U, 4U}) {
      for (const int after : {0, 1, 30}) {
        EventOptions own = options(threads);
        own.processors = processors;
        std::atomic<int> calls = 0;
        const auto consumer = [&](EventBatch&) -> bool {
          if (calls++ >= after) throw std::runtime_error("enough");
          return true;
        };
        EXPECT_THROW(walk_events(tree.roots(), own, consumer), std::runtime_error);
        EXPECT_LE(calls, after + static_cast<int>(processors));
      }
    }
  }
}

TEST_P(EarlyEnd, ConsumerHasEnough) {
  for (const unsigned threads : {1U, 2U, 16U}) {
    std::atomic<int> calls = 0;
    const Result result =
        walk_events(tree.roots(), options(threads), [&](EventBatch&) { return ++calls < 3; });
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(result.ending, Ending::stopped);
  }
}

// Also if the walk itself is long done.
TEST_P(EarlyEnd, ConsumerHasEnoughLate) {
  EventOptions own = options();
  own.capacity = 1'000'000;
  int calls = 0;
  const Result result = walk_events(tree.roots(), own, [&](EventBatch&) {
    if (++calls == 1) std::this_thread::sleep_for(100ms);
    return calls < 3;
  });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(result.ending, Ending::stopped);
}

TEST_P(EarlyEnd, SlowConsumerGetsAll) {
  const RandomTree small(fresh_seed(), {.directories = 30});
  EventOptions own = options();
  std::vector<std::string> found;
  own.capacity = 1;
  walk_events(small.roots(), own, [&](EventBatch& batch) {
    std::this_thread::sleep_for(1ms);
    for (const WalkEvent& event : batch) found.push_back(seen(event).words);
    return true;
  });
  std::vector<std::string> wanted = Expecting(walk_naively(small.roots(), own.walk)).expected.words;
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted);
}

TEST_P(EarlyEnd, StreamIsDestroyed) {
  for (const unsigned threads : {1U, 2U, 16U}) {
    for (const int pulled : {0, 1, 5}) {
      EventStream stream(tree.roots(), options(threads));
      EventBatch batch;
      for (int i = 0; i < pulled; ++i) EXPECT_TRUE(stream.next(batch));
      if (pulled == 5) std::this_thread::sleep_for(5ms);  // all wait for room
    }
  }
}

TEST_P(EarlyEnd, StreamIsCancelledByAnotherThread) {
  for (const unsigned threads : {1U, 4U}) {
    EventStream stream(tree.roots(), options(threads));
    std::atomic<int> batches = 0;
    std::vector<std::jthread> pulling;
    for (int i = 0; i < 3; ++i) {
      pulling.emplace_back([&] {
        for (EventBatch batch; stream.next(batch);) {
          ++batches;
          std::this_thread::sleep_for(1ms);
        }
      });
    }
    while (batches < 3) std::this_thread::yield();
    stream.cancel();
    pulling.clear();
    EXPECT_EQ(stream.result().ending, Ending::stopped);
    EventBatch batch;
    EXPECT_FALSE(stream.next(batch));
    EXPECT_TRUE(batch.empty());
  }
}

// What was found until then comes all the same, and nobody waits for a consumer that does nothing.
TEST_P(EarlyEnd, CancelTokenAndDeadline) {
  for (const bool by_token : {false, true}) {
    CancelToken token;
    EventOptions own = options();
    if (by_token) {
      own.walk.cancel = &token;
    } else {
      own.walk.deadline = std::chrono::steady_clock::now() + 30ms;
    }
    std::atomic<std::uint64_t> progress = 0;
    own.walk.progress_entries = &progress;
    EventStream stream(tree.roots(), own);
    while (by_token && progress < 2) std::this_thread::yield();  // the root's listing
    token.cancel();
    const Result& result = stream.result();  // without having pulled
    const bool was_faster = !by_token && result.ending == Ending::complete;
    EXPECT_TRUE(was_faster || result.ending == (by_token ? Ending::cancelled : Ending::timed_out));
    std::multiset<std::string> left;
    std::set<std::string> paths;
    for (EventBatch batch; stream.next(batch);) {
      for (const WalkEvent& event : batch) {
        if (event.kind == Kind::exit_dir) {
          EXPECT_TRUE(paths.contains(event.path()));
          EXPECT_EQ(event.state, State::complete);
        } else {
          EXPECT_TRUE(paths.insert(event.path()).second);
          EXPECT_TRUE(event.depth == 0 || paths.contains(std::string(event.directory)));
        }
      }
    }
    EXPECT_TRUE(!by_token || !paths.empty());
  }
}

TEST_P(EarlyEnd, CancelTokenOfAnotherThread) {
  CancelToken token;
  EventOptions own = options();
  own.walk.cancel = &token;
  std::atomic<int> calls = 0;
  std::jthread other([&] {
    while (calls < 2) std::this_thread::yield();
    token.cancel();
  });
  const Result result = walk_events(tree.roots(), own, [&](EventBatch&) {
    ++calls;
    std::this_thread::sleep_for(1ms);
    return true;
  });
  // In order, all may have been found before the first two batches are out.
  EXPECT_TRUE(result.ending == Ending::cancelled ||
              (GetParam() && result.ending == Ending::complete));
}

TEST_P(EarlyEnd, WalkThatThrows) {
  EventOptions own = options();
  own.walk.backend = Backend::posix;
  own.walk.stall_timeout = 1s;
  EXPECT_THROW(walk_events(tree.roots(), own, [](EventBatch&) { return true; }),
               std::invalid_argument);
  EventStream stream(tree.roots(), own);
  EventBatch batch;
  EXPECT_THROW(stream.next(batch), std::invalid_argument);
  EXPECT_THROW(stream.result(), std::invalid_argument);
}

// A consumer that is slow is no slow medium.
TEST(Events, SlowConsumerGetsNoMoreWorkers) {
  const RandomTree tree(fresh_seed(), {.directories = 1000, .entries = 20});
  for (const bool ordered : {false, true}) {
    EventOptions options;
    options.ordered = ordered;
    options.capacity = 200;
    options.walk.fields = Fields::basic;
    int calls = 0;
    const Result result = walk_events(tree.roots(), options, [&](EventBatch&) {
      if (++calls < 15) std::this_thread::sleep_for(150ms);
      return true;
    });
    EXPECT_LT(result.statistics.workers, 64U);
  }
}

TEST(EventStream, GivesAllToWhoeverPulls) {
  const RandomTree tree(fresh_seed(), {.directories = 150});
  for (const bool ordered : {false, true}) {
    EventOptions options;
    options.ordered = ordered;
    options.batch = 5;
    options.capacity = 30;
    EventStream stream(tree.roots(), options);
    std::mutex mutex;
    std::vector<std::string> found;
    {
      std::vector<std::jthread> pulling;
      for (int i = 0; i < 4; ++i) {
        pulling.emplace_back([&] {
          for (EventBatch batch; stream.next(batch);) {
            const std::lock_guard lock(mutex);
            for (const WalkEvent& event : batch) found.push_back(seen(event).words);
          }
        });
      }
    }
    std::vector<std::string> wanted =
        Expecting(walk_naively(tree.roots(), options.walk)).expected.words;
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(found, wanted);
    EXPECT_TRUE(stream.result().complete());
  }
}

TEST(EventStream, CountsProgress) {
  const RandomTree tree(fresh_seed(), {.directories = 50});
  std::atomic<std::uint64_t> progress = 0;
  EventOptions options;
  options.walk.progress_entries = &progress;
  options.processors = 0;
  options.capacity = options.batch = 0;
  std::uint64_t entries = 0;
  const Result result = walk_events(tree.roots(), options, [&](EventBatch& batch) {
    EXPECT_EQ(batch.size(), 1U);
    entries += batch[0].kind != Kind::exit_dir ? 1U : 0U;
    return true;
  });
  EXPECT_EQ(progress, result.statistics.entries);
  EXPECT_EQ(entries, result.statistics.entries);
}

}  // namespace
}  // namespace trawl
