// SPDX-License-Identifier: Apache-2.0
//
// Walks by child processes, which are given up when they do not answer. With a real server that
// dies: tests/hostile/test_fuse.py.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <time.h>
#include <trawl/walk.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"
#include "sys/stall_guard.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;
using testing::compare;
using testing::fresh_seed;
using testing::record;
using testing::Recording;
using testing::with_threads;

// The real one, but that opening what is called "dead" takes a minute. It is called in child
// processes of a multi-threaded one, so it must not allocate.
class SlowForSome final : public sys::FileSystem {
 public:
  int open_directory(int base, const char* path, sys::OpenHow how,
                     sys::DirectoryHandle& out) override {
    const std::size_t size = std::strlen(path);
    if (size >= 4 && std::strcmp(path + size - 4, "dead") == 0) {
      const timespec time{60, 0};
      ::nanosleep(&time, nullptr);
    }
    return real_.open_directory(base, path, how, out);
  }
  bool stays_on_mount() const override { return real_.stays_on_mount(); }
  int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    return real_.read_directory(handle, buffer, size, end);
  }
  int seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) override {
    return real_.seek_directory(handle, offset);
  }
  int stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) override {
    return real_.stat_handle(handle, fields, out);
  }
  int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override {
    return real_.stat_at(base, path, fields, follow, out);
  }
  void close(sys::DirectoryHandle& handle) override { real_.close(handle); }
  bool make_descriptors_private() override { return real_.make_descriptors_private(); }
  bool listed_inodes_are_exact(const sys::DirectoryHandle& handle) override {
    return real_.listed_inodes_are_exact(handle);
  }
  bool inode_order_helps(const sys::DirectoryHandle& handle) override {
    return real_.inode_order_helps(handle);
  }
  bool last_offset_marks_end(const sys::DirectoryHandle& handle) override {
    return real_.last_offset_marks_end(handle);
  }
  bool offsets_ascend(const sys::DirectoryHandle& handle) override {
    return real_.offsets_ascend(handle);
  }

 private:
  sys::FileSystem& real_ = sys::linux_filesystem();
};

class WalkStall : public ::testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "ThreadSanitizer does not follow children that are not forked";
#endif
  }
};
INSTANTIATE_TEST_SUITE_P(Workers, WalkStall, ::testing::Values(1U, 4U, 16U));

TEST_P(WalkStall, ChildrenFindTheSame) {
  for (int round = 0; round < testing::effort(3); ++round) {
    const testing::RandomTree tree(fresh_seed() + static_cast<std::uint64_t>(round),
                                   {.directories = 40, .entries = 12});
    for (const Fields fields : {Fields::none, Fields::basic}) {
      for (const Follow follow : {Follow::never, Follow::all}) {
        for (const auto trust : {sys::StallGuard::Trust::local, sys::StallGuard::Trust::nobody}) {
          Options options = with_threads(GetParam(), fields);
          options.follow = follow;
          options.private_descriptors = round % 2 == 0;
          sys::StallGuard guard(sys::linux_filesystem(), 60s, trust);
          const Recording recording = record(guard, tree.roots(), options);
          EXPECT_EQ(compare(recording, testing::walk_naively(tree.roots(), options), options), "")
              << testing::describe(options);
        }
      }
    }
  }
}

TEST_P(WalkStall, GivesUpWhatDoesNotAnswer) {
  const testing::TemporaryDirectory place;
  for (const char* const path : {"a", "a/dead", "a/dead/b", "a/c", "d"}) place.directory(path);
  for (const char* const path : {"a/file", "a/dead/file", "a/c/file", "d/file"}) place.file(path);
  SlowForSome slow;
  const std::vector<std::string> roots = {place.path()};
  const auto begin = std::chrono::steady_clock::now();
  {
    sys::StallGuard guard(slow, 200ms, sys::StallGuard::Trust::nobody);
    const Recording recording = record(guard, roots, with_threads(GetParam()));
    EXPECT_EQ(recording.violations, testing::kNone);
    EXPECT_EQ(recording.result.ending, Ending::complete);
    EXPECT_EQ(recording.entries.size(), 8U);  // all but what is in it
    ASSERT_EQ(recording.result.errors.size(), 1U);
    EXPECT_EQ(recording.result.errors[0].path, place.path() + "/a/dead");
    EXPECT_EQ(recording.result.errors[0].code, ETIME);
    EXPECT_NE(recording.result.errors[0].message().find("stalled"), std::string::npos);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 50s);  // did not wait
}

// What ends after it was left behind is no dead child of the program for ever.
TEST_P(WalkStall, LeavesNoDeadChildren) {
  const testing::TemporaryDirectory place;
  for (const char* const path : {"a", "a/dead", "b", "b/dead"}) place.directory(path);
  SlowForSome slow;
  const std::vector<std::string> roots = {place.path()};
  {
    sys::StallGuard guard(slow, 50ms, sys::StallGuard::Trust::nobody);
    EXPECT_EQ(record(guard, roots, with_threads(GetParam())).result.errors.size(), 2U);
  }
  const int proxies = static_cast<int>(__WCLONE) | WNOHANG;
  const auto begin = std::chrono::steady_clock::now();
  int found = 0;
  do {
    const timespec time{0, 10'000'000};
    ::nanosleep(&time, nullptr);  // they were killed, and take their time
    { const sys::StallGuard next(slow, 1s); }
    siginfo_t information{};
    found = ::waitid(P_ALL, 0, &information, proxies | WEXITED | WNOWAIT);
  } while (found == 0 && std::chrono::steady_clock::now() - begin < 20s);
  EXPECT_EQ(found, -1);  // no children
  EXPECT_EQ(errno, ECHILD);
}

TEST(WalkStallOptions, NeedLinux) {
  Options options;
  options.backend = Backend::posix;
  options.stall_timeout = 1s;
  Visitor visitor;
  const std::vector<std::string> roots = {"/"};
  EXPECT_THROW(walk(roots, options, [&](unsigned) -> Visitor& { return visitor; }),
               std::invalid_argument);
}

}  // namespace
}  // namespace trawl
