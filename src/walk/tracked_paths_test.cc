// SPDX-License-Identifier: Apache-2.0
//
// Indexes by hand; those that git writes are in tests/differential and tests/fuzz.
#include <gtest/gtest.h>
#include <trawl/tracked_paths.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace trawl {
namespace {

constexpr unsigned kFile = 0100644;
constexpr unsigned kSubmodule = 0160000;

struct Item {
  std::string path;
  unsigned mode = kFile;
  unsigned stage = 0;
};

std::string number(std::size_t value, int bytes = 4) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes) & 0xFF);
  return out;
}

std::string index(const std::vector<Item>& items, const std::string& extensions = "",
                  std::size_t hash_size = 20) {
  std::string out = "DIRC" + number(2) + number(items.size());
  for (const Item& item : items) {
    std::string entry = std::string(24, 't') + number(item.mode) +
                        std::string(12 + hash_size, 'h') +
                        number(item.path.size() | item.stage << 12, 2) + item.path;
    entry.append(8 - entry.size() % 8, '\0');
    out += entry;
  }
  return out + extensions + std::string(hash_size, 's');
}

std::string refusal(const std::string& bytes) {
  try {
    TrackedPaths::parse(bytes);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST(TrackedPaths, FilesAndTheDirectoriesThatTheyAreInAreTracked) {
  const TrackedPaths paths = TrackedPaths::parse(index({{"a-b"}, {"a/x/y"}, {"b"}}));
  EXPECT_EQ(paths.size(), 3U);
  for (const char* path : {"a-b", "a", "a/", "a/x", "a/x/", "a/x/y", "b"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  for (const char* path : {"a-", "a/y", "a/x/y/z", "b/", "c", "A", "a/x/y/"}) {
    EXPECT_FALSE(paths.contains(path)) << path;
  }
}

TEST(TrackedPaths, StagesOfAMergeAreOnePath) {
  const TrackedPaths paths =
      TrackedPaths::parse(index({{"a", kFile, 1}, {"a", kFile, 2}, {"a", kFile, 3}, {"b"}}));
  EXPECT_EQ(paths.size(), 2U);
  EXPECT_TRUE(paths.contains("a"));
}

TEST(TrackedPaths, SubmodulesAreKnownByThePathsInThem) {
  const TrackedPaths paths =
      TrackedPaths::parse(index({{"dir/sub", kSubmodule}, {"sub-file"}, {"top", kSubmodule}}));
  EXPECT_EQ(paths.submodule_of("dir/sub/a/b"), "dir/sub");
  EXPECT_EQ(paths.submodule_of("dir/sub"), "dir/sub");
  EXPECT_EQ(paths.submodule_of("dir/sub/"), "dir/sub");
  EXPECT_EQ(paths.submodule_of("top/x"), "top");
  for (const char* path : {"dir", "dir/", "dir/subway", "dir/su", "sub-file", "sub-file/x", ""}) {
    EXPECT_EQ(paths.submodule_of(path), "") << path;
  }
  EXPECT_TRUE(paths.contains("top"));
}

TEST(TrackedPaths, LongHashes) {
  const TrackedPaths paths = TrackedPaths::parse(index({{"a"}, {"b"}}, "", 32), 32);
  EXPECT_EQ(paths.size(), 2U);
  EXPECT_TRUE(paths.contains("b"));
}

TEST(TrackedPaths, ExtensionsThatChangeNothingArePassedOver) {
  EXPECT_EQ(refusal(index({{"a"}}, "TREE" + number(3) + "abc")), "none");
  // Split once, and joined again.
  EXPECT_EQ(refusal(index({{"a"}}, "link" + number(20) + std::string(20, '\0'))), "none");
}

TEST(TrackedPaths, WhatIsNotUnderstoodIsRefused) {
  EXPECT_EQ(refusal(""), "git's index is cut off");
  EXPECT_EQ(refusal("DIRT" + number(2) + number(0)), "git's index is none");
  EXPECT_EQ(refusal("DIRC" + number(5) + number(0)),
            "git's index has version 5, which is not known");
  const std::string whole = index({{"a"}, {"b"}});
  EXPECT_EQ(refusal(whole.substr(0, 100)), "git's index is cut off");
  EXPECT_EQ(refusal("DIRC" + number(2) + number(0xFFFFFFFF) + whole.substr(12)),
            "git's index is cut off");
  EXPECT_EQ(refusal(index({{"b"}, {"a"}})), "git's index is not sorted");
  EXPECT_EQ(refusal(index({{"a"}}, "TREE" + number(0xFFFFFFFF))), "git's index is cut off");
  EXPECT_EQ(refusal(index({{"a"}}, "link" + number(20) + std::string(20, 'x'))),
            "git's index is split in two files, which is not supported");
  EXPECT_EQ(refusal(index({{"a"}}, "sdir" + number(0))),
            "git's index is sparse, which is not supported");
}

TEST(TrackedPaths, WhereThereIsNoRepositoryNothingIsTracked) {
  EXPECT_EQ(TrackedPaths::of("/nonexistent").size(), 0U);
}

}  // namespace
}  // namespace trawl
