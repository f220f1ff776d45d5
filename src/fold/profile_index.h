// SPDX-License-Identifier: Apache-2.0
//
// Where in a vector the item with a key is: open addressing, linear probing, at most half full. A
// slot holds half of the hash, so that other items are hardly ever looked at: they are in memory
// that is not cached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trawl::fold {

// Of both. Not the standard's, for which names that collide can be computed.
std::uint64_t hash_of(std::string_view bytes, std::uint64_t number = 0);

// Not thread-safe. Items are below 2^32 - 1.
class ProfileIndex {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  // The first item with that hash for which is(item), or kNone.
  template <class Is>
  std::size_t find(std::uint64_t hash, Is is) const {
    if (slots_.empty()) {
      return kNone;
    }
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].next_item != 0; at = (at + 1) & mask) {
      if (slots_[at].tag == tag_of(hash) && is(slots_[at].next_item - std::size_t{1})) {
        return slots_[at].next_item - std::size_t{1};
      }
    }
    return kNone;
  }

  // The last of so many items; all are in it then. `hash_of_item(item)`.
  template <class HashOfItem>
  void add_last(std::size_t items, HashOfItem hash_of_item) {
    if (2 * items > slots_.size()) {
      rebuild(items, hash_of_item);
    } else {
      put(hash_of_item(items - 1), items - 1);
    }
  }
  template <class HashOfItem>
  void rebuild(std::size_t items, HashOfItem hash_of_item) {
    std::size_t size = 16;
    while (size < 4 * items) {
      size *= 2;
    }
    slots_.assign(size, {});
    for (std::size_t item = 0; item < items; ++item) {
      put(hash_of_item(item), item);
    }
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t next_item = 0;  // one more than the item; 0: none
  };

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  void put(std::uint64_t hash, std::size_t item) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].next_item != 0) {
      at = (at + 1) & mask;
    }
    slots_[at] = {tag_of(hash), static_cast<std::uint32_t>(item + 1)};
  }

  std::vector<Slot> slots_;
};

}  // namespace trawl::fold
