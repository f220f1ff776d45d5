// SPDX-License-Identifier: Apache-2.0
//
// A set of file identities for many threads: sharded by hash, so that they seldom meet.
#pragma once

#include "base/identity_set.h"

#include <array>
#include <cstddef>
#include <mutex>

namespace trawl::base {

class SharedIdentitySet {
 public:
  // True if `id` was not in the set. Thread-safe.
  bool insert(const FileIdentity& id) {
    Shard& shard = shards_[std::hash<FileIdentity>{}(id) >> 58];
    std::lock_guard lock(shard.mutex);
    return shard.set.insert(id);
  }

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    IdentitySet set;
  };
  std::array<Shard, 64> shards_;  // by the hash's highest six bits
};

}  // namespace trawl::base
