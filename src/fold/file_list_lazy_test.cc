// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/file_list.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/oracle.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::RandomTree;
using testing::TemporaryDirectory;

struct stat stat_of(const std::string& path, bool follow = false) {
  struct stat info {};
  EXPECT_EQ(follow ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info), 0) << path;
  return info;
}

TEST(LazyFileList, KnowsPathsAndTypesAndStatsNothingYet) {
  const RandomTree tree(21);
  const FileList all = collect_with_batched_stats(tree.path());
  const LazyFileList lazy = collect_lazy_parallel(tree.path());
  ASSERT_EQ(lazy.entries.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(lazy.entries[i].full_path(), all[i].full_path());
    EXPECT_EQ(lazy.entries[i].relative_path(), all[i].relative_path());
    EXPECT_EQ(lazy.entries[i].type(), all[i].type());
    EXPECT_EQ(lazy.entries[i].depth(), all[i].depth());
    EXPECT_FALSE(lazy.entries[i].is_resolved());
  }
  EXPECT_LE(lazy.result.statistics.stat_calls, 2U);  // the root's type is told by no listing
}

TEST(LazyFileList, IsResolvedInPlace) {
  const RandomTree tree(22);
  for (const unsigned threads : {0U, 1U, 16U}) {
    LazyFileList lazy = collect_lazy_parallel(tree.path());
    std::erase_if(lazy.entries, [](const LazyFileListEntry& entry) {
      return entry.type() == FileType::directory;
    });
    resolve_metadata_parallel(lazy.entries, threads);
    for (LazyFileListEntry& entry : lazy.entries) {
      ASSERT_TRUE(entry.is_resolved());
      ASSERT_TRUE(entry.metadata());
      EXPECT_EQ(testing::difference(entry.metadata().metadata, stat_of(entry.full_path())), "");
    }
  }
}

TEST(LazyFileList, AnswersOnceAndForEachEntryAlone) {
  const TemporaryDirectory directory;
  const std::string kept = directory.file("kept", "1234");
  const std::string gone = directory.file("gone");
  std::vector<LazyFileListEntry> entries;
  {
    LazyFileList lazy = collect_lazy_parallel(directory.path());  // they outlive it
    entries = std::move(lazy.entries);
  }
  ASSERT_EQ(entries.size(), 3U);  // the root, "gone", "kept"
  ASSERT_EQ(::unlink(gone.c_str()), 0);
  EXPECT_EQ(entries[1].metadata().error, ENOENT);
  EXPECT_EQ(entries[2].metadata().metadata.size, 4U);
  directory.file("kept", "123456");
  directory.file("gone");
  EXPECT_EQ(entries[1].metadata().error, ENOENT);  // as it was
  resolve_metadata_parallel(entries);
  EXPECT_EQ(entries[2].metadata().metadata.size, 4U);
  EXPECT_EQ(entries[2].into_resolved().metadata.size, 4U);
  EXPECT_FALSE(entries[2].is_resolved());
  EXPECT_EQ(entries[2].metadata().metadata.size, 6U);
}

TEST(LazyFileList, ResolvesAsTheListFollows) {
  const TemporaryDirectory directory;
  directory.file("file", "12345");
  directory.link("link", "file");
  directory.link("dangling", "nowhere");
  ListOptions options;
  options.follow = Follow::all;
  LazyFileList followed = collect_lazy_parallel(directory.path(), options);
  LazyFileList plain = collect_lazy_parallel(directory.path());
  for (LazyFileList* const lazy : {&followed, &plain}) {
    resolve_metadata_parallel(lazy->entries);
    for (LazyFileListEntry& entry : lazy->entries) {
      const bool follow = lazy == &followed && entry.file_name() == "link";
      ASSERT_TRUE(entry.metadata()) << entry.full_path();
      EXPECT_EQ(entry.metadata().metadata.size,
                static_cast<std::uint64_t>(stat_of(entry.full_path(), follow).st_size));
    }
  }
}

TEST(LazyFileList, SaysWhatWasCancelled) {
  const RandomTree tree(23);
  LazyFileList lazy = collect_lazy_parallel(tree.path());
  CancelToken cancel;
  cancel.cancel();
  resolve_metadata_parallel(lazy.entries, 1, &cancel);
  for (LazyFileListEntry& entry : lazy.entries) {
    EXPECT_TRUE(entry.metadata().error == ECANCELED || entry.metadata().error == 0);
  }
  EXPECT_TRUE(std::any_of(lazy.entries.begin(), lazy.entries.end(), [](LazyFileListEntry& entry) {
    return entry.metadata().error == ECANCELED;
  }));
}

}  // namespace
}  // namespace trawl
