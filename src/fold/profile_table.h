// SPDX-License-Identifier: Apache-2.0
//
// Counts by key, in bounded memory: up to a capacity of keys they are exact; beyond it each count
// is too low by an error that is known.
//
// The algorithm is that of J. Misra and D. Gries, "Finding repeated elements" (1982), with many
// subtracted at once when the table is full, and merged as in P. Agarwal and others, "Mergeable
// summaries" (2012): each key has a *weight*; when a key comes that has no place, the median weight
// is subtracted from all, and who has nothing left is dropped. What was subtracted so far is the
// error. Unlike there, a key's count is all that was counted since it came, so that what belongs to
// it (bytes) is of the same files; its weight follows from that:
//
//   weight = files + missed - error,   files <= true files <= files + missed,   missed <= error
//
// where `missed` was the error when the key came. A key that is not there is one with no files,
// that missed the error. All of this can be added up, so tables can be merged.
//
// Errors grow by at most twice the files per key of capacity.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fold/profile_index.h"

namespace trawl::fold {

// Sums that exceed 64 bits stay at UINT64_MAX.
inline void add_up(std::uint64_t& sum, std::uint64_t value) {
  sum = sum > UINT64_MAX - value ? UINT64_MAX : sum + value;
}

// Not thread-safe.
class ProfileCounts {
 public:
  struct Item {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t disk_usage = 0;
    std::uint64_t missed = 0;

   private:
    friend class ProfileCounts;
    std::uint64_t hash_ = 0;
    std::size_t key_ = 0;  // begins there
    std::uint32_t key_size_ = 0;
  };

  explicit ProfileCounts(std::size_t capacity) : capacity_(capacity) {}

  // Valid until the next call.
  Item& operator[](std::string_view key) {
    if (last_ < items_.size() && this->key(items_[last_]) == key) {
      return items_[last_];
    }
    return find(key);
  }
  // Beyond the capacity, if need be.
  void merge(const ProfileCounts& other);

  const std::vector<Item>& items() const { return items_; }
  std::string_view key(const Item& item) const {
    return {keys_.data() + item.key_, item.key_size_};
  }
  std::uint64_t error() const { return error_; }
  // At least so many keys came; exact if there is no error.
  std::size_t distinct() const { return std::max(most_, items_.size()); }

 private:
  Item& find(std::string_view key);
  void make_room();

  std::size_t capacity_;
  std::uint64_t error_ = 0;
  std::size_t most_ = 0;  // keys that were there at once
  std::size_t last_ = 0;  // the item that was asked for last: the next file's key is often the same
  std::vector<Item> items_;
  std::vector<char> keys_;
  ProfileIndex index_;
};

}  // namespace trawl::fold
