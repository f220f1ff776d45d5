// SPDX-License-Identifier: Apache-2.0
//
// The tree of the biggest, folded from usage lines in serial order (children before their directory).
//
// What is kept: `floor` is the size of the max_nodes-th biggest line so far. A later line that is not
// bigger than that can't be among the biggest at the end, unless it is above one that is. So at any time
// the nodes are those of the open directories' finished children; when they outnumber the limit by far,
// those that fell below the floor go.
#pragma once

#include <trawl/usage.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace trawl::fold {

class UsageTreeBuilder final : public UsageListener {
 public:
  UsageTreeBuilder(Measure measure, std::size_t max_nodes)
      : measure_(measure), max_nodes_(max_nodes) {}

  bool line(const UsageLine& line) override;
  void error(const UsageError&) override {}  // in the walk's result

  // Files that are smaller need no line.
  const std::atomic<std::uint64_t>& file_floor() const { return file_floor_; }

  // The roots, children biggest first. Call once, after the last line.
  std::vector<UsageNode> take();

 private:
  bool is_kept(const UsageNode& node) const;
  void prune(std::vector<UsageNode>& nodes);
  void trim(std::vector<UsageNode>& roots);

  const Measure measure_;
  const std::size_t max_nodes_;
  std::vector<std::vector<UsageNode>> open_;  // finished nodes whose parent is not, by depth
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> biggest_;
  std::atomic<std::uint64_t> file_floor_{0};
  std::size_t added_ = 0;  // since the last pruning
};

}  // namespace trawl::fold
