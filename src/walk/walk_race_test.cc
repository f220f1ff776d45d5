// SPDX-License-Identifier: Apache-2.0
//
// Trees that change while they are walked: it ends, keeps to its contract, reads nothing that was
// not below its roots, and takes for an error only what is one.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"

namespace trawl {
namespace {

using testing::Call;
using testing::compare;
using testing::effort;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::in_memory;
using testing::kNone;
using testing::mostly_in_memory;
using testing::Random;
using testing::RandomTree;
using testing::record;
using testing::Recording;
using testing::Request;
using testing::TemporaryDirectory;
using testing::walk_naively;
using testing::with_threads;

class WalkRace : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, WalkRace, ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkRace, DeletedWhileItIsWalked) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(60) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(), {.directories = 150, .depth = 10, .entries = 5},
                          mostly_in_memory(random));
    Options options =
        with_threads(round % 2 == 0 ? 2 : 16, round % 3 == 0 ? Fields::none : Fields::basic);
    options.backend = GetParam();
    std::thread remover([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(random.below(1500)));
      std::error_code ignored;
      std::filesystem::remove_all(tree.roots()[0], ignored);
    });
    const Recording recording = record(tree.roots(), options);
    remover.join();
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::complete);
    for (const Error& error : recording.result.errors) {
      // Before it began: then it is missing, like any root.
      EXPECT_TRUE(error.depth == 0 && error.operation == Operation::stat) << error.message();
    }
    for (const auto& directory : recording.directories) {
      EXPECT_TRUE(directory.state == State::complete || directory.state == State::vanished)
          << directory.path;
    }
    std::uint64_t vanished = 0;
    for (const auto& entry : recording.entries) {
      vanished += entry.error == ENOENT && entry.depth > 0 ? 1U : 0U;
    }
    for (const auto& directory : recording.directories) {
      vanished += directory.state == State::vanished ? 1U : 0U;
    }
    EXPECT_GE(recording.result.statistics.vanished, vanished);
  }
}

// Directories go back and forth between two places.
TEST_P(WalkRace, RenameStorm) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(20) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(), {.directories = 80, .depth = 4, .entries = 4});
    const std::string& root = tree.roots()[0];
    std::atomic<bool> done = false;
    std::atomic<int> renames = 0;
    const auto storm = [&](std::uint64_t seed) {
      Random mine(seed);
      while (!done) {
        const std::string& from = tree.directories()[1 + mine.below(tree.directories().size() - 1)];
        const std::string& parent = tree.directories()[mine.below(tree.directories().size())];
        const std::string to = parent + "/moved" + std::to_string(mine.below(4));
        if (::rename(from.c_str(), to.c_str()) == 0) {
          ++renames;
          std::this_thread::sleep_for(std::chrono::microseconds(mine.below(200)));
          ::rename(to.c_str(), from.c_str());
          ++renames;
        }
      }
    };
    std::thread first(storm, random.next());
    std::thread second(storm, random.next());
    for (const unsigned threads : {1U, 2U, 16U}) {
      for (const bool everything : {false, true}) {
        Options options = with_threads(threads, everything ? Fields::basic : Fields::none);
        options.follow = everything && round % 2 == 1 ? Follow::all : Follow::never;
        options.backend = GetParam();
        const int before = renames;
        const std::vector<std::string> roots{root};
        const Recording recording = record(roots, options);
        const int meanwhile = renames - before + 2;
        EXPECT_EQ(recording.violations, kNone);
        EXPECT_EQ(recording.result.ending, Ending::complete);
        if (!everything) continue;
        std::map<FileIdentity, int> entered;
        for (const auto& directory : recording.directories) {
          if (directory.entered) ++entered[directory.metadata.identity()];
        }
        for (const auto& [identity, times] : entered) {
          EXPECT_LE(times, options.follow == Follow::all ? 1 : 1 + meanwhile);
        }
      }
    }
    done = true;
    first.join();
    second.join();
  }
}

// New names appear in the directory that is being read.
TEST_P(WalkRace, GrowingWhileItIsWalked) {
  TemporaryDirectory directory(in_memory());
  for (int i = 0; i < 500; ++i) directory.file("old" + std::to_string(i));
  std::atomic<bool> done = false;
  std::thread grower([&] {
    for (int i = 0; !done && i < 20'000; ++i) {
      directory.file("new" + std::to_string(i));
      if (i % 3 == 0) ::unlink(directory.at("new" + std::to_string(i / 2)).c_str());
    }
  });
  for (int round = 0; round < effort(20); ++round) {
    Options options = with_threads(round % 2 == 0 ? 1 : 8);
    options.backend = GetParam();
    const std::vector<std::string> roots{directory.path()};
    const Recording recording = record(roots, options);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.statistics.errors, 0U);
    std::map<std::string, int> times;
    int old = 0;
    for (const auto& entry : recording.entries) {
      if (entry.path.find("/old") != std::string::npos) {
        ++old;
        EXPECT_EQ(++times[entry.path], 1) << entry.path;
      }
    }
    EXPECT_EQ(old, 500) << "what was there all the time";
  }
  done = true;
  grower.join();
}

// --- At a certain moment
// ---------------------------------------------------------------------------

// Does something at the first open of a path that ends so.
class AtOpen {
 public:
  AtOpen(FaultFileSystem& fs, std::string suffix, std::function<void()> act) {
    fs.fail_when(
        [done = done_, suffix = std::move(suffix), act = std::move(act)](const Request& request) {
          if (request.call == Call::open && std::string_view(request.path).ends_with(suffix) &&
              !done->exchange(true)) {
            act();
          }
          return 0;
        });
  }
  bool done() const { return *done_; }

 private:
  // The hook stays with the filesystem.
  std::shared_ptr<std::atomic<bool>> done_ = std::make_shared<std::atomic<bool>>(false);
};

class WalkSwap : public ::testing::TestWithParam<unsigned> {
 protected:
  // root/parent/child/file, and outside/child/secret
  WalkSwap() : directory_(in_memory()), fs_(sys::linux_filesystem()) {
    for (const char* const path : {"root", "root/parent", "root/parent/child", "outside",
                                   "outside/child", "outside/parent", "outside/parent/child"}) {
      directory_.directory(path);
    }
    directory_.file("root/parent/child/file");
    directory_.file("outside/child/secret");
    directory_.file("outside/parent/child/secret");
  }

  Recording walk_root(const Options& options) {
    const std::vector<std::string> roots{directory_.at("root")};
    Recording recording = record(fs_, roots, options);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::complete);
    EXPECT_EQ(fs_.open_handles(), 0);
    return recording;
  }
  void move(const std::string& from, const std::string& to) {
    EXPECT_EQ(::rename(directory_.at(from).c_str(), directory_.at(to).c_str()), 0);
  }
  static bool found(const Recording& recording, std::string_view name) {
    return std::any_of(recording.entries.begin(), recording.entries.end(), [&](const auto& entry) {
      return entry.path.find(name) != std::string::npos;
    });
  }

  TemporaryDirectory directory_;
  FaultFileSystem fs_;
};

INSTANTIATE_TEST_SUITE_P(Workers, WalkSwap, ::testing::Values(1U, 8U),
                         [](const auto& test) { return std::to_string(test.param); });

TEST_P(WalkSwap, ByALinkIsNotFollowed) {
  for (const Fields fields : {Fields::none, Fields::basic}) {
    AtOpen swap(fs_, "child", [&] {
      move("root/parent/child", "kept");
      directory_.link("root/parent/child", directory_.at("outside/child"));
    });
    const Recording recording = walk_root(with_threads(GetParam(), fields));
    EXPECT_TRUE(swap.done());
    EXPECT_FALSE(found(recording, "secret"));
    EXPECT_EQ(recording.result.statistics.errors, 0U);
    EXPECT_EQ(recording.result.statistics.vanished, 1U);
    ::unlink(directory_.at("root/parent/child").c_str());
    move("kept", "root/parent/child");
  }
}

TEST_P(WalkSwap, OfAParentByALinkIsNotFollowed) {
  for (const Fields fields : {Fields::none, Fields::basic}) {
    AtOpen swap(fs_, "child", [&] {
      move("root/parent", "kept");
      directory_.link("root/parent", directory_.at("outside"));
    });
    const Recording recording = walk_root(with_threads(GetParam(), fields));
    EXPECT_TRUE(swap.done());
    EXPECT_FALSE(found(recording, "secret"));
    EXPECT_EQ(recording.result.statistics.errors, 0U);
    EXPECT_EQ(recording.result.statistics.vanished, 1U);
    ::unlink(directory_.at("root/parent").c_str());
    move("kept", "root/parent");
  }
}

TEST_P(WalkSwap, ByAnotherDirectoryIsNoticed) {
  AtOpen swap(fs_, "child", [&] {
    move("root/parent/child", "kept");
    move("outside/child", "root/parent/child");
  });
  const Recording recording = walk_root(with_threads(GetParam()));
  EXPECT_TRUE(swap.done());
  EXPECT_FALSE(found(recording, "secret"));
  EXPECT_EQ(recording.result.statistics.vanished, 1U);
}

TEST_P(WalkSwap, OfAParentByAnotherDirectoryIsNoticed) {
  AtOpen swap(fs_, "child", [&] {
    move("root/parent", "kept");
    move("outside/parent", "root/parent");
  });
  const Recording recording = walk_root(with_threads(GetParam()));
  EXPECT_TRUE(swap.done());
  EXPECT_FALSE(found(recording, "secret"));
  EXPECT_EQ(recording.result.statistics.vanished, 1U);
}

TEST_P(WalkSwap, OfTheRootIsNoticed) {
  AtOpen swap(fs_, "root", [&] {
    move("root", "kept");
    move("outside", "root");
  });
  const Recording recording = walk_root(with_threads(GetParam()));
  EXPECT_TRUE(swap.done());
  EXPECT_FALSE(found(recording, "secret"));
  EXPECT_EQ(recording.result.statistics.vanished, 1U);
}

// A directory becomes the child of its former child.
TEST_P(WalkSwap, OfParentAndChildEnds) {
  for (const Fields fields : {Fields::none, Fields::basic}) {
    AtOpen swap(fs_, "child", [&] {
      move("root/parent/child", "root/up");
      move("root/parent", "root/up/parent");
      move("root/up", "root/parent");
      // root/parent is what was root/parent/child; in it is what was root/parent.
      move("root/parent/parent", "root/parent/child");
    });
    const Recording recording = walk_root(with_threads(GetParam(), fields));
    EXPECT_TRUE(swap.done());
    EXPECT_LE(recording.entries.size(), 10U);
    if (fields == Fields::basic) {
      EXPECT_EQ(recording.result.statistics.vanished, 1U);
    }
    move("root/parent", fields == Fields::none ? "first" : "second");
    directory_.directory("root/parent");
    directory_.directory("root/parent/child");
  }
}

// --- Links that lead everywhere
// --------------------------------------------------------------------

class MutualLinks {
 public:
  explicit MutualLinks(int count) : directory_(in_memory()) {
    for (int i = 0; i < count; ++i) directory_.directory("d" + std::to_string(i));
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < count; ++j) {
        if (i == j) continue;
        directory_.link("d" + std::to_string(i) + "/to" + std::to_string(j),
                        "../d" + std::to_string(j));
      }
    }
  }
  std::vector<std::string> roots() const { return {directory_.path()}; }

 private:
  TemporaryDirectory directory_;
};

TEST(WalkLinks, SevenDirectoriesThatLinkOneAnother) {
  const MutualLinks links(7);
  for (const unsigned threads : {1U, 2U, 16U}) {
    Options options = with_threads(threads);
    options.follow = Follow::all;
    const Recording once = record(links.roots(), options);
    EXPECT_EQ(compare(once, walk_naively(links.roots(), options), options), "");
    EXPECT_EQ(once.entries.size(), 1U + 7U + 42U);
  }
}

// There are many ways, but no endless ones.
TEST(WalkLinks, FiveDirectoriesByEveryPath) {
  const MutualLinks links(5);
  for (const unsigned threads : {1U, 2U, 16U}) {
    Options options = with_threads(threads);
    options.follow = Follow::all;
    options.visit_once = false;
    const Recording every_path = record(links.roots(), options);
    EXPECT_EQ(compare(every_path, walk_naively(links.roots(), options), options), "");
    EXPECT_GT(every_path.entries.size(), 1000U);
  }
}

}  // namespace
}  // namespace trawl
