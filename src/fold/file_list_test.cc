// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/file_list.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::RandomTree;
using testing::TemporaryDirectory;

constexpr Order kOrders[] = {Order::unordered, Order::component, Order::bytes, Order::rsync,
                             Order::rsync28};

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    out.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool less_bytes(const std::string& a, const std::string& b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  });
}

struct Expected {
  std::string relative;
  bool directory;
};

// Each order by its definition, on whole paths.
bool comes_before(Order order, const Expected& a, const Expected& b) {
  switch (order) {
    case Order::unordered:
      return false;
    case Order::component: {
      const auto left = components(a.relative), right = components(b.relative);
      return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                          less_bytes);
    }
    case Order::bytes:
      return less_bytes(a.relative, b.relative);
    case Order::rsync28: {
      const auto path = [](const Expected& e) { return e.relative.empty() ? "." : e.relative; };
      return less_bytes(path(a), path(b));
    }
    case Order::rsync: {
      // Where the paths part, a file goes before a directory, or before a path that goes on.
      const auto left = components(a.relative), right = components(b.relative);
      for (std::size_t i = 0;; ++i) {
        if (i == left.size() || i == right.size()) {
          return left.size() < right.size();
        }
        if (left[i] != right[i]) {
          const bool left_file = i + 1 == left.size() && !a.directory;
          const bool right_file = i + 1 == right.size() && !b.directory;
          return left_file != right_file ? left_file
                                         : less_bytes(left[i] + (left_file ? "" : "/"),
                                                      right[i] + (right_file ? "" : "/"));
        }
      }
    }
  }
  return false;
}

std::vector<std::string> relative_paths(const FileList& list) {
  std::vector<std::string> out;
  for (const FileListEntry entry : list) {
    out.push_back(entry.relative_path());
  }
  return out;
}

std::vector<std::string> sorted(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What the list must be, from an oracle's walk.
struct Truth {
  std::map<std::string, const testing::OracleEntry*> by_path;
  std::vector<Expected> expected;
  testing::Oracle oracle;

  Truth(const std::string& root, const ListOptions& options) {
    Options walk;
    walk.fields = Fields::basic;
    walk.follow = options.follow;
    walk.max_depth = options.max_depth;
    const std::string roots[] = {root};
    oracle = testing::walk_naively(roots, walk);
    for (const auto& entry : oracle.entries) {
      if (!entry.info) {
        continue;
      }
      const std::string relative =
          entry.path.size() == root.size() ? "" : entry.path.substr(root.size() + 1);
      by_path[entry.path] = &entry;
      expected.push_back({relative, entry.type == FileType::directory});
    }
  }

  std::vector<std::string> in(Order order) {
    std::stable_sort(expected.begin(), expected.end(),
                     [order](const auto& a, const auto& b) { return comes_before(order, a, b); });
    std::vector<std::string> paths;
    for (const Expected& e : expected) {
      paths.push_back(e.relative);
    }
    return paths;
  }
};

class FileListOfRandomTree : public ::testing::TestWithParam<int> {};

TEST_P(FileListOfRandomTree, HasEveryEntryInEachOrderForAnyNumberOfWorkers) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  SCOPED_TRACE("seed " + std::to_string(seed));
  testing::TreeShape shape;
  shape.entries = 20;
  shape.unreadable = true;
  const RandomTree tree(seed, shape);
  for (const Order order : kOrders) {
    for (const unsigned threads : {1U, 2U, 16U, 64U}) {
      ListOptions options;
      options.order = order;
      options.threads = threads;
      Truth truth(tree.path(), options);
      const FileList list = collect_with_batched_stats(tree.path(), options);
      ASSERT_EQ(list.size(), truth.by_path.size());
      if (order == Order::unordered) {
        ASSERT_EQ(sorted(relative_paths(list)), sorted(truth.in(order)));
      } else {
        ASSERT_EQ(relative_paths(list), truth.in(order)) << static_cast<int>(order);
      }
      for (const FileListEntry entry : list) {
        const testing::OracleEntry& naive = *truth.by_path.at(entry.full_path());
        ASSERT_EQ(entry.type(), naive.type);
        ASSERT_EQ(entry.depth(), naive.depth);
        ASSERT_EQ(testing::difference(entry.metadata(), *naive.info), "") << entry.full_path();
        ASSERT_EQ(entry.is_root(), naive.depth == 0);
      }
      // The same, one after another, and with hardly any look-ahead.
      for (const std::size_t look_ahead :
           {std::size_t{0}, std::size_t{7}, FileListWalker::kLookAhead}) {
        FileListWalker walker(tree.path(), options, look_ahead);
        std::vector<std::string> paths;
        for (const FileListEntry& entry : walker) {
          ASSERT_EQ(
              testing::difference(entry.metadata(), *truth.by_path.at(entry.full_path())->info),
              "");
          paths.push_back(entry.relative_path());
        }
        if (order == Order::unordered) {
          ASSERT_EQ(sorted(paths), sorted(relative_paths(list)));
        } else {
          ASSERT_EQ(paths, relative_paths(list));
        }
        ASSERT_EQ(walker.result().statistics.errors, list.result().statistics.errors);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FileListOfRandomTree, ::testing::Range(0, 8));

TEST(FileList, KeepsEachSetOfFields) {
  const RandomTree tree(11);
  const Fields sets[] = {Fields::none,
                         Fields::size,
                         Fields::size | Fields::mtime,
                         Fields::mode,
                         Fields::owner | Fields::links,
                         Fields::identity,
                         Fields::all};
  for (const Fields fields : sets) {
    ListOptions options;
    options.fields = fields;
    const FileList list = collect_with_batched_stats(tree.path(), options);
    Truth truth(tree.path(), options);
    ASSERT_EQ(list.size(), truth.by_path.size());
    for (const FileListEntry entry : list) {
      const Metadata metadata = entry.metadata();
      const struct stat& info = *truth.by_path.at(entry.full_path())->info;
      EXPECT_TRUE(has(metadata.valid | Fields::btime, fields));
      // What was not asked for may be there, but then it is right.
      const auto is_there = [&metadata](Fields field) { return has(metadata.valid, field); };
      EXPECT_EQ(metadata.size,
                is_there(Fields::size) ? static_cast<std::uint64_t>(info.st_size) : 0);
      EXPECT_EQ(metadata.mtime.seconds, is_there(Fields::mtime) ? info.st_mtim.tv_sec : 0);
      EXPECT_EQ(metadata.uid, is_there(Fields::owner) ? info.st_uid : 0);
      EXPECT_EQ(metadata.links, is_there(Fields::links) ? info.st_nlink : 0);
      EXPECT_EQ(metadata.inode, is_there(Fields::identity) ? info.st_ino : 0);
      if (fields != Fields::none) {
        EXPECT_EQ(metadata.type(), entry.type());
      }
    }
  }
}

TEST(FileList, EndsAtTheGivenDepth) {
  const TemporaryDirectory directory(testing::in_memory());
  for (const char* const path : {"a", "a/b", "a/b/c"}) directory.directory(path);
  for (const char* const path : {"1", "a/2", "a/b/3", "a/b/c/4"}) directory.file(path);
  const std::vector<std::string> all = {"", "1", "a", "a/2", "a/b", "a/b/3", "a/b/c", "a/b/c/4"};
  for (const int depth : {0, 1, 2, 3, INT32_MAX}) {
    ListOptions options;
    options.max_depth = depth;
    std::vector<std::string> expected;
    std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
                 [&](const std::string& path) {
                   return static_cast<int>(components(path).size()) <= depth;
                 });
    const FileList list = collect_with_batched_stats(directory.path(), options);
    EXPECT_EQ(relative_paths(list), expected) << depth;
    for (const FileListEntry entry : list) {
      EXPECT_TRUE(has(entry.metadata().valid, Fields::basic));
      EXPECT_GT(entry.metadata().block_size, 0U);
    }
  }
}

TEST(FileList, KeepsTimesThatAreFarAway) {
  const TemporaryDirectory directory(testing::in_memory());
  const std::int64_t seconds[] = {
      0, -1, -86400 * 365 * 20LL, 4'000'000'000, 9'300'000'000, 12'000'000'000, -9'300'000'000};
  for (const std::int64_t at : seconds) {
    for (const std::string& path : {directory.file("file" + std::to_string(at)),
                                    directory.directory("directory" + std::to_string(at))}) {
      const timespec times[2] = {{at, 999'999'999}, {at, 1}};
      ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }
  }
  ListOptions options;
  options.fields = Fields::atime | Fields::mtime;
  for (const FileListEntry entry : collect_with_batched_stats(directory.path(), options)) {
    struct stat info {};
    ASSERT_EQ(::lstat(entry.full_path().c_str(), &info), 0);
    EXPECT_EQ(entry.metadata().mtime.seconds, info.st_mtim.tv_sec) << entry.full_path();
    EXPECT_EQ(entry.metadata().mtime.nanoseconds, info.st_mtim.tv_nsec);
  }
}

TEST(FileList, OfAFileIsThatFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("one", "12345");
  for (const bool include_root : {true, false}) {
    ListOptions options;
    options.include_root = include_root;
    const FileList list = collect_with_batched_stats(path, options);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].full_path(), path);
    EXPECT_EQ(list[0].relative_path(), "");
    EXPECT_EQ(list[0].metadata().size, 5U);
    EXPECT_EQ(list[0].depth(), 0);
  }
}

TEST(FileList, OfWhatIsNotThereIsAnError) {
  const FileList list = collect_with_batched_stats("/nonexistent/root");
  EXPECT_TRUE(list.empty());
  ASSERT_EQ(list.errors().size(), 1U);
  EXPECT_EQ(list.errors()[0].code, ENOENT);
  EXPECT_EQ(list.errors()[0].path, "/nonexistent/root");
  EXPECT_FALSE(list.result().complete());
  FileListWalker walker("/nonexistent/root");
  EXPECT_TRUE(walker.begin() == walker.end());
  EXPECT_EQ(walker.result().errors.size(), 1U);
}

TEST(FileList, LeavesTheRootOutIfAsked) {
  const TemporaryDirectory directory;
  directory.file("!first");
  directory.file("zlast");
  for (const Order order : kOrders) {
    ListOptions options;
    options.order = order;
    options.include_root = false;
    const FileList list = collect_with_batched_stats(directory.path() + "/", options);
    ASSERT_EQ(relative_paths(list).size(), 2U)
        << static_cast<int>(order) << ::testing::PrintToString(relative_paths(list));
    EXPECT_EQ(sorted({list[0].full_path(), list[1].full_path()}),
              (std::vector<std::string>{directory.at("!first"), directory.at("zlast")}));
    std::size_t count = 0;
    FileListWalker walker(directory.path(), options);
    for ([[maybe_unused]] const FileListEntry& entry : walker) {
      ++count;
    }
    EXPECT_EQ(count, 2U);
  }
}

TEST(FileList, ReportsBothTheDirectoryAndThatItCannotBeRead) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root reads everything";
  }
  const TemporaryDirectory directory;
  const std::string closed = directory.directory("closed");
  directory.file("other");
  ASSERT_EQ(::chmod(closed.c_str(), 0), 0);
  const FileList list = collect_with_batched_stats(directory.path());
  ASSERT_EQ(::chmod(closed.c_str(), 0700), 0);
  EXPECT_EQ(relative_paths(list), (std::vector<std::string>{"", "closed", "other"}));
  ASSERT_EQ(list.errors().size(), 1U);
  EXPECT_EQ(list.errors()[0].code, EACCES);
}

TEST(FileList, GivesLinkTargetsAndLeavesOutUnsafeOnes) {
  const TemporaryDirectory directory;
  directory.directory("d");
  directory.directory("d/e");
  const std::pair<const char*, const char*> links[] = {
      {"absolute", "/etc"},    {"up", "../x"},          {"sibling", "d"},
      {"d/to_root", ".."},     {"d/out", "../.."},      {"d/e/in", "../../d/./e"},
      {"d/e/far", "../../.."}, {"d/turn", "e/../../d"}, {"d/e/outin", "../../../d"}};
  for (const auto& [name, target] : links) {
    directory.link(name, target);
  }
  ListOptions options;
  options.link_targets = true;
  std::map<std::string, std::string> targets;
  for (const FileListEntry entry : collect_with_batched_stats(directory.path(), options)) {
    if (entry.type() == FileType::symlink) {
      targets[entry.relative_path()] = entry.link_target();
    }
  }
  ASSERT_EQ(targets.size(), std::size(links));
  for (const auto& [name, target] : links) {
    EXPECT_EQ(targets[name], target);
  }
  options.safe_links = true;
  std::set<std::string> safe;
  for (const FileListEntry entry : collect_with_batched_stats(directory.path(), options)) {
    if (entry.type() == FileType::symlink) {
      safe.insert(entry.relative_path());
    }
  }
  // "d/turn" stays inside, but rsync lets no link turn back on its way.
  EXPECT_EQ(safe, (std::set<std::string>{"sibling", "d/to_root", "d/e/in"}));
  options.follow = Follow::all;
  EXPECT_THROW(collect_with_batched_stats(directory.path(), options), std::invalid_argument);
  EXPECT_THROW(FileListWalker(directory.path(), options).begin(), std::invalid_argument);
}

TEST(FileList, EntersAFollowedDirectoryByTheFirstPathInTheOrder) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int i = 0; i < 20; ++i) {
    const std::string name = "z" + std::to_string(i);
    directory.directory(name);
    directory.directory(name + "/x");
    directory.file(name + "/x/f");
    directory.directory("a" + std::to_string(i));
    directory.link("a" + std::to_string(i) + "/l", "../" + name + "/x");
  }
  for (const Order order : {Order::component, Order::bytes, Order::rsync, Order::rsync28}) {
    ListOptions options;
    options.order = order;
    options.follow = Follow::all;
    options.threads = 16;
    const FileList list = collect_with_batched_stats(directory.path(), options);
    for (int i = 0; i < 20; ++i) {
      const auto has = [&](const std::string& path) {
        return std::any_of(list.begin(), list.end(), [&](const FileListEntry& entry) {
          return entry.relative_path() == path;
        });
      };
      EXPECT_TRUE(has("a" + std::to_string(i) + "/l/f"));
      EXPECT_FALSE(has("z" + std::to_string(i) + "/x/f"));
    }
    std::vector<std::string> paths;
    FileListWalker walker(directory.path(), options);
    for (const FileListEntry& entry : walker) {
      paths.push_back(entry.relative_path());
    }
    EXPECT_EQ(paths, relative_paths(list));
  }
}

TEST(FileList, IsHeldInLittleMemory) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int d = 0; d < 100; ++d) {
    const std::string name = "directory" + std::to_string(d);
    directory.directory(name);
    for (int f = 0; f < 9; ++f) {
      directory.file(name + "/some_file_name_" + std::to_string(f));  // 16 bytes
    }
  }
  ListOptions options;
  options.fields = Fields::all;
  const FileList all = collect_with_batched_stats(directory.path(), options);
  EXPECT_LE(all.memory_use() / all.size(), 128U);
  options.fields = Fields::size | Fields::mtime;
  const FileList some = collect_with_batched_stats(directory.path(), options);
  EXPECT_LE(some.memory_use() / some.size(), 64U);
}

TEST(FileListWalker, StopsTheWalkWhenDestroyed) {
  const RandomTree tree(3);
  for (int i = 0; i < 50; ++i) {
    FileListWalker walker(tree.path(), {}, static_cast<std::size_t>(i));
    auto at = walker.begin();
    for (int read = 0; read < i && at != walker.end(); ++read) {
      ++at;
    }
  }
}

TEST(FileListWalker, StaysNearItsReader) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int d = 0; d < 400; ++d) {
    const std::string name = "d" + std::to_string(d);
    directory.directory(name);
    for (int f = 0; f < 10; ++f) {
      directory.file(name + "/" + std::to_string(f));
    }
  }
  std::atomic<std::uint64_t> entries{0};
  ListOptions options;
  options.threads = 4;
  options.progress_entries = &entries;
  constexpr std::size_t kAhead = 100;
  FileListWalker walker(directory.path(), options, kAhead);
  auto at = walker.begin();
  for (int i = 0; i < 500; ++i) {
    ++at;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  // The 400 names of the root are known, and each worker may have a directory in hand.
  EXPECT_LE(entries.load(), 401U + 500U + kAhead + 5 * 11);
  std::size_t rest = 0;
  for (; at != walker.end(); ++at) {
    ++rest;
  }
  EXPECT_EQ(rest, 4401U - 500U);
}

// The reader needs "1" before "1-", and "1-/…" before "1/…".
TEST(FileListWalker, DoesNotStandStillWhereTheOrderIsNotThatOfTheWalk) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int d = 0; d < 100; ++d) {
    for (const char* end : {"", "-", ".1"}) {
      const std::string name = std::to_string(d) + end;
      directory.directory(name);
      directory.file(name + "/file");
    }
  }
  for (const Order order : {Order::bytes, Order::rsync28}) {
    for (const unsigned threads : {1U, 2U}) {
      ListOptions options;
      options.order = order;
      options.threads = threads;
      const auto begin = std::chrono::steady_clock::now();
      FileListWalker walker(directory.path(), options, 1);
      EXPECT_EQ(std::ranges::distance(walker), 601);
      // Held back for a moment each, they took 2 to 4 s.
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    }
  }
}

TEST(CollectChunked, GivesAllInOrderInChunks) {
  const RandomTree tree(5);
  const FileList list = collect_with_batched_stats(tree.path());
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
    std::vector<std::string> paths;
    const Result result = collect_chunked(tree.path(), {}, size, [&](auto chunk) {
      EXPECT_LE(chunk.size(), size);
      for (const FileListEntry& entry : chunk) {
        paths.push_back(entry.relative_path());
      }
      return true;
    });
    EXPECT_EQ(paths, relative_paths(list));
    EXPECT_EQ(result.ending, Ending::complete);
  }
  std::size_t seen = 0;
  const Result result = collect_chunked(tree.path(), {}, 1, [&](auto) { return ++seen < 3; });
  EXPECT_EQ(seen, 3U);
  EXPECT_THROW(
      collect_chunked(tree.path(), {}, 1, [](auto) -> bool { throw std::runtime_error("enough"); }),
      std::runtime_error);
}

TEST(FileList, IsWorkedOnInParallel) {
  const RandomTree tree(6);
  const FileList list = collect_with_batched_stats(tree.path());
  for (const unsigned threads : {0U, 1U, 3U}) {
    std::vector<std::atomic<int>> seen(list.size());
    process_entries_parallel(
        list,
        [&](const FileListEntry& entry, std::size_t i) {
          EXPECT_EQ(entry.full_path(), list[i].full_path());
          ++seen[i];
        },
        threads);
    EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const auto& n) { return n == 1; }));
    const auto files = filter_entries_indices(
        list, [](const FileListEntry& entry) { return entry.type() == FileType::regular; },
        threads);
    EXPECT_TRUE(std::is_sorted(files.begin(), files.end()));
    EXPECT_EQ(static_cast<std::ptrdiff_t>(files.size()),
              std::count_if(list.begin(), list.end(), [](const FileListEntry& entry) {
                return entry.type() == FileType::regular;
              }));
    EXPECT_THROW(
        process_entries_parallel(
            list, [](const FileListEntry&, std::size_t) { throw std::runtime_error("no"); },
            threads),
        std::runtime_error);
  }
}

TEST(FileList, IsWorkedOnBySeveralThreadsEvenIfItIsShort) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int f = 0; f < 3; ++f) {
    directory.file(std::to_string(f));
  }
  const FileList list = collect_with_batched_stats(directory.path());
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  process_entries_parallel(
      list,
      [&](const FileListEntry&, std::size_t) {
        const int now = ++running;
        most = std::max(most.load(), now);
        for (int i = 0; i < 500 && most.load() < 2; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          most = std::max(most.load(), running.load());
        }
        --running;
      },
      2);
  EXPECT_EQ(most.load(), 2);
}

TEST(FileList, IsNotWorkedOnAfterAnException) {
  const TemporaryDirectory directory(testing::in_memory());
  for (int f = 0; f < 3000; ++f) {
    directory.file(std::to_string(f));
  }
  const FileList list = collect_with_batched_stats(directory.path());
  std::atomic<bool> thrown{false};
  std::atomic<int> after{0};
  const auto process = [&](const FileListEntry&, std::size_t i) {
    if (i == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      thrown = true;
      throw std::runtime_error("enough");
    }
    after += thrown ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  EXPECT_THROW(process_entries_parallel(list, process, 2), std::runtime_error);
  EXPECT_LE(after.load(), 10);
}

TEST(FileList, IsOfTheRootAloneAtAnyDepthBelowIt) {
  const RandomTree tree(7);
  ListOptions options;
  for (const int depth : {0, -1, INT32_MIN}) {
    options.max_depth = depth;
    EXPECT_EQ(collect_with_batched_stats(tree.path(), options).size(), 1U) << depth;
  }
}

TEST(LazyFileListEntry, OfAnEagerListIsResolvedAsThatListWas) {
  const TemporaryDirectory directory;
  const std::string target = directory.file("target", "12345");
  directory.link("link", target);
  ListOptions options;
  options.follow = Follow::all;
  const FileList list = collect_with_batched_stats(directory.path(), options);
  ASSERT_EQ(list.size(), 3U);
  for (std::size_t i = 0; i < list.size(); ++i) {
    LazyFileListEntry entry(list, i);
    ASSERT_TRUE(entry.metadata());
    EXPECT_EQ(entry.metadata().metadata.identity(), list[i].metadata().identity());
    EXPECT_EQ(entry.metadata().metadata.mtime, list[i].metadata().mtime);
  }
}

}  // namespace
}  // namespace trawl
