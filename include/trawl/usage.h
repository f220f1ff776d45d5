// SPDX-License-Identifier: Apache-2.0
//
// Disk usage: two folds over the walk.
//   list_usage()     every directory (and file, if asked) in the order of a serial walk, children
//                    before their directory, with the sums of what is below: what `du` prints.
//   measure_usage()  the tree of the biggest: the nodes that fit into a picture, exact, with sums for
//                    what is left out.
// Both charge a hard-linked file to the name that a serial walk in listing order meets first, so
// every figure is the same for any number of workers, and GNU du's.
#pragma once

#include <trawl/types.h>
#include <trawl/walk.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

// Sums that exceed 64 bits stay at UINT64_MAX.
struct UsageSums {
  std::uint64_t disk_usage = 0;     // bytes, blocks × 512
  std::uint64_t apparent_size = 0;  // bytes, st_size
  std::uint64_t inodes = 0;         // files, directories and everything else
  Timestamp newest{INT64_MIN, 0};   // latest of the chosen time

  UsageSums& operator+=(const UsageSums& other);
  UsageSums& operator-=(const UsageSums& other);  // leaves `newest` alone
};

enum class UsageTime : std::uint8_t { none, mtime, atime, ctime };

struct UsageOptions {
  // threads, follow, filter, one_file_system, cancel, deadline, private_descriptors, backend are taken
  // from here; the rest is the fold's to set. What the filter leaves out has no line and no sums.
  Options walk;
  UsageTime time = UsageTime::none;
  bool count_links = false;           // every name of a hard-linked file counts
  // What mounts show at two places counts once, as it does with several roots or where all links are
  // followed. With one root only this has to be asked for.
  bool once_despite_mounts = false;
  bool separate_directories = false;  // a directory's sums leave out its subdirectories
  bool all = false;                   // lines for files too
  int max_depth = INT32_MAX;          // 0 or more; lines of what is deeper are left out, not its sums
  // With `all`: files smaller than the figure here get no line. May be raised while the walk runs.
  const std::atomic<std::uint64_t>* file_floor = nullptr;
  bool floor_by_apparent_size = false;  // else by disk usage
};

struct UsageLine {
  std::string_view path;  // bytes, NUL follows; for the duration of the call
  std::string_view name;  // last component as listed; of a root, the operand
  int depth = 0;          // root 0
  FileType type = FileType::unknown;
  std::uint32_t mode = 0;
  bool complete = true;  // false: something below could not be read, or the walk was cut short
  UsageSums sums;
  UsageSums own;              // of a directory: its own part of `sums`
  std::uint64_t entries = 0;  // of a directory: names in it
};

struct UsageError {
  enum class Kind : std::uint8_t {
    access,   // metadata could not be had: the entry is not counted
    read,     // directory could not be opened or listed: its own size is counted
    partial,  // listing ended early: what was listed is counted
  };
  Kind kind = Kind::access;
  int code = 0;  // errno; 0: a symbolic link that is followed, to nowhere
  std::string_view path;
};

// Calls come in serial order, one at a time, on whichever worker has the next in order at hand; with
// Options::private_descriptors only descriptors 0 to 2 may be used in them. False from line() ends
// the walk (output is gone).
class UsageListener {
 public:
  virtual ~UsageListener() = default;
  // What follows belongs to the root of this index. Not called for roots that are left out.
  virtual void root(std::size_t /*index*/) {}
  virtual bool line(const UsageLine& line) = 0;
  virtual void error(const UsageError& error) = 0;
  // Nothing further is ready at the moment: a good time to write out what is buffered.
  virtual void pause() {}
};

struct UsageResult {
  Result walk;
  UsageSums total;                   // over all roots
  std::uint64_t repeated_links = 0;  // names of files that were counted under another name
};

UsageResult list_usage(std::span<const std::string> roots, const UsageOptions& options,
                       UsageListener& listener);

enum class Measure : std::uint8_t { disk_usage, apparent_size, inodes };

constexpr std::uint64_t value_of(const UsageSums& sums, Measure measure) {
  switch (measure) {
    case Measure::apparent_size: return sums.apparent_size;
    case Measure::inodes: return sums.inodes;
    case Measure::disk_usage: break;
  }
  return sums.disk_usage;
}

struct UsageNode {
  std::string name;  // bytes; of a root, the operand as given
  FileType type = FileType::unknown;
  std::uint32_t mode = 0;
  bool complete = true;
  UsageSums sums;
  std::vector<UsageNode> children;  // biggest first, equal ones by name
  std::uint64_t omitted = 0;        // direct entries that are not in `children`
  UsageSums omitted_sums;           // of those, with all that is below them
};

struct UsageTreeOptions {
  UsageOptions usage;  // all, max_depth and file_floor are the fold's to set
  Measure measure = Measure::disk_usage;
  std::size_t max_nodes = 30;  // kept over all roots; roots are kept in any case
  int max_depth = INT32_MAX;   // of kept nodes, 0 or more; root 0
};

struct UsageTree {
  UsageResult result;
  std::vector<UsageNode> roots;  // in the order given; those that could not be read are left out
};

// The `max_nodes` biggest nodes; of equal ones those that a serial walk meets first. A parent is never
// smaller than its children, so they form a tree.
// Memory: the nodes kept, and the directories between the slowest worker and the fastest.
UsageTree measure_usage(std::span<const std::string> roots, const UsageTreeOptions& options);

}  // namespace trawl
