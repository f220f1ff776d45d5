// SPDX-License-Identifier: Apache-2.0
//
// Groups of files that have one name and one size. Which of them are groups is known at the end
// only, so every name and size is kept, up to a capacity; then those of the smallest sizes are
// dropped, whole sizes at a time.
//
// Which are dropped depends on nothing but the tree: the sizes that are kept in the end are those
// from v + 1 on, where v is the (capacity + 1)th largest size of all keys, each key counted once. A
// worker sees some of these keys, so where its own (capacity + 1)th lies is not above v. While the
// walk runs it drops when it has half as much again, and never looks again at what is below that
// *floor*, nor below another worker's.
//
// A file with several links may come by several paths, and counts once for each group: its
// identities are kept beside the groups, with the lowest path of each.
#pragma once

#include <trawl/profile.h>
#include <trawl/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fold/profile_folder.h"
#include "fold/profile_index.h"

namespace trawl::fold {

// Of one worker. Not thread-safe, but for the floor.
class ProfileDuplicates {
 public:
  // `floor` is shared by the workers, and 1 at first.
  ProfileDuplicates(std::size_t capacity, bool all_paths, std::atomic<std::uint64_t>& floor)
      : capacity_(capacity),
        most_groups_(capacity + std::min(capacity / 2, SIZE_MAX - capacity)),
        all_paths_(all_paths),
        floor_(floor) {}

  // A file of at least floor() bytes. `identity`: of a file that may come again; else null.
  void add(std::string_view name, std::uint64_t size, const FolderRef& folder,
           const FileIdentity* identity);
  std::uint64_t floor() const { return floor_.load(std::memory_order_relaxed); }

  void merge(ProfileDuplicates&& other);
  // Fills in what Profile says about duplicates. It is of no use then.
  void finish(std::size_t top, Profile& profile);

 private:
  static constexpr std::size_t kPaths = 4;
  struct Group {
    std::uint64_t hash = 0;
    std::uint64_t size = 0;
    std::uint64_t files = 0;  // without linked ones
    std::size_t name = 0;     // begins there
    std::uint32_t name_size = 0;
    FolderRef first;              // where the first file is; of linked ones alone, null
    std::vector<FolderRef> more;  // where others are: those with the lowest paths, or all_paths_
  };
  struct Linked {
    FileIdentity identity;
    std::size_t group = 0;
    FolderRef folder;  // where its lowest path in the group is
  };

  std::string_view name(const Group& group) const {
    return {names_.data() + group.name, group.name_size};
  }
  std::size_t group_of(std::string_view name, std::uint64_t size, std::uint64_t hash);
  void add_path(Group& group, const FolderRef& folder);
  void add_linked(std::size_t group, const FileIdentity& identity, const FolderRef& folder);
  void limit_to_capacity();
  void drop_below(std::uint64_t floor);

  const std::size_t capacity_;
  const std::size_t most_groups_;  // before some are dropped
  const bool all_paths_;
  std::atomic<std::uint64_t>& floor_;
  std::vector<Group> groups_;
  std::vector<char> names_;
  std::vector<Linked> linked_;
  ProfileIndex index_, linked_index_;
};

}  // namespace trawl::fold
