// SPDX-License-Identifier: Apache-2.0
//
// Trees of the biggest, made by hand.
#pragma once

#include <trawl/usage.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trawl::testing {

inline constexpr std::uint64_t kKi = 1024;
inline constexpr std::uint64_t kMi = 1024 * kKi;
inline constexpr std::uint64_t kGi = 1024 * kMi;

inline UsageNode file(std::string name, std::uint64_t size) {
  UsageNode node;
  node.name = std::move(name);
  node.type = FileType::regular;
  node.mode = 0644;
  node.sums.disk_usage = node.sums.apparent_size = size;
  node.sums.inodes = 1;
  return node;
}

// A directory of `size` in all. What its children are not is in `omitted` entries, or its own if
// there are none.
inline UsageNode directory(std::string name, std::uint64_t size,
                           std::vector<UsageNode> children = {}, std::uint64_t omitted = 0) {
  UsageNode node = file(std::move(name), size);
  node.type = FileType::directory;
  node.mode = 0755;
  node.omitted = omitted;
  node.omitted_sums = omitted > 0 ? node.sums : UsageSums{};
  node.sums.inodes = 1 + omitted;
  node.omitted_sums.inodes = omitted;
  for (const UsageNode& child : children) {
    node.sums.inodes += child.sums.inodes;
    if (omitted > 0) {
      node.omitted_sums.disk_usage -= child.sums.disk_usage;
      node.omitted_sums.apparent_size -= child.sums.apparent_size;
    }
  }
  node.children = std::move(children);
  return node;
}

inline UsageTree usage_tree(std::vector<UsageNode> roots) {
  UsageTree tree;
  tree.roots = std::move(roots);
  for (const UsageNode& root : tree.roots) {
    tree.result.total += root.sums;
  }
  tree.result.walk.statistics.entries = tree.result.total.inodes;
  return tree;
}

}  // namespace trawl::testing
