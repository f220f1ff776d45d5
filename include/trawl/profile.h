// SPDX-License-Identifier: Apache-2.0
//
// What a directory consists of: one walk, counted in many ways. Each figure is defined once, in
// docs/profile.md, and here by the name that it has there.
//
// Files are regular files, counted by name: one with two links in the tree counts twice (`links`
// says how often). Folders are directories that were entered or could not be, the root included.
// Symbolic links are neither, nor followed, unless Options::follow says so; then a link to a file
// is a file, with its target's metadata. Sizes are apparent (st_size), in bytes.
//
// Memory. Counters, lists of the `top` most, and tables of at most `capacity` keys per worker, but
// for one identity per hard-linked file (as for `du`). Where a table is full, figures have an error
// that is stated; with `exact` tables grow with the tree, and no figure has one. Every exact figure
// is the same for any number of workers.
#pragma once

#include <trawl/error.h>
#include <trawl/types.h>
#include <trawl/walk.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

struct ProfileOptions {
  // threads, filter, follow, visit_once, one_file_system, max_depth, private_descriptors, deadline,
  // cancel, stall_timeout, progress_entries, backend, trace and max_errors are taken from here; the
  // rest is the fold's to set. max_depth, from 0: deeper folders are neither entered nor counted;
  // files are counted in folders down to it.
  Options walk;
  std::size_t top = 20;          // entries of each list of the most, from 1
  std::size_t top_folders = 10;  // of `fullest_folders`, from 1
  // Distinct keys of each table: extensions, folder names, owners, groups, duplicates; from `top`.
  std::size_t capacity = 65'536;
  std::size_t max_empty_folders = 100'000;  // paths kept, those that come first by bytes
  bool exact = false;                       // no limit to either
  // Ages are relative to this; default: the clock when the walk begins.
  std::optional<Timestamp> now;
  // Folders kept in `tree`, those with most bytes; 0: none.
  std::size_t tree_folders = 0;
  // Lower case of an extension that is not all ASCII, by bytes; called on the caller's thread, when
  // the walk has ended. Without it only A to Z are changed.
  std::function<std::string(std::string_view)> lower_case = {};
};

// Sums of bytes that exceed 64 bits stay at UINT64_MAX, here and below: sparse files may be huge.
struct ProfileCount {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  ProfileCount& operator+=(const ProfileCount& other) {
    files += other.files;
    bytes = bytes > UINT64_MAX - other.bytes ? UINT64_MAX : bytes + other.bytes;
    return *this;
  }
  friend bool operator==(const ProfileCount&, const ProfileCount&) = default;
};

// A table that may have been full: each `files` is at least what is stated, and at most
// `files_error` more; what is missing has at most `files_error`. `bytes` is short by what `files`
// is short by.
template <class Item>
struct ProfileTable {
  std::vector<Item> items;        // most files first, equal ones by key; the first `top`
  std::uint64_t distinct = 0;     // keys; of a table that was full: at least
  std::uint64_t files_error = 0;  // 0: exact
  bool exact() const { return files_error == 0; }
};

struct ProfileExtension : ProfileCount {
  std::string key;  // lower case, with its dot, bytes; empty: a name without one
  std::uint64_t disk_usage = 0;
};
struct ProfileName : ProfileCount {  // `files`: folders of this name; bytes: 0
  std::string key;                   // bytes
};
struct ProfileOwner : ProfileCount {
  std::uint32_t key = 0;  // uid or gid
};
struct ProfileFolder {
  std::string path;
  std::uint64_t files = 0;  // directly in it
};
struct ProfileFile {
  std::string path;
  std::uint64_t size = 0;
  Timestamp mtime;
};
// Files with one name and one size, each identity counted once, that have content.
struct ProfileDuplicate {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t files = 0;         // at least two
  std::vector<std::string> paths;  // the first four by bytes; with `exact` all
  std::uint64_t wasted() const {
    return size != 0 && files - 1 > UINT64_MAX / size ? UINT64_MAX : (files - 1) * size;
  }
};

// Bucket 0: empty files; bucket i: sizes from 2^(i-1) to 2^i - 1.
inline constexpr std::size_t kSizeBuckets = 65;
// Ages below these many seconds, in turn; behind them one bucket for what is older. The first is
// for times in the future.
inline constexpr std::array<std::int64_t, 10> kAgeLimits = {
    0,           3600,         86'400,           7 * 86'400,       30 * 86'400,
    90 * 86'400, 365 * 86'400, 2 * 365 * 86'400, 5 * 365 * 86'400, 10 * 365 * 86'400};
inline constexpr std::size_t kAgeBuckets = kAgeLimits.size() + 1;

// A folder of the tree of those with most bytes; a parent is never smaller, so they form a tree. None
// is deeper than kMostTreeLevels: who goes through the tree may recurse, and so does its destructor.
inline constexpr std::uint32_t kMostTreeLevels = 200;
struct ProfileTreeFolder {
  std::string name;             // bytes; of the root, as given
  std::uint64_t bytes = 0;      // with all that is below it
  std::uint64_t files = 0;      // with all that is below it
  std::uint64_t own_bytes = 0;  // of files directly in it
  std::uint64_t own_files = 0;
  std::uint64_t folders = 0;                // below it
  std::vector<ProfileTreeFolder> children;  // most bytes first, equal ones by name
};

struct Profile {
  Result walk;  // whether it is complete, errors, cost
  Timestamp now;

  std::uint64_t files = 0;
  std::uint64_t folders = 0;
  std::uint64_t bytes = 0;
  std::uint64_t disk_usage = 0;  // of files; one with several links in the tree counts for each
  int deepest = 0;               // of folders; root 0
  std::array<std::uint64_t, 8> types{};         // entries by FileType, the root included
  std::vector<std::uint64_t> folders_by_depth;  // [0] is the root

  std::uint64_t empty_folders = 0;              // that have no entry at all
  std::vector<std::string> empty_folder_paths;  // by bytes; max_empty_folders of them
  std::vector<ProfileFolder> fullest_folders;  // most files first, equal ones by path; none without

  ProfileTable<ProfileExtension> extensions;
  ProfileTable<ProfileName> folder_names;  // the root's is not among them
  ProfileTable<ProfileOwner> owners;
  ProfileTable<ProfileOwner> groups;

  std::array<ProfileCount, kSizeBuckets> sizes{};
  std::array<ProfileCount, kAgeBuckets> modified{};  // by mtime
  std::array<ProfileCount, kAgeBuckets> accessed{};  // by atime

  std::vector<ProfileFile> largest;  // equal ones by path
  std::vector<ProfileFile> oldest;   // by mtime
  std::vector<ProfileFile> newest;

  // Names of files with more than one link, wherever the others are; the files they are; and what
  // is counted above more often than once.
  std::uint64_t linked_names = 0, linked_files = 0, repeated_bytes = 0, repeated_disk_usage = 0;
  // Files that take fewer bytes on the medium than they have, and by how many.
  std::uint64_t sparse_files = 0, sparse_bytes = 0;

  // Most wasted bytes first, equal ones by name, then size.
  std::vector<ProfileDuplicate> duplicates;
  std::uint64_t duplicate_groups = 0, duplicate_wasted = 0;  // of all, not of `top`
  // Only files of at least this size were looked at: the table was full. Else 1.
  std::uint64_t duplicates_from = 1;

  std::optional<ProfileTreeFolder> tree;
};

// Blocks until done. `root` must be a directory: ENOTDIR or its error are in Profile::walk, with
// all figures zero. Thread-safe. Throws std::invalid_argument for options out of range.
//
// Cost: one statx per entry that is no directory, as `du`; some 0.3 µs of processor time per file.
Profile profile(const std::string& root, const ProfileOptions& options);

}  // namespace trawl
