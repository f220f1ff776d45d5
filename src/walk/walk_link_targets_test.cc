// SPDX-License-Identifier: Apache-2.0
//
// Options::link_targets.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/fault_filesystem.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"
#include "sys/stall_guard.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::Call;
using testing::FaultFileSystem;
using testing::TemporaryDirectory;
using testing::with_threads;

using Targets = std::map<std::string, std::string>;

// What entries say that they lead to, by path below `root`.
struct Collector final : Visitor {
  Collector(Targets& out, std::mutex& out_mutex) : targets(out), mutex(out_mutex) {}
  Verdict entries(Directory& directory, std::span<Entry> batch) override {
    const std::lock_guard lock(mutex);
    for (const Entry& entry : batch) {
      std::string path;
      directory.append_path(path);
      path += path.empty() ? "" : "/";
      path += entry.name;
      if (entry.type == FileType::symlink) {
        EXPECT_TRUE(targets.emplace(path, entry.link_target).second);
      } else {
        EXPECT_EQ(entry.link_target, "") << path;
      }
    }
    return Verdict::proceed;
  }
  Targets& targets;
  std::mutex& mutex;
};

std::pair<Targets, Result> targets_of(sys::FileSystem& filesystem,
                                      const std::vector<std::string>& roots, Options options) {
  Targets targets;
  std::mutex mutex;
  Collector collector(targets, mutex);
  options.link_targets = true;
  const VisitorFactory factory = [&](unsigned) -> Visitor& { return collector; };
  Result result = engine::Engine(filesystem, roots, options, factory).run();
  return {std::move(targets), std::move(result)};
}

class WalkLinkTargets : public ::testing::Test {
 protected:
  WalkLinkTargets() {
    place_.directory("d");
    place_.file("d/file");
    // More than a batch of the longest: none overwrites another.
    for (int i = 0; i < 600; ++i) {
      add("d/long" + std::to_string(i), std::string(4095 - 3, 'x') + std::to_string(100 + i));
    }
    add("to_directory", "d");
    add("to_file", "d/file");
    add("dangling", "no\nthing\xff");
    add("absolute", "/nonexistent");
  }
  void add(const std::string& name, const std::string& target) {
    place_.link(name, target);
    expected_.emplace(place_.at(name), target);
  }
  std::vector<std::string> roots() const { return {place_.path()}; }

  TemporaryDirectory place_{testing::in_memory()};
  Targets expected_;
};

TEST_F(WalkLinkTargets, AreReadByEachBackend) {
  for (const Fields fields : {Fields::none, Fields::basic}) {
    for (const unsigned threads : {1U, 4U}) {
      for (sys::FileSystem* filesystem : {&sys::linux_filesystem(), &sys::posix_filesystem()}) {
        const auto [targets, result] =
            targets_of(*filesystem, roots(), with_threads(threads, fields));
        EXPECT_EQ(targets, expected_);
        EXPECT_TRUE(result.complete());
      }
    }
  }
}

TEST_F(WalkLinkTargets, AreReadThroughAGuard) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer does not follow children that are not forked";
#endif
  for (const auto trust : {sys::StallGuard::Trust::local, sys::StallGuard::Trust::nobody}) {
    sys::StallGuard guard(sys::linux_filesystem(), std::chrono::seconds(60), trust);
    EXPECT_EQ(targets_of(guard, roots(), with_threads(2, Fields::none)).first, expected_);
  }
}

TEST_F(WalkLinkTargets, AreReadOfRoots) {
  const std::string root = place_.at("to_directory");
  EXPECT_EQ(targets_of(sys::linux_filesystem(), {root}, with_threads(1)).first,
            (Targets{{root, "d"}}));
  Options options = with_threads(1);
  options.follow = Follow::roots;
  EXPECT_EQ(targets_of(sys::linux_filesystem(), {root}, options).first.size(), 600U);
}

TEST_F(WalkLinkTargets, AreReadWhereTheyCannotBeFollowed) {
  Options options = with_threads(1);
  options.follow = Follow::all;
  std::set<std::string> wanted;
  for (const auto& [path, target] : expected_) wanted.insert(target);
  wanted.erase("d");
  wanted.erase("d/file");
  std::set<std::string> found;  // below d, or below the link to it
  for (const auto& [path, target] : targets_of(sys::linux_filesystem(), roots(), options).first) {
    found.insert(target);
  }
  EXPECT_EQ(found, wanted);
}

TEST_F(WalkLinkTargets, AreAskedForOnceAndCounted) {
  FaultFileSystem fs(sys::linux_filesystem());
  fs.interrupt();
  const auto [targets, result] = targets_of(fs, roots(), with_threads(1, Fields::none));
  EXPECT_EQ(targets, expected_);
  EXPECT_EQ(fs.calls(Call::read_link), expected_.size());
  EXPECT_EQ(result.statistics.stat_calls, expected_.size() + fs.calls(Call::stat_at));
  EXPECT_EQ(fs.calls(Call::stat_at), 1U) << "the root";

  FaultFileSystem unasked(sys::linux_filesystem());
  Visitor nobody;
  const std::vector<std::string> all = roots();
  const Options options = with_threads(1);
  const VisitorFactory factory = [&](unsigned) -> Visitor& { return nobody; };
  engine::Engine(unasked, all, options, factory).run();
  EXPECT_EQ(unasked.calls(Call::read_link), 0U);
}

TEST_F(WalkLinkTargets, AreEmptyIfTheyCannotBeRead) {
  for (auto& [path, target] : expected_) target.clear();
  for (const int error : {EIO, EACCES, ENOENT, EINVAL, ENAMETOOLONG}) {
    FaultFileSystem fs(sys::linux_filesystem());
    fs.fail_always(Call::read_link, error);
    const auto [targets, result] = targets_of(fs, roots(), with_threads(1));
    EXPECT_EQ(targets, expected_);
    EXPECT_TRUE(result.complete()) << "the link itself is there";
  }
}

// The kernel cuts off what has no room.
TEST_F(WalkLinkTargets, AreNotCutOff) {
  const std::string path = place_.at("to_file");
  for (sys::FileSystem* filesystem : {&sys::linux_filesystem(), &sys::posix_filesystem()}) {
    std::size_t size = 0;
    char text[7];
    const auto read = [&](std::size_t room) {
      return filesystem->read_link(sys::kWorkingDirectory, path.c_str(), {text, room}, size);
    };
    EXPECT_EQ(read(7), 0);
    EXPECT_EQ(std::string(text, size), "d/file");
    EXPECT_EQ(read(6), ENAMETOOLONG);
    EXPECT_EQ(filesystem->read_link(sys::kWorkingDirectory, place_.path().c_str(), {text, 7}, size),
              EINVAL);
  }
}

}  // namespace
}  // namespace trawl
