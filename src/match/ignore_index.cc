// SPDX-License-Identifier: Apache-2.0
#include "match/ignore_index.h"

#include <bit>

namespace trawl::match {

namespace {

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(size), b.begin()).first -
      a.begin());
}

}  // namespace

IgnoreIndex::IgnoreIndex(std::vector<Key> keys) {
  if (keys.empty()) return;
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    const int order = a.text.compare(b.text);
    return order != 0 ? order < 0 : a.value > b.value;
  });

  // The keys below a node are neighbours, and so are those of each child. Level by level, so that
  // children get neighbouring places; without recursion, since keys may nest a thousand times.
  struct Range {
    std::size_t first;
    std::size_t last;
    std::size_t depth;  // bytes that all share
  };
  std::vector<Range> ranges{{0, keys.size(), 0}};
  nodes_.emplace_back();
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    std::size_t at = ranges[n].first;
    const std::size_t last = ranges[n].last;
    const std::size_t depth = ranges[n].depth;
    Node node = nodes_[n];
    node.values = static_cast<std::uint32_t>(values_.size());
    for (; at < last && keys[at].text.size() == depth; ++at) {
      greatest_ = std::max(greatest_, keys[at].value);
      values_.push_back(keys[at].value);
    }
    node.values_end = static_cast<std::uint32_t>(values_.size());
    node.children = static_cast<std::uint32_t>(nodes_.size());
    while (at < last) {
      const std::size_t first = at;
      const auto byte_of = [&](std::size_t i) { return keys[i].text[depth]; };
      while (at < last && byte_of(at) == byte_of(first)) ++at;
      const std::size_t shared = common_prefix(keys[first].text, keys[at - 1].text);
      nodes_.push_back({.label = labels_.size(), .label_size = shared - depth});
      labels_.append(keys[first].text, depth, shared - depth);
      ranges.push_back({first, at, shared});
    }
    node.child_count = static_cast<std::uint32_t>(nodes_.size()) - node.children;
    const auto byte_of_child = [&](std::uint32_t i) {
      return static_cast<unsigned char>(labels_[nodes_[node.children + i].label]);
    };
    if (node.child_count > kFew) {
      node.branches = static_cast<std::uint32_t>(tables_.size());
      auto& table = tables_.emplace_back();
      for (std::uint32_t i = 0; i < node.child_count; ++i) {
        table[byte_of_child(i)] = static_cast<std::uint16_t>(i + 1);
      }
    } else {
      node.branches = static_cast<std::uint32_t>(bytes_.size());
      for (std::uint32_t i = 0; i < node.child_count; ++i) bytes_.push_back(byte_of_child(i));
    }
    nodes_[n] = node;
  }
}

IgnoreFilter::IgnoreFilter(const std::vector<IgnoreIndex::Key>& keys) {
  if (keys.empty()) return;
  width_ = 4;
  for (const IgnoreIndex::Key& key : keys) width_ = std::min(width_, key.text.size());
  mask_ = std::numeric_limits<std::uint32_t>::max() >> (32 - 8 * width_);
  const std::size_t bits = std::bit_ceil(std::clamp<std::size_t>(16 * keys.size(), 256, 1U << 20));
  shift_ = 32U - static_cast<unsigned>(std::countr_zero(bits));
  bits_.resize(bits / 64);
  for (const IgnoreIndex::Key& key : keys) {
    std::uint32_t window = 0;
    for (std::size_t i = 0; i < width_; ++i) {
      window = window << 8 | static_cast<unsigned char>(key.text[i]);
    }
    const std::size_t bit = bit_of(window);
    bits_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

}  // namespace trawl::match
