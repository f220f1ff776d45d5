// SPDX-License-Identifier: Apache-2.0
//
// The engine lists directories: by one worker, or a huge one by several, each a range of its
// offsets.
//
// Splitting. A lister that has read a good deal of its range, while others lack work, looks for a
// record about half way to the range's end: it seeks there in a second handle, and bisects where it
// finds nothing, for nobody knows where a directory ends. The second record found begins the other
// half. Its offset comes from the listing itself, so that going on there is what every filesystem
// promises; only finding it took a made-up one. A task lists the other half in the same way, and
// may split it again.
//
// No entry that stays is lost or doubled: a record belongs to the range that the offset lies in
// where it begins, and that is the offset at which the record before it goes on. So the left lister
// ends at the record that goes on at or after the range's end, and the right one begins with the
// next. This holds where a record's offset stays the same and they ascend, however the directory
// changes; sys::FileSystem::offsets_ascend() knows where. It is checked all the same: that the half
// way record is found again by its offset, or the range stays whole; and that offsets ascend in
// what is read, else the directory is reported as partially read.
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "base/fts_order.h"
#include "sys/dirent.h"
#include "walk/engine_worker.h"

namespace trawl::engine {

namespace {

// A full buffer, which lacks the room for one record more: some two thousand names. To find the
// middle and to open the directory again takes as long as to read some hundred. The more, the later
// many workers have something to do.
constexpr std::size_t kReadBeforeSplit = std::size_t{63} << 10;
// To start a second worker for it costs a millisecond of processor time.
constexpr std::size_t kReadBeforeFirstSplit = std::size_t{256} << 10;

bool is_same(const sys::Dirent& a, const sys::Dirent& b) {
  return a.inode == b.inode && a.name == b.name;
}

}  // namespace

void Engine::list(Worker& worker, Node& node, sys::DirectoryHandle& handle) {
  const Verdict verdict = visit([&] { return worker.visitor->enter(node); });
  if (verdict != Verdict::proceed) {
    node.set_state(verdict == Verdict::prune ? State::pruned : State::cancelled);
    worker.opener.close(node, handle);
    leave(worker, node);
    return;
  }
  ++worker.statistics.directories;
  Part part{node, handle, 0};
  read_range(worker, part, handle, {});
  worker.opener.close(node, handle);
  add_children(node, part.children);
  finish_part(worker, node);
}

// Opens a directory for a part of its listing. Another one that has its name by now is not it.
int Engine::open_part(Worker& worker, const Node& node, sys::OpenHow how,
                      const FileIdentity* identity, sys::DirectoryHandle& handle) {
  const std::uint64_t calls_before = worker.calls.sum();
  int error = worker.opener.open(node, how, handle);
  if (error == 0 && identity != nullptr) {
    Metadata now;
    count(worker.calls.stat);
    error =
        retry_interrupted([&] { return filesystem_.stat_handle(handle, Fields::identity, now); });
    if (error == 0 && now.identity() != *identity) {
      error = ENOENT;
    }
  }
  const std::uint64_t closing = handle.fd >= 0 ? 1 : 0;
  count(worker.calls.to_share, worker.calls.sum() - calls_before + closing);
  return error;
}

void Engine::list_range(Worker& worker, Task& task) {
  Node& node = *task.node;
  const Range range = *std::unique_ptr<Range>(task.range);
  if (stopping()) {
    node.mark_cut_short();
    finish_part(worker, node);
    return;
  }
  sys::DirectoryHandle handle;
  Operation operation = Operation::open;
  int error = open_part(worker, node, {}, &range.directory, handle);
  if (error == 0) {
    operation = Operation::read;
    error = filesystem_.seek_directory(handle, range.begin);
  }
  if (error == 0) {
    Part part{node, handle, 0};
    handle.last_offset_marks_end = node.offset_marks_end;
    read_range(worker, part, handle, range);
    add_children(node, part.children);
  } else {
    fail_listing(worker, node, true, operation, error);
  }
  if (handle.fd >= 0) {
    worker.opener.close(handle);
  }
  finish_part(worker, node);
}

// Reads and reports what is in the range, or in the part of it that is left after it was split.
void Engine::read_range(Worker& worker, Part& part, sys::DirectoryHandle& handle, Range range) {
  Node& node = part.node;
  TRAWL_IF_TRACE(base::TraceSpan span(range.is_whole() ? base::kTraceDirectory : base::kTraceRange,
                                      node.name()));
  const auto first = static_cast<std::uint64_t>(range.begin);
  std::uint64_t position = first;
  std::int64_t next = range.begin;
  std::size_t read = 0;
  int late_error = 0;
  bool end = false;
  bool begins = range.begin == 0;
  while (!end) {
    if (stopping()) {
      node.mark_cut_short();
      break;
    }
    const std::size_t read_before_split = tuning_.read_before_split != 0 ? tuning_.read_before_split
                                          : scheduler_.started_workers() > 1
                                              ? kReadBeforeSplit
                                              : kReadBeforeFirstSplit;
    const std::span<std::byte> buffer(worker.listing.get(), listing_buffer_);
    std::size_t size = 0;
    TRAWL_IF_TRACE(base::TraceSpan read_span(base::kTraceRead));
    int error = std::exchange(late_error, 0);
    if (error == 0) {
      count(worker.calls.read);
      error =
          retry_interrupted([&] { return filesystem_.read_directory(handle, buffer, size, end); });
    }
    if (error == 0 && options_.filter != nullptr && std::exchange(begins, false)) {
      late_error = read_on(worker, handle, buffer, size, end);
      begin_filter(worker, node, handle, buffer.first(size), end);
    }
    TRAWL_IF_TRACE(read_span.end(size));
    if (error != 0) {
      fail_listing(worker, node, position != 0, Operation::read, error);
      break;
    }
    if (size == 0) {
      break;
    }
    std::span<const std::byte> records = buffer.first(size);
    const bool is_whole = range.is_whole();
    if (!is_whole || read + size >= read_before_split) {
      const sys::RecordsBefore before = sys::records_before(records, next, range.end);
      if (!is_whole && !before.ascending) {
        fail_listing(worker, node, true, Operation::read, EIO);
        break;
      }
      if (range.end != Range::kToTheEnd && before.next >= range.end) {
        end = true;
        records = records.first(before.size);
        // A single record begins beyond the range if all that was left of it is gone by now.
        if (is_first_at(worker, handle, range.end, records)) {
          break;
        }
      }
      next = before.next;
    }
    read += size;
    report_records(worker, part, records, position);
    if (part.lost) {
      break;
    }
    if (!end && read >= read_before_split && split(worker, part, handle, next, range)) {
      read = 0;
    }
  }
  TRAWL_IF_TRACE(span.end(position - first));
  if (position - first > static_cast<std::uint64_t>(range.end - range.begin)) {
    // More than one record per offset: positions are not in the listing's order.
    fail_listing(worker, node, true, Operation::read, EIO);
  }
  node.lock();
  node.set_entry_count(node.entry_count() + (position - first));
  const bool is_large = node.entry_count() > base::FtsOrder::kSortAbove;
  if (!range.is_whole()) {
    node.add_range(first, position - first);
  }
  node.unlock();
  if (options_.fts_order && is_large && filesystem_.inode_order_helps(handle)) {
    node.lock();
    node.set_inode_ordered();
    node.unlock();
  }
}

// `began`: something was listed.
void Engine::fail_listing(Worker& worker, Node& node, bool began, Operation operation, int error) {
  const bool removed = operation == Operation::read && means_vanished(error);
  node.lock();
  if (removed) {
    // Removed while open; nothing can be in it any more.
    if (!began) {
      node.set_error(State::vanished, operation, error);
    }
  } else {
    node.set_error(began ? State::partially_read : State::unreadable, operation, error);
  }
  node.unlock();
  if (removed) {
    ++worker.statistics.vanished;
  } else {
    note_error(worker, node, {}, operation, error, node.depth());
  }
}

// Makes a task of the second half of what is left of the range, from `next` on, if somebody would
// come for it.
bool Engine::split(Worker& worker, Part& part, const sys::DirectoryHandle& handle,
                   std::int64_t next, Range& range) {
  Node& node = part.node;
  if (!(tuning_.share_always || scheduler_.wants_work()) ||
      node.parts.load(std::memory_order_relaxed) > 2 * scheduler_.started_workers() ||
      !filesystem_.offsets_ascend(handle)) {
    return false;
  }
  Metadata now;
  count(worker.calls.stat);
  if (retry_interrupted([&] { return filesystem_.stat_handle(handle, Fields::identity, now); }) !=
      0) {
    return false;
  }
  sys::DirectoryHandle probe;
  if (worker.opener.open_again(handle, probe) != 0) {
    return false;
  }
  const std::optional<std::int64_t> middle = find_middle(worker, probe, next, range);
  worker.opener.close(probe);
  if (!middle) {
    return false;
  }
  auto half = std::make_unique<Range>(range);
  half->begin = *middle;
  half->directory = now.identity();
  range.end = range.most = *middle;
  ++worker.statistics.range_splits;
  TRAWL_IF_TRACE(base::trace(base::kTraceSplit));
  node.parts.fetch_add(1, std::memory_order_relaxed);
  scheduler_.push(worker.index, {.node = &node, .range = half.release(), .begin = 0, .end = 1});
  scheduler_.call_for_help();  // this worker goes on with its own half
  return true;
}

// The offset of a record about half way between `next` and the range's end, where it is sure that
// the listing goes on there.
std::optional<std::int64_t> Engine::find_middle(Worker& worker, sys::DirectoryHandle& probe,
                                                std::int64_t next, Range& range) {
  std::array<std::byte, 1024> buffer;
  std::array<std::byte, 1024> again_buffer;
  std::array<sys::Dirent, 2> found;
  std::array<sys::Dirent, 2> again;
  while (range.most - next > 1) {
    const std::int64_t half = next + (range.most - next) / 2;
    std::size_t count = 0;
    if (read_two(worker, probe, half, buffer, found, count) != 0) {
      return std::nullopt;
    }
    if (count < 2 || found[0].offset >= range.end) {
      range.most = half;
      continue;
    }
    const std::int64_t middle = found[0].offset;
    if (middle < half || found[1].offset < middle ||
        read_two(worker, probe, middle, again_buffer, again, count) != 0 || count == 0 ||
        !is_same(again[0], found[1])) {
      return std::nullopt;
    }
    return middle;
  }
  return std::nullopt;
}

// Up to two records from an offset on; none if it is none of the directory's.
int Engine::read_two(Worker& worker, sys::DirectoryHandle& handle, std::int64_t offset,
                     std::span<std::byte> buffer, std::array<sys::Dirent, 2>& found,
                     std::size_t& count) {
  count = 0;
  if (const int error = filesystem_.seek_directory(handle, offset)) {
    return error == EINVAL ? 0 : error;
  }
  std::size_t size = 0;
  bool end = false;
  engine::count(worker.calls.read);
  const int error =
      retry_interrupted([&] { return filesystem_.read_directory(handle, buffer, size, end); });
  sys::DirentReader reader(std::span<const std::byte>(buffer).first(error == 0 ? size : 0));
  while (count < found.size() && reader.next(found[count])) {
    ++count;
  }
  return error;
}

// Whether `records` begin with the record that begins at `offset`. Moves the handle.
bool Engine::is_first_at(Worker& worker, sys::DirectoryHandle& handle, std::int64_t offset,
                         std::span<const std::byte> records) {
  sys::Dirent first;
  if (!sys::DirentReader(records).next(first) || first.offset < offset) {
    return false;
  }
  std::array<std::byte, 1024> buffer;
  std::array<sys::Dirent, 2> found;
  std::size_t count = 0;
  const int error = read_two(worker, handle, offset, buffer, found, count);
  return error == 0 && count > 0 && is_same(found[0], first);
}

}  // namespace trawl::engine
