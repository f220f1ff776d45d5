// SPDX-License-Identifier: Apache-2.0
#include "fold/usage_tree.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace trawl::fold {

namespace {

std::size_t count_nodes(const std::vector<UsageNode>& nodes) {
  std::size_t count = nodes.size();
  for (const UsageNode& node : nodes) {
    count += count_nodes(node.children);
  }
  return count;
}

void collect_values(const std::vector<UsageNode>& nodes, Measure measure,
                    std::vector<std::uint64_t>& out) {
  for (const UsageNode& node : nodes) {
    out.push_back(value_of(node.sums, measure));
    collect_values(node.children, measure, out);
  }
}

// Removes up to `excess` childless nodes of exactly this value, the last first.
void remove_equal(std::vector<UsageNode>& nodes, Measure measure, std::uint64_t value,
                  std::size_t& excess) {
  for (std::size_t i = nodes.size(); i-- > 0 && excess > 0;) {
    remove_equal(nodes[i].children, measure, value, excess);
    if (excess > 0 && nodes[i].children.empty() && value_of(nodes[i].sums, measure) == value) {
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(i));
      --excess;
    }
  }
}

// Sorts, and finds what is left out. `omitted` and `omitted_sums` come in as the directory's names
// and the sums of all that is in it.
void finish(std::vector<UsageNode>& nodes, Measure measure) {
  std::sort(nodes.begin(), nodes.end(), [measure](const UsageNode& a, const UsageNode& b) {
    const std::uint64_t size_a = value_of(a.sums, measure);
    const std::uint64_t size_b = value_of(b.sums, measure);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  for (UsageNode& node : nodes) {
    finish(node.children, measure);
    for (const UsageNode& child : node.children) {
      node.omitted_sums -= child.sums;
    }
    // A directory that changes while it is read may show more entries than it had names.
    node.omitted -= std::min<std::uint64_t>(node.omitted, node.children.size());
  }
}

}  // namespace

bool UsageTreeBuilder::is_kept(const UsageNode& node) const {
  return !node.children.empty() || biggest_.size() < max_nodes_ ||
         (!biggest_.empty() && value_of(node.sums, measure_) >= biggest_.top());
}

bool UsageTreeBuilder::line(const UsageLine& line) {
  const auto depth = static_cast<std::size_t>(line.depth);
  if (open_.size() < depth + 2) {
    open_.resize(depth + 2);
  }
  const std::uint64_t value = value_of(line.sums, measure_);
  std::vector<UsageNode>& children = open_[depth + 1];
  const bool full = biggest_.size() >= max_nodes_;
  const bool bigger = !full || (!biggest_.empty() && value > biggest_.top());
  if (bigger) {
    biggest_.push(value);
    if (full) {
      biggest_.pop();
    }
    if (biggest_.size() == max_nodes_) {
      file_floor_.store(biggest_.top() + 1, std::memory_order_relaxed);
    }
  }
  if (!bigger && children.empty() && depth > 0) {
    return true;
  }
  UsageNode node;
  node.name = line.name;
  node.type = line.type;
  node.mode = line.mode;
  node.complete = line.complete;
  node.sums = line.sums;
  node.children = std::exchange(children, {});
  node.omitted = line.entries;
  if (line.type == FileType::directory) {
    node.omitted_sums = line.sums;
    node.omitted_sums -= line.own;
  }
  open_[depth].push_back(std::move(node));
  if (++added_ > 4 * max_nodes_ + 64) {
    added_ = 0;
    for (std::size_t i = 1; i < open_.size(); ++i) {
      prune(open_[i]);
    }
    for (UsageNode& root : open_[0]) {
      prune(root.children);
    }
  }
  return true;
}

void UsageTreeBuilder::error(const UsageError& error) {
  if (error.code != 0) {
    return;  // the walk's result has it
  }
  ++dangling_;
  if (dangling_errors_.size() >= max_errors_) {
    return;
  }
  const std::string_view below = error.path.substr(roots_[root_].size());
  const auto depth =
      std::count(below.begin(), below.end(), '/') + (below.empty() || below.front() == '/' ? 0 : 1);
  dangling_errors_.push_back({.operation = Operation::stat,
                              .code = ENOENT,
                              .depth = static_cast<int>(depth),
                              .path = std::string(error.path)});
}

void UsageTreeBuilder::add_errors(Result& walk) const {
  walk.statistics.errors += dangling_;
  const std::size_t room = max_errors_ - std::min(max_errors_, walk.errors.size());
  const auto end = dangling_errors_.begin() +
                   static_cast<std::ptrdiff_t>(std::min(room, dangling_errors_.size()));
  walk.errors.insert(walk.errors.end(), dangling_errors_.begin(), end);
}

// Removes what has fallen below the floor.
void UsageTreeBuilder::prune(std::vector<UsageNode>& nodes) {
  for (UsageNode& node : nodes) {
    prune(node.children);
  }
  std::erase_if(nodes, [this](const UsageNode& node) { return !is_kept(node); });
}

// Leaves max_nodes nodes, the roots among them and in addition if they must be.
void UsageTreeBuilder::trim(std::vector<UsageNode>& roots) {
  for (UsageNode& root : roots) {
    prune(root.children);
  }
  const std::size_t count = count_nodes(roots);
  if (count <= max_nodes_) {
    return;
  }
  std::vector<std::uint64_t> values;
  for (const UsageNode& root : roots) {
    collect_values(root.children, measure_, values);
  }
  // Below the floor nothing is left but by roots that are kept anyhow.
  std::sort(values.begin(), values.end());
  std::size_t excess = std::min(count - max_nodes_, values.size());
  for (std::size_t i = 0; excess > 0 && i < values.size(); ++i) {
    if (i > 0 && values[i] == values[i - 1]) {
      continue;
    }
    for (UsageNode& root : roots) {
      remove_equal(root.children, measure_, values[i], excess);
    }
  }
}

std::vector<UsageNode> UsageTreeBuilder::take() {
  if (open_.empty()) {
    return {};
  }
  std::vector<UsageNode> roots = std::move(open_[0]);
  open_.clear();
  trim(roots);
  for (UsageNode& root : roots) {
    std::vector<UsageNode> one;
    one.push_back(std::move(root));
    finish(one, measure_);
    root = std::move(one.front());
  }
  return roots;
}

}  // namespace trawl::fold

namespace trawl {

UsageTree measure_usage(std::span<const std::string> roots, const UsageTreeOptions& options) {
  fold::UsageTreeBuilder builder(roots, options.measure, options.max_nodes,
                                 options.usage.walk.max_errors);
  UsageOptions usage = options.usage;
  usage.all = options.measure != Measure::inodes;  // a file is one, never among the biggest
  usage.max_depth = options.max_depth;
  if (usage.all) {
    usage.file_floor = &builder.file_floor();
    usage.floor_by_apparent_size = options.measure == Measure::apparent_size;
  }
  UsageTree tree;
  tree.result = list_usage(roots, usage, builder);
  tree.roots = builder.take();
  builder.add_errors(tree.result.walk);
  return tree;
}

}  // namespace trawl
