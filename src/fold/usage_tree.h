// SPDX-License-Identifier: Apache-2.0
//
// The tree of the biggest, folded from usage lines in serial order (children before their
// directory).
//
// What is kept: `floor` is the size of the max_nodes-th biggest line so far. A later line that is
// not bigger than that can't be among the biggest at the end, unless it is above one that is. So at
// any time the nodes are those of the open directories' finished children; when they outnumber the
// limit by far, those that fell below the floor go.
#pragma once

#include <trawl/usage.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <queue>
#include <span>
#include <string>
#include <vector>

namespace trawl::fold {

class UsageTreeBuilder final : public UsageListener {
 public:
  UsageTreeBuilder(std::span<const std::string> roots, Measure measure, std::size_t max_nodes,
                   std::size_t max_errors)
      : roots_(roots), measure_(measure), max_nodes_(max_nodes), max_errors_(max_errors) {}

  void root(std::size_t index) override { root_ = index; }
  bool line(const UsageLine& line) override;
  void error(const UsageError& error) override;

  // Files that are smaller need no line.
  const std::atomic<std::uint64_t>& file_floor() const { return file_floor_; }

  // The roots, children biggest first. Call once, after the last line.
  std::vector<UsageNode> take();

  // The walk reports links that are followed to nowhere as what they are. Here they are errors, as
  // what they should lead to is not counted; this adds them to the walk's.
  void add_errors(Result& walk) const;

 private:
  bool is_kept(const UsageNode& node) const;
  void prune(std::vector<UsageNode>& nodes);
  void trim(std::vector<UsageNode>& roots);

  const std::span<const std::string> roots_;
  const Measure measure_;
  const std::size_t max_nodes_;
  const std::size_t max_errors_;
  std::size_t root_ = 0;
  std::uint64_t dangling_ = 0;
  std::vector<Error> dangling_errors_;        // the first max_errors of them
  std::vector<std::vector<UsageNode>> open_;  // finished nodes whose parent is not, by depth
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> biggest_;
  std::atomic<std::uint64_t> file_floor_{0};
  std::size_t added_ = 0;  // since the last pruning
};

}  // namespace trawl::fold
