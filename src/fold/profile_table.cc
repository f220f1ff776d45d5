// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_table.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace trawl::fold {

namespace {

// Both halves of the product: each bit of it depends on each of both factors.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Another one in each process.
const std::uint64_t seed = [] {
  static const char here = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return mix(reinterpret_cast<std::uintptr_t>(&here) ^ 0x9E3779B97F4A7C15U,
             static_cast<std::uint64_t>(now) | 1);
}();

}  // namespace

std::uint64_t hash_of(std::string_view bytes, std::uint64_t number) {
  constexpr std::uint64_t kFactor = 0xD6E8FEB86659FD93U;
  std::uint64_t hash = mix(seed ^ number, kFactor) ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (std::uint64_t word = 0; left >= sizeof word; at += sizeof word, left -= sizeof word) {
    std::memcpy(&word, at, sizeof word);
    hash = mix(hash ^ word, kFactor);
  }
  std::uint64_t word = 0;
  if (left >= 4) {  // both ends, which may overlap
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::memcpy(&begin, at, sizeof begin);
    std::memcpy(&end, at + left - sizeof end, sizeof end);
    word = std::uint64_t{begin} << 32 | end;
  } else if (left > 0) {
    word = std::uint64_t{static_cast<unsigned char>(at[0])} << 16 |
           std::uint64_t{static_cast<unsigned char>(at[left / 2])} << 8 |
           static_cast<unsigned char>(at[left - 1]);
  }
  return mix(hash ^ word, kFactor);
}

ProfileCounts::Item& ProfileCounts::find(std::string_view key) {
  const std::uint64_t hash = hash_of(key);
  if (!index_.empty()) {
    const std::size_t mask = index_.size() - 1;
    for (std::size_t at = hash & mask; index_[at] != 0; at = (at + 1) & mask) {
      Item& item = items_[index_[at] - 1];
      if (item.hash_ == hash && this->key(item) == key) {
        last_ = index_[at] - 1;
        return item;
      }
    }
  }
  if (items_.size() >= capacity_) {
    make_room();
  }
  last_ = items_.size();
  Item& item = add(key, hash);
  item.missed = error_;
  return item;
}

ProfileCounts::Item& ProfileCounts::add(std::string_view key, std::uint64_t hash) {
  Item& item = items_.emplace_back();
  item.hash_ = hash;
  item.key_ = keys_.size();
  item.key_size_ = static_cast<std::uint32_t>(key.size());
  keys_.insert(keys_.end(), key.begin(), key.end());
  if (2 * items_.size() > index_.size()) {
    rebuild_index();
  } else {
    std::size_t at = hash & (index_.size() - 1);
    while (index_[at] != 0) {
      at = (at + 1) & (index_.size() - 1);
    }
    index_[at] = static_cast<std::uint32_t>(items_.size());
  }
  return item;
}

void ProfileCounts::rebuild_index() {
  std::size_t size = 16;
  while (size < 4 * items_.size()) {
    size *= 2;
  }
  index_.assign(size, 0);
  for (std::size_t i = 0; i < items_.size(); ++i) {
    std::size_t at = items_[i].hash_ & (size - 1);
    while (index_[at] != 0) {
      at = (at + 1) & (size - 1);
    }
    index_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void ProfileCounts::make_room() {
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
  rebuild_index();
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
}

}  // namespace trawl::fold
