// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fold/profile_duplicates.h"
#include "support/effort.h"
#include "support/random.h"

namespace trawl::fold {
namespace {

using testing::effort;
using testing::fresh_seed;
using testing::Random;

struct True {
  std::uint64_t files = 0, bytes = 0;
};

void count(ProfileCounts& counts, const std::string& key, std::uint64_t bytes) {
  ProfileCounts::Item& item = counts[key];
  ++item.files;
  add_up(item.bytes, bytes);
}

// Few keys with most files and many with few, some of which come late.
std::string random_key(Random& random, std::uint64_t keys, int i, int files) {
  if (random.one_in(3)) return "often" + std::to_string(random.below(4));
  if (i > files / 2 && random.one_in(3)) return "late";
  return std::string(random.below(20), 'x') + std::to_string(random.below(keys));
}

void expect_guarantees(const ProfileCounts& counts, const std::map<std::string, True>& truth) {
  std::map<std::string, ProfileCounts::Item> found;
  for (const ProfileCounts::Item& item : counts.items()) {
    ASSERT_TRUE(found.emplace(counts.key(item), item).second);
    ASSERT_LE(item.missed, counts.error());
  }
  for (const auto& [key, item] : found) ASSERT_TRUE(truth.contains(key)) << key;
  for (const auto& [key, sums] : truth) {
    if (!found.contains(key)) {
      ASSERT_LE(sums.files, counts.error()) << key;
      continue;
    }
    const ProfileCounts::Item& item = found.at(key);
    ASSERT_GE(sums.files, item.files) << key;
    ASSERT_LE(sums.files, item.files + item.missed) << key;
    ASSERT_LE(item.bytes, sums.bytes) << key;
    if (item.missed == 0) {
      ASSERT_EQ(sums.bytes, item.bytes);
    }
  }
}

TEST(ProfileCounts, AreExactUpToTheCapacity) {
  for (const std::uint64_t capacity : {1U, 2U, 7U, 1000U}) {
    ProfileCounts counts(capacity);
    std::map<std::string, True> truth;
    Random random(fresh_seed());
    for (int i = 0; i < 20'000; ++i) {
      const std::string key = std::to_string(random.below(capacity));
      const std::uint64_t bytes = random.below(1000);
      count(counts, key, bytes);
      ++truth[key].files;
      truth[key].bytes += bytes;
    }
    EXPECT_EQ(counts.error(), 0U);
    EXPECT_EQ(counts.items().size(), truth.size());
    expect_guarantees(counts, truth);
  }
}

TEST(ProfileCounts, KeepWhatTheyStateBeyondIt) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(60); ++round) {
    const std::size_t capacity = 1 + random.below(40);
    const int workers = random.between(1, 5);
    const int files = random.between(10, 4000);
    const std::uint64_t keys = 1 + random.below(300);
    std::vector<ProfileCounts> counts(static_cast<std::size_t>(workers), ProfileCounts(capacity));
    std::map<std::string, True> truth;
    for (int i = 0; i < files; ++i) {
      const std::string key = random_key(random, keys, i, files);
      const std::uint64_t bytes = random.below(1000);
      // As workers are: runs of the same.
      ProfileCounts& to = counts[static_cast<std::size_t>(i * workers / files)];
      count(random.one_in(2) ? to : counts[random.below(counts.size())], key, bytes);
      ++truth[key].files;
      truth[key].bytes += bytes;
      ASSERT_LE(to.items().size(), capacity);
    }
    std::uint64_t errors = 0;
    for (const ProfileCounts& each : counts) errors += each.error();
    while (counts.size() > 1) {
      counts.front().merge(counts.back());
      counts.pop_back();
    }
    EXPECT_EQ(counts.front().error(), errors);
    // Each subtraction takes from half of the keys at least.
    EXPECT_LE(counts.front().error(), 2 * static_cast<std::uint64_t>(files) / capacity);
    expect_guarantees(counts.front(), truth);
  }
}

TEST(ProfileCounts, KeysAreBytes) {
  ProfileCounts counts(10'000);
  std::map<std::string, True> truth;
  std::string key;
  for (int length = 0; length < 300; ++length) {
    for (int i = 0; i <= length % 3; ++i) {
      count(counts, key, 1);
      ++truth[key].files;
      ++truth[key].bytes;
    }
    key += static_cast<char>(length * 37);
  }
  EXPECT_EQ(counts.items().size(), 300U);
  expect_guarantees(counts, truth);
}

struct Member {
  std::string name;
  std::uint64_t size;
  FolderRef folder;
  FileIdentity identity;
  bool is_linked;
};

// Which of the sizes are looked at, and what is found, does not depend on who sees what.
TEST(ProfileDuplicates, DependOnNothingButTheFiles) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(100); ++round) {
    const FolderRef root = FolderRef::make({}, "root");
    std::vector<FolderRef> folders = {root};
    for (int i = 0; i < 12; ++i) {
      folders.push_back(FolderRef::make(folders[random.below(folders.size())], std::to_string(i)));
    }
    std::vector<Member> members;
    std::map<std::pair<std::string, std::uint64_t>, std::map<FileIdentity, std::string>> groups;
    const int files = random.between(0, 600);
    const std::uint64_t names = 1 + random.below(60);
    const std::uint64_t sizes = 1 + random.below(30);
    for (int i = 0; i < files; ++i) {
      const auto inode = static_cast<std::uint64_t>(i) + 1;
      Member member{std::to_string(random.below(names)),
                    1 + random.below(sizes),
                    folders[random.below(folders.size())],
                    {1, inode},
                    random.one_in(3)};
      if (member.is_linked) {  // one of few files, whose size is its own
        member.identity = {2, 1 + random.below(20)};
        member.size = 1 + member.identity.inode % sizes;
      }
      const std::string path = path_of(member.folder.get(), member.name);
      const auto [found, added] =
          groups[{member.name, member.size}].try_emplace(member.identity, path);
      if (!added) found->second = std::min(found->second, path);
      members.push_back(member);
    }
    const std::size_t capacity = 1 + random.below(80);
    const bool exact = random.one_in(4);
    std::uint64_t from = 1;
    std::vector<std::uint64_t> all_sizes;
    for (const auto& [key, its] : groups) all_sizes.push_back(key.second);
    std::sort(all_sizes.rbegin(), all_sizes.rend());
    if (!exact && all_sizes.size() > capacity) from = all_sizes[capacity] + 1;

    std::atomic<std::uint64_t> floor{1};
    const auto workers = static_cast<std::size_t>(random.between(1, 4));
    std::vector<ProfileDuplicates> duplicates;
    for (std::size_t i = 0; i < workers; ++i) {
      duplicates.emplace_back(exact ? SIZE_MAX : capacity, exact, floor);
    }
    for (const Member& member : members) {
      ProfileDuplicates& to = duplicates[random.below(workers)];
      if (member.size < to.floor()) continue;
      to.add(member.name, member.size, member.folder,
             member.is_linked ? &member.identity : nullptr);
    }
    for (std::size_t i = 1; i < workers; ++i) duplicates[0].merge(std::move(duplicates[i]));
    Profile profile;
    duplicates[0].finish(SIZE_MAX, profile);
    ASSERT_EQ(profile.duplicates_from, from);
    std::uint64_t expected_groups = 0;
    std::uint64_t wasted = 0;
    for (const auto& [key, its] : groups) {
      if (its.size() < 2 || key.second < from) continue;
      ++expected_groups;
      wasted += (its.size() - 1) * key.second;
      const auto found = std::find_if(
          profile.duplicates.begin(), profile.duplicates.end(),
          [&](const auto& group) { return group.name == key.first && group.size == key.second; });
      ASSERT_NE(found, profile.duplicates.end());
      std::vector<std::string> paths;
      for (const auto& [identity, path] : its) paths.push_back(path);
      std::sort(paths.begin(), paths.end());
      if (!exact) paths.resize(std::min<std::size_t>(paths.size(), 4));
      ASSERT_EQ(found->files, its.size());
      ASSERT_EQ(found->paths, paths);
    }
    ASSERT_EQ(profile.duplicate_groups, expected_groups);
    ASSERT_EQ(profile.duplicates.size(), expected_groups);
    ASSERT_EQ(profile.duplicate_wasted, wasted);
  }
}

}  // namespace
}  // namespace trawl::fold
