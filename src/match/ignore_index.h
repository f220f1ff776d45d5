// SPDX-License-Identifier: Apache-2.0
//
// Finds the keys that a text begins with, whatever their number: a radix tree. It has no hashes, so
// no choice of keys makes it slow. A text leaves it at the first byte that no key goes on with,
// mostly after one or two. Immutable once made.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::match {

class IgnoreIndex {
 public:
  // Keys are not empty; one may have several values.
  struct Key {
    std::string text;
    std::uint32_t value = 0;
  };

  IgnoreIndex() = default;
  explicit IgnoreIndex(std::vector<Key> keys);

  bool empty() const { return nodes_.empty(); }
  // The greatest value. Not of an empty index.
  std::uint32_t greatest() const { return greatest_; }

  // Not of an empty index. Calls found(values, length) for each key that text(0), text(1) …
  // text(size - 1) begins with, short ones first; values fall.
  template <class Text, class Found>
  void find(const Text& text, std::size_t size, const Found& found) const {
    const Node* node = nodes_.data();
    for (std::size_t at = 0; at < size;) {
      const std::uint32_t child = child_of(*node, static_cast<unsigned char>(text(at)));
      if (child == kNone) return;
      node = &nodes_[child];
      if (node->label_size > size - at) return;
      const char* const label = &labels_[node->label];
      for (std::size_t i = 1; i < node->label_size; ++i) {  // the first byte led here
        if (text(at + i) != label[i]) return;
      }
      at += node->label_size;
      if (node->values != node->values_end) {
        found(std::span(values_).subspan(node->values, node->values_end - node->values), at);
      }
    }
  }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t kFew = 8;

  // Children are neighbours, in the order of the first bytes of their labels. Many have a table of
  // 256, few a list of these bytes.
  struct Node {
    std::size_t label = 0;  // the bytes that lead here, in labels_
    std::size_t label_size = 0;
    std::uint32_t values = 0;
    std::uint32_t values_end = 0;
    std::uint32_t children = 0;
    std::uint32_t child_count = 0;
    std::uint32_t branches = 0;  // in bytes_ or tables_
  };

  std::uint32_t child_of(const Node& node, unsigned char c) const {
    if (node.child_count > kFew) {
      const std::uint16_t place = tables_[node.branches][c];
      return place == 0 ? kNone : node.children + place - 1;
    }
    for (std::uint32_t i = 0; i < node.child_count; ++i) {
      if (bytes_[node.branches + i] == c) return node.children + i;
    }
    return kNone;
  }

  std::vector<Node> nodes_;  // the root first, if there is any
  std::string labels_;
  std::vector<std::uint32_t> values_;
  std::vector<unsigned char> bytes_;
  std::vector<std::array<std::uint16_t, 256>> tables_;  // 0: none; else the place, from 1
  std::uint32_t greatest_ = 0;
};

// Whether one of many keys may begin at a place of a text, by a few bits of its first bytes there:
// so that not every place has to be looked up. A wrong "yes" costs a look-up, no more.
class IgnoreFilter {
 public:
  IgnoreFilter() = default;
  explicit IgnoreFilter(const std::vector<IgnoreIndex::Key>& keys);

  // Calls maybe(i) for each place i.
  template <class Maybe>
  void find(std::string_view text, const Maybe& maybe) const {
    std::uint32_t window = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      window = (window << 8 | static_cast<unsigned char>(text[i])) & mask_;
      const std::size_t bit = bit_of(window);
      if (i + 1 >= width_ && ((bits_[bit / 64] >> (bit % 64)) & 1) != 0) maybe(i + 1 - width_);
    }
  }

 private:
  std::size_t bit_of(std::uint32_t window) const { return window * 0x9E3779B1U >> shift_; }

  std::size_t width_ = 0;   // bytes that are looked at, those that all keys have, at most 4
  std::uint32_t mask_ = 0;  // of so many bytes
  unsigned shift_ = 0;
  std::vector<std::uint64_t> bits_;
};

}  // namespace trawl::match
