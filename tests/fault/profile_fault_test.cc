// SPDX-License-Identifier: Apache-2.0
//
// What a profile says of a filesystem that goes wrong: each call fails once, in each way, and the
// figures are those of a tree without what could not be had.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/profile.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <string>

#include "fold/profile_visitor.h"
#include "support/fault_filesystem.h"
#include "support/profile_oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::Call;
using testing::cut_tables;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::in_memory;
using testing::profile_naively;
using testing::RandomTree;
using testing::Request;
using testing::TemporaryDirectory;
using testing::text_of;

Profile profile_on(sys::FileSystem& filesystem, const std::string& root,
                   const ProfileOptions& options, const engine::Tuning& tuning = {}) {
  return fold::profile_by(
      [&](std::span<const std::string> roots, const Options& walk, const VisitorFactory& factory) {
        return engine::Engine(filesystem, roots, walk, factory, tuning).run();
      },
      root, options);
}

ProfileOptions options_of(unsigned threads = 1) {
  ProfileOptions options;
  options.now = {1'600'000'000, 0};
  options.walk.threads = threads;
  options.top = options.top_folders = 1000;
  options.tree_folders = 1000;
  return options;
}

class ProfileFault : public ::testing::TestWithParam<unsigned> {
 protected:
  ProfileFault() {
    directory_.directory("sub");
    directory_.file("sub/one.txt", "12345");
    directory_.file("two.txt", "123");
    directory_.directory("sub/empty");
    directory_.link("link", "two.txt");
  }
  Profile naive(const std::string& without = {}) const {
    return profile_naively(directory_.path(), options_of(),
                           [&](const std::string& path) { return path == without; });
  }
  const TemporaryDirectory directory_{in_memory()};
};

INSTANTIATE_TEST_SUITE_P(Threads, ProfileFault, ::testing::Values(1U, 4U));

bool is_of(const Request& request, std::string_view name) {
  return request.path != nullptr && std::string_view(request.path).ends_with(name);
}

TEST_P(ProfileFault, FileThatVanished) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.fail_when([](const Request& request) {
    return request.call == Call::stat_at && is_of(request, "one.txt") ? ENOENT : 0;
  });
  const Profile found = profile_on(faulty, directory_.path(), options_of(GetParam()));
  EXPECT_EQ(text_of(found), text_of(naive(directory_.at("sub/one.txt"))));
  EXPECT_TRUE(found.walk.complete());
  EXPECT_EQ(found.walk.statistics.vanished, 1U);
}

TEST_P(ProfileFault, FileWithoutMetadata) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.fail_when([](const Request& request) {
    return request.call == Call::stat_at && is_of(request, "one.txt") ? EIO : 0;
  });
  const Profile found = profile_on(faulty, directory_.path(), options_of(GetParam()));
  EXPECT_EQ(found.walk.statistics.errors, 1U);
  EXPECT_EQ(found.files, 2U);
  EXPECT_EQ(found.types, naive().types);
  EXPECT_EQ(found.bytes, 3U);
  ASSERT_EQ(found.extensions.items.size(), 1U);
  EXPECT_EQ(found.extensions.items[0].files, 2U);
  EXPECT_EQ(found.extensions.items[0].bytes, 3U);
  ASSERT_EQ(found.largest.size(), 1U);
  EXPECT_EQ(found.oldest.size(), 1U);
  EXPECT_EQ(found.newest.size(), 1U);
  ASSERT_EQ(found.owners.items.size(), 1U);
  EXPECT_EQ(found.owners.items[0].files, 1U);
  EXPECT_EQ(found.sizes[0], ProfileCount{});
  EXPECT_EQ(found.fullest_folders.size(), 2U);
  EXPECT_EQ(found.tree->files, 2U);
}

TEST_P(ProfileFault, FolderThatVanished) {
  for (const Call call : {Call::open, Call::read}) {
    FaultFileSystem faulty(sys::linux_filesystem());
    bool is_open = false;  // and nothing else is read after it
    faulty.fail_when([&](const Request& request) {
      if (request.call == Call::open && is_of(request, "sub")) {
        is_open = true;
        return call == Call::open ? ENOENT : 0;
      }
      return is_open && request.call == Call::read ? ENOENT : 0;
    });
    const Profile found = profile_on(faulty, directory_.path(), options_of(1));
    EXPECT_EQ(text_of(found), text_of(naive(directory_.at("sub"))));
    EXPECT_TRUE(found.walk.complete());
  }
}

TEST_P(ProfileFault, FolderThatCannotBeRead) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.fail_when([](const Request& request) {
    return request.call == Call::open && is_of(request, "empty") ? EACCES : 0;
  });
  const Profile found = profile_on(faulty, directory_.path(), options_of(GetParam()));
  Profile expected = naive();
  expected.empty_folders = 0;
  expected.empty_folder_paths.clear();
  EXPECT_EQ(text_of(found), text_of(expected));
  EXPECT_EQ(found.walk.statistics.errors, 1U);
}

// Listed without an entry, then an error: nobody knows whether it is empty.
TEST_P(ProfileFault, FolderThatIsPartlyRead) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.edit_records([](sys::Dirent& entry) { return entry.name != "one.txt"; });
  faulty.limit_records(1);
  const Profile all = profile_on(faulty, directory_.path(), options_of(1));
  EXPECT_EQ(all.empty_folders, 1U);
  for (std::uint64_t ordinal = 0; ordinal < faulty.calls(Call::read); ++ordinal) {
    FaultFileSystem failing(sys::linux_filesystem());
    failing.limit_records(1);
    failing.fail(Call::read, ordinal, EIO);
    const Profile found = profile_on(failing, directory_.path(), options_of(GetParam()));
    EXPECT_EQ(found.walk.statistics.errors, 1U);
    EXPECT_LE(found.files, 2U);
    EXPECT_LE(found.folders, 3U);
    EXPECT_EQ(found.folders, found.types[static_cast<std::size_t>(FileType::directory)]);
    EXPECT_EQ(found.files, found.tree->files);
    for (const std::string& path : found.empty_folder_paths) {
      EXPECT_EQ(path, directory_.at("sub/empty"));
    }
  }
}

TEST_P(ProfileFault, RootThatVanished) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.fail(Call::open, 0, ENOENT);
  const Profile found = profile_on(faulty, directory_.path(), options_of(GetParam()));
  EXPECT_EQ(found.folders, 0U);
  EXPECT_FALSE(found.walk.complete());
  ASSERT_EQ(found.walk.errors.size(), 1U);
  EXPECT_EQ(found.walk.errors[0].code, ENOENT);
}

TEST_P(ProfileFault, RootThatCannotBeRead) {
  FaultFileSystem faulty(sys::linux_filesystem());
  faulty.fail(Call::open, 0, EACCES);
  const Profile found = profile_on(faulty, directory_.path(), options_of(GetParam()));
  EXPECT_EQ(found.folders, 1U);
  EXPECT_EQ(found.empty_folders, 0U);
  ASSERT_EQ(found.walk.errors.size(), 1U);
  EXPECT_EQ(found.walk.errors[0].code, EACCES);
}

// Where the listing tells no types, the figures are the same.
TEST_P(ProfileFault, ListingsWithoutTypes) {
  const RandomTree tree(fresh_seed(), {.directories = 50});
  for (const int max_depth : {INT32_MAX, 2, 0}) {
    FaultFileSystem filesystem(sys::linux_filesystem());
    filesystem.hide_types();
    filesystem.interrupt();
    ProfileOptions options = options_of(GetParam());
    options.walk.max_depth = max_depth;
    const Profile found =
        profile_on(filesystem, tree.roots()[0], options, {.piece = 1, .share_always = true});
    EXPECT_EQ(text_of(found), text_of(profile_naively(tree.roots()[0], options)));
    EXPECT_TRUE(found.walk.complete());
    EXPECT_EQ(filesystem.open_handles(), 0);
  }
}

// Without the bit, a time or owner that the filesystem does not have is none.
TEST_P(ProfileFault, FieldsThatTheFilesystemLacks) {
  FaultFileSystem filesystem(sys::linux_filesystem());
  filesystem.edit_metadata([](const Request&, Metadata& metadata) {
    metadata.valid = Fields::type | Fields::size | Fields::identity;
    metadata.atime = metadata.mtime = {};
    metadata.uid = metadata.gid = 0;
  });
  const Profile found = profile_on(filesystem, directory_.path(), options_of(GetParam()));
  EXPECT_EQ(found.bytes, 8U);
  EXPECT_EQ(found.modified, Profile().modified);
  EXPECT_EQ(found.accessed, Profile().accessed);
  EXPECT_TRUE(found.owners.items.empty());
  EXPECT_TRUE(found.groups.items.empty());
  EXPECT_TRUE(found.oldest.empty());
  EXPECT_TRUE(found.newest.empty());
  EXPECT_EQ(found.largest.size(), 2U);
}

// Each call in turn, with each error: no figure contradicts another, nothing is left open.
TEST_P(ProfileFault, EachCallOnce) {
  const RandomTree tree(fresh_seed(), {.directories = 12, .entries = 4});
  FaultFileSystem quiet(sys::linux_filesystem());
  profile_on(quiet, tree.roots()[0], options_of());
  const auto trace = quiet.trace();
  for (std::size_t i = 0; i < trace.size(); ++i) {
    for (const int error : {EACCES, ENOENT, EIO}) {
      FaultFileSystem faulty(sys::linux_filesystem());
      faulty.fail(trace[i].call, trace[i].ordinal, error);
      const Profile found = profile_on(faulty, tree.roots()[0], options_of(GetParam()));
      const auto of = [&found](FileType type) {
        return found.types[static_cast<std::size_t>(type)];
      };
      ASSERT_EQ(found.files, of(FileType::regular));
      ASSERT_EQ(found.folders, of(FileType::directory));
      std::uint64_t folders = 0;
      for (const std::uint64_t count : found.folders_by_depth) folders += count;
      ASSERT_EQ(found.folders, folders);
      std::uint64_t files = 0;
      for (const ProfileExtension& extension : found.extensions.items) files += extension.files;
      ASSERT_EQ(found.files, files);
      if (found.tree) {
        ASSERT_EQ(found.tree->files, found.files);
        ASSERT_EQ(found.tree->bytes, found.bytes);
        ASSERT_EQ(found.tree->folders + 1, found.folders);
      }
      ASSERT_EQ(faulty.open_handles(), 0);
    }
  }
}

}  // namespace
}  // namespace trawl
