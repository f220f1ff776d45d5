// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_table.h"

#include <algorithm>
#include <utility>

namespace trawl::fold {

ProfileCounts::Item& ProfileCounts::find(std::string_view key) {
  const std::uint64_t hash = hash_of(key);
  last_ = index_.find(hash, [&](std::size_t item) { return this->key(items_[item]) == key; });
  if (last_ != ProfileIndex::kNone) {
    return items_[last_];
  }
  if (items_.size() >= capacity_) {
    make_room();
  }
  last_ = items_.size();
  Item& item = items_.emplace_back();
  item.missed = error_;
  item.hash_ = hash;
  item.key_ = keys_.size();
  item.key_size_ = static_cast<std::uint32_t>(key.size());
  keys_.insert(keys_.end(), key.begin(), key.end());
  index_.add_last(items_.size(), [this](std::size_t i) { return items_[i].hash_; });
  return item;
}

void ProfileCounts::make_room() {
  most_ = std::max(most_, items_.size() + 1);  // with the one that comes
  const auto weight = [this](const Item& item) { return item.files + item.missed - error_; };
  std::vector<std::uint64_t> weights;
  weights.reserve(items_.size());
  for (const Item& item : items_) {
    weights.push_back(weight(item));
  }
  const auto median = weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 2);
  std::nth_element(weights.begin(), median, weights.end());
  const std::uint64_t less = *median;
  std::vector<Item> kept;
  std::vector<char> keys;
  for (Item& item : items_) {
    if (weight(item) > less) {
      const std::string_view key = this->key(item);
      item.key_ = keys.size();
      keys.insert(keys.end(), key.begin(), key.end());
      kept.push_back(item);
    }
  }
  items_ = std::move(kept);
  keys_ = std::move(keys);
  error_ += less;
  index_.rebuild(items_.size(), [this](std::size_t i) { return items_[i].hash_; });
}

void ProfileCounts::merge(const ProfileCounts& other) {
  const std::uint64_t own_error = error_;
  // Those that the other does not have miss its error; those that it has are put right below.
  for (Item& item : items_) {
    item.missed += other.error_;
  }
  capacity_ = SIZE_MAX;
  error_ = own_error;
  for (const Item& from : other.items_) {
    const std::size_t before = items_.size();
    Item& item = find(other.key(from));
    const bool is_new = items_.size() > before;
    item.missed += from.missed - (is_new ? 0 : other.error_);
    item.files += from.files;
    add_up(item.bytes, from.bytes);
    add_up(item.disk_usage, from.disk_usage);
  }
  error_ = own_error + other.error_;
  most_ = std::max(most_, other.most_);
}

}  // namespace trawl::fold
