// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/fts_order.h"
#include "sys/limits.h"
#include "walk/engine_worker.h"

namespace trawl {

namespace {

std::chrono::steady_clock::duration now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

WorkerPause::WorkerPause() noexcept {
  if (engine::t_slept != nullptr && engine::t_slept->load(std::memory_order_relaxed).count() >= 0) {
    first_ = true;
    asleep_ = engine::t_slept->load(std::memory_order_relaxed) - now();
    engine::t_slept->store(asleep_, std::memory_order_relaxed);
  }
}

WorkerPause::~WorkerPause() {
  if (first_) {
    engine::t_slept->store(asleep_ + now(), std::memory_order_relaxed);
  }
}

}  // namespace trawl

namespace trawl::engine {

thread_local std::atomic<std::chrono::steady_clock::duration>* t_slept = nullptr;

namespace {

constexpr std::size_t kSlotAlignment = 16;

// "a-" before "a" before "a0": as if each ended in '/'.
bool less_with_slash(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const int difference = std::memcmp(a.data(), b.data(), common);
  if (difference != 0 || a.size() == b.size()) {
    return difference < 0;
  }
  const auto next = [common](std::string_view name) {
    return static_cast<unsigned char>(common < name.size() ? name[common] : '/');
  };
  return next(a) < next(b);
}

// Children of a part that are joined with those of the others. To copy them takes microseconds, and
// the node is locked meanwhile; larger blocks are worth a task of their own.
constexpr std::size_t kMostJoined = 4096;

// False, and nothing done, if there is no room for the names.
bool append(Children& block, const Children& more) {
  if (block.names.size() + more.names.size() > UINT32_MAX) {
    return false;
  }
  const auto name_begin = static_cast<std::uint32_t>(block.names.size());
  block.names.insert(block.names.end(), more.names.begin(), more.names.end());
  for (Child child : more.entries) {
    child.name_begin += name_begin;
    block.entries.push_back(child);
  }
  return true;
}

}  // namespace

Engine::Engine(sys::FileSystem& filesystem, std::span<const std::string> roots,
               const Options& options, const VisitorFactory& factory, const Tuning& tuning)
    : filesystem_(filesystem),
      roots_(roots),
      options_(options),
      factory_(factory),
      tuning_(tuning),
      listing_buffer_(tuning.listing_buffer != 0 ? tuning.listing_buffer : kListingBuffer),
      concurrency_(options.threads, tuning.limits_seed),
      max_workers_(concurrency_.most_workers()),
      stat_directories_(options.fields != Fields::none || options.one_file_system ||
                        options.follow == Follow::all),
      slot_offset_((sizeof(Node) + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment),
      workers_(max_workers_),
      scheduler_(*this, max_workers_, options.descent != Descent::listed,
                 options.filter != nullptr ? options.filter->options().stack_bytes
                                           : decltype(scheduler_)::kStackSize) {}

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
  TRAWL_IF_TRACE(const base::TraceScope scope(tracer_.of_worker(0)));
  Children origin_block;  // the origin itself as the one child of nobody
  origin_block.add("", 0, 0, false);
  scheduler_.run({.node = nullptr, .children = &origin_block, .begin = 0, .end = 1});
  TRAWL_IF_TRACE(if (options_.trace != nullptr) tracer_.write(*options_.trace));
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
  TRAWL_IF_TRACE(base::t_track = tracer_.of_worker(index));
  // The table first: a visitor that opens something on its own thread keeps it.
  if (index > 0 && options_.private_descriptors) {
    filesystem_.make_descriptors_private();
  }
  try {
    workers_[index] = std::make_unique<Worker>(index, filesystem_, options_.base_descriptor,
                                               descriptors_, listing_buffer_);
    if (index > 0) {
      workers_[index]->time.attach();
    }
    workers_[index]->cpu_begin = sys::own_processor_time();
    workers_[index]->outer_slept = std::exchange(t_slept, &scheduler_.slept(index));
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
  // Where to look whether it rotates; not if that might block.
  const bool may_look =
      !seems_cached && !roots_.empty() && options_.stall_timeout == std::chrono::nanoseconds(0);
  sched::Decision decision =
      concurrency_.first(options_.base_descriptor, may_look ? roots_[0].c_str() : nullptr);
  decision.call_time = mean_call_time();
  return decision;
}

bool Engine::has_nodes() { return tuning_.nodes > 1 || sys::usable_nodes() > 1; }

unsigned Engine::node(unsigned index) {
  return tuning_.nodes > 1 ? index % tuning_.nodes : sys::current_node();
}

sched::Decision Engine::decide(const sched::Observation& observation) {
  TRAWL_IF_TRACE(base::t_track = tracer_.of_monitor());
  TRAWL_IF_TRACE(base::trace(
      base::kTraceCalls,
      observation.calls * std::nano::den /
          static_cast<std::uint64_t>(std::max<std::int64_t>(1, observation.elapsed.count()))));
  return concurrency_.decide(observation, scheduler_.started_workers());
}

// Of the time that workers waited for a processor, a few of them tell for all.
sched::WorkDone Engine::work_done(unsigned workers) {
  sched::WorkDone done;
  std::uint64_t made = 0;
  std::uint64_t freed = 0;
  std::chrono::nanoseconds waited{0};
  unsigned sampled = 0;
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::nanoseconds elapsed = now - std::exchange(last_sample_, now);
  for (unsigned i = 0; i < workers; ++i) {
    if (!scheduler_.is_ready(i) || workers_[i] == nullptr) {
      continue;  // or there was no memory for it
    }
    const Worker& worker = *workers_[i];
    done.calls += worker.calls.sum();
    done.calls_to_share += worker.calls.to_share.load(std::memory_order_relaxed);
    done.cpu += worker.time.used() - worker.cpu_begin;
    made += worker.nodes_made.load(std::memory_order_relaxed);
    freed += worker.nodes_freed.load(std::memory_order_relaxed);
    if (i < kSampledWorkers) {
      waited += sample_waiting(i, elapsed);
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

// The time that a worker waited for a processor since it was asked last. The system tells it when the
// wait is over; on a busy machine that may be long after, and until then the worker looks as if it were
// stuck in a call.
std::chrono::nanoseconds Engine::sample_waiting(unsigned index, std::chrono::nanoseconds elapsed) {
  const sys::ThreadTime& time = workers_[index]->time;
  Waiting& last = waiting_[index];
  const std::chrono::nanoseconds all_told = time.waited();
  const std::chrono::nanoseconds all_used = time.used();
  const std::chrono::nanoseconds told = all_told - std::exchange(last.told, all_told);
  const std::chrono::nanoseconds used = all_used - std::exchange(last.used, all_used);
  std::chrono::nanoseconds waited = std::max(std::chrono::nanoseconds(0), told - last.ahead);
  last.ahead -= std::min(last.ahead, told);
  if (told.count() == 0 && used.count() == 0 && time.is_ready_to_run()) {
    waited += elapsed;
    last.ahead += elapsed;
  }
  return waited;
}

void Engine::end_worker(unsigned index) {
  idle(index);
  if (workers_[index] != nullptr) {
    workers_[index]->statistics.cpu_time = workers_[index]->cpu_time();
    t_slept = workers_[index]->outer_slept;
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
  } else if (task.range != nullptr) {
    list_range(worker, task);
  } else if (task.node == nullptr) {
    list_origin(worker, *make_node(worker));
  } else if (task.children == nullptr) {
    report_roots(worker, task);
  } else if (stopping()) {
    task.node->mark_cut_short();
    child_done(worker, *task.node, 1);
  } else {
    expand(worker, *task.node, *task.children, task.children->entries[task.begin]);
  }
}

// ---------------------------------------------------------------------------------------------
// Completion

// One large block is shared better than many of a piece each: a thief takes half of a block, and
// each steal is from the one worker that has them all.
void Engine::add_children(Node& node, Children* children) {
  if (children == nullptr) {
    return;
  }
  Children* last = children;
  while (last->next != nullptr) {
    last = last->next;
  }
  std::lock_guard lock(static_cast<Directory&>(node));
  if (node.children != nullptr && children->next == nullptr &&
      children->entries.size() <= kMostJoined && append(*node.children, *children)) {
    delete children;
    return;
  }
  last->next = node.children;
  node.children = children;
}

void Engine::finish_part(Worker& worker, Node& node) {
  if (node.parts.fetch_sub(1) != 1) {
    return;  // others still report entries of this directory
  }
  node.sort_ranges();
  visit([&] {
    worker.visitor->listed(node);
    return Verdict::proceed;
  });
  std::uint64_t count = 0;
  for (Children* block = node.children; block != nullptr; block = block->next) {
    count += block->entries.size();
    if (node.inode_ordered()) {
      const base::FtsOrder order = base::FtsOrder::of(node);
      std::sort(block->entries.begin(), block->entries.end(),
                [&order](const Child& a, const Child& b) {
                  return order.key(a.position, a.inode) < order.key(b.position, b.inode);
                });
    }
  }
  if (options_.descent != Descent::listed && node.children != nullptr) {
    sort_children(node);
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

// By name, for Options::descent.
void Engine::sort_children(Node& node) {
  Children& all = *node.children;
  for (Children *block = all.next, *next; block != nullptr; block = next) {
    next = block->next;
    if (!append(all, *block)) {
      break;  // beyond 4 GiB of names each block is sorted by itself
    }
    all.next = next;
    delete block;
  }
  const bool slash = options_.descent == Descent::by_name_and_slash;
  for (Children* block = &all; block != nullptr; block = block->next) {
    std::sort(block->entries.begin(), block->entries.end(), [&](const Child& a, const Child& b) {
      return slash ? less_with_slash(block->name(a), block->name(b))
                   : block->name(a) < block->name(b);
    });
  }
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
    // A live directory has such a block however few subdirectories it has itself.
    constexpr std::size_t kKeepBytes = 512;
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
