// SPDX-License-Identifier: Apache-2.0
//
// A set of file identities by open addressing (linear probing, at most 5/8 full, doubling): 16 bytes
// a slot, no allocation per element. Not thread-safe.
#pragma once

#include <trawl/types.h>

#include <cstddef>
#include <vector>

namespace trawl::base {

class IdentitySet {
 public:
  // True if `id` was not in the set.
  bool insert(const FileIdentity& id) {
    if (id == FileIdentity{}) {  // all zero marks a free slot
      const bool added = !has_zero_;
      has_zero_ = true;
      return added;
    }
    if (8 * (size_ + 1) > 5 * slots_.size()) {
      grow();
    }
    FileIdentity& slot = slots_[find(id)];
    if (slot == id) {
      return false;
    }
    slot = id;
    ++size_;
    return true;
  }

  bool contains(const FileIdentity& id) const {
    if (id == FileIdentity{}) {
      return has_zero_;
    }
    return !slots_.empty() && slots_[find(id)] == id;
  }

  std::size_t size() const { return size_ + (has_zero_ ? 1 : 0); }

 private:
  // The slot of `id`, or the free one where it belongs.
  std::size_t find(const FileIdentity& id) const {
    const std::size_t mask = slots_.size() - 1;
    // The hash is a product: its high half depends on every bit of the inode, its low half on the low
    // ones only. Without the former, inodes that differ in high bits alone take quadratic time.
    const std::size_t hash = std::hash<FileIdentity>{}(id);
    std::size_t at = (hash ^ (hash >> 32)) & mask;
    while (slots_[at] != FileIdentity{} && slots_[at] != id) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void grow() {
    std::vector<FileIdentity> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    for (const FileIdentity& id : old) {
      if (id != FileIdentity{}) {
        slots_[find(id)] = id;
      }
    }
  }

  std::vector<FileIdentity> slots_;
  std::size_t size_ = 0;
  bool has_zero_ = false;
};

}  // namespace trawl::base
