// SPDX-License-Identifier: Apache-2.0
//
// Metadata for paths that the caller already has, many at a time.
//
//   stat_paths          many paths, answers in the order asked, one answer or error for each
//   DirectoryStatBatch  names in one directory, by its descriptor
//   BatchedStatCache    answers that are kept
//
// All run on as many workers as pay: one for a few cached paths, hundreds where each answer comes
// from a server (the walk's own controller judges).
#pragma once

#include <trawl/types.h>
#include <trawl/walk.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

struct StatResult {
  int error = 0;      // errno, or 0
  Metadata metadata;  // if error is 0
  explicit operator bool() const { return error == 0; }
};

struct StatOptions {
  Fields fields = Fields::basic;
  bool follow = false;                        // symbolic links, as stat(2) does; false: as lstat(2)
  unsigned threads = 0;                       // 0: adapts
  const CancelToken* cancel = nullptr;        // what is not answered then has ECANCELED
  std::chrono::nanoseconds stall_timeout{0};  // see Options; what stalls has ETIME
};

// results[i] is the answer for paths[i], which may be relative, longer than PATH_MAX (then it is
// walked in steps), empty (ENOENT), or contain a NUL (EINVAL). What has vanished is ENOENT. Type
// and identity are always asked for. Nothing is automounted. Blocks; thread-safe. Holds the
// results, and nothing else per path. Throws std::bad_alloc only.
std::vector<StatResult> stat_paths(std::span<const std::string> paths,
                                   const StatOptions& options = {});

// Names in one directory: each system call looks up one name only, and a directory that is moved or
// whose path is replaced meanwhile stays the one that was opened. Thread-safe; movable.
class DirectoryStatBatch {
 public:
  // errno in `error` and nullopt where it can't be opened. The last component may be a symbolic
  // link; searching the directory must be allowed, reading need not.
  static std::optional<DirectoryStatBatch> open(const std::string& directory, int& error);

  DirectoryStatBatch(DirectoryStatBatch&& other) noexcept;
  DirectoryStatBatch& operator=(DirectoryStatBatch&& other) noexcept;
  ~DirectoryStatBatch();

  // EINVAL: a name that is empty, "." or "..", or contains '/' or NUL.
  StatResult stat_relative(const std::string& name, bool follow,
                           Fields fields = Fields::basic) const;
  // options.follow is ignored in favour of `follow`.
  std::vector<StatResult> stat_batch_relative(std::span<const std::string> names, bool follow,
                                              const StatOptions& options = {}) const;

 private:
  explicit DirectoryStatBatch(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Metadata by path bytes and follow mode: an answer for a link is never given for its target. Paths
// are not normalised: "a" and "./a" are two. Errors are not kept.
//
// It does not notice when files change: an entry is what it was when it was fetched, until it is
// invalidated, revalidated or evicted. Thread-safe; if several threads want one path at once, one
// system call is made and all get its answer (or its error). Hits of many threads do not wait for
// each other, nor for writers: one takes 20 to 40 ns, and what the memory takes if there are many.
class BatchedStatCache {
 public:
  struct Counts {
    std::uint64_t hits = 0;    // answered by what is kept
    std::uint64_t misses = 0;  // fetched, with success or not
    std::uint64_t shared = 0;  // answered by a call that was on its way for someone else, or for
                               // the same path earlier in the batch
    std::uint64_t evictions = 0;
  };

  static constexpr std::size_t kUnbounded = SIZE_MAX;

  // At most `capacity` entries: each shard (of up to 64, none below 64 entries but a single one)
  // evicts one that was not used of late when its share is full, so a few per cent less may be
  // held. `fields` is what is fetched; also ctime, type and identity.
  explicit BatchedStatCache(std::size_t capacity = kUnbounded, Fields fields = Fields::basic);
  ~BatchedStatCache();
  BatchedStatCache(const BatchedStatCache&) = delete;
  BatchedStatCache& operator=(const BatchedStatCache&) = delete;

  // What is kept; no system call.
  std::optional<Metadata> get(std::string_view path, bool follow);
  void insert(std::string_view path, bool follow, const Metadata& metadata);
  StatResult get_or_fetch(std::string_view path, bool follow);
  // Results in the order asked; what is missing is fetched by several workers, each path once.
  // options.follow and fields are ignored. If another's fetch of a path is cancelled, or fails for
  // lack of memory, it is fetched again here. Whoever asks for one path of a batch waits for all of
  // its fetch.
  std::vector<StatResult> stat_batch(std::span<const std::string> paths, bool follow,
                                     const StatOptions& options = {});

  // Both follow modes. An answer that is being fetched meanwhile is given to who waits for it, but
  // not kept, nor given to who asks afterwards. True if something was dropped.
  bool invalidate(std::string_view path);
  // The directory itself and all paths below it, by bytes ("a" has "a/b" below it, not "ab"; "a/"
  // itself and "a/b"; "" itself alone); looks at every entry. Returns how many were dropped.
  std::size_t invalidate_below(std::string_view directory);
  // Asks again, and keeps the new answer if ctime, inode or device differ, or one of them is not
  // known; true if what was kept was still right. False: it was not, is gone (then nothing is
  // kept), or was not kept (then nothing is asked). A change within one tick of the filesystem's
  // clock may go unnoticed.
  bool revalidate(std::string_view path, bool follow);
  void clear();

  std::size_t len() const;
  std::size_t capacity() const;
  Counts counts() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace trawl
