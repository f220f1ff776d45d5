// SPDX-License-Identifier: Apache-2.0
//
// Metadata by path bytes and follow mode, for many readers and some writers: what BatchedStatCache
// keeps.
//
// Keys are spread over shards by hash. A shard is an open-addressed table of pointers to entries,
// which never change once they are in it (but for the mark that CLOCK eviction looks at). Writers
// hold the shard's mutex.
//
// Readers take no lock. They announce themselves in a counter that hardly anyone else writes to:
// one per shard in each of 64 stripes, and a thread has its stripe. So hits share no cache line
// that is written, which with a lock per shard, shared or not, would cost more than the rest of the
// hit. A writer first takes what is to go out of the table, and frees it when every counter was
// once seen without readers (of several at once: looking at 64 counters costs more than an
// insertion). All this is sequentially consistent: either the reader is seen, or it sees that the
// entry is gone. The upper bits of the counter count the hits, as leaving adds to it anyway.
#pragma once

#include <trawl/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace trawl::fold {

struct Key {
  std::string_view path;
  bool follow = false;
  std::uint64_t hash = 0;

  Key(std::string_view path_bytes, bool follow_link) : path(path_bytes), follow(follow_link) {
    // The standard's hash need not spread; shards take the upper bits, slots the lower.
    hash = (std::hash<std::string_view>()(path) + (follow ? 1 : 0)) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 32;
  }
  friend bool operator==(const Key& a, const Key& b) {
    return a.hash == b.hash && a.follow == b.follow && a.path == b.path;
  }
};

struct KeyHash {
  std::size_t operator()(const Key& key) const { return key.hash; }
};

// Followed by the bytes of its path, in one piece of memory.
struct CacheEntry {
  std::uint64_t hash;
  std::atomic<bool> used{false};  // since the hand passed
  bool follow;
  std::size_t place = 0;     // in the shard's ring
  std::uint64_t serial = 0;  // unlike any other of the shard
  std::size_t path_size;
  Metadata metadata;

  static CacheEntry* make(const Key& key, const Metadata& metadata) {
    void* const memory = ::operator new(sizeof(CacheEntry) + key.path.size());
    auto* const entry = new (memory) CacheEntry(key, metadata);
    if (!key.path.empty()) {
      std::memcpy(static_cast<char*>(memory) + sizeof(CacheEntry), key.path.data(),
                  key.path.size());
    }
    return entry;
  }
  static void destroy(CacheEntry* entry) {
    entry->~CacheEntry();
    ::operator delete(entry);
  }
  std::string_view path() const { return {reinterpret_cast<const char*>(this + 1), path_size}; }
  bool is(const Key& key) const {
    return hash == key.hash && follow == key.follow && path() == key.path;
  }

 private:
  CacheEntry(const Key& key, const Metadata& data)
      : hash(key.hash), follow(key.follow), path_size(key.path.size()), metadata(data) {}
};

// Linear probing; at most half full, tombstones included.
struct Table {
  explicit Table(std::size_t size) : slots(new std::atomic<CacheEntry*>[size]()), mask(size - 1) {}
  std::unique_ptr<std::atomic<CacheEntry*>[]> slots;
  std::size_t mask;
};

// What was in a slot.
inline CacheEntry* const kGone = reinterpret_cast<CacheEntry*>(std::uintptr_t{1});

class StatTable {
 public:
  static constexpr std::size_t kMostShards = 64;
  static constexpr std::size_t kLeastShare = 64;  // of entries per shard, if there is more than one
  static constexpr std::size_t kStripes = 64;     // a power of two
  static constexpr std::size_t kMostRetired = 64;
  static constexpr std::uint64_t kOneReader = 1;
  static constexpr std::uint64_t kOneHit = std::uint64_t{1} << 16;
  static constexpr std::uint64_t kReaders = kOneHit - 1;

  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, kMostShards> readers{};
  };

  struct alignas(64) Shard {
    std::atomic<Table*> table{nullptr};
    alignas(64) std::mutex mutex;  // of what follows
    std::size_t occupied = 0;      // slots, with those of what is gone
    std::size_t hand = 0;
    std::vector<CacheEntry*> ring;  // all entries
    std::vector<CacheEntry*> retired;
    std::uint64_t insertions = 0;
    std::uint64_t evictions = 0;
    std::atomic<std::size_t> size{0};
  };

  explicit StatTable(std::size_t most)
      : capacity(most),
        shard_count(std::bit_floor(std::clamp<std::size_t>(most / kLeastShare, 1, kMostShards))),
        share(most == SIZE_MAX ? most : most / shard_count),
        shards(shard_count),
        stripes(kStripes) {}

  ~StatTable() {
    for (Shard& shard : shards) {
      drop_all(shard);
    }
  }

  StatTable(const StatTable&) = delete;
  StatTable& operator=(const StatTable&) = delete;

  std::size_t index_of(const Key& key) const {
    return static_cast<std::size_t>(key.hash >> 58) & (shard_count - 1);
  }
  Shard& shard_of(const Key& key) { return shards[index_of(key)]; }

  // --- readers

  static CacheEntry* find(const Shard& shard, const Key& key) {
    const Table* const table = shard.table.load();
    if (table == nullptr) {
      return nullptr;
    }
    for (std::size_t at = key.hash & table->mask;; at = (at + 1) & table->mask) {
      CacheEntry* const entry = table->slots[at].load();
      if (entry == nullptr) {
        return nullptr;
      }
      if (entry != kGone && entry->is(key)) {
        return entry;
      }
    }
  }

  static std::size_t own_stripe() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t own = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
    return own;
  }

  bool get(const Key& key, Metadata& out) {
    const std::size_t index = index_of(key);
    std::atomic<std::uint64_t>& readers = stripes[own_stripe()].readers[index];
    readers.fetch_add(kOneReader);
    CacheEntry* const entry = find(shards[index], key);
    if (entry != nullptr) {
      out = entry->metadata;
      if (!entry->used.load(std::memory_order_relaxed)) {
        entry->used.store(true, std::memory_order_relaxed);
      }
    }
    readers.fetch_add((entry != nullptr ? kOneHit : 0) - kOneReader);
    return entry != nullptr;
  }

  // --- writers, all with the shard's mutex

  // Until none has anything that is out of the table by now.
  void wait_for_readers(const Shard& shard) const {
    const auto index = static_cast<std::size_t>(&shard - shards.data());
    for (const Stripe& stripe : stripes) {
      while ((stripe.readers[index].load() & kReaders) != 0) {
        std::this_thread::yield();
      }
    }
  }

  static void free_retired(Shard& shard) {
    for (CacheEntry* entry : shard.retired) {
      CacheEntry::destroy(entry);
    }
    shard.retired.clear();
  }

  // Makes `entry`, which is out of the table, go. There must be room in `retired`.
  void retire(Shard& shard, CacheEntry* entry) {
    shard.retired.push_back(entry);
    if (shard.retired.size() >= kMostRetired) {
      wait_for_readers(shard);
      free_retired(shard);
    }
  }

  static std::atomic<CacheEntry*>& slot_of(Table& table, const CacheEntry* entry) {
    for (std::size_t at = entry->hash & table.mask;; at = (at + 1) & table.mask) {
      if (table.slots[at].load() == entry) {
        return table.slots[at];
      }
    }
  }

  static void put(Table& table, CacheEntry* entry) {
    std::size_t at = entry->hash & table.mask;
    while (table.slots[at].load() != nullptr) {
      at = (at + 1) & table.mask;
    }
    table.slots[at].store(entry);
  }

  // Room for one more in the table.
  void make_room(Shard& shard) {
    Table* const table = shard.table.load();
    if (table != nullptr && 2 * (shard.occupied + 1) <= table->mask + 1) {
      return;
    }
    constexpr std::size_t kLeastSlots = 16;
    const std::size_t slots = std::bit_ceil(std::max(kLeastSlots, 4 * (shard.ring.size() + 1)));
    auto larger = std::make_unique<Table>(slots);
    const std::unique_ptr<Table> old(table);
    for (CacheEntry* entry : shard.ring) {
      put(*larger, entry);
    }
    shard.occupied = shard.ring.size();
    shard.table.store(larger.release());
    wait_for_readers(shard);
  }

  // There must be room in `retired`.
  void drop(Shard& shard, CacheEntry* entry) {
    slot_of(*shard.table.load(), entry).store(kGone);
    CacheEntry* const last = shard.ring.back();
    shard.ring[entry->place] = last;
    last->place = entry->place;
    shard.ring.pop_back();
    shard.size.store(shard.ring.size(), std::memory_order_relaxed);
    retire(shard, entry);
  }

  template <class Condition>
  std::size_t drop_if(Shard& shard, Condition condition) {
    shard.retired.reserve(kMostRetired);
    const std::size_t before = shard.ring.size();
    for (std::size_t i = 0; i < shard.ring.size();) {
      if (condition(std::as_const(*shard.ring[i]))) {
        drop(shard, shard.ring[i]);  // the last one takes its place
      } else {
        ++i;
      }
    }
    return before - shard.ring.size();
  }

  void drop_all(Shard& shard) {
    const std::unique_ptr<Table> table(shard.table.exchange(nullptr));
    wait_for_readers(shard);
    free_retired(shard);
    for (CacheEntry* entry : shard.ring) {
      CacheEntry::destroy(entry);
    }
    shard.ring.clear();
    shard.occupied = 0;
    shard.size.store(0, std::memory_order_relaxed);
  }

  // Of the entries, that which was not used since the hand was there.
  CacheEntry* victim(Shard& shard) {
    for (;; ++shard.hand) {
      if (shard.hand >= shard.ring.size()) {
        shard.hand = 0;
      }
      CacheEntry* const entry = shard.ring[shard.hand];
      if (!entry->used.load(std::memory_order_relaxed)) {
        return entry;
      }
      entry->used.store(false, std::memory_order_relaxed);
    }
  }

  void keep(Shard& shard, const Key& key, const Metadata& metadata) {
    if (share == 0) {
      return;
    }
    shard.retired.reserve(kMostRetired);
    CacheEntry* const old = find(shard, key);
    const auto destroy = [](CacheEntry* entry) { CacheEntry::destroy(entry); };
    std::unique_ptr<CacheEntry, decltype(destroy)> made(CacheEntry::make(key, metadata), destroy);
    made->serial = ++shard.insertions;
    if (old != nullptr) {
      made->place = old->place;
      made->used.store(old->used.load(std::memory_order_relaxed), std::memory_order_relaxed);
      shard.ring[old->place] = made.get();
      slot_of(*shard.table.load(), old).store(made.release());
      retire(shard, old);
      return;
    }
    make_room(shard);
    if (shard.ring.size() >= share) {
      // In its place in the ring, behind the hand: last to be looked at again.
      CacheEntry* const out = victim(shard);
      made->place = out->place;
      shard.ring[out->place] = made.get();
      ++shard.hand;
      ++shard.evictions;
      slot_of(*shard.table.load(), out).store(kGone);
      retire(shard, out);
    } else {
      made->place = shard.ring.size();
      shard.ring.push_back(made.get());
      shard.size.store(shard.ring.size(), std::memory_order_relaxed);
    }
    put(*shard.table.load(), made.release());
    ++shard.occupied;
  }

  // Returns whether it was there.
  bool forget(Shard& shard, const Key& key) {
    shard.retired.reserve(kMostRetired);
    CacheEntry* const entry = find(shard, key);
    if (entry != nullptr) {
      drop(shard, entry);
    }
    return entry != nullptr;
  }

  // Hits of get() so far.
  std::uint64_t hits() const {
    std::uint64_t hits = 0;
    for (const Stripe& stripe : stripes) {
      for (const std::atomic<std::uint64_t>& readers : stripe.readers) {
        hits += readers.load(std::memory_order_relaxed) / kOneHit;
      }
    }
    return hits;
  }

  const std::size_t capacity;
  const std::size_t shard_count;
  const std::size_t share;  // of entries, per shard
  std::vector<Shard> shards;
  std::vector<Stripe> stripes;
};

}  // namespace trawl::fold
