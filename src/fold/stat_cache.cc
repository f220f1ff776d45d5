// SPDX-License-Identifier: Apache-2.0
//
// Metadata by path, for many threads.
//
// What is kept is a fold::StatTable's; here is how it gets there.
//
// Who finds neither an entry nor a *flight* of the key registers one and makes the call;
// others wait for it. A flight is a place in a fetch, which has one path or all those that a batch
// misses. What ends in the meantime (invalidate, insert, clear) is taken from the table of flights:
// those who wait have their answer, those who come later ask anew, and as it is not there when the
// answer comes, the answer is not kept. A batch ends its own fetch before it waits for others', so
// no two wait for each other. An answer ECANCELED (the token was of who fetched), or none for lack
// of memory, makes those who wait ask for themselves.
#include <trawl/stat.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "fold/stat_table.h"

namespace trawl {

namespace {

using fold::CacheEntry;
using fold::Key;
using fold::StatTable;

bool is_below(std::string_view path, std::string_view directory) {
  if (!path.starts_with(directory)) {
    return false;
  }
  return path.size() == directory.size() ||
         (!directory.empty() && (directory.ends_with('/') || path[directory.size()] == '/'));
}

// The same file in the same state, as far as can be told.
bool is_unchanged(const Metadata& before, const Metadata& now) {
  constexpr Fields kNeeded = Fields::ctime | Fields::identity;
  return has(before.valid, kNeeded) && has(now.valid, kNeeded) && before.ctime == now.ctime &&
         before.identity() == now.identity();
}

// Paths that one thread asks for, and what others wait for.
struct Fetch {
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;                // under the mutex
  std::vector<StatResult> results;  // when it is done; none if it failed

  void end(std::vector<StatResult> answers) {
    {
      std::lock_guard lock(mutex);
      results = std::move(answers);
      done = true;
    }
    ended.notify_all();
  }
  // Null: no answer, because who asked was stopped, or `cancel` was.
  const StatResult* wait(std::size_t index, const CancelToken* cancel) {
    constexpr std::chrono::milliseconds kTurn{10};
    std::unique_lock lock(mutex);
    if (cancel == nullptr) {
      ended.wait(lock, [this] { return done; });
    }
    while (!done) {
      if (cancel->cancelled()) {
        return nullptr;
      }
      ended.wait_for(lock, kTurn);
    }
    return index < results.size() && results[index].error != ECANCELED ? &results[index] : nullptr;
  }
};

struct Flight {
  std::shared_ptr<Fetch> fetch;
  std::size_t index = 0;
};

}  // namespace

struct BatchedStatCache::Implementation {
  // Guarded by the mutex of the shard with the same index. The paths belong to those who fetch, and
  // who end their flights before they are gone.
  struct Flights {
    std::unordered_map<Key, Flight, fold::KeyHash> by_key;
    std::uint64_t hits = 0;  // found after all
    std::uint64_t misses = 0;
    std::uint64_t shared = 0;
  };

  Implementation(std::size_t capacity, Fields asked)
      : fields(asked | Fields::ctime | Fields::identity),
        table(capacity),
        flights(table.shard_count) {}

  // With the shard's mutex: the key, and the answer that may be on its way.
  bool forget(const Key& key) {
    flights[table.index_of(key)].by_key.erase(key);
    return table.forget(table.shard_of(key), key);
  }

  // --- fetching

  enum class Found : std::uint8_t { kept, in_flight, neither };

  // If neither, the key is now `own`'s to fetch.
  Found look_up(const Key& key, const Flight& own, Metadata& metadata, Flight& other) {
    StatTable::Shard& shard = table.shard_of(key);
    std::lock_guard lock(shard.mutex);
    Flights& here = flights[table.index_of(key)];
    // It may have come since get() looked.
    if (CacheEntry* const entry = StatTable::find(shard, key)) {
      metadata = entry->metadata;
      entry->used.store(true, std::memory_order_relaxed);
      ++here.hits;
      return Found::kept;
    }
    const auto [flight, is_new] = here.by_key.try_emplace(key, own);
    if (!is_new) {
      other = flight->second;
      ++here.shared;
      return Found::in_flight;
    }
    ++here.misses;
    return Found::neither;
  }

  void land(const Key& key, const std::shared_ptr<Fetch>& fetch, const StatResult* result) {
    StatTable::Shard& shard = table.shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto& by_key = flights[table.index_of(key)].by_key;
    const auto flight = by_key.find(key);
    if (flight == by_key.end() || flight->second.fetch != fetch) {
      return;  // invalidated meanwhile
    }
    by_key.erase(flight);
    if (result != nullptr && result->error == 0) {
      table.keep(shard, key, result->metadata);
    }
  }

  // A fetch of some keys by this thread. What it set out for it lands, even if it fails.
  class Landing {
   public:
    explicit Landing(Implementation& cache) : cache_(cache) {}
    ~Landing() {
      if (!ended_) {
        land({});
        fetch->end({});
      }
    }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

    // Looks the key up; if it is found nowhere, it is now one of this fetch.
    Found look_up(const Key& key, Metadata& metadata, Flight& other) {
      keys.push_back(key);
      const Found found =
          cache_.look_up(key, {.fetch = fetch, .index = keys.size() - 1}, metadata, other);
      if (found != Found::neither) {
        keys.pop_back();
      }
      return found;
    }
    void end(std::vector<StatResult> results) {
      land(results);
      ended_ = true;
      fetch->end(std::move(results));
    }

    std::vector<Key> keys;
    const std::shared_ptr<Fetch> fetch = std::make_shared<Fetch>();

   private:
    void land(std::span<const StatResult> results) {
      while (landed_ < keys.size()) {
        const std::size_t i = landed_++;
        cache_.land(keys[i], fetch, i < results.size() ? &results[i] : nullptr);
      }
    }

    Implementation& cache_;
    std::size_t landed_ = 0;
    bool ended_ = false;
  };

  std::vector<StatResult> stat(std::span<const std::string> paths, bool follow,
                               const StatOptions& options) const {
    StatOptions asked = options;
    asked.fields = fields;
    asked.follow = follow;
    return stat_paths(paths, asked);
  }

  StatResult fetch_one(const Key& key, const StatOptions& options) {
    for (;;) {
      StatResult result;
      Landing landing(*this);
      Flight other;
      switch (landing.look_up(key, result.metadata, other)) {
        case Found::kept:
          return result;
        case Found::neither: {
          const std::string path(key.path);
          landing.end(stat({&path, 1}, key.follow, options));
          return landing.fetch->results.front();
        }
        case Found::in_flight:
          break;
      }
      if (const StatResult* const answer = other.fetch->wait(other.index, options.cancel)) {
        return *answer;
      }
      if (options.cancel != nullptr && options.cancel->cancelled()) {
        result.error = ECANCELED;
        return result;
      }
    }
  }

  const Fields fields;
  fold::StatTable table;
  std::vector<Flights> flights;
};

BatchedStatCache::BatchedStatCache(std::size_t capacity, Fields fields)
    : implementation_(std::make_unique<Implementation>(capacity, fields)) {}

BatchedStatCache::~BatchedStatCache() = default;

std::optional<Metadata> BatchedStatCache::get(std::string_view path, bool follow) {
  std::optional<Metadata> out(std::in_place);
  if (!implementation_->table.get({path, follow}, *out)) {
    out.reset();
  }
  return out;
}

void BatchedStatCache::insert(std::string_view path, bool follow, const Metadata& metadata) {
  const Key key(path, follow);
  StatTable& table = implementation_->table;
  StatTable::Shard& shard = table.shard_of(key);
  std::lock_guard lock(shard.mutex);
  implementation_->flights[table.index_of(key)].by_key.erase(key);
  table.keep(shard, key, metadata);
}

StatResult BatchedStatCache::get_or_fetch(std::string_view path, bool follow) {
  const Key key(path, follow);
  StatResult result;
  return implementation_->table.get(key, result.metadata) ? result
                                                          : implementation_->fetch_one(key, {});
}

std::vector<StatResult> BatchedStatCache::stat_batch(std::span<const std::string> paths,
                                                     bool follow, const StatOptions& options) {
  std::vector<StatResult> results(paths.size());
  struct Waiting {
    std::size_t at;
    Flight flight;
  };
  std::vector<Waiting> waiting;
  std::vector<std::size_t> own;  // where each key of the fetch is asked for
  Implementation::Landing landing(*implementation_);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Key key(paths[i], follow);
    if (implementation_->table.get(key, results[i].metadata)) {
      continue;
    }
    Flight other;
    switch (landing.look_up(key, results[i].metadata, other)) {
      case Implementation::Found::kept:
        break;
      case Implementation::Found::in_flight:
        waiting.push_back({i, std::move(other)});
        break;
      case Implementation::Found::neither:
        own.push_back(i);
        break;
    }
  }
  if (own.size() == paths.size()) {
    landing.end(implementation_->stat(paths, follow, options));
  } else if (!own.empty()) {
    std::vector<std::string> missing;
    missing.reserve(own.size());
    for (const std::size_t i : own) {
      missing.push_back(paths[i]);
    }
    landing.end(implementation_->stat(missing, follow, options));
  }
  for (std::size_t k = 0; k < own.size(); ++k) {
    results[own[k]] = landing.fetch->results[k];
  }
  for (const Waiting& each : waiting) {
    const StatResult* const answer = each.flight.fetch->wait(each.flight.index, options.cancel);
    if (answer != nullptr) {
      results[each.at] = *answer;
    } else if (options.cancel != nullptr && options.cancel->cancelled()) {
      results[each.at].error = ECANCELED;
    } else {
      results[each.at] = implementation_->fetch_one({paths[each.at], follow}, options);
    }
  }
  return results;
}

bool BatchedStatCache::invalidate(std::string_view path) {
  bool dropped = false;
  for (const bool follow : {false, true}) {
    const Key key(path, follow);
    std::lock_guard lock(implementation_->table.shard_of(key).mutex);
    dropped |= implementation_->forget(key);
  }
  return dropped;
}

std::size_t BatchedStatCache::invalidate_below(std::string_view directory) {
  std::size_t dropped = 0;
  StatTable& table = implementation_->table;
  for (std::size_t i = 0; i < table.shard_count; ++i) {
    std::lock_guard lock(table.shards[i].mutex);
    std::erase_if(implementation_->flights[i].by_key,
                  [&](const auto& flight) { return is_below(flight.first.path, directory); });
    dropped += table.drop_if(table.shards[i], [&](const CacheEntry& entry) {
      return is_below(entry.path(), directory);
    });
  }
  return dropped;
}

bool BatchedStatCache::revalidate(std::string_view path, bool follow) {
  const Key key(path, follow);
  StatTable::Shard& shard = implementation_->table.shard_of(key);
  Metadata before;
  std::uint64_t serial = 0;
  {
    std::lock_guard lock(shard.mutex);
    const CacheEntry* const entry = StatTable::find(shard, key);
    if (entry == nullptr) {
      return false;
    }
    before = entry->metadata;
    serial = entry->serial;
  }
  const std::string one(path);
  const StatResult now = implementation_->stat({&one, 1}, follow, {}).front();
  if (now && is_unchanged(before, now.metadata)) {
    return true;
  }
  std::lock_guard lock(shard.mutex);
  const CacheEntry* const entry = StatTable::find(shard, key);
  if (entry == nullptr || entry->serial != serial) {
    return false;  // somebody else has seen to it
  }
  if (now) {
    implementation_->table.keep(shard, key, now.metadata);
  } else {
    implementation_->forget(key);
  }
  return false;
}

void BatchedStatCache::clear() {
  StatTable& table = implementation_->table;
  for (std::size_t i = 0; i < table.shard_count; ++i) {
    std::lock_guard lock(table.shards[i].mutex);
    implementation_->flights[i].by_key.clear();
    table.drop_all(table.shards[i]);
  }
}

std::size_t BatchedStatCache::len() const {
  std::size_t size = 0;
  for (const StatTable::Shard& shard : implementation_->table.shards) {
    size += shard.size.load(std::memory_order_relaxed);
  }
  return size;
}

std::size_t BatchedStatCache::capacity() const { return implementation_->table.capacity; }

BatchedStatCache::Counts BatchedStatCache::counts() const {
  StatTable& table = implementation_->table;
  Counts counts{.hits = table.hits()};
  for (std::size_t i = 0; i < table.shard_count; ++i) {
    std::lock_guard lock(table.shards[i].mutex);
    const Implementation::Flights& flights = implementation_->flights[i];
    counts.hits += flights.hits;
    counts.misses += flights.misses;
    counts.shared += flights.shared;
    counts.evictions += table.shards[i].evictions;
  }
  return counts;
}

}  // namespace trawl
