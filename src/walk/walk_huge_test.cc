// SPDX-License-Identifier: Apache-2.0
//
// Directories with so many entries that several workers report them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"

namespace trawl {
namespace {

using testing::Call;
using testing::compare;
using testing::describe;
using testing::FaultFileSystem;
using testing::kNone;
using testing::passes_in_child;
using testing::record;
using testing::Recording;
using testing::Reported;
using testing::Request;
using testing::TemporaryDirectory;
using testing::walk_naively;
using testing::with_threads;

// `count` names, every hundredth a directory with a file in it.
class HugeDirectory {
 public:
  explicit HugeDirectory(int count, const std::string& parent = testing::in_memory())
      : directory_(parent) {
    const int fd = ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < count; ++i) {
      const std::string name = "name" + std::to_string(i);
      if (i % 100 == 0) {
        ::mkdirat(fd, name.c_str(), 0755);
        ::mknodat(fd, (name + "/file").c_str(), S_IFREG | 0644, 0);
      } else {
        ::mknodat(fd, name.c_str(), S_IFREG | 0644, 0);
      }
    }
    ::close(fd);
  }
  std::vector<std::string> roots() const { return {directory_.path()}; }
  const std::string& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

TEST(WalkHuge, EveryEntryOnce) {
  const HugeDirectory directory(testing::kThreadSanitizer ? 30'000 : 100'000);
  for (const Backend backend : {Backend::linux_raw, Backend::posix}) {
    for (const unsigned threads : {1U, 2U, 16U}) {
      for (const Fields fields : {Fields::none, Fields::basic}) {
        Options options = with_threads(threads);
        options.fields = fields;
        options.backend = backend;
        const Recording recording = record(directory.roots(), options);
        EXPECT_EQ(compare(recording, walk_naively(directory.roots(), options), options), "")
            << describe(options);
        if (threads == 1 || fields == Fields::none) {
          EXPECT_EQ(recording.result.statistics.splits, 0U);
        } else {
          EXPECT_GT(recording.result.statistics.splits, 0U) << describe(options);
        }
      }
    }
  }
}

TEST(WalkHuge, OnADisk) {
  const HugeDirectory directory(testing::effort(15'000), "");
  for (const unsigned threads : {1U, 4U}) {
    for (const bool fts_order : {false, true}) {
      Options options = with_threads(threads);
      options.fts_order = fts_order;
      const Recording recording = record(directory.roots(), options);
      EXPECT_EQ(compare(recording, walk_naively(directory.roots(), options), options), "");
    }
  }
}

TEST(WalkHuge, PrivateDescriptors) {
  EXPECT_TRUE(passes_in_child([] {
    const HugeDirectory directory(testing::effort(30'000));
    for (const unsigned threads : {2U, 8U}) {
      Options options = with_threads(threads);
      options.private_descriptors = true;
      const Recording recording = record(directory.roots(), options);
      EXPECT_EQ(compare(recording, walk_naively(directory.roots(), options), options), "");
    }
  }));
}

// With each stat a little slower others come to help, however fast the machine is.
class WalkHugeSlices : public ::testing::Test {
 protected:
  static constexpr int kCount = 20'000;
  static constexpr std::uint64_t kDirectories = kCount / 100;

  WalkHugeSlices() : directory_(kCount), fs_(sys::linux_filesystem()) {
    fs_.fail_when([](const Request& request) {
      if (request.call == Call::stat_at && request.ordinal % 64 == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(500));
      }
      return 0;
    });
  }
  HugeDirectory directory_;
  FaultFileSystem fs_;
};

TEST_F(WalkHugeSlices, AreUsed) {
  Options options = with_threads(8);
  const Recording recording = record(fs_, directory_.roots(), options);
  EXPECT_EQ(compare(recording, walk_naively(directory_.roots(), options), options), "");
  EXPECT_GT(recording.result.statistics.splits, 0U);
  EXPECT_EQ(fs_.open_handles(), 0);
}

// The slices' own opening of the directory fails: each of their entries has the error.
TEST_F(WalkHugeSlices, ReportErrorsPerEntry) {
  fs_.fail_when([](const Request& request) {
    // The root's own is the first; its files need no open.
    return request.call == Call::open && request.ordinal > 0 ? EACCES : 0;
  });
  const Options options = with_threads(8);
  const Recording recording = record(fs_, directory_.roots(), options);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::complete);
  EXPECT_EQ(recording.entries.size(), 1U + kCount) << "all but what is in the subdirectories";
  std::uint64_t failed = 0;
  for (const Reported& entry : recording.entries) {
    if (entry.error == 0) continue;
    EXPECT_EQ(entry.error, EACCES);
    ++failed;
  }
  EXPECT_GT(failed, 0U);
  std::uint64_t unreadable = 0;
  for (const auto& directory : recording.directories) {
    unreadable += directory.state == State::unreadable ? 1U : 0U;
  }
  EXPECT_EQ(unreadable, kDirectories);
  EXPECT_EQ(recording.result.statistics.errors, failed + unreadable);
  EXPECT_EQ(fs_.open_handles(), 0);
}

// Another directory has the name by now: what was listed is gone.
TEST_F(WalkHugeSlices, NoticeReplacedDirectories) {
  std::atomic<bool> moved = false;
  fs_.fail_when([&](const Request& request) {
    if (request.call == Call::read && request.ordinal > 1 && !moved.exchange(true)) {
      ::rename(directory_.path().c_str(), (directory_.path() + "_away").c_str());
      ::mkdir(directory_.path().c_str(), 0755);
      const std::string decoy = directory_.path() + "/name1";
      ::mknod(decoy.c_str(), S_IFREG | 0600, 0);
    }
    return 0;
  });
  const Options options = with_threads(8);
  const Recording recording = record(fs_, directory_.roots(), options);
  EXPECT_EQ(recording.violations, kNone);
  for (const Reported& entry : recording.entries) {
    // The decoy has other rights than all else.
    if (entry.metadata && entry.depth > 0) {
      EXPECT_NE(entry.metadata->mode & 0777U, 0600U) << entry.path;
    }
  }
  EXPECT_EQ(fs_.open_handles(), 0);
  ::unlink((directory_.path() + "/name1").c_str());
  ::rmdir(directory_.path().c_str());
  ::rename((directory_.path() + "_away").c_str(), directory_.path().c_str());
}

TEST_F(WalkHugeSlices, EndWhenTheWalkIsCancelled) {
  CancelToken token;
  Options options = with_threads(8);
  options.cancel = &token;
  testing::Answers answers;
  std::atomic<int> batches = 0;
  answers.entries = [&](Directory&, std::span<Entry>) {
    if (++batches == 12) token.cancel();
    return Verdict::proceed;
  };
  const Recording recording = record(fs_, directory_.roots(), options, answers);
  EXPECT_EQ(recording.violations, kNone);
  EXPECT_EQ(recording.result.ending, Ending::cancelled);
  EXPECT_EQ(recording.directories.back().state, State::cancelled);
  EXPECT_EQ(fs_.open_handles(), 0);
}

// Subdirectories are entered in the order that GNU fts would take: sorted by inode within each run
// of 100,000 names that has more than 10,000.
TEST(WalkHuge, FtsOrder) {
  const HugeDirectory directory(30'000);
  FaultFileSystem fs(sys::linux_filesystem());
  fs.order_helps = true;
  for (const unsigned threads : {1U, 4U}) {
    Options options = with_threads(threads);
    options.fts_order = true;
    std::atomic<bool> ordered = false;
    testing::Answers answers;
    answers.listed = [&](Directory& at) {
      if (at.depth() == 0) ordered = at.inode_ordered();
      EXPECT_TRUE(at.depth() == 0 || !at.inode_ordered());
    };
    std::vector<std::uint64_t> entered;
    if (threads == 1) {
      answers.enter = [&](Directory& at) {
        if (at.depth() == 1) entered.push_back(at.listed_inode());
        return Verdict::proceed;
      };
    }
    const Recording recording = record(fs, directory.roots(), options, answers);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_TRUE(ordered);
    EXPECT_TRUE(std::is_sorted(entered.begin(), entered.end()));
    EXPECT_EQ(entered.size(), threads == 1 ? 300U : 0U);
  }
  fs.order_helps = false;
  Options options = with_threads(1);
  options.fts_order = true;
  testing::Answers answers;
  answers.listed = [](Directory& at) { EXPECT_FALSE(at.inode_ordered()); };
  record(fs, directory.roots(), options, answers);
}

}  // namespace
}  // namespace trawl
