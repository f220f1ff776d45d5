// SPDX-License-Identifier: Apache-2.0
//
// The order in which GNU fts visits a directory's entries: as the kernel lists them, but it reads a
// large directory in runs of 100,000 names, and sorts each run of more than 10,000 by inode where
// the filesystem is one on which that helps.
#pragma once

#include <trawl/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace trawl::base {

struct FtsOrder {
  static constexpr std::uint64_t kRun = 100'000;
  static constexpr std::uint64_t kSortAbove = 10'000;

  std::uint64_t entry_count = 0;
  bool by_inode = false;                             // a directory to which this applies
  std::shared_ptr<std::vector<ListedRange>> ranges;  // see Directory::ranges()

  // Of a trawl::Directory, from listed() on.
  template <class Directory>
  static FtsOrder of(const Directory& directory) {
    return {directory.entry_count(), directory.inode_ordered(), directory.ranges()};
  }

  // Run, inode if the run is sorted, position: several names of one inode come as they are listed.
  using Key = std::array<std::uint64_t, 3>;

  // Entries are visited in the order of their keys, of which no two are equal.
  Key key(std::uint64_t position, std::uint64_t inode) const {
    if (!by_inode) {
      return {0, 0, position};
    }
    const std::uint64_t run = place(position) / kRun;
    const std::uint64_t length = std::min(kRun, entry_count - run * kRun);
    return {run, length > kSortAbove ? inode : 0, position};
  }

  // 0-based, in the whole listing.
  std::uint64_t place(std::uint64_t position) const {
    if (ranges == nullptr) {
      return position;
    }
    std::uint64_t before = 0;
    for (const ListedRange& range : *ranges) {
      if (position - range.position < range.count) {
        return before + (position - range.position);
      }
      before += range.count;
    }
    return before;
  }
};

}  // namespace trawl::base
