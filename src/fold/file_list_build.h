// SPDX-License-Identifier: Apache-2.0
//
// From a walk to blocks: one per directory that has entries, with their records in order. Workers
// build them: they gather a directory's records while it is listed, sort them when it is
// (Visitor::listed) and copy them into a block of the right size. The record of a directory that
// will be entered is there from then on, without metadata; whoever enters it, or finds that it
// can't be entered, fills it in. The depth-first sequence of blocks is the list: ListCursor.
//
//   origin's block   the root's record
//   └── root's block …
//
// Publishing. A directory is *known* once its metadata and its block (or that it has none) are in
// its record. Nothing of the record changes after that. Who reads while the walk goes on waits for
// it (file_list_walker.cc); who reads afterwards takes an unknown directory for one that the walk
// did not come to.
#pragma once

#include <trawl/file_list.h>
#include <trawl/walk.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fold/file_list_record.h"

namespace trawl::detail {

// A block. Its records follow it in memory.
struct ListedDirectory {
  const FileListStorage* storage;
  const ListedDirectory* parent;  // null: the origin's block
  const std::byte* record;        // of the directory, in the parent's block; null for the origin
  std::uint64_t size;             // of all records
  std::uint32_t number = UINT32_MAX;  // in FileListStorage::directories
  std::int32_t depth;                 // of the directory: root 0, origin -1

  const std::byte* begin() const { return reinterpret_cast<const std::byte*>(this + 1); }
  std::byte* begin() { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* end() const { return begin() + size; }
  static FileListEntry entry(const ListedDirectory* directory, const std::byte* record) {
    return {directory, record};
  }
};

// What all blocks of a list share; and, of a FileList, the blocks.
struct FileListStorage {
  FileListStorage(std::string root_as_given, const ListOptions& options)
      : root(std::move(root_as_given)),
        layout(options.fields),
        order(options.order),
        follow(options.follow),
        stall_timeout(options.stall_timeout),
        fields_of_lazy(options.fields) {}
  ~FileListStorage();
  FileListStorage(const FileListStorage&) = delete;
  FileListStorage& operator=(const FileListStorage&) = delete;

  // An entry's place: 8 bytes. Records begin at multiples of kRecordAlignment.
  struct Place {
    std::uint32_t directory;
    std::uint32_t record;
  };

  const std::string root;
  const fold::RecordLayout layout;
  const Order order;
  // How entries are resolved, with fields_of_lazy.
  const Follow follow;
  const std::chrono::nanoseconds stall_timeout;
  Fields fields_of_lazy;  // of a lazy list not those of the layout
  // Metadata of directories that does not fit into their records: rare. Workers add under the
  // mutex.
  std::mutex odd_mutex;
  std::deque<Metadata> odd;
  std::vector<ListedDirectory*> directories;
  std::unique_ptr<Place[]> places;
  std::size_t count = 0;
  std::size_t bytes = 0;  // of all that is held
};

}  // namespace trawl::detail

namespace trawl::fold {

using detail::FileListStorage;
using detail::ListedDirectory;

// Fails with std::length_error where a Place would not reach: 16 GiB of one directory.
ListedDirectory* make_block(std::uint64_t size);
void free_block(const ListedDirectory* block);

// Hooks of who reads while the walk goes on. Called on workers.
class ListObserver {
 public:
  virtual ~ListObserver() = default;
  // May wait, before a directory is listed. `record` is the directory's.
  virtual void before_directory(const std::byte* record) = 0;
  // Stores `link` so that the reader sees it, and all that was written before: of a directory with
  // so many entries, for which before_directory() was called or not; or, in ListWork::origin, the
  // first block.
  virtual void publish(std::byte* at, std::uint64_t link, std::uint64_t entries,
                       bool was_listed) = 0;
};

inline constexpr std::size_t kMarkSize = sizeof(RecordHeader) + sizeof(std::uint64_t);

struct ListBuild;  // of one directory

// What the visitors of one walk share.
struct ListWork {
  ListWork(FileListStorage& of, const ListOptions& with, ListObserver* observed_by = nullptr)
      : storage(of), options(with), observer(observed_by) {}
  FileListStorage& storage;
  const ListOptions& options;
  ListObserver* const observer;
  ListedDirectory* origin = nullptr;  // its block, once the root was reported
  std::atomic<bool> stop{false};      // nobody wants the rest
};

class ListVisitor final : public Visitor {
 public:
  explicit ListVisitor(ListWork& work);
  ~ListVisitor() override;

  Verdict enter(Directory& directory) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void listed(Directory& directory) override;
  void leave(Directory& directory) override;

  std::size_t entry_count() const { return entries_; }
  std::size_t bytes() const { return bytes_; }

  static constexpr std::size_t kSlotBytes = 24;

 private:
  struct Slot;
  ListBuild* take_build();
  static std::byte* record_of(const Directory& directory);
  void encode(const Entry& entry, int depth, ListBuild& out) const;
  void copy_records(ListBuild& build, ListedDirectory& block);
  void fill_in(Directory& directory);
  void publish(std::byte* at, std::uint64_t link, std::uint64_t entries, bool was_listed);

  ListWork& work_;
  std::unique_ptr<ListBuild> scratch_;  // one batch
  std::vector<std::unique_ptr<ListBuild>> builds_;
  std::vector<ListBuild*> free_;  // also of other visitors
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

Options walk_options(const ListOptions& options);

// In which a walk comes to directories as the list does. Not of Order::unordered.
Descent descent_of(Order order);

// Whether a symbolic link at this depth (root 0) leads out of the root, as rsync --safe-links
// judges.
bool leads_out(std::string_view target, int depth);

// Goes through blocks in the order of the list. An own stack: trees may be 100,000 deep.
class ListCursor {
 public:
  explicit ListCursor(const ListedDirectory* origin) { push(origin); }

  // entry: record() of block() is the next. wait: it would be, but `load_link` says that it is not
  // known yet; to be called again. leave: block() was gone through, and is not looked at again.
  enum class Step { entry, wait, leave, end };
  template <class LoadLink>  // std::uint64_t(const std::byte*)
  Step next(const LoadLink& load_link);

  const ListedDirectory* block() const { return block_; }
  const std::byte* record() const { return record_; }

 private:
  struct Place {
    const ListedDirectory* block;
    const std::byte* at;
  };
  void push(const ListedDirectory* block) { path_.push_back({block, block->begin()}); }
  static const ListedDirectory* block_of(std::uint64_t link) {
    return reinterpret_cast<const ListedDirectory*>(link & ~std::uint64_t{kLinkBits});
  }

  std::vector<Place> path_;
  const ListedDirectory* block_ = nullptr;
  const std::byte* record_ = nullptr;
  const ListedDirectory* below_ = nullptr;  // where to go on, if not null
};

// True where what is below a directory has a place of its own among its siblings.
inline bool splits_directories(Order order) {
  return order == Order::bytes || order == Order::rsync28;
}

// True where the root has its place among what is in it (as ".").
inline bool marks_root(Order order) { return order == Order::rsync28; }

template <class LoadLink>
ListCursor::Step ListCursor::next(const LoadLink& load_link) {
  for (;;) {
    if (below_ != nullptr) {
      push(std::exchange(below_, nullptr));
    }
    if (path_.empty()) {
      return Step::end;
    }
    Place& place = path_.back();
    block_ = place.block;
    if (place.at == block_->end()) {
      path_.pop_back();
      return Step::leave;
    }
    const RecordLayout& layout = block_->storage->layout;
    const RecordHeader header = header_of(place.at);
    if (header.is(kRecordSubtree) || header.is(kRecordRoot)) {
      record_ = reinterpret_cast<const std::byte*>(link_of(place.at + sizeof header));
      place.at += kMarkSize;
      if (header.is(kRecordRoot)) {
        block_ = block_->parent;
        return Step::entry;
      }
      below_ = block_of(load_link(record_ + layout.link_at(header_of(record_))));
      continue;
    }
    record_ = place.at;
    bool elsewhere = false;
    if (header.is(kRecordHasLink)) {
      const std::uint64_t link = load_link(record_ + layout.link_at(header));
      if (link == 0) {
        return Step::wait;
      }
      const bool has_mark = marks_root(block_->storage->order) && block_->parent == nullptr;
      if (has_mark || !splits_directories(block_->storage->order)) {
        below_ = block_of(link);
      }
      elsewhere = (link & kLinkGone) != 0 || (has_mark && below_ != nullptr);
    }
    place.at += layout.size(record_, header);
    if (!elsewhere) {
      return Step::entry;
    }
  }
}

// After the walk: a directory to which it did not come has no metadata, and nothing in it.
inline std::uint64_t final_link(const std::byte* at) {
  const std::uint64_t link = link_of(at);
  return link == 0 ? kLinkKnown | kLinkGone : link;
}

// Goes on to the end, and frees every block that is left.
void free_blocks(ListCursor& cursor);

}  // namespace trawl::fold
