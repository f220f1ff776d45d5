// SPDX-License-Identifier: Apache-2.0
//
// Mount points. Each test has a mount namespace of its own, in a child process; where that is not
// allowed they are skipped.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/child_process.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "sys/filesystem.h"

namespace trawl {
namespace {

using testing::Answers;
using testing::compare;
using testing::describe;
using testing::FaultFileSystem;
using testing::kNone;
using testing::Left;
using testing::passes_in_child;
using testing::record;
using testing::Recording;
using testing::TemporaryDirectory;
using testing::walk_naively;

bool unshare_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

class WalkMounts : public ::testing::TestWithParam<Backend> {
 protected:
  // tree/{a,b}/{file,sub/file}
  WalkMounts() {
    for (const char* const path : {"tree", "tree/a", "tree/a/sub", "tree/b", "tree/b/sub"}) {
      directory_.directory(path);
    }
    for (const char* const path : {"tree/a/file", "tree/a/sub/file", "tree/b/file"}) {
      directory_.file(path, "content");
    }
  }
  void SetUp() override {
    if (!passes_in_child([] { EXPECT_TRUE(unshare_mounts()); })) {
      GTEST_SKIP() << "mount namespaces are not allowed";
    }
  }

  std::vector<Options> option_sets() const {
    std::vector<Options> all;
    for (const unsigned threads : {1U, 8U}) {
      for (const Fields fields : {Fields::none, Fields::basic}) {
        for (const bool one_file_system : {false, true}) {
          for (const bool in_batch : {false, true}) {
            Options options;
            options.threads = threads;
            options.fields = fields;
            options.one_file_system = one_file_system;
            options.directory_metadata_in_batch = in_batch;
            options.backend = GetParam();
            all.push_back(options);
          }
        }
      }
    }
    return all;
  }
  // But for the inodes of mount points, which listings tell differently: those are not compared.
  void expect_oracle() const {
    const std::vector<std::string> roots{directory_.at("tree")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }
  bool bind(const std::string& from, const std::string& to) const {
    return ::mount(directory_.at(from).c_str(), directory_.at(to).c_str(), nullptr, MS_BIND,
                   nullptr) == 0;
  }
  bool mount_memory(const std::string& at) const {
    return ::mount("none", directory_.at(at).c_str(), "tmpfs", 0, nullptr) == 0;
  }
  static State state_of(const Recording& recording, std::string_view end) {
    const auto at = std::find_if(
        recording.directories.begin(), recording.directories.end(),
        [&](const Left& directory) { return std::string_view(directory.path).ends_with(end); });
    return at == recording.directories.end() ? State::open : at->state;
  }

  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Backends, WalkMounts,
                         ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkMounts, AnotherFilesystem) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(mount_memory("tree/b"));
    for (int i = 0; i < 20; ++i) directory_.directory("tree/b/new" + std::to_string(i));
    directory_.file("tree/b/new3/file", "content");
    expect_oracle();
  }));
}

// Of one that covers a directory with something in it, what it covers is not to be seen.
TEST_P(WalkMounts, OneFileSystemStaysOut) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(mount_memory("tree/b"));
    directory_.file("tree/b/elsewhere");
    const std::vector<std::string> roots{directory_.at("tree")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      const State expected = options.one_file_system ? State::other_device : State::complete;
      EXPECT_EQ(state_of(recording, "tree/b"), expected) << describe(options);
      const bool found =
          std::any_of(recording.entries.begin(), recording.entries.end(),
                      [](const auto& entry) { return entry.path.ends_with("elsewhere"); });
      EXPECT_EQ(found, !options.one_file_system);
    }
  }));
}

// The same device, and another inode than the one that is listed.
TEST_P(WalkMounts, BindMountOfTheSameFilesystem) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(bind("tree/a", "tree/b"));
    expect_oracle();
  }));
}

// A kernel before 5.8 does not tell mount points; openat2 (5.6) has noticed it all the same.
TEST_P(WalkMounts, BindMountThatMetadataDoesNotTell) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(bind("tree/a", "tree/b"));
    FaultFileSystem fs(GetParam() == Backend::posix ? sys::posix_filesystem()
                                                    : sys::linux_filesystem());
    fs.edit_metadata([](const testing::Request&, Metadata& data) { data.mount_root = false; });
    const std::vector<std::string> roots{directory_.at("tree")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(fs, roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }));
}

TEST_P(WalkMounts, MountPointAsRoot) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(mount_memory("tree/b"));
    directory_.directory("tree/b/new");
    const std::vector<std::string> roots{directory_.at("tree/b"), directory_.at("tree/a")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }));
}

// tree is shown again in tree/b: an ancestor of itself.
TEST_P(WalkMounts, BindMountOfAnAncestorIsACycle) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(bind("tree", "tree/b"));
    const std::vector<std::string> roots{directory_.at("tree")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(recording.violations, kNone);
      EXPECT_EQ(recording.result.ending, Ending::complete);
      if (options.fields == Fields::none && !options.one_file_system) continue;
      EXPECT_EQ(state_of(recording, "tree/b"), State::cycle) << describe(options);
      EXPECT_EQ(recording.entries.size(), 6U) << describe(options);
    }
  }));
}

TEST_P(WalkMounts, FileOnAFile) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(unshare_mounts());
    ASSERT_TRUE(bind("tree/a/file", "tree/b/file"));
    const std::vector<std::string> roots{directory_.at("tree")};
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }));
}

}  // namespace
}  // namespace trawl
