// SPDX-License-Identifier: Apache-2.0
//
// The engine opens directories and judges whether they are to be entered.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include "walk/engine_worker.h"

namespace trawl::engine {

namespace {

// As long as the scheduler starts no other worker.
constexpr std::chrono::microseconds kRootsAlone{100};

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

void Engine::list_origin(Worker& worker, Node& origin) {
  visit([&] { return worker.visitor->enter(origin); });
  origin.set_entry_count(roots_.size());
  const sys::DirectoryHandle base{.fd = options_.base_descriptor};
  Part part{origin, base, 0};
  // Others may join when it is known how many roots are worth it.
  const auto alone = [&] {
    return max_workers_ == 1 || (tuning_.piece == 0 && !tuning_.share_always &&
                                 std::chrono::steady_clock::now() - started_at_ < kRootsAlone);
  };
  std::uint64_t done = 0;
  for (std::uint64_t most = 1; done < roots_.size() && !stopping() && alone();) {
    const std::uint64_t count = std::min(most, roots_.size() - done);
    report_roots(worker, part, done, count);
    done += count;
    most = std::min<std::uint64_t>(2 * most, kBatch);
  }
  add_children(origin, part.children);
  if (done == roots_.size()) {
    finish_part(worker, origin);
    return;
  }
  roots_unreported_.store(roots_.size() - done, std::memory_order_relaxed);
  scheduler_.push(worker.index,
                  {.node = &origin, .begin = done, .end = roots_.size(), .unit = piece()});
}

void Engine::report_roots(Worker& worker, Task& task) {
  Node& origin = *task.node;
  TRAWL_IF_TRACE(base::TraceSpan span(base::kTraceRoots));
  const sys::DirectoryHandle base{.fd = options_.base_descriptor};
  Part part{origin, base, 0};
  // Reporting pushes nothing, so nothing else would call again for who did not come.
  if (roots_unreported_.load(std::memory_order_relaxed) >
          std::uint64_t{scheduler_.started_workers()} * task.unit &&
      scheduler_.wants_work()) {
    scheduler_.call_for_help();
  }
  std::uint64_t at = task.begin;
  while (at < task.end && !stopping()) {
    const std::uint32_t unit = piece();
    const std::uint64_t left = task.end - at;
    if (at != task.begin && left >= 2 * unit && scheduler_.wants_work()) {
      // They take longer than when the units were made.
      scheduler_.push(worker.index, {.node = &origin, .begin = at, .end = task.end, .unit = unit});
      task.end = at;
      break;
    }
    const std::uint64_t count = std::min<std::uint64_t>({left, unit, kBatch});
    report_roots(worker, part, at, count);
    at += count;
  }
  if (at < task.end) {
    origin.mark_cut_short();
  }
  add_children(origin, part.children);
  const std::uint64_t count = task.end - task.begin;
  TRAWL_IF_TRACE(span.end(count));
  if (roots_unreported_.fetch_sub(count) == count) {
    finish_part(worker, origin);
  }
}

void Engine::report_roots(Worker& worker, Part& part, std::uint64_t begin, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    worker.batch[i] = Entry{.name = roots_[begin + i], .position = begin + i};
  }
  report_batch(worker, part, {worker.batch.data(), count});
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
    node.level = parent.level;
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
  TRAWL_IF_TRACE(const base::TraceSpan span(base::kTraceOpen, node.name()));
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
  // A server that did not answer is not asked again.
  if (operation == Operation::open && error != ETIME && options_.fields != Fields::none) {
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

}  // namespace trawl::engine
