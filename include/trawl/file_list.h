// SPDX-License-Identifier: Apache-2.0
//
// Lists of a tree: every entry with its metadata, in the order that a sync tool needs.
//
//   collect_with_batched_stats   the whole list, each entry stat'ed once while the tree is walked
//   collect_lazy_parallel        paths and types now, metadata of those that are wanted later
//   FileListWalker               one entry after another, in order, while workers are ahead of it
//   collect_chunked              the same in vectors, for lists larger than memory
//
// What failed is in `errors`, beside what was found: neither takes the other with it. An entry that
// could not be stat'ed is an error and no entry; one that vanished while the walk went on is
// neither. A directory that can't be read is both.
//
// Paths are bytes. A full path is the root as given, '/', names; a relative path is the names
// alone, and empty for the root. The root may be a file: a list of one.
#pragma once

#include <trawl/error.h>
#include <trawl/stat.h>
#include <trawl/types.h>
#include <trawl/walk.h>

#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

class PathFilter;  // trawl/path_filter.h

// Each but `unordered` is the same for any number of workers. Bytes compare unsigned.
enum class Order : std::uint8_t {
  unordered,  // as found; a directory comes before what is in it
  component,  // by path components: a directory, then all that is in it, names ascending
  bytes,      // by the bytes of the whole relative path, '/' among them: "a", "a-b", "a/c"
  rsync,    // of rsync with protocol 29 and later: in each directory what is none, names ascending;
            // then its directories, each followed by what is in it
  rsync28,  // of rsync with protocol 28 and earlier: as `bytes`, but that the root is "."
};

struct ListOptions {
  Fields fields = Fields::basic;  // of each entry; none: no stat where the listing tells the type
  // all: each directory is entered once, by the path that comes first in the order; for that one
  // worker walks, unless `unordered`.
  Follow follow = Follow::never;
  bool include_root = true;
  bool one_file_system = false;
  int max_depth = INT32_MAX;           // of entries in the list; root 0
  const PathFilter* filter = nullptr;  // see Options
  // Leave out what rsync's --safe-links leaves out: symbolic links that are absolute, or that lead
  // out of the root. With follow all: std::invalid_argument.
  bool safe_links = false;
  bool link_targets = false;  // FileListEntry::link_target()
  Order order = Order::component;
  unsigned threads = 0;  // 0: adapts
  std::optional<std::chrono::steady_clock::time_point> deadline;
  const CancelToken* cancel = nullptr;
  std::chrono::nanoseconds stall_timeout{0};  // see Options
  std::atomic<std::uint64_t>* progress_entries = nullptr;
  std::size_t max_errors = SIZE_MAX;  // kept
};

namespace detail {
struct ListedDirectory;
struct FileListStorage;
}  // namespace detail

// An entry of a list: 16 bytes that point into it, valid as long as the list (or, of a
// FileListWalker, until it moves on). Thread-safe to read.
class FileListEntry {
 public:
  FileListEntry() = default;

  std::string full_path() const;
  std::string relative_path() const;   // of the root: empty
  std::string_view file_name() const;  // of the root: as given
  int depth() const;                   // root 0
  bool is_root() const;
  FileType type() const;  // of a followed link: its target's
  bool followed() const;  // type and metadata are those of a link's target
  // What was asked for; `valid` says which. Unpacked with each call, some 10 ns.
  Metadata metadata() const;
  std::string_view link_target() const;  // of a symbolic link, if asked for
  // The same without a copy of the path so far: appends.
  void append_full_path(std::string& out) const;
  void append_relative_path(std::string& out) const;

 private:
  friend struct detail::ListedDirectory;
  FileListEntry(const detail::ListedDirectory* directory, const std::byte* record)
      : directory_(directory), record_(record) {}
  const detail::ListedDirectory* directory_ = nullptr;
  const std::byte* record_ = nullptr;
};

// A complete list. Movable; entries stay valid when it is moved. Thread-safe to read.
// Memory per entry: the name, 4 bytes, the fields asked for (size and mtime: 18; basic: 72; all:
// 80), up to 3 bytes of padding, and 8 for its place in the order; per directory that is not empty
// some 70 bytes.
class FileList {
 public:
  class Iterator;

  FileList();
  FileList(FileList&&) noexcept;
  FileList& operator=(FileList&&) noexcept;
  ~FileList();

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  FileListEntry operator[](std::size_t index) const;
  Iterator begin() const;
  Iterator end() const;

  // Of what can't be in the list; the first ListOptions::max_errors, by path.
  const std::vector<Error>& errors() const { return result_.errors; }
  // How the walk went: whether it is complete, what it cost.
  const Result& result() const { return result_; }
  // Bytes of memory held.
  std::size_t memory_use() const;

 private:
  friend FileList collect_with_batched_stats(const std::string&, const ListOptions&);
  friend class LazyFileListEntry;
  friend struct LazyFileList collect_lazy_parallel(const std::string&, const ListOptions&);
  std::shared_ptr<detail::FileListStorage> storage_;
  Result result_;
};

class FileList::Iterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using iterator_concept = std::random_access_iterator_tag;
  using value_type = FileListEntry;
  using difference_type = std::ptrdiff_t;
  using reference = FileListEntry;
  using pointer = void;

  Iterator() = default;
  Iterator(const FileList& list, std::ptrdiff_t index) : list_(&list), index_(index) {}
  FileListEntry operator*() const { return (*list_)[static_cast<std::size_t>(index_)]; }
  FileListEntry operator[](difference_type n) const { return *(*this + n); }
  Iterator& operator++() { return *this += 1; }
  Iterator& operator--() { return *this -= 1; }
  Iterator operator++(int) {
    Iterator old = *this;
    ++*this;
    return old;
  }
  Iterator operator--(int) {
    Iterator old = *this;
    --*this;
    return old;
  }
  Iterator& operator+=(difference_type n) {
    index_ += n;
    return *this;
  }
  Iterator& operator-=(difference_type n) {
    index_ -= n;
    return *this;
  }
  friend Iterator operator+(Iterator i, difference_type n) { return i += n; }
  friend Iterator operator+(difference_type n, Iterator i) { return i += n; }
  friend Iterator operator-(Iterator i, difference_type n) { return i -= n; }
  friend difference_type operator-(Iterator a, Iterator b) { return a.index_ - b.index_; }
  friend bool operator==(Iterator a, Iterator b) { return a.index_ == b.index_; }
  friend auto operator<=>(Iterator a, Iterator b) { return a.index_ <=> b.index_; }

 private:
  const FileList* list_ = nullptr;
  std::ptrdiff_t index_ = 0;
};

// One walk, one stat per entry. Blocks. Errors are values; throws std::bad_alloc and
// std::invalid_argument only.
FileList collect_with_batched_stats(const std::string& root, const ListOptions& options = {});

// --- lazily

// An entry of which only path and type are known, until its metadata is asked for. Owns its part of
// the list: it outlives it. Each object is for one thread at a time.
class LazyFileListEntry {
 public:
  LazyFileListEntry(const FileList& list, std::size_t index);

  std::string full_path() const { return entry_.full_path(); }
  std::string relative_path() const { return entry_.relative_path(); }
  std::string_view file_name() const { return entry_.file_name(); }
  int depth() const { return entry_.depth(); }
  bool is_root() const { return entry_.is_root(); }
  FileType type() const { return entry_.type(); }

  bool is_resolved() const { return resolved_ != nullptr; }
  // One system call the first time; the same answer, also if it is an error, ever after.
  const StatResult& metadata();
  // The same, and gives the answer away: this is unresolved again.
  StatResult into_resolved();

 private:
  friend void resolve_metadata_parallel(std::span<LazyFileListEntry>, unsigned, const CancelToken*);
  bool is_followed() const;
  std::shared_ptr<detail::FileListStorage> storage_;
  FileListEntry entry_;
  std::unique_ptr<StatResult> resolved_;
};

struct LazyFileList {
  std::vector<LazyFileListEntry> entries;
  std::vector<Error> errors;
  Result result;
};

// Paths and types; no stat where the listing tells the type. `options.fields` says what is asked
// for when an entry is resolved.
LazyFileList collect_lazy_parallel(const std::string& root, const ListOptions& options = {});

// Resolves those that are not, with as many workers as pay (`threads` 0), as the options of their
// list say. Each entry has its answer afterwards, metadata or error (ECANCELED if cancelled). They
// are asked for by path: what took a place in it since the walk, be it a link out of the root, is
// followed. Where that must not be, collect_with_batched_stats() does not.
void resolve_metadata_parallel(std::span<LazyFileListEntry> entries, unsigned threads = 0,
                               const CancelToken* cancel = nullptr);

// --- one after another

// A range (C++20 input range) over a tree, in order. A walk goes on in threads of its own, ahead of
// the reader by at most about `look_ahead` entries, but for those of the directories that are being
// read then. Stops the walk when destroyed. One reader at a time.
//
// Memory: what is ahead (an entry takes what it does in FileList), and the listings of the
// directories on the path to the reader's place. With the orders bytes and rsync28 also, where "a-"
// is next to "a", all that is below "a-": it may be walked before "a" is known, which comes first.
class FileListWalker {
 public:
  static constexpr std::size_t kLookAhead = 1 << 16;

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = FileListEntry;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    const FileListEntry& operator*() const { return walker_->current_; }
    const FileListEntry* operator->() const { return &walker_->current_; }
    Iterator& operator++() {
      walker_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& i, std::default_sentinel_t) { return i.at_end(); }

   private:
    friend class FileListWalker;
    bool at_end() const { return walker_->at_end_; }
    explicit Iterator(FileListWalker* walker) : walker_(walker) {}
    FileListWalker* walker_ = nullptr;
  };

  explicit FileListWalker(std::string root, const ListOptions& options = {},
                          std::size_t look_ahead = kLookAhead);
  ~FileListWalker();
  FileListWalker(const FileListWalker&) = delete;
  FileListWalker& operator=(const FileListWalker&) = delete;

  // Once: the first entry. Throws what a visitor's thread threw (std::bad_alloc), as ++ does.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

  // Once the end is reached: how the walk went, errors among it. Before: stops the walk.
  const Result& result();

 private:
  friend Result collect_chunked(const std::string&, const ListOptions&, std::size_t,
                                const std::function<bool(std::span<const FileListEntry>)>&);
  struct Work;
  void advance();
  std::unique_ptr<Work> work_;
  FileListEntry current_;
  bool at_end_ = false;
};

// Calls `callback` with vectors of `chunk_size` entries (the last may be shorter), valid during the
// call, on this thread, in order. False from it ends the walk.
Result collect_chunked(const std::string& root, const ListOptions& options, std::size_t chunk_size,
                       const std::function<bool(std::span<const FileListEntry>)>& callback);

// --- work on a list

// Calls `process(entry, index)` for every entry on several threads (0: one per processor). The
// first exception stops it and comes out of here.
void process_entries_parallel(const FileList& list,
                              const std::function<void(const FileListEntry&, std::size_t)>& process,
                              unsigned threads = 0);

// Indices of those entries for which `keep` is true, ascending. `keep` runs on several threads.
std::vector<std::size_t> filter_entries_indices(
    const FileList& list, const std::function<bool(const FileListEntry&)>& keep,
    unsigned threads = 0);

}  // namespace trawl
