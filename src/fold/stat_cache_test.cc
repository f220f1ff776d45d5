// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"

namespace trawl {
namespace {

using testing::effort;
using testing::fresh_seed;
using testing::Random;
using testing::TemporaryDirectory;

Metadata numbered(std::uint64_t number) {
  Metadata metadata;
  metadata.inode = number;
  metadata.device = number * 3;
  metadata.size = ~number;
  metadata.valid = Fields::identity | Fields::size;
  return metadata;
}

bool is_whole(const Metadata& metadata) {
  return metadata.device == metadata.inode * 3 && metadata.size == ~metadata.inode;
}

struct stat stat_of(const std::string& path, bool follow) {
  struct stat info {};
  EXPECT_EQ(follow ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info), 0);
  return info;
}

class StatCache : public ::testing::Test {
 protected:
  StatCache() : file_(directory_.file("file", "content")), link_(directory_.link("link", "file")) {}
  TemporaryDirectory directory_;
  const std::string file_;
  const std::string link_;
  BatchedStatCache cache_;
};

TEST_F(StatCache, KeepsWhatItFetched) {
  EXPECT_FALSE(cache_.get(file_, false));
  const StatResult first = cache_.get_or_fetch(file_, false);
  ASSERT_TRUE(first);
  EXPECT_EQ(testing::difference(first.metadata, stat_of(file_, false)), "");
  ASSERT_EQ(::truncate(file_.c_str(), 3), 0);
  EXPECT_EQ(cache_.get_or_fetch(file_, false).metadata.size, 7U);
  EXPECT_EQ(cache_.get(file_, false)->size, 7U);
  EXPECT_EQ(cache_.len(), 1U);
  EXPECT_EQ(cache_.counts().hits, 2U);
  EXPECT_EQ(cache_.counts().misses, 1U);
}

TEST_F(StatCache, LinkAndTargetAreTwo) {
  EXPECT_TRUE(cache_.get_or_fetch(link_, false).metadata.is_symlink());
  EXPECT_FALSE(cache_.get(link_, true));
  EXPECT_TRUE(cache_.get_or_fetch(link_, true).metadata.is_file());
  EXPECT_TRUE(cache_.get(link_, false)->is_symlink());
  EXPECT_TRUE(cache_.get(link_, true)->is_file());
  EXPECT_EQ(cache_.len(), 2U);
  EXPECT_TRUE(cache_.invalidate(link_));
  EXPECT_EQ(cache_.len(), 0U);
  EXPECT_FALSE(cache_.invalidate(link_));
}

TEST_F(StatCache, PathsAreBytes) {
  const std::string odd = directory_.file("\xff\n x");
  EXPECT_TRUE(cache_.get_or_fetch(odd, false));
  EXPECT_TRUE(cache_.get_or_fetch(directory_.at("./file"), false));
  EXPECT_FALSE(cache_.get(file_, false));
  EXPECT_EQ(cache_.get_or_fetch("", false).error, ENOENT);
  EXPECT_EQ(cache_.get_or_fetch(std::string_view("a\0b", 3), false).error, EINVAL);
  cache_.insert("", true, numbered(5));
  EXPECT_EQ(cache_.get("", true)->inode, 5U);
}

TEST_F(StatCache, ErrorsAreNotKept) {
  const std::string late = directory_.at("late");
  EXPECT_EQ(cache_.get_or_fetch(late, false).error, ENOENT);
  EXPECT_EQ(cache_.len(), 0U);
  const std::vector<std::string> paths{late, file_, late};
  const std::vector<StatResult> results = cache_.stat_batch(paths, false);
  EXPECT_EQ(results[0].error, ENOENT);
  EXPECT_EQ(results[1].error, 0);
  EXPECT_EQ(results[2].error, ENOENT);
  EXPECT_EQ(cache_.len(), 1U);
  directory_.file("late");
  EXPECT_TRUE(cache_.get_or_fetch(late, false));
}

TEST_F(StatCache, BatchAnswersInOrderAndFetchesEachPathOnce) {
  cache_.insert("kept", false, numbered(7));
  const std::vector<std::string> paths{link_, file_, "kept", file_, link_, "", file_};
  const std::vector<StatResult> results = cache_.stat_batch(paths, false);
  ASSERT_EQ(results.size(), paths.size());
  EXPECT_TRUE(results[0].metadata.is_symlink());
  EXPECT_EQ(results[2].metadata.inode, 7U);
  EXPECT_EQ(results[5].error, ENOENT);
  for (const std::size_t i : {1U, 3U, 6U}) {
    EXPECT_EQ(results[i].metadata.inode, stat_of(file_, false).st_ino);
  }
  EXPECT_TRUE(results[4].metadata.is_symlink());
  EXPECT_EQ(cache_.counts().misses, 3U);
  EXPECT_EQ(cache_.counts().shared, 3U);
  EXPECT_EQ(cache_.counts().hits, 1U);
  EXPECT_TRUE(cache_.stat_batch({}, true).empty());
}

TEST_F(StatCache, InvalidateBelow) {
  const std::vector<std::string> kept{"ab", "a.b", "b/a", "/a"};
  const std::vector<std::string> dropped{"a", "a/", "a/b", "a/b/c", "a//b"};
  for (const auto& paths : {kept, dropped}) {
    for (const std::string& path : paths) cache_.insert(path, path.size() % 2 == 0, numbered(1));
  }
  EXPECT_EQ(cache_.invalidate_below("a"), dropped.size());
  EXPECT_EQ(cache_.len(), kept.size());
  EXPECT_EQ(cache_.invalidate_below(""), 0U);
  EXPECT_EQ(cache_.invalidate_below("/"), 1U);
  cache_.clear();
  EXPECT_EQ(cache_.len(), 0U);
  EXPECT_FALSE(cache_.get("ab", true));
}

TEST_F(StatCache, Revalidate) {
  EXPECT_FALSE(cache_.revalidate(file_, false));  // was not kept, and is not fetched
  EXPECT_EQ(cache_.len(), 0U);
  cache_.get_or_fetch(file_, false);
  EXPECT_TRUE(cache_.revalidate(file_, false));
  const timespec times[2] = {{5, 6}, {7, 8}};
  while (cache_.revalidate(file_, false)) {  // ctime goes by the kernel's tick
    ASSERT_EQ(::utimensat(AT_FDCWD, file_.c_str(), times, 0), 0);
  }
  EXPECT_EQ(cache_.get(file_, false)->mtime, (Timestamp{7, 8}));
  EXPECT_TRUE(cache_.revalidate(file_, false));
  // Another file by that name.
  const std::string other = directory_.file("other", "more content");
  ASSERT_EQ(::rename(other.c_str(), file_.c_str()), 0);
  EXPECT_FALSE(cache_.revalidate(file_, false));
  EXPECT_EQ(cache_.get(file_, false)->size, 12U);
  ASSERT_EQ(::unlink(file_.c_str()), 0);
  EXPECT_FALSE(cache_.revalidate(file_, false));
  EXPECT_EQ(cache_.len(), 0U);
}

TEST_F(StatCache, RevalidateWhatTellsNoTime) {
  cache_.insert(file_, false, numbered(1));
  EXPECT_FALSE(cache_.revalidate(file_, false));
  EXPECT_EQ(cache_.get(file_, false)->size, 7U);
}

TEST(StatCacheEviction, KeepsWhatIsUsed) {
  BatchedStatCache cache(10);
  EXPECT_EQ(cache.capacity(), 10U);
  for (std::uint64_t i = 0; i < 10; ++i) cache.insert(std::to_string(i), false, numbered(i));
  EXPECT_EQ(cache.len(), 10U);
  for (std::uint64_t i = 10; i < 100; ++i) {
    EXPECT_TRUE(cache.get("3", false)) << i;
    EXPECT_TRUE(cache.get("7", false)) << i;
    cache.insert(std::to_string(i), false, numbered(i));
  }
  EXPECT_EQ(cache.len(), 10U);
  EXPECT_EQ(cache.counts().evictions, 90U);
  EXPECT_EQ(cache.get("3", false)->inode, 3U);
  EXPECT_TRUE(cache.get("99", false));
  EXPECT_FALSE(cache.get("5", false));
}

TEST(StatCacheEviction, HoldsAtMostItsCapacity) {
  for (const std::size_t capacity : {0U, 1U, 63U, 64U, 200U, 5000U}) {
    BatchedStatCache cache(capacity);
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      cache.insert("path/" + std::to_string(i), true, numbered(i));
    }
    EXPECT_LE(cache.len(), capacity);
    EXPECT_GE(cache.len(), capacity * 9 / 10);
    EXPECT_EQ(cache.counts().evictions, capacity == 0 ? 0 : 20'000 - cache.len());
  }
}

TEST(StatCacheModel, RandomOperations) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(30); ++round) {
    const std::size_t capacity = random.one_in(3) ? 1 + random.below(600) : SIZE_MAX;
    BatchedStatCache cache(capacity);
    std::map<std::pair<std::string, bool>, std::uint64_t> model;
    const TemporaryDirectory directory;
    const auto path = [&] {
      return "d" + std::to_string(random.below(20)) + "/" + std::to_string(random.below(30));
    };
    for (int step = 0; step < 4000; ++step) {
      const std::string name = path();
      const bool follow = random.one_in(2);
      switch (random.below(40)) {
        case 0: {
          const std::string below = name.substr(0, name.find('/'));
          const std::size_t dropped = cache.invalidate_below(below);
          const std::size_t known = std::erase_if(
              model, [&](const auto& each) { return each.first.first.starts_with(below + "/"); });
          EXPECT_TRUE(dropped == known || (capacity != SIZE_MAX && dropped < known));
          break;
        }
        case 1:
          if (random.one_in(10)) {
            cache.clear();
            model.clear();
          }
          break;
        case 2:
        case 3: {
          const bool had = model.erase({name, false}) + model.erase({name, true}) != 0;
          const bool dropped = cache.invalidate(name);
          EXPECT_TRUE(capacity == SIZE_MAX ? dropped == had : !dropped || had);
          break;
        }
        case 4: {  // neither is there
          EXPECT_FALSE(cache.revalidate(name, follow));
          model.erase({name, follow});
          break;
        }
        case 5: {
          const std::vector<std::string> paths{name, path(), name};
          const std::vector<StatResult> results = cache.stat_batch(paths, follow);
          for (std::size_t i = 0; i < paths.size(); ++i) {
            const auto known = model.find({paths[i], follow});
            if (results[i]) {
              ASSERT_TRUE(known != model.end());
              EXPECT_EQ(results[i].metadata.inode, known->second);
            } else {
              EXPECT_EQ(results[i].error, ENOENT);
              EXPECT_TRUE(known == model.end() || capacity != SIZE_MAX);
            }
          }
          break;
        }
        default:
          if (random.one_in(2)) {
            const std::uint64_t number = random.next();
            cache.insert(name, follow, numbered(number));
            model[{name, follow}] = number;
          } else {
            const auto kept = cache.get(name, follow);
            const auto known = model.find({name, follow});
            EXPECT_TRUE(!kept || (known != model.end() && kept->inode == known->second));
            EXPECT_TRUE(kept || known == model.end() || capacity != SIZE_MAX);
          }
      }
      EXPECT_LE(cache.len(), std::min(capacity, model.size()));
      EXPECT_TRUE(capacity != SIZE_MAX || cache.len() == model.size());
      if (HasFailure()) FAIL() << "round " << round << " step " << step;
    }
  }
}

// Metadata is never torn, nor that of another key.
TEST(StatCacheThreads, RandomOperationsAtOnce) {
  const std::uint64_t seed = fresh_seed();
  for (const std::size_t capacity : {std::size_t{100}, BatchedStatCache::kUnbounded}) {
    BatchedStatCache cache(capacity);
    std::vector<std::thread> threads;
    std::atomic<std::uint64_t> hits{0};
    for (unsigned t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        Random random(seed + t);
        for (int step = 0; step < effort(100'000); ++step) {
          const std::uint64_t number = random.below(300);
          const bool follow = random.one_in(2);
          const std::string path = "/nowhere/" + std::to_string(number);
          switch (random.below(200)) {
            case 0:
              cache.invalidate(path);
              break;
            case 1:
              if (random.one_in(20)) cache.invalidate_below("/nowhere");
              break;
            case 2:
              if (random.one_in(20)) cache.clear();
              break;
            case 3:
              cache.revalidate(path, follow);
              break;
            case 4: {
              const std::vector<std::string> paths{path, "/", path};
              const auto results = cache.stat_batch(paths, follow);
              EXPECT_TRUE(results[1]);
              EXPECT_TRUE(results[0].error == 0 || results[0].error == ENOENT);
              break;
            }
            default:
              if (random.one_in(8)) {
                cache.insert(path, follow,
                             numbered(2 * (number + 1000 * random.below(7)) + (follow ? 1 : 0)));
              } else if (const auto kept = cache.get(path, follow)) {
                ++hits;
                EXPECT_TRUE(is_whole(*kept));
                EXPECT_EQ(kept->inode % 2, follow ? 1U : 0U);
                EXPECT_EQ(kept->inode / 2 % 1000, number);
              }
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_GT(hits.load(), 100U);
    EXPECT_GE(cache.counts().hits, hits.load());
    EXPECT_LE(cache.len(), std::min<std::size_t>(capacity, 601));
  }
}

TEST(StatCacheThreads, OneCallForThoseWhoAskAtOnce) {
  constexpr int kThreads = 8;
  const int rounds = effort(300);
  const TemporaryDirectory directory;
  for (int i = 0; i < rounds; ++i) directory.file(std::to_string(i));
  BatchedStatCache cache;
  std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        ++arrived;
        while (arrived.load() < (i + 1) * kThreads) std::this_thread::yield();
        const std::string path = directory.at(std::to_string(i));
        if (t % 2 == 0) {
          EXPECT_TRUE(cache.get_or_fetch(path, false));
        } else {
          const std::vector<std::string> paths{path};
          EXPECT_TRUE(cache.stat_batch(paths, false)[0]);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto counts = cache.counts();
  EXPECT_EQ(counts.misses, static_cast<std::uint64_t>(rounds));
  EXPECT_EQ(counts.hits + counts.shared, static_cast<std::uint64_t>(rounds * (kThreads - 1)));
}

// A batch that takes its time: what happens in the meantime?
class SlowBatch : public ::testing::Test {
 protected:
  SlowBatch() {
    for (int i = 0; i < 100'000; ++i) paths_.push_back(directory_.at("x/" + std::to_string(i)));
    file_ = directory_.file("file");
    paths_.push_back(file_);
  }
  void start(const StatOptions& options = {}) {
    thread_ =
        std::thread([this, options] { results_ = cache_.stat_batch(paths_, false, options); });
    while (cache_.counts().misses < paths_.size()) std::this_thread::yield();
  }
  ~SlowBatch() override {
    if (thread_.joinable()) thread_.join();
  }

  const TemporaryDirectory directory_;
  std::vector<std::string> paths_;
  std::string file_;
  BatchedStatCache cache_;
  std::thread thread_;
  std::vector<StatResult> results_;
};

TEST_F(SlowBatch, OthersWaitForItsAnswer) {
  start();
  EXPECT_TRUE(cache_.get_or_fetch(file_, false));
  const std::vector<std::string> some{file_, paths_[1], "/"};
  const auto results = cache_.stat_batch(some, false);
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error, ENOENT);
  EXPECT_TRUE(results[2]);
  thread_.join();
  EXPECT_TRUE(results_.back());
  EXPECT_GE(cache_.counts().shared, 1U);
  EXPECT_TRUE(cache_.get(file_, false));
}

TEST_F(SlowBatch, WhatWasInvalidatedMeanwhileIsGivenButNotKept) {
  for (int how = 0; how < 4; ++how) {
    cache_.clear();
    const std::uint64_t before = cache_.counts().misses;
    std::thread batch([&] { results_ = cache_.stat_batch(paths_, false); });
    while (cache_.counts().misses < before + paths_.size()) std::this_thread::yield();
    switch (how) {
      case 0:
        cache_.invalidate(file_);
        break;
      case 1:
        cache_.invalidate_below(directory_.path());
        break;
      case 2:
        cache_.clear();
        break;
      default:
        cache_.insert(file_, false, numbered(9));
    }
    batch.join();
    EXPECT_TRUE(results_.back());
    const auto kept = cache_.get(file_, false);
    EXPECT_EQ(kept.has_value(), how == 3) << how;
    EXPECT_TRUE(!kept || kept->inode == 9);
  }
}

// The token is of the batch only: others ask for themselves.
TEST_F(SlowBatch, ItsCancellationIsNoAnswerForOthers) {
  CancelToken cancel;
  start({.cancel = &cancel});
  StatResult other;
  std::thread waiter([&] { other = cache_.get_or_fetch(file_, false); });
  while (cache_.counts().shared == 0 && !cache_.get(file_, false)) std::this_thread::yield();
  cancel.cancel();
  waiter.join();
  EXPECT_TRUE(other);
  thread_.join();
  for (const StatResult& result : results_) {
    EXPECT_TRUE(result.error == ENOENT || result.error == ECANCELED || result.error == 0);
  }
}

TEST_F(SlowBatch, WhoWaitsCanBeCancelled) {
  start();
  CancelToken cancel;
  cancel.cancel();
  const std::vector<std::string> one{file_};
  const auto results = cache_.stat_batch(one, false, {.cancel = &cancel});
  EXPECT_TRUE(results[0].error == ECANCELED || results[0].error == 0);
}

TEST_F(SlowBatch, TwoThatCrossDoNotWaitForEachOther) {
  std::vector<std::string> backwards(paths_.rbegin(), paths_.rend());
  std::vector<StatResult> other;
  std::thread second([&] { other = cache_.stat_batch(backwards, false); });
  results_ = cache_.stat_batch(paths_, false);
  second.join();
  EXPECT_TRUE(results_.back());
  EXPECT_TRUE(other.front());
  const auto counts = cache_.counts();
  EXPECT_GE(counts.misses, paths_.size());
}

}  // namespace
}  // namespace trawl
