// SPDX-License-Identifier: Apache-2.0
//
// The test tool tests/support/fault_filesystem.h: a test that leans on it must be able to.
#include "support/fault_filesystem.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/temporary_directory.h"

namespace trawl::testing {
namespace {

using sys::DirectoryHandle;
using sys::Dirent;
using sys::kWorkingDirectory;

class FaultFileSystemTest : public ::testing::TestWithParam<sys::FileSystem& (*)()> {
 protected:
  FaultFileSystemTest() {
    fs_.emplace(GetParam()());
    tree_.directory("d");
    for (int i = 0; i < 20; ++i) tree_.file("file" + std::to_string(i));
  }

  // Opens, stats and lists the tree and closes it: what failed last, or 0.
  int visit() {
    names_.clear();
    reads_ = 0;
    DirectoryHandle handle;
    if (const int error = again([&] {
          return fs_->open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle);
        });
        error != 0) {
      return error;
    }
    int error = again([&] { return fs_->stat_handle(handle, Fields::all, metadata_); });
    bool end = false;
    while (error == 0 && !end) {
      std::vector<std::byte> buffer(4096);
      std::size_t size = 0;
      error = again([&] { return fs_->read_directory(handle, buffer, size, end); });
      ++reads_;
      if (size == 0) break;
      sys::DirentReader reader(std::span<const std::byte>(buffer).first(size));
      for (Dirent entry; error == 0 && reader.next(entry);) {
        names_.insert(std::string(entry.name));
        last_ = entry;
        if (sys::is_dot_or_dotdot(entry.name)) continue;
        const std::string name(entry.name);
        error = again(
            [&] { return fs_->stat_at(handle.fd, name.c_str(), Fields::all, false, metadata_); });
      }
      malformed_ = malformed_ || reader.malformed();
    }
    fs_->close(handle);
    return error;
  }

  template <typename Try>
  int again(Try attempt) {
    int error = attempt();
    while (error == EINTR) error = attempt();
    return error;
  }

  TemporaryDirectory tree_;
  std::optional<FaultFileSystem> fs_;
  std::set<std::string> names_;
  Dirent last_;
  Metadata metadata_;
  int reads_ = 0;
  bool malformed_ = false;
};

INSTANTIATE_TEST_SUITE_P(Backends, FaultFileSystemTest,
                         ::testing::Values(sys::linux_filesystem, sys::posix_filesystem),
                         [](const ::testing::TestParamInfo<sys::FileSystem& (*)()>& backend) {
                           return backend.param == sys::linux_filesystem ? "Linux" : "Posix";
                         });

TEST_P(FaultFileSystemTest, ChangesNothingUnlessTold) {
  EXPECT_EQ(visit(), 0);
  EXPECT_EQ(names_.size(), 23U);
  EXPECT_FALSE(malformed_);
  EXPECT_EQ(fs_->calls(Call::open), 1U);
  EXPECT_EQ(fs_->calls(Call::stat_handle), 1U);
  EXPECT_EQ(fs_->calls(Call::stat_at), 21U);
  EXPECT_EQ(fs_->calls(Call::close), 1U);
  EXPECT_EQ(fs_->open_handles(), 0);
  EXPECT_EQ(fs_->most_open_handles(), 1);
  EXPECT_EQ(fs_->foreign_uses(), 0U);
}

TEST_P(FaultFileSystemTest, FailsEveryPlaceOfATrace) {
  ASSERT_EQ(visit(), 0);
  const auto places = fs_->trace();
  ASSERT_EQ(places.size(), fs_->calls(Call::open) + fs_->calls(Call::read) +
                               fs_->calls(Call::stat_handle) + fs_->calls(Call::stat_at) +
                               fs_->calls(Call::close));
  for (const Place& place : places) {
    if (place.call == Call::close) continue;
    fs_.emplace(GetParam()());
    fs_->fail(place.call, place.ordinal, EIO);
    EXPECT_EQ(visit(), EIO) << static_cast<int>(place.call) << ' ' << place.ordinal;
    EXPECT_EQ(fs_->open_handles(), 0);
    EXPECT_EQ(visit(), 0) << "this one place only";
    EXPECT_EQ(names_.size(), 23U);
  }
}

TEST_P(FaultFileSystemTest, FailsWhereAHookSaysSo) {
  fs_->fail_when([](const Request& request) {
    return request.path != nullptr && std::string(request.path) == "file7" ? EACCES : 0;
  });
  EXPECT_EQ(visit(), EACCES);
}

TEST_P(FaultFileSystemTest, FailsACallAlways) {
  fs_->fail_always(Call::open, EMFILE);
  EXPECT_EQ(visit(), EMFILE);
  EXPECT_EQ(visit(), EMFILE);
  EXPECT_EQ(fs_->calls(Call::open), 2U);
}

TEST_P(FaultFileSystemTest, InterruptsEachCallOnce) {
  fs_->interrupt();
  EXPECT_EQ(visit(), 0);
  EXPECT_EQ(names_.size(), 23U);
  EXPECT_EQ(fs_->interrupted(), fs_->trace().size() - fs_->calls(Call::close));
  EXPECT_EQ(fs_->calls(Call::stat_at), 21U);
}

TEST_P(FaultFileSystemTest, InterruptsTheSameCallAgainTheNextTime) {
  fs_->interrupt();
  fs_->limit_records(1);
  fs_->edit_records([](Dirent& entry) { return sys::is_dot_or_dotdot(entry.name); });
  EXPECT_EQ(visit(), 0);
  EXPECT_GE(fs_->calls(Call::read), 2U);
  EXPECT_EQ(fs_->interrupted(), fs_->trace().size() - fs_->calls(Call::close));
}

TEST_P(FaultFileSystemTest, DeliversFewRecordsAtATime) {
  for (const std::size_t most : {1U, 2U, 3U, 22U, 23U, 24U}) {
    fs_->limit_records(most);
    EXPECT_EQ(visit(), 0);
    EXPECT_EQ(names_.size(), 23U);
    EXPECT_GE(static_cast<std::size_t>(reads_), (23 + most - 1) / most);
  }
}

TEST_P(FaultFileSystemTest, EditsRecords) {
  fs_->edit_records([](Dirent& entry) {
    if (entry.name == "file3") return false;
    if (entry.name == "file4") entry.name = "a name that is longer than what was there";
    return true;
  });
  EXPECT_EQ(visit(), ENOENT);
  EXPECT_EQ(names_.count("file3"), 0U);
}

TEST_P(FaultFileSystemTest, CanDropAllRecords) {
  fs_->edit_records([](Dirent&) { return false; });
  EXPECT_EQ(visit(), 0);
  EXPECT_TRUE(names_.empty());
}

TEST_P(FaultFileSystemTest, GoesOnAfterABufferOfDroppedRecords) {
  for (int i = 0; i < 500; ++i) tree_.file("further" + std::to_string(i));
  int seen = 0;
  fs_->edit_records([&](Dirent&) { return ++seen > 400; });
  EXPECT_EQ(visit(), 0);
  EXPECT_EQ(names_.size(), 123U);
}

TEST_P(FaultFileSystemTest, HidesTypesAndLiesAboutInodes) {
  std::uint64_t inode = 0;
  fs_->edit_records([&](Dirent& entry) {
    inode = entry.inode;
    return true;
  });
  fs_->hide_types();
  fs_->lie_about_inodes();
  EXPECT_EQ(visit(), 0);
  EXPECT_EQ(last_.type, FileType::unknown);
  EXPECT_NE(last_.inode, inode);
}

TEST_P(FaultFileSystemTest, GarblesARead) {
  fs_->garble(0);
  EXPECT_EQ(visit(), 0);
  EXPECT_TRUE(malformed_);
  EXPECT_EQ(names_.size(), 22U) << "all but the last";
}

TEST_P(FaultFileSystemTest, EditsMetadata) {
  fs_->edit_metadata([](const Request& request, Metadata& data) {
    if (request.call == Call::stat_at) data.device = 4711;
  });
  EXPECT_EQ(visit(), 0);
  EXPECT_EQ(metadata_.device, 4711U);
}

TEST_P(FaultFileSystemTest, Waits) {
  fs_->delay(Call::read, std::chrono::milliseconds(20));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(visit(), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
}

TEST_P(FaultFileSystemTest, SaysOfTheFilesystemWhatItIsTold) {
  DirectoryHandle handle;
  ASSERT_EQ(fs_->open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
  EXPECT_EQ(fs_->stays_on_mount(), GetParam()().stays_on_mount());
  for (const bool answer : {true, false}) {
    fs_->inodes_are_exact = fs_->order_helps = answer;
    fs_->offset_marks_end = fs_->heeds_stay_on_mount = answer;
    EXPECT_EQ(fs_->listed_inodes_are_exact(handle), answer);
    EXPECT_EQ(fs_->inode_order_helps(handle), answer);
    EXPECT_EQ(fs_->last_offset_marks_end(handle), answer);
    EXPECT_EQ(fs_->stays_on_mount(), answer);
  }
  EXPECT_EQ(fs_->open_handles(), 1);
  fs_->close(handle);
  fs_->close(handle);
  EXPECT_EQ(fs_->open_handles(), 0);
}

TEST_P(FaultFileSystemTest, CountsForManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        DirectoryHandle handle;
        EXPECT_EQ(fs_->open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
        fs_->close(handle);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(fs_->calls(Call::open), 1600U);
  EXPECT_EQ(fs_->calls(Call::close), 1600U);
  EXPECT_EQ(fs_->open_handles(), 0);
  EXPECT_LE(fs_->most_open_handles(), 8);
  std::set<std::uint64_t> ordinals;
  for (const Place& place : fs_->trace()) {
    if (place.call == Call::open) ordinals.insert(place.ordinal);
  }
  EXPECT_EQ(ordinals.size(), 1600U);
}

TEST_P(FaultFileSystemTest, NoticesAHandleOfAnotherDescriptorTable) {
  EXPECT_TRUE(passes_in_child([&] {
    DirectoryHandle handle;
    ASSERT_EQ(fs_->open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
    bool is_private = false;
    std::thread([&] {
      Metadata data;
      fs_->stat_handle(handle, Fields::type, data);
      EXPECT_EQ(fs_->foreign_uses(), 0U) << "the table is still shared";
      is_private = fs_->make_descriptors_private();
      fs_->stat_handle(handle, Fields::type, data);
    }).join();
    EXPECT_EQ(fs_->foreign_uses(), is_private ? 1U : 0U);
    EXPECT_EQ(is_private, GetParam() == sys::linux_filesystem);
    fs_->close(handle);
  }));
}

TEST_P(FaultFileSystemTest, CanKeepTheDescriptorTableShared) {
  fs_->fail_always(Call::make_private, ENOSYS);
  EXPECT_FALSE(fs_->make_descriptors_private());
}

}  // namespace
}  // namespace trawl::testing
