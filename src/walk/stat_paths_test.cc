// SPDX-License-Identifier: Apache-2.0
//
// Metadata of given paths, against what stat(2) and lstat(2) say.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <trawl/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;
using testing::effort;
using testing::fresh_seed;
using testing::passes_in_child;
using testing::Random;
using testing::RandomTree;
using testing::TemporaryDirectory;

// "" if the result is what stat(2) or lstat(2) says.
std::string difference(const std::string& path, const StatResult& result, bool follow,
                       int base = AT_FDCWD) {
  struct stat info {};
  const int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  const int error = ::fstatat(base, path.c_str(), &info, flags) == 0 ? 0 : errno;
  if (error != result.error) {
    return path + ": error " + std::to_string(result.error) + ", not " + std::to_string(error);
  }
  if (error != 0) return "";
  const Metadata& metadata = result.metadata;
  if (metadata.device_major != major(info.st_rdev) ||
      metadata.device_minor != minor(info.st_rdev)) {
    return path + ": device";
  }
  const std::string text = testing::difference(metadata, info);
  return text.empty() ? "" : path + ": " + text;
}

void expect_same(const std::vector<std::string>& paths) {
  for (const bool follow : {false, true}) {
    for (const unsigned threads : {0U, 1U, 2U, 16U}) {
      StatOptions options;
      options.follow = follow;
      options.threads = threads;
      const std::vector<StatResult> results = stat_paths(paths, options);
      ASSERT_EQ(results.size(), paths.size());
      for (std::size_t i = 0; i < paths.size(); ++i) {
        ASSERT_EQ(difference(paths[i], results[i], follow), "") << follow << ' ' << threads;
      }
    }
  }
}

TEST(StatPaths, EveryKindOfFile) {
  const TemporaryDirectory directory;
  const auto at = [&](std::string_view name) { return directory.at(name); };
  directory.file("file", "content");
  directory.directory("directory");
  directory.link("link", "file");
  directory.link("to_directory", "directory");
  directory.link("dangling", "nothing");
  directory.link("loop", "loop");
  const std::string longest = directory.file(std::string(255, 'n'));
  directory.file("\xff\xfe\n\t not UTF-8");
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  std::vector<std::string> paths{at("file"),
                                 at("directory"),
                                 at("link"),
                                 at("to_directory"),
                                 at("dangling"),
                                 at("loop"),
                                 longest,
                                 at("fifo"),
                                 at("missing"),
                                 at("file/x"),
                                 at("file/"),
                                 at("directory/"),
                                 at("link/"),
                                 at("to_directory/"),
                                 at("directory///"),
                                 at("to_directory//"),
                                 at("dangling/"),
                                 at("loop/x"),
                                 at("./file"),
                                 at("x/../file"),
                                 at("directory/.."),
                                 at("\xff\xfe\n\t not UTF-8"),
                                 longest + "n",
                                 "",
                                 ".",
                                 "..",
                                 "/",
                                 "//",
                                 "/dev/null",
                                 "/dev/zero",
                                 "/proc/self/stat",
                                 std::string(4095, 'x'),
                                 std::string(9000, 'x')};
  if (::geteuid() == 0) {
    ASSERT_EQ(::mknod(at("block").c_str(), S_IFBLK | 0600, makedev(0xabc, 0x12345)), 0);
    ASSERT_EQ(::mknod(at("character").c_str(), S_IFCHR | 0600, makedev(1, 7)), 0);
    paths.insert(paths.end(), {at("block"), at("character")});
  }
  expect_same(paths);
}

TEST(StatPaths, TimesBefore1970AndAfter2038AndSizesAbove4GiB) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (const std::int64_t seconds :
       {-1LL, -2'000'000'000LL, 0LL, 2'147'483'648LL, 5'000'000'000LL}) {
    paths.push_back(directory.file("at" + std::to_string(seconds)));
    const timespec times[2] = {{seconds, 999'999'999}, {seconds, 1}};
    ASSERT_EQ(::utimensat(AT_FDCWD, paths.back().c_str(), times, 0), 0);
  }
  paths.push_back(directory.file("sparse"));
  ASSERT_EQ(::truncate(paths.back().c_str(), (std::int64_t{5} << 30) + 3), 0);
  expect_same(paths);
  const auto results = stat_paths(paths, {.fields = Fields::all});
  EXPECT_EQ(results[0].metadata.mtime, (Timestamp{-1, 1}));
  EXPECT_EQ(results[4].metadata.atime.seconds, 5'000'000'000);
  EXPECT_EQ(results[5].metadata.size, (std::uint64_t{5} << 30) + 3);
  struct statx info {};
  ASSERT_EQ(::statx(AT_FDCWD, paths[0].c_str(), 0, STATX_BTIME, &info), 0);
  EXPECT_EQ(has(results[0].metadata.valid, Fields::btime), (info.stx_mask & STATX_BTIME) != 0);
  EXPECT_EQ(results[0].metadata.btime.seconds, info.stx_btime.tv_sec);
}

// In a process and a mount namespace of its own.
TEST(StatPaths, MoreThan65000Links) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts are made by root only";
  const TemporaryDirectory directory;
  const int links = 65'100;
  EXPECT_TRUE(passes_in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "nr_inodes=100000") != 0) {
      return;  // not allowed here
    }
    const std::string file = directory.file("file");
    for (int i = 1; i < links; ++i) {
      ASSERT_EQ(::link(file.c_str(), directory.at(std::to_string(i)).c_str()), 0);
    }
    const std::vector<std::string> paths{file, directory.at("5")};
    expect_same(paths);
    EXPECT_EQ(stat_paths(paths)[1].metadata.links, static_cast<std::uint32_t>(links));
  }));
}

TEST(StatPaths, EmptyAndNul) {
  const std::vector<std::string> paths{"", "/", std::string("/\0etc", 5), std::string("\0", 1)};
  for (const unsigned threads : {0U, 4U}) {
    std::vector<std::string> many;
    for (int i = 0; i < 1000; ++i) many.insert(many.end(), paths.begin(), paths.end());
    const auto results = stat_paths(many, {.threads = threads});
    for (std::size_t i = 0; i < many.size(); ++i) {
      const int errors[] = {ENOENT, 0, EINVAL, EINVAL};
      ASSERT_EQ(results[i].error, errors[i % 4]);
    }
  }
  EXPECT_TRUE(stat_paths({}).empty());
}

// Directories on the way are reached by steps, also through links and where they can't be read.
TEST(StatPaths, LongerThanPathMax) {
  const TemporaryDirectory directory;
  const std::string name(200, 'd');
  std::string path = directory.path();
  int at = ::open(path.c_str(), O_PATH | O_DIRECTORY);
  for (int depth = 0; depth < 60; ++depth) {
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0711), 0);
    const int next = ::openat(at, name.c_str(), O_PATH | O_DIRECTORY);
    ::close(at);
    at = next;
    path += '/' + name;
  }
  const int file = ::openat(at, "file", O_CREAT | O_WRONLY, 0640);
  ASSERT_EQ(::write(file, "12345", 5), 5);
  ::close(file);
  ASSERT_EQ(::symlinkat("file", at, "link"), 0);
  ASSERT_EQ(::symlinkat(".", at, "here"), 0);
  const std::string slashes(5000, '/');
  std::string dots;
  for (int i = 0; i < 3000; ++i) dots += "/.";
  struct Case {
    std::string path;
    std::string name;
    int error;
  };
  const std::vector<Case> cases{
      {path + "/file", "file", 0},
      {path + "/link", "link", 0},
      {path + "/here/here/file", "file", 0},
      {path + "/here" + slashes + "file", "file", 0},
      {path + "/here", "here", 0},
      {path + "/here/", "here/", 0},
      {path + "/here" + slashes, "here/", 0},
      {path + "/file/", "", ENOTDIR},
      {path + "/file" + slashes, "", ENOTDIR},
      {path + "/missing", "", ENOENT},
      {path + "/missing/x", "", ENOENT},
      {path + "/here" + dots + "/file", "file", 0},
      {path + "/here" + dots + "/../" + name + "/file", "file", 0},
      {path + "/" + std::string(5000, 'n'), "", ENAMETOOLONG},
      {path + "/" + std::string(300, 'n'), "", ENAMETOOLONG},
      {path + "/" + std::string(300, 'n') + "/x", "", ENAMETOOLONG},
      {slashes + path.substr(1) + "/file", "file", 0},
      {slashes, "/", 0},
      {directory.path() + "/nothing" + dots, "", ENOENT},
  };
  for (const bool follow : {false, true}) {
    for (const std::size_t copies : {1U, 100U}) {  // without a walk, and with one
      for (const std::chrono::nanoseconds stall : {0ns, std::chrono::nanoseconds(20s)}) {
        std::vector<std::string> paths;
        for (std::size_t i = 0; i < copies; ++i) {
          for (const Case& each : cases) paths.push_back(each.path);
        }
        StatOptions options;
        options.follow = follow;
        options.threads = copies == 1 ? 0 : 4;
        options.stall_timeout = stall;
        const auto results = stat_paths(paths, options);
        for (std::size_t i = 0; i < paths.size(); ++i) {
          const Case& each = cases[i % cases.size()];
          const std::string shown =
              each.path.substr(each.path.size() - 30) + " case " + std::to_string(i % cases.size());
          if (each.error != 0) {
            ASSERT_EQ(results[i].error, each.error) << shown;
          } else {
            struct stat info {};
            ASSERT_EQ(::fstatat(at, each.name.c_str(), &info, follow ? 0 : AT_SYMLINK_NOFOLLOW), 0);
            ASSERT_EQ(results[i].error, 0) << shown;
            ASSERT_EQ(testing::difference(results[i].metadata, info), "") << shown;
          }
        }
      }
    }
  }
  int error = 0;
  const auto batch = DirectoryStatBatch::open(path, error);
  ASSERT_EQ(error, 0);
  EXPECT_EQ(batch->stat_relative("file", false).metadata.size, 5U);
  ::close(at);
}

// Every path of a tree, in an order of its own, some of them missing.
TEST(StatPaths, RandomTrees) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(10); ++round) {
    const RandomTree tree(random.next(), {.directories = 100, .entries = 10});
    const Options options = testing::with_threads(1);
    std::vector<std::string> paths;
    for (const auto& entry : testing::walk_naively(tree.roots(), options).entries) {
      paths.push_back(entry.path);
      if (random.one_in(10)) paths.push_back(entry.path + "missing");
      if (random.one_in(10)) paths.push_back(entry.path + "/");
    }
    for (std::size_t i = paths.size(); i > 1; --i) std::swap(paths[i - 1], paths[random.below(i)]);
    expect_same(paths);
  }
}

TEST(StatPaths, RelativeToTheWorkingDirectory) {
  const TemporaryDirectory directory;
  directory.file("file");
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_EQ(::chdir(directory.path().c_str()), 0);
    expect_same({"file", "./file", "missing", ".", "../" + directory.path().substr(1)});
  }));
}

TEST(StatPaths, Cancelled) {
  CancelToken cancel;
  cancel.cancel();
  const std::vector<std::string> paths(10'000, "/");
  for (const StatResult& result : stat_paths(paths, {.cancel = &cancel})) {
    ASSERT_EQ(result.error, ECANCELED);
  }
  // At some time it is in the middle.
  const std::vector<std::string> many(100'000, "/usr/bin");
  bool met = false;
  for (auto time = 1ms; time < 10s && !met; time *= 2) {
    CancelToken late;
    std::thread canceller([&] {
      std::this_thread::sleep_for(time);
      late.cancel();
    });
    std::size_t answered = 0;
    for (const StatResult& result : stat_paths(many, {.cancel = &late})) {
      ASSERT_TRUE(result.error == 0 || result.error == ECANCELED);
      answered += result.error == 0 ? 1 : 0;
    }
    canceller.join();
    met = answered > 0 && answered < many.size();
  }
  EXPECT_TRUE(met);
}

TEST(StatPaths, WithStallTimeout) {
  const TemporaryDirectory directory;
  std::vector<std::string> paths;
  for (int i = 0; i < 200; ++i) paths.push_back(directory.file(std::to_string(i)));
  paths.push_back("/proc/self/missing");
  const auto results = stat_paths(paths, {.threads = 3, .stall_timeout = 20s});
  for (std::size_t i = 0; i < paths.size(); ++i) {
    ASSERT_EQ(difference(paths[i], results[i], false), "");
  }
}

class StatBatch : public ::testing::Test {
 protected:
  StatBatch() {
    directory_.directory("d");
    for (int i = 0; i < 3000; ++i) {
      names_.push_back("f" + std::to_string(i));
      if (i % 3 == 0) {
        directory_.link("d/" + names_.back(), "f1");
      } else {
        directory_.file("d/" + names_.back(), std::string(static_cast<unsigned>(i % 7), 'x'));
      }
    }
    for (const char* name : {"missing", "", ".", "..", "a/b", "/", "/etc", "f1/"}) {
      names_.emplace_back(name);
    }
    names_.emplace_back("f1\0x", 4);
    names_.emplace_back(std::string(256, 'n'));
    fd_ = ::open(directory_.at("d").c_str(), O_PATH | O_DIRECTORY);
  }
  ~StatBatch() override { ::close(fd_); }

  void expect_same(const std::vector<StatResult>& results, bool follow) const {
    ASSERT_EQ(results.size(), names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::string& name = names_[i];
      const bool refused = name.empty() || name == "." || name == ".." ||
                           name.find('/') != std::string::npos ||
                           name.find('\0') != std::string::npos;
      const std::string found = !refused ? difference(name, results[i], follow, fd_)
                                : results[i].error == EINVAL ? ""
                                                             : "not refused: " + name;
      ASSERT_EQ(found, "");
    }
  }

  TemporaryDirectory directory_;
  std::vector<std::string> names_;
  int fd_ = -1;
};

TEST_F(StatBatch, NamesOfADirectory) {
  int error = -1;
  const auto batch = DirectoryStatBatch::open(directory_.at("d"), error);
  ASSERT_TRUE(batch);
  EXPECT_EQ(error, 0);
  for (const bool follow : {false, true}) {
    for (const unsigned threads : {0U, 1U, 4U, 16U}) {
      expect_same(batch->stat_batch_relative(names_, follow, {.threads = threads}), follow);
    }
    std::vector<StatResult> one_by_one;
    for (const std::string& name : names_) one_by_one.push_back(batch->stat_relative(name, follow));
    expect_same(one_by_one, follow);
    expect_same(batch->stat_batch_relative(names_, follow, {.threads = 3, .stall_timeout = 20s}),
                follow);
  }
}

TEST_F(StatBatch, StaysInTheDirectoryThatWasOpened) {
  int error = 0;
  const auto batch = DirectoryStatBatch::open(directory_.at("d"), error);
  ASSERT_EQ(::rename(directory_.at("d").c_str(), directory_.at("moved").c_str()), 0);
  directory_.directory("d");
  expect_same(batch->stat_batch_relative(names_, false), false);
}

TEST_F(StatBatch, Open) {
  int error = 0;
  EXPECT_FALSE(DirectoryStatBatch::open(directory_.at("d/f1"), error));
  EXPECT_EQ(error, ENOTDIR);
  EXPECT_FALSE(DirectoryStatBatch::open(directory_.at("missing"), error));
  EXPECT_EQ(error, ENOENT);
  EXPECT_FALSE(DirectoryStatBatch::open("", error));
  EXPECT_EQ(error, ENOENT);
  EXPECT_FALSE(DirectoryStatBatch::open(std::string("/\0", 2), error));
  EXPECT_EQ(error, EINVAL);
  directory_.link("link", "d");
  auto batch = DirectoryStatBatch::open(directory_.at("link"), error);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->stat_relative("f1", false));
  auto moved = *std::move(batch);
  EXPECT_TRUE(moved.stat_relative("f1", false));
  auto other = DirectoryStatBatch::open("/", error);
  *other = std::move(moved);
  EXPECT_TRUE(other->stat_relative("f1", false));
}

}  // namespace
}  // namespace trawl
