// SPDX-License-Identifier: Apache-2.0
#include "walk/engine.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/fts_order.h"
#include "sys/dirent.h"
#include "sys/limits.h"
#include "sys/thread_time.h"

namespace trawl::engine {

namespace {

constexpr std::size_t kSlotAlignment = 16;
// Workers. A network filesystem is served by about a hundred; more threads only cost memory.
constexpr unsigned kAdaptiveCeiling = 256;
constexpr unsigned kMostWorkers = 1024;
// Sharing costs a wake-up (3-5 µs) and to open the directory once more (1-3 µs).
constexpr std::chrono::nanoseconds kPieceTime = std::chrono::microseconds(100);
constexpr int kOtherDevice = -1;  // no errno: EXDEV may also be a filesystem's answer

bool has_ancestor(const Node& node, const FileIdentity& id) {
  for (const Node* at = node.parent_node(); at != nullptr && at->depth() >= 0;
       at = at->parent_node()) {
    if (at->metadata().identity() == id) {
      return true;
    }
  }
  return false;
}

bool means_vanished(int error) { return error == ENOENT; }

// Closes a node's handle, also when memory runs out. After that it does not look at the node.
class Closer {
 public:
  Closer(Opener& opener, Node& node, sys::DirectoryHandle& handle)
      : opener_(opener), node_(node), handle_(handle) {}
  ~Closer() { close(); }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  void close() {
    if (handle_.fd >= 0) {
      opener_.close(node_, handle_);
    }
  }

 private:
  Opener& opener_;
  Node& node_;
  sys::DirectoryHandle& handle_;
};

}  // namespace

struct alignas(64) Engine::Worker {
  Worker(unsigned worker_index, sys::FileSystem& filesystem, DescriptorQueue& queue)
      : index(worker_index), opener(filesystem, calls, queue) {}

  unsigned index;
  Visitor nobody;  // stands in for a visitor that could not be made
  Visitor* visitor = &nobody;
  Statistics statistics;
  CallCounters calls;
  sys::ThreadTime time;
  std::chrono::nanoseconds cpu_begin{0};
  // On its own thread.
  std::chrono::nanoseconds cpu_time() const { return sys::own_processor_time() - cpu_begin; }
  Opener opener;
  // The directory that pieces of a slice are being reported of.
  std::uint64_t slice_id = 0;
  sys::DirectoryHandle slice_handle;
  int slice_error = 0;
  std::unique_ptr<std::byte[]> listing{new std::byte[kListingBuffer]};
  std::array<Entry, kBatch> batch;
  std::array<Metadata, kBatch> metadata;
  // Nodes made and freed; the monitor looks at them.
  std::atomic<std::uint64_t> nodes_made{0};
  std::atomic<std::uint64_t> nodes_freed{0};
  std::vector<Node*> free_nodes;
  std::vector<Children*> free_children;
  std::vector<Error> errors;
};

Engine::Engine(sys::FileSystem& filesystem, std::span<const std::string> roots,
               const Options& options, const VisitorFactory& factory, const Tuning& tuning)
    : filesystem_(filesystem),
      roots_(roots),
      options_(options),
      factory_(factory),
      tuning_(tuning),
      max_workers_(
          std::min(options.threads != 0 ? options.threads : kAdaptiveCeiling, kMostWorkers)),
      stat_directories_(options.fields != Fields::none || options.one_file_system ||
                        options.follow == Follow::all),
      slot_offset_((sizeof(Node) + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment),
      workers_(max_workers_),
      scheduler_(*this, max_workers_) {}

Engine::~Engine() {
  for (const auto& worker : workers_) {
    if (worker != nullptr) {
      for (Node* node : worker->free_nodes) {
        ::operator delete(node);
      }
      for (Children* children : worker->free_children) {
        delete children;
      }
    }
  }
}

Result Engine::run() {
  Children origin_block;  // the origin itself as the one child of nobody
  origin_block.add("", 0, 0, false);
  scheduler_.run({.node = nullptr, .children = &origin_block, .begin = 0, .end = 1});
  Result result;
  for (unsigned i = 0; i < max_workers_; ++i) {
    if (workers_[i] == nullptr) {
      continue;
    }
    Worker& worker = *workers_[i];
    worker.opener.release();
    result.workers.push_back(statistics_of(worker));
    result.statistics += result.workers.back();
    std::move(worker.errors.begin(), worker.errors.end(), std::back_inserter(result.errors));
  }
  result.statistics.most_live_directories = most_live_directories_;
  for (const sched::LimitChange& change : scheduler_.limit_changes()) {
    result.concurrency.push_back({.at = change.at,
                                  .workers = change.limit,
                                  .calls_per_second = change.calls_per_second,
                                  .cpu_share = change.cpu_share});
  }
  result.ending = ending_;
  if (exception_) {
    std::rethrow_exception(exception_);
  }
  return result;
}

Statistics Engine::statistics_of(const Worker& worker) const {
  Statistics out = worker.statistics;
  out.open_calls = worker.calls.open.load(std::memory_order_relaxed);
  out.read_calls = worker.calls.read.load(std::memory_order_relaxed);
  out.stat_calls = worker.calls.stat.load(std::memory_order_relaxed);
  out.close_calls = worker.calls.close.load(std::memory_order_relaxed);
  const sched::WorkerCounters& counters = scheduler_.counters(worker.index);
  out.steals = counters.steals;
  out.stolen_tasks = counters.stolen_units;
  out.parks = counters.parks;
  out.run_time = counters.run_time;
  out.workers = 1;
  return out;
}

void Engine::start_worker(unsigned index) {
  // The table first: a visitor that opens something on its own thread keeps it.
  if (index > 0 && options_.private_descriptors) {
    filesystem_.make_descriptors_private();
  }
  try {
    workers_[index] = std::make_unique<Worker>(index, filesystem_, descriptors_);
    if (index > 0) {
      workers_[index]->time.attach();
    }
    workers_[index]->cpu_begin = sys::own_processor_time();
  } catch (...) {
    fail(std::current_exception());
    scheduler_.finish();
    return;
  }
  visit([&] {
    std::lock_guard lock(factory_mutex_);
    workers_[index]->visitor = &factory_(index);
    return Verdict::proceed;
  });
}

sched::Decision Engine::first_decision() {
  Worker& first = *workers_[0];
  first.time.attach();
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - started_at_;
  const bool seems_cached = 10 * first.cpu_time() >= 7 * elapsed;
  controller_.emplace(sched::Controller::Machine{
      .cores = sys::usable_cores(),
      .ceiling = max_workers_,
      .rotational =
          !seems_cached && !roots_.empty() && sys::is_on_rotating_disk(roots_[0].c_str())});
  sched::Decision decision = controller_->first();
  decision.call_time = mean_call_time();
  if (options_.threads != 0) {
    decision.limit = max_workers_;
  }
  limit_without_asking_ = decision.limit;
  return decision;
}

sched::Decision Engine::decide(const sched::Observation& observation) {
  sched::Decision decision = controller_->observe(observation);
  if (tuning_.limits_seed != 0) {
    random_limit_ = random_limit_ * 6364136223846793005U + 1442695040888963407U;
    decision.limit = 1 + static_cast<unsigned>((random_limit_ >> 33) % max_workers_);
    decision.interval = std::chrono::milliseconds(1);
  } else if (options_.threads != 0) {
    decision.limit = max_workers_;
  } else if (decision.limit > limit_without_asking_) {
    // Other processes share the limits on threads, so they are asked for when there is need only.
    if (most_threads_ == 0) {
      const unsigned started = scheduler_.started_workers();
      const unsigned further = sys::thread_limit();
      most_threads_ = started + std::min(further, max_workers_ - started);
    }
    decision.limit = std::min(decision.limit, std::max(most_threads_, limit_without_asking_));
  }
  return decision;
}

// Of the time that workers waited for a processor, a few of them tell for all.
sched::WorkDone Engine::work_done(unsigned workers) {
  sched::WorkDone done;
  std::uint64_t made = 0;
  std::uint64_t freed = 0;
  std::chrono::nanoseconds waited{0};
  unsigned sampled = 0;
  for (unsigned i = 0; i < workers; ++i) {
    if (!scheduler_.is_ready(i) || workers_[i] == nullptr) {
      continue;  // or there was no memory for it
    }
    const Worker& worker = *workers_[i];
    done.calls += worker.calls.sum();
    done.cpu += worker.time.used() - worker.cpu_begin;
    made += worker.nodes_made.load(std::memory_order_relaxed);
    freed += worker.nodes_freed.load(std::memory_order_relaxed);
    if (i < kSampledWorkers) {
      const std::chrono::nanoseconds now = worker.time.waited();
      waited += now - waited_[i];
      waited_[i] = now;
      ++sampled;
    }
  }
  if (sampled > 0) {
    waited_sum_ += waited * workers / sampled;
  }
  done.waited = waited_sum_;
  most_live_directories_ = std::max(most_live_directories_, made - std::min(made, freed));
  return done;
}

void Engine::end_worker(unsigned index) {
  idle(index);
  if (workers_[index] != nullptr) {
    workers_[index]->statistics.cpu_time = workers_[index]->cpu_time();
  }
}

void Engine::idle(unsigned index) {
  if (workers_[index] != nullptr) {
    close_slice(*workers_[index]);
    workers_[index]->opener.release();
  }
}

void Engine::run_task(unsigned index, Task task) {
  try {
    run(*workers_[index], task);
  } catch (...) {
    // Out of memory. What is live can't be left in order any more: end at once, leak, and say so.
    fail(std::current_exception());
    scheduler_.finish();
  }
}

void Engine::run(Worker& worker, Task& task) {
  if (task.slice == nullptr || task.slice->id != worker.slice_id) {
    close_slice(worker);
  }
  if (task.slice != nullptr) {
    report_piece(worker, task);
  } else if (task.node == nullptr) {
    list_origin(worker, *make_node(worker));
  } else if (stopping()) {
    task.node->mark_cut_short();
    child_done(worker, *task.node, 1);
  } else {
    expand(worker, *task.node, *task.children, task.children->entries[task.begin]);
  }
}

// ---------------------------------------------------------------------------------------------
// Directories

void Engine::list_origin(Worker& worker, Node& origin) {
  visit([&] { return worker.visitor->enter(origin); });
  const sys::DirectoryHandle nowhere{.fd = sys::kWorkingDirectory};
  Part part{origin, nowhere, 0};
  std::size_t done = 0;
  while (done < roots_.size() && !stopping()) {
    const std::size_t count = std::min(kBatch, roots_.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      worker.batch[i] = Entry{.name = roots_[done + i], .position = done + i};
    }
    report_batch(worker, part, {worker.batch.data(), count});
    done += count;
  }
  if (done < roots_.size()) {
    origin.mark_cut_short();
  }
  origin.set_entry_count(done);
  add_children(origin, part.children);
  finish_part(worker, origin);
}

void Engine::expand(Worker& worker, Node& parent, Children& block, const Child& child) {
  Node& node = *make_node(worker);
  const std::string_view name =
      parent.is_origin() ? std::string_view(roots_[child.position]) : block.name(child);
  node.set_identity(&parent, name, parent.depth() + 1, child.position, child.inode);
  node.followed = child.followed;
  if (parent.is_origin()) {
    node.root = &node;
  } else {
    node.root = parent.root;
    node.crossed_mount = parent.crossed_mount;
    const bool from_parent = parent.anchor_id != 0;
    node.anchor = from_parent ? &parent : parent.anchor;
    node.path_from_anchor =
        static_cast<std::uint32_t>(name.size() + (from_parent ? 0 : parent.path_from_anchor + 1));
  }
  if (node.anchor == nullptr || node.followed || node.path_from_anchor > Opener::kMaxPath) {
    node.anchor_id = next_anchor_id_.fetch_add(1, std::memory_order_relaxed);
  }

  sys::DirectoryHandle handle;
  if (!open(worker, node, handle)) {
    leave(worker, node);
    return;
  }
  Closer closer(worker.opener, node, handle);
  if (!may_enter(worker, node, handle)) {
    closer.close();
    leave(worker, node);
    return;
  }
  list(worker, node, handle);
}

// Opens the node, or sets why not.
bool Engine::open(Worker& worker, Node& node, sys::DirectoryHandle& handle) {
  Operation operation = Operation::open;
  const int error = open_and_stat(worker, node, handle, operation);
  if (error == 0) {
    return true;
  }
  if (error == kOtherDevice) {
    node.set_state(State::other_device);
    return false;
  }
  if (means_vanished(error) || ((error == ENOTDIR || error == ELOOP) && !node.followed)) {
    // Gone, or something else has its name now.
    node.set_error(State::vanished, operation, ENOENT);
    ++worker.statistics.vanished;
    return false;
  }
  node.set_error(State::unreadable, operation, error);
  if (operation == Operation::open && options_.fields != Fields::none) {
    worker.opener.stat(node, options_.fields | Fields::identity, node.mutable_metadata());
  }
  note_error(worker, node, {}, operation, error, node.depth());
  return false;
}

// 0 or errno, or kOtherDevice with one_file_system. Crossing a mount point is tried only after the
// kernel has said that there is one, and then once: what holds for a whole mount (whether offsets
// mark the end) is asked there and inherited below, paths start anew there.
int Engine::open_and_stat(Worker& worker, Node& node, sys::DirectoryHandle& handle,
                          Operation& operation) {
  const Fields wanted = options_.fields | Fields::identity;
  const bool is_root = node.root == &node;
  bool crossed = is_root || node.followed;
  int error = worker.opener.open(node, {.stay_on_mount = !crossed}, handle);
  if (error == EXDEV && !crossed) {
    crossed = true;
    if (options_.one_file_system) {
      // Its device decides, asked by name: an automount must not be triggered.
      operation = Operation::stat;
      error = worker.opener.stat(node, wanted, node.mutable_metadata());
      if (error != 0) {
        return error;
      }
      if (node.metadata().device != node.root->metadata().device) {
        return kOtherDevice;
      }
      operation = Operation::open;
    }
    node.crossed_mount = true;
    node.anchor_id = next_anchor_id_.fetch_add(1, std::memory_order_relaxed);
    error = worker.opener.open(node, {}, handle);
  }
  if (error != 0) {
    return error;
  }
  if (stat_directories_) {
    count(worker.calls.stat);
    error = retry_interrupted(
        [&] { return filesystem_.stat_handle(handle, wanted, node.mutable_metadata()); });
    if (error != 0) {
      operation = Operation::stat;
      worker.opener.close(node, handle);
      return error;
    }
    crossed = crossed || node.metadata().device != node.parent_node()->metadata().device;
  }
  if (crossed) {
    node.offset_marks_end = filesystem_.last_offset_marks_end(handle);
  } else {
    node.offset_marks_end =
        node.parent_node()->offset_marks_end && (stat_directories_ || filesystem_.stays_on_mount());
  }
  handle.last_offset_marks_end = node.offset_marks_end;
  return 0;
}

// Judges an open directory by its identity; else sets why not.
bool Engine::may_enter(Worker& worker, Node& node, const sys::DirectoryHandle& handle) {
  if (!stat_directories_) {
    return true;
  }
  const Metadata& metadata = node.metadata();
  const bool is_root = node.root == &node;
  if (options_.one_file_system && metadata.device != node.root->metadata().device) {
    node.set_state(State::other_device);
    return false;
  }
  // Another inode than the one listed: replaced in between, or reached through a replaced parent,
  // unless it is a mount point or the filesystem's listing is not known to tell the same numbers.
  if (!node.followed && metadata.inode != node.listed_inode() && !metadata.mount_root &&
      !node.crossed_mount &&
      (is_root || metadata.device == node.parent_node()->metadata().device) &&
      filesystem_.listed_inodes_are_exact(handle)) {
    node.set_error(State::vanished, Operation::descend, ENOENT);
    ++worker.statistics.vanished;
    return false;
  }
  // Without links, only a mount can lead back: mount --bind / /mnt. What is met again need not be
  // its top: with /srv as the root and that mount in it, it is /mnt/srv.
  if (options_.follow != Follow::all && !is_root &&
      (node.crossed_mount || !filesystem_.stays_on_mount()) &&
      has_ancestor(node, metadata.identity())) {
    node.set_state(State::cycle);
    return false;
  }
  if (options_.follow == Follow::all) {
    if (options_.visit_once && !visited_.insert(metadata.identity())) {
      node.set_state(has_ancestor(node, metadata.identity()) ? State::cycle : State::visited);
      return false;
    }
    if (!options_.visit_once && has_ancestor(node, metadata.identity())) {
      node.set_state(State::cycle);
      return false;
    }
  }
  return true;
}

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
  std::uint64_t position = 0;
  bool end = false;
  while (!end) {
    if (stopping()) {
      node.mark_cut_short();
      break;
    }
    const std::span<std::byte> buffer(worker.listing.get(), kListingBuffer);
    std::size_t size = 0;
    count(worker.calls.read);
    const int error =
        retry_interrupted([&] { return filesystem_.read_directory(handle, buffer, size, end); });
    if (error != 0) {
      if (means_vanished(error)) {
        // Removed while open; nothing can be in it any more.
        if (position == 0) {
          node.set_error(State::vanished, Operation::read, error);
        }
        ++worker.statistics.vanished;
      } else {
        node.set_error(position == 0 ? State::unreadable : State::partially_read, Operation::read,
                       error);
        note_error(worker, node, {}, Operation::read, error, node.depth());
      }
      break;
    }
    if (size == 0) {
      break;
    }
    report_records(worker, part, {worker.listing.get(), size}, position);
  }
  node.set_entry_count(position);
  if (options_.fts_order && position > base::FtsOrder::kSortAbove &&
      filesystem_.inode_order_helps(handle)) {
    node.set_inode_ordered();
  }
  worker.opener.close(node, handle);
  add_children(node, part.children);
  finish_part(worker, node);
}

// ---------------------------------------------------------------------------------------------
// Entries

void Engine::report_records(Worker& worker, Part& part, std::span<const std::byte> records,
                            std::uint64_t& position) {
  sys::DirentReader reader(records);
  sys::Dirent dirent;
  std::size_t count = 0;
  // Where entries are slow, batches are small, so that what is left can be shared soon.
  const std::size_t batch_size = std::min<std::size_t>(piece(), kBatch);
  while (!share(worker, part.node, records.last(reader.bytes_left()), position)) {
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
    count = 0;
  }
  if (reader.malformed()) {
    // A filesystem that hands out broken records (FUSE can).
    part.node.lock();
    part.node.set_error(State::partially_read, Operation::read, EIO);
    part.node.unlock();
    note_error(worker, part.node, {}, Operation::read, EIO, part.node.depth());
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
      std::clamp<std::int64_t>(kPieceTime.count() / call_time, 1, kBatch));
}

// Of the first worker, since the start.
std::chrono::nanoseconds Engine::mean_call_time() const {
  return (std::chrono::steady_clock::now() - started_at_) /
         static_cast<std::int64_t>(std::max<std::uint64_t>(1, workers_[0]->calls.sum()));
}

// Makes a slice of a listing's records if others would come for them. False: the lister reports
// them.
bool Engine::share(Worker& worker, Node& node, std::span<const std::byte> records,
                   std::uint64_t& position) {
  constexpr std::size_t kUsualRecord = 24;  // or longer
  const std::uint32_t unit = piece();
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
  node.parts.fetch_add(1, std::memory_order_relaxed);
  scheduler_.push(
      worker.index,
      {.node = &node, .slice = slice.release(), .begin = 0, .end = count, .unit = unit});
  return true;
}

void Engine::report_piece(Worker& worker, Task& task) {
  Node& node = *task.node;
  Slice& slice = *task.slice;
  if (stopping()) {
    node.mark_cut_short();
  } else {
    const int error = open_slice(worker, node, slice);
    Part part{node, worker.slice_handle, error};
    const std::span<const std::byte> records(slice.records.get(), slice.size);
    for (std::uint32_t i = task.begin; i < task.end;) {
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
  const std::uint32_t count = task.end - task.begin;
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
  int error = worker.opener.open(node, {.path_only = true}, worker.slice_handle);
  if (error == 0 && stat_directories_) {
    Metadata now;
    count(worker.calls.stat);
    error = retry_interrupted(
        [&] { return filesystem_.stat_handle(worker.slice_handle, Fields::identity, now); });
    if (error == 0 && now.identity() != node.metadata().identity()) {
      error = ENOENT;
    }
  }
  return worker.slice_error = error;
}

void Engine::close_slice(Worker& worker) {
  worker.slice_id = 0;
  if (worker.slice_handle.fd >= 0) {
    worker.opener.close(worker.slice_handle);
  }
}

void Engine::report_batch(Worker& worker, Part& part, std::span<Entry> batch) {
  Visitor& visitor = *worker.visitor;
  visit([&] {
    visitor.select(part.node, batch);
    return Verdict::proceed;
  });
  const auto kept_end =
      std::stable_partition(batch.begin(), batch.end(), [](const Entry& e) { return !e.skip; });
  batch = batch.first(static_cast<std::size_t>(kept_end - batch.begin()));

  const bool may_descend = part.node.depth() < options_.max_depth;
  std::size_t done = 0;
  for (Entry& entry : batch) {
    if (stopping()) {
      part.node.mark_cut_short();
      break;
    }
    stat_entry(worker, part, entry, worker.metadata[done]);
    entry.descend = may_descend && entry.type == FileType::directory && entry.error == 0;
    ++done;
  }
  batch = batch.first(done);
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

// Fills in what the options ask for and the listing does not tell.
void Engine::stat_entry(Worker& worker, Part& part, Entry& entry, Metadata& metadata) {
  const bool is_root = part.node.is_origin();
  const bool follow =
      options_.follow == Follow::all || (is_root && options_.follow == Follow::roots);
  const bool known = entry.type != FileType::unknown;
  if (known && !(follow && entry.type == FileType::symlink)) {
    if (options_.fields == Fields::none) {
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
  int error = part.handle_error;
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

// ---------------------------------------------------------------------------------------------
// Completion

void Engine::add_children(Node& node, Children* children) {
  if (children == nullptr) {
    return;
  }
  Children* last = children;
  while (last->next != nullptr) {
    last = last->next;
  }
  std::lock_guard lock(static_cast<Directory&>(node));
  last->next = node.children;
  node.children = children;
}

void Engine::finish_part(Worker& worker, Node& node) {
  if (node.parts.fetch_sub(1) != 1) {
    return;  // others still report entries of this directory
  }
  visit([&] {
    worker.visitor->listed(node);
    return Verdict::proceed;
  });
  std::uint64_t count = 0;
  for (Children* block = node.children; block != nullptr; block = block->next) {
    count += block->entries.size();
    if (node.inode_ordered()) {
      const base::FtsOrder order{.entry_count = node.entry_count(), .by_inode = true};
      std::stable_sort(block->entries.begin(), block->entries.end(),
                       [&order](const Child& a, const Child& b) {
                         return order.key(a.position, a.inode) < order.key(b.position, b.inode);
                       });
    }
  }
  node.pending.fetch_add(count, std::memory_order_relaxed);
  for (Children *block = node.children, *next; block != nullptr; block = next) {
    next = block->next;  // once the last range is pushed, the node may be gone
    scheduler_.push(worker.index, {.node = &node,
                                   .children = block,
                                   .begin = 0,
                                   .end = static_cast<std::uint32_t>(block->entries.size())});
  }
  child_done(worker, node, 1);
}

void Engine::child_done(Worker& worker, Node& parent, std::uint64_t count) {
  if (parent.pending.fetch_sub(count) == count) {
    leave(worker, parent);
  }
}

// Leaves a directory that is done, and every ancestor whose last unfinished child it was.
void Engine::leave(Worker& worker, Node& first) {
  for (Node* node = &first;;) {
    if (node->state() == State::open) {
      node->set_state(node->cut_short.load(std::memory_order_relaxed) ? State::cancelled
                                                                      : State::complete);
    }
    Node* parent = node->parent_node();
    if (parent != nullptr && node->state() == State::cancelled) {
      parent->mark_cut_short();
    }
    visit([&] {
      worker.visitor->leave(*node);
      return Verdict::proceed;
    });
    free_node(worker, node);
    if (parent == nullptr) {
      scheduler_.finish();
      return;
    }
    if (parent->pending.fetch_sub(1) != 1) {
      return;
    }
    node = parent;
  }
}

// ---------------------------------------------------------------------------------------------
// Memory

Node* Engine::make_node(Worker& worker) {
  void* memory;
  if (worker.free_nodes.empty()) {
    memory = ::operator new(slot_offset_ + options_.slot_bytes);
  } else {
    memory = worker.free_nodes.back();
    worker.free_nodes.pop_back();
  }
  Node* node = new (memory) Node;
  count(worker.nodes_made);
  std::byte* slot = static_cast<std::byte*>(memory) + slot_offset_;
  std::memset(slot, 0, options_.slot_bytes);
  node->set_slot(slot);
  return node;
}

void Engine::free_node(Worker& worker, Node* node) {
  constexpr std::size_t kKeep = 64;
  for (Children *block = node->children, *next; block != nullptr; block = next) {
    next = block->next;
    constexpr std::size_t kKeepBytes = 4096;
    if (worker.free_children.size() < kKeep && block->names.capacity() <= kKeepBytes &&
        block->entries.capacity() * sizeof(Child) <= kKeepBytes) {
      worker.free_children.push_back(block);
    } else {
      delete block;
    }
  }
  node->~Node();
  count(worker.nodes_freed);
  if (worker.free_nodes.size() < kKeep) {
    worker.free_nodes.push_back(node);
  } else {
    ::operator delete(node);
  }
}

Children* Engine::make_children(Worker& worker) {
  if (worker.free_children.empty()) {
    return new Children;
  }
  Children* children = worker.free_children.back();
  worker.free_children.pop_back();
  children->entries.clear();
  children->names.clear();
  children->next = nullptr;
  return children;
}

// ---------------------------------------------------------------------------------------------
// Stopping and errors

bool Engine::stopping() {
  if (stop_.load(std::memory_order_relaxed)) {
    return true;
  }
  if (options_.cancel != nullptr && options_.cancel->cancelled()) {
    stop(Ending::cancelled);
    return true;
  }
  // The clock costs 25 ns, a stat 300 at the least; and one may take seconds.
  if (options_.deadline && std::chrono::steady_clock::now() >= *options_.deadline) {
    stop(Ending::timed_out);
    return true;
  }
  return false;
}

void Engine::stop(Ending ending) {
  std::lock_guard lock(ending_mutex_);
  if (ending_ == Ending::complete) {
    ending_ = ending;
  }
  stop_.store(true, std::memory_order_relaxed);
}

// Ends the walk; the first exception comes out of run().
void Engine::fail(std::exception_ptr exception) {
  {
    std::lock_guard lock(ending_mutex_);
    if (!exception_) {
      exception_ = std::move(exception);
    }
  }
  stop(Ending::stopped);
}

template <class Call>
Verdict Engine::visit(Call call) {
  Verdict verdict = Verdict::stop;
  try {
    verdict = call();
  } catch (...) {
    fail(std::current_exception());
  }
  if (verdict == Verdict::stop) {
    stop(Ending::stopped);
  }
  return verdict;
}

void Engine::note_error(Worker& worker, const Directory& directory, std::string_view name,
                        Operation operation, int code, int depth) {
  ++worker.statistics.errors;
  if (errors_kept_.fetch_add(1, std::memory_order_relaxed) >= options_.max_errors) {
    return;
  }
  Error error{.operation = operation, .code = code, .depth = depth, .path = {}};
  directory.append_path(error.path);
  if (!name.empty()) {
    if (!error.path.empty() && error.path.back() != '/') {
      error.path += '/';
    }
    error.path += name;
  }
  worker.errors.push_back(std::move(error));
}

}  // namespace trawl::engine
