// SPDX-License-Identifier: Apache-2.0
//
// Both visitors on directories that are played to them: what no filesystem does on request, and
// what several workers do at chosen times.
#include "fold/events_visitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fold/events_order.h"

namespace trawl::fold {
namespace {

using namespace std::chrono_literals;

class PlayedDirectory final : public Directory {
 public:
  PlayedDirectory() { slot_ = slot_memory_; }  // the origin
  PlayedDirectory(PlayedDirectory& parent, std::string_view name, std::uint64_t position = 0) {
    slot_ = slot_memory_;
    parent_ = &parent;
    name_ = name;
    depth_ = parent.depth() + 1;
    position_ = position;
    metadata_.mode = 0040755;
    metadata_.valid = Fields::basic;
  }
  void set(State state, int error = 0, Operation operation = Operation::open) {
    state_ = state;
    error_ = error;
    operation_ = operation;
  }

 private:
  alignas(16) std::byte slot_memory_[128] = {};
};

Entry file(std::string_view name, std::uint64_t position = 0) {
  return {.name = name, .position = position, .type = FileType::regular};
}
Entry directory(std::string_view name, std::uint64_t position = 0) {
  return {.name = name, .position = position, .type = FileType::directory, .descend = true};
}

std::string words(const WalkEvent& event) {
  constexpr const char* kKinds[] = {"enter", "file", "exit", "error"};
  return kKinds[static_cast<int>(event.kind)] + (" " + event.path()) +
         (event.state == State::open ? "" : " " + std::to_string(static_cast<int>(event.state))) +
         (event.metadata != nullptr ? " m" : "") +
         (event.failure != nullptr ? " " + event.failure->message() : "");
}

std::string state(State state) { return " " + std::to_string(static_cast<int>(state)); }

// Workers of a walk that a test plays.
class Play {
 public:
  explicit Play(bool ordered, int workers = 1, std::size_t batch = 128)
      : options_(of(batch)), pipe_(options_) {
    if (ordered) sequence_.emplace(pipe_, 1000);
    for (int i = 0; i < workers; ++i) {
      if (ordered) {
        visitors_.push_back(std::make_unique<OrderedVisitor>(pipe_, *sequence_));
      } else {
        visitors_.push_back(std::make_unique<EventVisitor>(pipe_));
      }
    }
    visitors_[0]->enter(origin);
  }
  Visitor& worker(std::size_t index = 0) { return *visitors_[index]; }
  void list(Directory& directory, std::vector<Entry> entries, std::size_t index = 0) {
    worker(index).entries(directory, entries);
    worker(index).listed(directory);
  }
  // All that comes until the end, which a walk that was cut short has to tell.
  std::vector<std::string> finish(bool cut_short = false) {
    worker().leave(origin);
    if (sequence_ && cut_short) sequence_->finish();
    std::thread closing([this] { pipe_.close(); });
    std::vector<std::string> all;
    for (EventBatch batch; pipe_.pop(batch);) {
      for (const WalkEvent& event : batch) all.push_back(words(event));
    }
    closing.join();
    return all;
  }
  EventPipe& pipe() { return pipe_; }

  PlayedDirectory origin;

 private:
  static EventOptions of(std::size_t batch) {
    EventOptions options;
    options.batch = batch;
    return options;
  }
  const EventOptions options_;
  EventPipe pipe_;
  std::optional<EventSequence> sequence_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
};

class BothVisitors : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Orders, BothVisitors, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "ordered" : "unordered"; });

TEST_P(BothVisitors, TellWhatBecameOfDirectories) {
  Play play(GetParam());
  PlayedDirectory root(play.origin, "r/");
  play.list(play.origin, {directory("r/")});
  play.worker().enter(root);
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
  std::vector<Entry> entries;
  std::list<PlayedDirectory> below;
  for (std::size_t i = 0; i < names.size(); ++i) {
    entries.push_back(directory(names[i], i));
    below.emplace_back(root, names[i], i);
  }
  play.list(root, entries);
  auto next = below.begin();
  const auto entered = [&](State state, int error) {
    play.worker().enter(*next);
    play.list(*next, {});
    next->set(state, error, Operation::read);
    play.worker().leave(*next++);
  };
  const auto not_entered = [&](State state, int error) {
    next->set(state, error);
    play.worker().leave(*next++);
  };
  entered(State::partially_read, EIO);
  entered(State::unreadable, EIO);
  entered(State::vanished, ENOENT);
  not_entered(State::unreadable, EACCES);
  not_entered(State::vanished, ENOENT);
  not_entered(State::other_device, 0);
  not_entered(State::cycle, 0);
  not_entered(State::visited, 0);
  root.set(State::complete);
  play.worker().leave(root);
  const std::string partial = state(State::partially_read);
  EXPECT_EQ(play.finish(),
            (std::vector<std::string>{
                "enter r/ m",
                "enter r/a m",
                "error r/a" + partial + " m cannot read 'r/a': Input/output error",
                "exit r/a" + partial,
                "enter r/b m",
                "error r/b" + partial + " m cannot read 'r/b': Input/output error",
                "exit r/b" + partial,
                "enter r/c m",
                "exit r/c" + state(State::vanished),
                "error r/d" + state(State::unreadable) + " m cannot open 'r/d': Permission denied",
                "file r/f" + state(State::other_device) + " m",
                "file r/g" + state(State::cycle) + " m",
                "file r/h" + state(State::visited) + " m",
                "exit r/" + state(State::complete),
            }));
}

TEST_P(BothVisitors, TellWhatBecameOfEntries) {
  Play play(GetParam());
  PlayedDirectory root(play.origin, "r");
  play.list(play.origin, {directory("r")});
  play.worker().enter(root);
  Metadata metadata;
  metadata.valid = Fields::basic;
  std::vector<Entry> entries;
  for (const char* name : {"a", "b", "c", "d"}) entries.push_back(file(name, entries.size()));
  entries[0].metadata = &metadata;
  entries[1].error = ENOENT;  // gone
  entries[2].error = EACCES;
  entries[3].error = ENOENT;  // a link that leads nowhere, itself
  entries[3].metadata = &metadata;
  entries[3].link_target = "nowhere";
  play.list(root, entries);
  root.set(State::cancelled);
  play.worker().leave(root);
  EXPECT_EQ(
      play.finish(true),
      (std::vector<std::string>{"enter r m", "file r/a m",
                                "error r/c cannot access 'r/c': Permission denied", "file r/d m"}));
}

TEST_P(BothVisitors, KeepLinkTargets) {
  Play play(GetParam());
  Entry link = file("l");
  link.type = FileType::symlink;
  link.link_target = "some/where";
  link.followed = true;
  play.list(play.origin, {link, file("m", 1)});
  std::thread closing([&] { play.pipe().close(); });
  EventBatch batch;
  ASSERT_TRUE(play.pipe().pop(batch));
  closing.join();
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0].link_target, "some/where");
  EXPECT_TRUE(batch[0].followed);
  EXPECT_EQ(batch[1].link_target, "");
  EXPECT_FALSE(batch[1].followed);
}

// Whoever works on what is in a directory, the directory's events enclose it.
TEST_P(BothVisitors, EnclosesWhatOtherWorkersDid) {
  Play play(GetParam(), 80);
  PlayedDirectory root(play.origin, "r");
  play.list(play.origin, {directory("r")});
  play.worker(70).enter(root);
  std::vector<Entry> some{file("x", 2)};
  play.worker(6).entries(root, some);
  play.list(root, {directory("c", 0), directory("d", 1)}, 70);
  PlayedDirectory c(root, "c", 0);
  PlayedDirectory d(root, "d", 1);
  play.worker(3).enter(c);
  play.list(c, {file("y")}, 3);
  c.set(State::complete);
  play.worker(67).leave(c);
  play.worker(3).enter(d);
  play.list(d, {}, 3);
  d.set(State::complete);
  play.worker(6).leave(d);
  root.set(State::complete);
  play.worker(3).leave(root);
  std::vector<std::string> all = play.finish();
  const auto place = [&all](const std::string& each) {
    return std::find(all.begin(), all.end(), each) - all.begin();
  };
  const std::string done = state(State::complete);
  ASSERT_EQ(all.size(), 8U);
  EXPECT_EQ(place("enter r m"), 0);
  EXPECT_EQ(place("exit r" + done), 7);
  EXPECT_LT(place("enter r/c m"), place("file r/c/y"));
  EXPECT_LT(place("file r/c/y"), place("exit r/c" + done));
  EXPECT_LT(place("enter r/d m"), place("exit r/d" + done));
  EXPECT_LT(place("file r/x"), 7);
}

// What was found is at hand soon, though no batch is full and its worker does nothing.
TEST_P(BothVisitors, HoldNothingBackForLong) {
  Play play(GetParam(), 2);
  PlayedDirectory root(play.origin, "r");
  play.list(play.origin, {directory("r")});
  play.worker().enter(root);
  EventBatch batch;
  ASSERT_TRUE(play.pipe().pop(batch));  // waits for ever if not
  EXPECT_EQ(words(batch[0]), "enter r m");
  // Also what comes while somebody waits.
  std::thread later([&] {
    std::this_thread::sleep_for(50ms);
    play.list(root, {file("x")}, 1);
  });
  ASSERT_TRUE(play.pipe().pop(batch));
  EXPECT_EQ(words(batch[0]), "file r/x");
  later.join();
}

// Paths as long as a deep tree's weigh on the batch and on the channel.
TEST_P(BothVisitors, SendLongPathsSoon) {
  Play play(GetParam());
  const std::string name(100'000, 'n');
  PlayedDirectory root(play.origin, name);
  play.list(play.origin, {directory(name)});
  play.worker().enter(root);
  play.list(root, {file("x")});
  root.set(State::complete);
  play.worker().leave(root);
  EXPECT_EQ(play.finish().size(), 3U);

  EventBatch::Storage storage;
  storage.prepare(128);
  storage.add(WalkEvent::Kind::file, FileType::regular, 0);
  EXPECT_FALSE(storage.full());
  EXPECT_EQ(storage.weight(), 1U);
  const std::string_view kept = storage.keep(name);
  const std::string_view again = storage.keep("short");
  storage.keep(std::string(200'000, 'x'));
  EXPECT_EQ(kept, name);
  EXPECT_EQ(again, "short");
  EXPECT_TRUE(storage.full());
  EXPECT_EQ(storage.weight(), 300'005U / 4096);
  storage.prepare(2);
  EXPECT_TRUE(storage.empty());
  EXPECT_EQ(storage.weight(), 0U);
}

}  // namespace
}  // namespace trawl::fold
