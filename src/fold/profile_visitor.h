// SPDX-License-Identifier: Apache-2.0
//
// The profile fold's side of the walk: one visitor per worker counts what it is shown, without
// others; profile() merges them when the walk has ended. What workers share is told in
// ProfileShared. What belongs to a directory is in its slot, under the directory's lock, which is
// taken once per batch.
//
// A directory is counted when it is left, since only then it is known whether it was one: entered,
// or not to be read. Its files are counted as they are shown.
#pragma once

#include <trawl/profile.h>
#include <trawl/walk.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/shared_identity_set.h"
#include "fold/profile_duplicates.h"
#include "fold/profile_folder.h"
#include "fold/profile_table.h"
#include "fold/profile_top.h"

namespace trawl::fold {

// Since a moment: in which bucket of kAgeLimits a time is.
class ProfileAges {
 public:
  explicit ProfileAges(const Timestamp& now);
  std::size_t bucket(const Timestamp& time) const;
  // Whether a time is in a bucket; for those that are as old as the last one.
  bool is_in(const Timestamp& time, std::size_t bucket) const {
    return (bucket == limits_.size() || time > limits_[bucket]) &&
           (bucket == 0 || !(time > limits_[bucket - 1]));
  }

 private:
  std::array<Timestamp, kAgeLimits.size()> limits_;  // a bucket is of what is later, from the first
};

// What the visitors of one walk share: constant, or thread-safe.
struct ProfileShared {
  const ProfileOptions& options;
  const ProfileAges ages;
  const std::size_t capacity;           // of tables
  const std::size_t max_empty_folders;  // paths kept
  // By links that are followed, files are met again that have one link only.
  const bool any_may_repeat;
  std::atomic<std::uint64_t> duplicates_floor{1};
  base::SharedIdentitySet linked;  // files with several links
  int root_error = 0;  // that the walk does not know: the root is no directory, or not any more
};

struct ProfileFileFigures {
  std::uint64_t size = 0;
  Timestamp mtime;
};
struct ProfileFolderFigures {
  std::uint64_t bytes = 0, files = 0, own_bytes = 0, own_files = 0, folders = 0;
  FolderRef itself;
};
struct IsLarger {
  bool operator()(const ProfileFileFigures& a, const ProfileFileFigures& b) const {
    return a.size > b.size;
  }
};
struct IsOlder {
  bool operator()(const ProfileFileFigures& a, const ProfileFileFigures& b) const {
    return a.mtime < b.mtime;
  }
};
struct IsNewer {
  bool operator()(const ProfileFileFigures& a, const ProfileFileFigures& b) const {
    return a.mtime > b.mtime;
  }
};
struct HasMoreFiles {
  bool operator()(std::uint64_t a, std::uint64_t b) const { return a > b; }
};
struct HasMoreBytes {
  bool operator()(const ProfileFolderFigures& a, const ProfileFolderFigures& b) const {
    return a.bytes > b.bytes;
  }
};
// All the same: the first by path.
struct Nothing {};
struct IsNotBetter {
  bool operator()(Nothing, Nothing) const { return false; }
};

// What is counted. One per worker; merged.
struct ProfileCounters {
  explicit ProfileCounters(ProfileShared& shared);
  void merge(ProfileCounters&& other);

  std::uint64_t files = 0, bytes = 0, disk_usage = 0;
  std::uint64_t linked_names = 0, linked_files = 0, repeated_bytes = 0, repeated_disk_usage = 0;
  std::uint64_t sparse_files = 0, sparse_bytes = 0;
  std::uint64_t empty_folders = 0;
  // Files whose extension is not all ASCII; see profile.cc.
  std::uint64_t files_to_lower = 0;
  std::array<std::uint64_t, 8> types{};
  std::vector<std::uint64_t> folders_by_depth;
  std::array<ProfileCount, kSizeBuckets> sizes{};
  std::array<ProfileCount, kAgeBuckets> modified{}, accessed{};
  // Owners and groups are their numbers, the highest byte first.
  ProfileCounts extensions, folder_names, owners, groups;
  TopList<ProfileFileFigures, IsLarger> largest;
  TopList<ProfileFileFigures, IsOlder> oldest;
  TopList<ProfileFileFigures, IsNewer> newest;
  TopList<std::uint64_t, HasMoreFiles> fullest;
  TopList<ProfileFolderFigures, HasMoreBytes> biggest;  // for the tree
  TopList<Nothing, IsNotBetter> empty;
  ProfileDuplicates duplicates;
};

class ProfileVisitor final : public Visitor {
 public:
  explicit ProfileVisitor(ProfileShared& shared) : shared_(shared), counters_(shared) {}

  static std::size_t slot_bytes();
  static Fields fields();

  Verdict enter(Directory& directory) override;
  void select(Directory& directory, std::span<Entry> batch) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void leave(Directory& directory) override;

  ProfileCounters& counters() { return counters_; }

 private:
  struct Slot;
  static FolderRef make_folder(const Directory& directory);

  void add_file(const FolderRef& folder, const Entry& entry, ProfileCount& counted);
  void add_age(std::array<ProfileCount, kAgeBuckets>& ages, std::size_t& last,
               const Timestamp& time, std::uint64_t size) const;
  void add_folder(const Directory& directory, const FolderRef& folder, const Slot& slot);

  ProfileShared& shared_;
  ProfileCounters counters_;
  std::size_t last_modified_ = 0, last_accessed_ = 0;  // buckets of the file before
};

using ProfileWalk = std::function<Result(std::span<const std::string> roots, const Options& options,
                                         const VisitorFactory& factory)>;

// profile() of what another walk finds: for tests of what filesystems may do.
Profile profile_by(const ProfileWalk& walk, const std::string& root, const ProfileOptions& options);

}  // namespace trawl::fold
