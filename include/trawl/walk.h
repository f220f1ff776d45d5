// SPDX-License-Identifier: Apache-2.0
//
// The walk. `walk()` visits every entry below the given roots with several workers; what it finds
// goes to visitors that the caller provides, one per worker.
//
//   origin                the walk itself: a Directory without a name whose entries are the roots
//   └── root (depth 0)    as the caller wrote it
//       └── entry (1) …
//
// For every directory the engine calls, in this order,
//   enter(d)              once, when it is open and its metadata is known (if asked for)
//                         (here Options::filter leaves out what it leaves out)
//   select(d, batch)      per batch, before any stat: which entries are wanted at all
//   entries(d, batch)     per batch, with metadata where asked for
//   listed(d)             once, after the last batch
//   leave(d)              once, after listed(d) and after leave() of every descendant
// A directory that can't be entered gets leave(d) alone, and d.state() says why. So each entry of
// type directory that was reported with `descend` still true is followed by exactly one leave() of
// it, unless the walk was stopped, cancelled or out of time.
//
// Threads. enter, listed and leave of one directory never run at the same time, nor do they overlap
// its batches, but each may run on another worker than the last. Batches of one *huge* directory,
// and those of the roots, may run on several workers at once. Children of one directory leave on
// several workers at once: use `std::lock_guard lock(parent)` or atomics for what they share. Data
// of the visitor itself is touched by one worker only.
//
// Memory. A Directory lives from its enter() (or failed open) to the end of its leave(); entries
// live for the duration of the call. Nothing is kept per file.
//
// Cost. Three to four system calls per directory plus one statx per entry whose metadata is wanted.
#pragma once

#include <trawl/error.h>
#include <trawl/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl {

class PathFilter;  // trawl/path_filter.h

enum class Verdict : std::uint8_t {
  proceed,
  prune,  // from enter(): do not list this directory; leave() follows at once with State::pruned.
          // From entries(): enter no directory of this batch
  stop,   // end the whole walk; the result says so
};

// One name in a directory. Valid during the call only.
struct Entry {
  std::string_view name;               // bytes; followed by a NUL
  std::uint64_t inode = 0;             // as listed; of a mount point, the covered directory's
  std::uint64_t position = 0;          // in its directory's listing, ascending; see ListedRange
  const Metadata* metadata = nullptr;  // in entries(): where asked for and available
  int error = 0;                       // errno of a failed stat; ENOENT: vanished since it was listed
  FileType type = FileType::unknown;   // never unknown in entries() unless the stat failed
  // In entries(), with Options::link_targets: what a symbolic link that was not followed leads to;
  // empty if it could not be read.
  std::string_view link_target = {};
  bool skip = false;     // select() may set it: no stat, not reported, not entered
  // select() may set it: reported and entered, but no stat, unless that must tell the type.
  bool no_metadata = false;
  std::uint32_t tag = 0;  // what select() leaves in it is there in entries()
  bool descend = false;  // in entries(): true for a directory that will be entered; may be cleared
  bool followed = false;  // the type and metadata are those of a symbolic link's target
};

enum class State : std::uint8_t {
  open,             // being listed
  complete,         // everything in it was reported (with errors where some could not be)
  unreadable,       // could not be opened or listed: error() says why
  partially_read,   // listing failed after some entries: error() says why
  vanished,         // was gone, or replaced, when it should be opened
  other_device,     // one_file_system: on another device, not entered
  cycle,            // the same directory as one of its ancestors, by a link or a mount
  visited,          // already entered by another path (follow all, visit_once)
  pruned,           // enter() said so
  cancelled,        // the walk ended before it was complete
};

// A directory of the walk.
class Directory {
 public:
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string_view name() const { return name_; }  // of a root: the operand as given
  int depth() const { return depth_; }             // root 0, origin -1
  bool is_origin() const { return depth_ < 0; }
  Directory* parent() const { return parent_; }    // of a root: the origin; of the origin: null
  std::uint64_t position() const { return position_; }  // of its entry in the parent's listing
  std::uint64_t listed_inode() const { return listed_inode_; }  // d_ino in the parent's listing
  State state() const { return state_; }
  int error() const { return error_; }  // errno, or 0
  // Operation that error() belongs to.
  Operation operation() const { return operation_; }
  // Known from enter() on if any field is asked for; also of unreadable directories. `valid` is
  // none where it could not be had.
  const Metadata& metadata() const { return metadata_; }
  // Names listed, without "." and ".."; final in listed().
  std::uint64_t entry_count() const { return entry_count_; }
  // Null where positions are 0, 1, 2, … without a gap, as nearly always: unless workers listed ranges
  // of a huge directory. Final, and in order, in listed().
  const std::shared_ptr<std::vector<ListedRange>>& ranges() const { return ranges_; }
  // The listing's order is that of GNU fts: by inode within each run of 100,000 names. Set in
  // listed() for a directory of more than 10,000 entries if Options::fts_order was asked for.
  bool inode_ordered() const { return inode_ordered_; }

  // Appends the full path, as a user would write it: operand, '/', names.
  void append_path(std::string& out) const;

  // Memory of the caller's visitors: Options::slot_bytes, zeroed, living as long as the directory.
  template <class T>
  T& slot() {
    return *std::launder(static_cast<T*>(slot_));
  }

  // BasicLockable; uncontended 10 ns. Never hold two at once, nor across a blocking call.
  void lock();
  void unlock();

 protected:
  Directory() = default;
  ~Directory() = default;

  std::string_view name_;
  Directory* parent_ = nullptr;
  void* slot_ = nullptr;
  std::uint64_t position_ = 0;
  std::uint64_t listed_inode_ = 0;
  std::uint64_t entry_count_ = 0;
  std::shared_ptr<std::vector<ListedRange>> ranges_;
  std::int32_t depth_ = -1;
  int error_ = 0;
  Metadata metadata_;
  State state_ = State::open;
  Operation operation_ = Operation::open;
  bool inode_ordered_ = false;
  std::atomic<std::uint8_t> lock_{0};
};

// Answers of one worker. Every function has a default that does nothing.
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual Verdict enter(Directory&) { return Verdict::proceed; }
  virtual void select(Directory&, std::span<Entry>) {}
  virtual Verdict entries(Directory&, std::span<Entry>) { return Verdict::proceed; }
  virtual void listed(Directory&) {}
  virtual void leave(Directory&) {}
};

enum class Follow : std::uint8_t {
  never,
  roots,  // symbolic links given as roots
  all,
};

enum class Descent : std::uint8_t {
  listed,
  by_name,            // ascending bytes
  by_name_and_slash,  // of the name with a '/' behind it: "a-", "a", "a0"
};

enum class Backend : std::uint8_t {
  automatic,
  linux_raw,  // getdents64, statx, openat2
  posix,      // readdir, fstatat, openat
};

// Set from any thread or a signal handler; workers look at it between system calls.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

inline constexpr int kCurrentDirectory = -100;  // AT_FDCWD

struct Options {
  Fields fields = Fields::none;  // metadata of entries and directories; none: names and types only
  // What it leaves out costs nothing but its name: no stat, not reported, not entered; select() does
  // not see it. It must outlive the walk.
  const PathFilter* filter = nullptr;
  Follow follow = Follow::never;
  // follow all: enter each directory (device, inode) once, by whichever path comes first (with one
  // thread: in listing order). False: every path is taken, only cycles are cut.
  bool visit_once = true;
  bool one_file_system = false;  // enter no directory whose st_dev differs from its root's
  // Directories deeper than this are reported but not entered; root 0. With -1 the roots alone are
  // reported, and none is entered.
  int max_depth = INT32_MAX;
  // Stat directories by name, so that entries() has their metadata too: one more call for each.
  bool directory_metadata_in_batch = false;
  // Report and expand directories of more than 10,000 entries in inode order, as GNU fts does on
  // filesystems where that helps. See Directory::inode_ordered().
  bool fts_order = false;
  // In which order a worker enters a directory's subdirectories. If not in that of the listing,
  // workers share what comes next rather than what comes last: for who reads in that order while
  // the walk goes on.
  Descent descent = Descent::listed;
  // Workers, the caller's thread included, at most 1024. 0: their number adapts, from one to 256.
  unsigned threads = 0;
  // Give workers descriptor tables of their own: 15-20 % faster with many threads, and nothing that
  // the process holds open stays open because of them. But in callbacks on a worker only descriptors
  // 0 to 2 are then valid. For callers whose visitors do no I/O.
  bool private_descriptors = false;
  // Roots that are relative are so to this directory (default: the current one), which must stay
  // open. Not with private_descriptors: std::invalid_argument.
  int base_descriptor = kCurrentDirectory;
  // Entry::link_target: one more call per symbolic link, among Statistics::stat_calls.
  bool link_targets = false;
  std::size_t slot_bytes = 0;  // Directory::slot(), 16-byte aligned
  std::optional<std::chrono::steady_clock::time_point> deadline;
  const CancelToken* cancel = nullptr;
  // If not 0: a system call that takes longer is given up, with ETIME as its error, which is that of
  // the entry or of the directory; the rest is walked. Calls that may have to wait for a server
  // (any but those to filesystems on local disks and in memory) are made by child processes, one
  // per worker, which take 10-20 µs more per call and half a millisecond to start; they send no
  // SIGCHLD, and one that is stuck stays until the server answers. Linux only: the POSIX backend
  // throws std::invalid_argument.
  std::chrono::nanoseconds stall_timeout{0};
  // Workers add the entries that they report, once per batch: for a progress display.
  std::atomic<std::uint64_t>* progress_entries = nullptr;
  Backend backend = Backend::automatic;
  // Where the timeline of the walk goes when it ends: a document for chrome://tracing and Perfetto,
  // or, if it is the document of a walk before, more events in it. Only if can_trace(), else it stays
  // as it is.
  std::string* trace = nullptr;
  std::size_t max_errors = 1000;  // kept in Result::errors; all are counted
};

// For visitors that wait for something but the filesystem, such as room in a queue: while one
// exists, its thread's worker counts as asleep. Else the walk takes it for a slow medium, and
// starts workers, up to 256, that wait as well. On other threads, and inside another, it does
// nothing.
class WorkerPause {
 public:
  WorkerPause() noexcept;
  ~WorkerPause();
  WorkerPause(const WorkerPause&) = delete;
  WorkerPause& operator=(const WorkerPause&) = delete;

 private:
  std::chrono::steady_clock::duration asleep_{0};
  bool first_ = false;
};

// What the engine did, summed over workers, or one of them did.
struct Statistics {
  std::uint64_t entries = 0;      // reported, roots included
  std::uint64_t directories = 0;  // listed
  std::uint64_t errors = 0;       // entries and directories with an error, vanished ones excepted
  std::uint64_t vanished = 0;
  std::uint64_t open_calls = 0, read_calls = 0, stat_calls = 0, close_calls = 0;
  std::uint64_t steals = 0, stolen_tasks = 0;  // times, and the units of work that these moved
  std::uint64_t splits = 0;                    // listings, as far as read, shared among workers
  std::uint64_t range_splits = 0;              // ranges of a listing's offsets halved
  std::uint64_t parks = 0;                     // sleeps for lack of work
  std::chrono::nanoseconds run_time{0};        // from start to end, less what was slept for lack of
                                               // work, above the limit and in a WorkerPause
  std::chrono::nanoseconds cpu_time{0};        // of it, on a processor; else it waited, in the kernel
                                               // or for one
  unsigned workers = 0;                        // started, the caller's thread included
  // Directories begun and not done: the most that were seen at once, looked at every few
  // milliseconds. 0 if no second worker was wanted. Of all workers together only.
  std::uint64_t most_live_directories = 0;

  Statistics& operator+=(const Statistics& other);
};

// The walk found that another number of workers is better.
struct ConcurrencyChange {
  std::chrono::nanoseconds at{0};  // since the walk's start
  unsigned workers = 0;            // at most, from then on
  double calls_per_second = 0;     // system calls, just before
  double cpu_share = 0;            // just before, of the running workers' time: on a processor, or
                                   // ready for one
};

enum class Ending : std::uint8_t { complete, stopped, cancelled, timed_out };

struct Result {
  Ending ending = Ending::complete;
  Statistics statistics;
  std::vector<Statistics> workers;             // of each worker that was started
  std::vector<ConcurrencyChange> concurrency;  // the first 256
  std::vector<Error> errors;  // the first Options::max_errors, in no particular order
  // True if everything below the roots was reported without an error.
  bool complete() const { return ending == Ending::complete && statistics.errors == 0; }

  // Of a walk that followed this one.
  Result& operator+=(Result&& next);
};

// Called once for each worker that starts, on its own thread (worker 0 is the caller, and the first;
// the others come in any order), one call at a time. The visitors are the caller's: they outlive the
// walk and can be merged after it.
using VisitorFactory = std::function<Visitor&(unsigned worker)>;

// Walks everything below `roots`. Blocks until done. Thread-safe: walks are independent. The
// current directory must not change meanwhile if a root is relative to it. If a visitor throws, the
// walk ends and the exception comes out of here, on the caller's thread.
Result walk(std::span<const std::string> roots, const Options& options,
            const VisitorFactory& factory);

// Whether the library was built with TRAWL_TRACE, and so heeds Options::trace.
bool can_trace();

// The same for a visitor type that can be default-constructed: also returns the visitors, one per
// worker that ran, to be merged.
template <class V>
std::pair<Result, std::vector<std::unique_ptr<V>>> walk(std::span<const std::string> roots,
                                                        const Options& options) {
  std::vector<std::unique_ptr<V>> visitors;
  Result result = walk(roots, options, [&visitors](unsigned) -> Visitor& {
    return *visitors.emplace_back(std::make_unique<V>());
  });
  return {std::move(result), std::move(visitors)};
}

// What a walk may meet twice because of mounts, though it has one link only.
struct Repeats {
  bool directories = false;         // some directory is at two places, or the mount table can't be read
  std::vector<FileIdentity> files;  // mounted on files
};

// Reads the mount table, about 50 µs, and looks at what is mounted twice. With `stall_timeout` (see
// Options) a mount that does not answer in time counts as a directory at two places. Thread-safe.
Repeats repeats_by_mounts(std::chrono::nanoseconds stall_timeout = std::chrono::nanoseconds(0));

}  // namespace trawl
