// SPDX-License-Identifier: Apache-2.0
//
// The engine's way from a listing's records to the visitor: batches, slices and their pieces,
// stats.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <numeric>

#include "sys/dirent.h"
#include "walk/engine_worker.h"

namespace trawl::engine {

namespace {

// Sharing costs a wake-up (3-5 µs) and to open the directory once more (1-3 µs). Where a server has
// to be asked, opening takes as long as two entries: pieces of 4, 8 or 16 did equally well there
// (1 ms per call, 256 workers), and those of 1 took a third longer.
constexpr std::chrono::nanoseconds kPieceTime = std::chrono::microseconds(100);
constexpr std::int64_t kLeastPiece = 4;

// Those not to be skipped, in their order.
std::span<Entry> kept(std::span<Entry> batch) {
  const auto end =
      std::stable_partition(batch.begin(), batch.end(), [](const Entry& e) { return !e.skip; });
  return batch.first(static_cast<std::size_t>(end - batch.begin()));
}

}  // namespace

void Engine::report_records(Worker& worker, Part& part, std::span<const std::byte> records,
                            std::uint64_t& position) {
  sys::DirentReader reader(records);
  sys::Dirent dirent;
  std::size_t count = 0;
  for (;;) {
    const std::uint32_t unit = piece();
    if (share(worker, part.node, records.last(reader.bytes_left()), unit, position)) {
      break;
    }
    // Where entries are slow, batches are small, so that what is left can be shared soon.
    const std::size_t batch_size = std::min<std::size_t>(unit, kBatch);
    while (count < batch_size && reader.next(dirent)) {
      if (!sys::is_dot_or_dotdot(dirent.name)) {
        worker.batch[count++] = Entry{.name = dirent.name,
                                      .inode = dirent.inode,
                                      .position = position++,
                                      .type = dirent.type};
      }
    }
    if (count == 0) {
      break;
    }
    report_batch(worker, part, {worker.batch.data(), count});
    if (part.lost) {
      return;
    }
    count = 0;
  }
  if (reader.malformed()) {
    // A filesystem that hands out broken records (FUSE can).
    fail_listing(worker, part.node, true, Operation::read, EIO);
  }
}

// How many entries are worth being shared.
std::uint32_t Engine::piece() const {
  if (tuning_.piece != 0) {
    return tuning_.piece;
  }
  if (max_workers_ == 1) {
    return kBatch;
  }
  std::int64_t call_time = scheduler_.call_time().count();
  if (call_time == 0) {  // the first worker is alone
    call_time = mean_call_time().count();
  }
  call_time = std::max<std::int64_t>(1, call_time);
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(kPieceTime.count() / call_time, kLeastPiece, kBatch));
}

// Of the first worker, since the start.
std::chrono::nanoseconds Engine::mean_call_time() const {
  return (std::chrono::steady_clock::now() - started_at_) /
         static_cast<std::int64_t>(std::max<std::uint64_t>(1, workers_[0]->calls.sum()));
}

// Makes a slice of a listing's records if others would come for them. False: the lister reports
// them.
bool Engine::share(Worker& worker, Node& node, std::span<const std::byte> records,
                   std::uint32_t unit, std::uint64_t& position) {
  constexpr std::size_t kUsualRecord = 24;  // or longer
  if (options_.fields == Fields::none || records.size() < std::size_t{2} * unit * kUsualRecord ||
      !(tuning_.share_always || scheduler_.wants_work()) ||
      node.parts.load(std::memory_order_relaxed) > 2 * scheduler_.started_workers()) {
    return false;
  }
  auto slice = std::make_unique<Slice>();
  sys::DirentReader reader(records);
  sys::Dirent dirent;
  for (std::size_t at = 0; reader.next(dirent); at = records.size() - reader.bytes_left()) {
    if (!sys::is_dot_or_dotdot(dirent.name)) {
      slice->offsets.push_back(static_cast<std::uint32_t>(at));
    }
  }
  const std::uint32_t count = slice->entry_count();
  if (reader.malformed() || count < 2 * unit) {
    return false;
  }
  slice->id = next_slice_id_.fetch_add(1, std::memory_order_relaxed);
  slice->records.reset(new std::byte[records.size()]);
  slice->size = records.size();
  slice->first_position = position;
  slice->unreported.store(count, std::memory_order_relaxed);
  std::memcpy(slice->records.get(), records.data(), records.size());
  position += count;
  ++worker.statistics.splits;
  TRAWL_IF_TRACE(base::trace(base::kTraceShare, count, unit));
  node.parts.fetch_add(1, std::memory_order_relaxed);
  scheduler_.push(
      worker.index,
      {.node = &node, .slice = slice.release(), .begin = 0, .end = count, .unit = unit});
  return true;
}

void Engine::report_piece(Worker& worker, Task& task) {
  Node& node = *task.node;
  Slice& slice = *task.slice;
  TRAWL_IF_TRACE(base::TraceSpan span(base::kTracePiece));
  if (stopping()) {
    node.mark_cut_short();
  } else {
    const int error = open_slice(worker, node, slice);
    Part part{node, worker.slice_handle, error};
    const std::span<const std::byte> records(slice.records.get(), slice.size);
    if (error == ETIME) {
      fail_listing(worker, node, true, Operation::open, ETIME);
      part.lost = true;
    }
    for (std::uint64_t i = task.begin; i < task.end && !part.lost;) {
      std::size_t count = 0;
      for (; count < kBatch && i < task.end; ++i) {
        sys::Dirent dirent;
        sys::DirentReader(records.subspan(slice.offsets[i])).next(dirent);
        worker.batch[count++] = Entry{.name = dirent.name,
                                      .inode = dirent.inode,
                                      .position = slice.first_position + i,
                                      .type = dirent.type};
      }
      report_batch(worker, part, {worker.batch.data(), count});
    }
    add_children(node, part.children);
  }
  const auto count = static_cast<std::uint32_t>(task.end - task.begin);
  TRAWL_IF_TRACE(span.end(count));
  if (slice.unreported.fetch_sub(count) == count) {
    delete &slice;
    close_slice(worker);
    finish_part(worker, node);
  }
}

// The directory of a slice, for the worker's pieces of it. Returns why its entries can't be
// stat'ed.
int Engine::open_slice(Worker& worker, Node& node, const Slice& slice) {
  if (worker.slice_id == slice.id) {
    return worker.slice_error;
  }
  worker.slice_id = slice.id;
  const FileIdentity identity = node.metadata().identity();
  return worker.slice_error =
             open_part(worker, node, {.path_only = true}, stat_directories_ ? &identity : nullptr,
                       worker.slice_handle);
}

void Engine::close_slice(Worker& worker) {
  worker.slice_id = 0;
  if (worker.slice_handle.fd >= 0) {
    worker.opener.close(worker.slice_handle);
  }
}

void Engine::report_batch(Worker& worker, Part& part, std::span<Entry> batch) {
  Visitor& visitor = *worker.visitor;
  if (options_.filter != nullptr) {
    filter_batch(worker, part.node, batch);
    batch = kept(batch);
    if (batch.empty()) {
      return;
    }
  }
  visit([&] {
    visitor.select(part.node, batch);
    return Verdict::proceed;
  });
  batch = kept(batch);

  batch = batch.first(stat_batch(worker, part, batch));
  if (options_.filter != nullptr) {
    batch = kept(batch);  // less what only its metadata told to be left out
  }
  const std::size_t done = batch.size();
  worker.statistics.entries += done;
  if (options_.progress_entries != nullptr) {
    options_.progress_entries->fetch_add(done, std::memory_order_relaxed);
  }
  if (done == 0 || visit([&] { return visitor.entries(part.node, batch); }) != Verdict::proceed) {
    return;
  }
  for (const Entry& entry : batch) {
    if (!entry.descend) {
      continue;
    }
    if (part.children == nullptr) {
      part.children = make_children(worker);
    }
    const std::string_view name = part.node.is_origin() ? std::string_view() : entry.name;
    if (!part.children->add(name, entry.inode, entry.position, entry.followed)) {
      Children* further = make_children(worker);
      further->next = part.children;
      part.children = further;
      part.children->add(name, entry.inode, entry.position, entry.followed);
    }
  }
}

// Returns how many of the entries, from the first on, can be reported.
std::size_t Engine::stat_batch(Worker& worker, Part& part, std::span<Entry> batch) {
  const bool may_descend = part.node.depth() < options_.max_depth;
  worker.links_size = 0;
  const auto stat = [&](std::size_t i) {
    Entry& entry = batch[i];
    const FileType listed_type = entry.type;
    stat_entry(worker, part, entry, worker.metadata[i]);
    // A link that leads nowhere was to be followed, and what it is counts after all.
    const bool was_open = entry.type != listed_type ||
                          (listed_type == FileType::symlink && options_.follow == Follow::all);
    if (options_.filter != nullptr && was_open && !part.node.is_origin()) {
      entry.skip = is_left_out(worker, part.node, entry, entry.type == FileType::directory);
      if (entry.skip) {
        return;
      }
    }
    if (options_.link_targets && entry.type == FileType::symlink && !entry.followed) {
      read_link(worker, part, entry);
    }
    entry.descend = may_descend && entry.type == FileType::directory && entry.error == 0;
  };
  std::array<std::size_t, kBatch> order;  // filled in where it is not the batch's own
  if (tuning_.inode_order) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.data(), order.data() + batch.size(),
              [&](std::size_t a, std::size_t b) { return batch[a].inode < batch[b].inode; });
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (stopping()) {
      part.node.mark_cut_short();
      return tuning_.inode_order ? 0 : i;
    }
    const std::size_t at = tuning_.inode_order ? order[i] : i;
    stat(at);
    if (batch[at].error == ETIME && filesystem_.is_lost(part.handle)) {
      part.lost = true;
      fail_listing(worker, part.node, true, Operation::stat, ETIME);
      return tuning_.inode_order ? 0 : i;
    }
  }
  return batch.size();
}

// Fills in what the options ask for and the listing does not tell.
void Engine::stat_entry(Worker& worker, Part& part, Entry& entry, Metadata& metadata) {
  const bool is_root = part.node.is_origin();
  const bool follow =
      options_.follow == Follow::all || (is_root && options_.follow == Follow::roots);
  const bool known = entry.type != FileType::unknown;
  if (known && !(follow && entry.type == FileType::symlink)) {
    if (options_.fields == Fields::none || entry.no_metadata) {
      return;
    }
    if (entry.type == FileType::directory && !options_.directory_metadata_in_batch &&
        part.node.depth() < options_.max_depth) {
      return;  // by descriptor, when it is opened
    }
  }
  const Fields wanted = options_.fields | Fields::type | Fields::identity;
  const auto stat = [&](bool through_link) {
    count(worker.calls.stat);
    return retry_interrupted([&] {
      return filesystem_.stat_at(part.handle.fd, entry.name.data(), wanted, through_link, metadata);
    });
  };
  // What a listing tells ends at a NUL; what a caller gives may go on behind it.
  const bool cut = is_root && entry.name.find('\0') != std::string_view::npos;
  int error = cut ? EINVAL : part.handle_error;
  bool dangling = false;
  if (error == 0) {
    // Where the listing does not tell, the entry itself comes first: whether it is a link decides
    // how a directory is opened.
    bool through_link = follow && (is_root || entry.type == FileType::symlink);
    error = stat(through_link);
    if (error == 0 && follow && !through_link && metadata.type() == FileType::symlink) {
      through_link = true;
      error = stat(true);
    }
    dangling = through_link && (error == ENOENT || error == ELOOP) && stat(false) == 0 &&
               metadata.type() == FileType::symlink;
    entry.followed = through_link && error == 0;
  }
  if (error != 0 && !dangling) {
    entry.error = error;
    if (means_vanished(error) && !is_root) {
      ++worker.statistics.vanished;
    } else {
      note_error(worker, part.node, entry.name, Operation::stat, error, part.node.depth() + 1);
    }
    return;
  }
  entry.error = error;  // of a dangling link, which itself is what is here
  entry.type = metadata.type();
  entry.metadata = &metadata;
  if (is_root) {
    entry.inode = metadata.inode;
  }
}

void Engine::read_link(Worker& worker, const Part& part, Entry& entry) {
  if (part.handle_error != 0) {
    return;
  }
  if (worker.links == nullptr) {
    worker.links.reset(new char[kBatch * sys::kMaxLinkTarget]);
  }
  char* const text = worker.links.get() + worker.links_size;
  std::size_t size = 0;
  count(worker.calls.stat);
  const int error = retry_interrupted([&] {
    return filesystem_.read_link(part.handle.fd, entry.name.data(), {text, sys::kMaxLinkTarget},
                                 size);
  });
  if (error == 0) {
    entry.link_target = {text, size};
    worker.links_size += size;
  }
}

}  // namespace trawl::engine
