// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace trawl::cli {

namespace {

// A lone child that is this much of its directory shares its line.
constexpr double kPracticallyAll = 0.95;
constexpr std::size_t kTop = 0;  // index of the item that the roots are in

// A node that may get a line, with those that share it.
struct Item {
  std::vector<const UsageNode*> chain;
  std::vector<std::size_t> children;  // in the order of --sort
  std::size_t parent = kTop;
  std::size_t level = 0;
  std::uint64_t value = 0;
  std::uint64_t inside = 0;   // sum of its entries
  std::uint64_t entries = 0;  // their number
  // Of the selection:
  bool shown = false;
  std::uint64_t shown_children = 0;
  std::uint64_t shown_value = 0;  // of those
  std::uint64_t smallest_shown = 0;

  std::uint64_t rest() const { return inside - std::min(inside, shown_value); }
  std::uint64_t rest_entries() const { return entries - std::min(entries, shown_children); }
};

class Layout {
 public:
  Layout(const UsageTree& tree, const PictureOptions& options, const PictureLimits& limits);
  std::vector<PictureLine> lines() const;

 private:
  std::uint64_t value(const UsageNode& node) const { return value_of(node.sums, options_.measure); }
  void add_children(std::size_t parent, const std::vector<UsageNode>& nodes);
  bool has_rest_line(const Item& item) const;
  // Selects the `count` biggest items. Returns how many of them the lines are enough for.
  std::size_t select(const std::vector<std::size_t>& biggest, std::size_t count);
  void append_lines(const Item& item, std::vector<PictureLine>& out) const;

  const PictureOptions& options_;
  const PictureLimits& limits_;
  std::uint64_t total_ = 0;
  bool rest_lines_ = true;
  std::vector<Item> items_;  // a directory before what is in it
};

Layout::Layout(const UsageTree& tree, const PictureOptions& options, const PictureLimits& limits)
    : options_(options), limits_(limits), total_(total_of(tree, options.measure)) {
  Item& top = items_.emplace_back();
  top.value = top.inside = total_;
  top.entries = tree.roots.size();
  add_children(kTop, tree.roots);
  std::vector<std::size_t> biggest(items_.size() - 1);
  std::iota(biggest.begin(), biggest.end(), std::size_t{1});
  std::stable_sort(biggest.begin(), biggest.end(), [this](std::size_t a, std::size_t b) {
    return items_[a].value > items_[b].value;
  });
  const std::size_t count = select(biggest, biggest.size());
  rest_lines_ = count > 0;  // a single line is for the biggest, whatever is left out
  select(biggest, std::max<std::size_t>(count, 1));
}

void Layout::add_children(std::size_t parent, const std::vector<UsageNode>& nodes) {
  for (const UsageNode* node : in_order(nodes, options_)) {
    const std::size_t index = items_.size();
    Item& item = items_.emplace_back();
    item.parent = parent;
    item.level = parent == kTop ? 0 : items_[parent].level + 1;
    item.value = value(*node);
    item.chain = {node};
    while (parent != kTop && node->children.size() == 1 && item.value > 0 &&
           static_cast<double>(value(node->children[0])) >=
               kPracticallyAll * static_cast<double>(item.value)) {
      node = &node->children[0];
      item.chain.push_back(node);
    }
    item.inside = value_of(node->omitted_sums, options_.measure);
    for (const UsageNode& child : node->children) {
      item.inside += value(child);
    }
    item.entries = node->omitted + node->children.size();
    items_[parent].children.push_back(index);
    add_children(index, node->children);  // `item` is invalid after this
  }
}

bool Layout::has_rest_line(const Item& item) const {
  return rest_lines_ && item.shown_children > 0 && item.rest_entries() > 0 && item.rest() > 0 &&
         item.rest() >= item.smallest_shown && is_big_enough(item.rest(), total_, options_);
}

std::size_t Layout::select(const std::vector<std::size_t>& biggest, std::size_t count) {
  for (Item& item : items_) {
    item.shown = false;
    item.shown_children = 0;
    item.shown_value = 0;
  }
  items_[kTop].shown = true;
  std::size_t lines = 0;
  std::size_t enough_for = 0;
  for (std::size_t i = 0; i < std::min(count, biggest.size()); ++i) {
    Item& item = items_[biggest[i]];
    Item& parent = items_[item.parent];
    if (!parent.shown || item.level >= limits_.levels ||
        !is_big_enough(item.value, total_, options_)) {
      continue;
    }
    lines -= has_rest_line(parent) ? 1U : 0U;
    item.shown = true;
    ++parent.shown_children;
    parent.shown_value += item.value;
    parent.smallest_shown = item.value;
    lines += has_rest_line(parent) ? 2U : 1U;
    if (lines > limits_.lines) {
      break;
    }
    enough_for = i + 1;
  }
  return enough_for;
}

void Layout::append_lines(const Item& item, std::vector<PictureLine>& out) const {
  const bool is_top = &item == &items_[kTop];
  const auto append_rest = [&] {
    if (has_rest_line(item)) {
      out.push_back({.level = is_top ? 0 : item.level + 1,
                     .chain = {},
                     .left_out = item.rest_entries(),
                     .value = item.rest(),
                     .parent_value = item.value});
    }
  };
  for (const std::size_t index : item.children) {
    const Item& child = items_[index];
    if (child.shown) {
      out.push_back({.level = child.level,
                     .chain = child.chain,
                     .left_out = 0,
                     .value = child.value,
                     .parent_value = item.value});
      append_lines(child, out);
    }
  }
  append_rest();
}

std::vector<PictureLine> Layout::lines() const {
  std::vector<PictureLine> out;
  append_lines(items_[kTop], out);
  return out;
}

}  // namespace

std::uint64_t total_of(const UsageTree& tree, Measure measure) {
  UsageSums sums;
  for (const UsageNode& root : tree.roots) {
    sums += root.sums;
  }
  return value_of(sums, measure);
}

bool is_big_enough(std::uint64_t value, std::uint64_t total, const PictureOptions& options) {
  return 100 * static_cast<double>(value) >= options.min_share * static_cast<double>(total);
}

std::vector<const UsageNode*> in_order(const std::vector<UsageNode>& nodes,
                                       const PictureOptions& options) {
  std::vector<const UsageNode*> out;
  for (const UsageNode& node : nodes) {
    out.push_back(&node);
  }
  std::stable_sort(out.begin(), out.end(), [&options](const UsageNode* a, const UsageNode* b) {
    switch (options.sort) {
      case SortBy::name: return a->name < b->name;
      case SortBy::count: return a->sums.inodes > b->sums.inodes;
      case SortBy::size: break;
    }
    return value_of(a->sums, options.measure) > value_of(b->sums, options.measure);
  });
  if (options.reverse) {
    std::reverse(out.begin(), out.end());
  }
  return out;
}

std::vector<PictureLine> lay_out(const UsageTree& tree, const PictureOptions& options,
                                 const PictureLimits& limits) {
  return Layout(tree, options, limits).lines();
}

}  // namespace trawl::cli
