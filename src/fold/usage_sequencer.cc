// SPDX-License-Identifier: Apache-2.0
#include "fold/usage_sequencer.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace trawl {

namespace {

// Sparse files are as large as anyone says: a sum that does not fit is the largest that does.
std::uint64_t bounded_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

}  // namespace

UsageSums& UsageSums::operator+=(const UsageSums& other) {
  disk_usage = bounded_sum(disk_usage, other.disk_usage);
  apparent_size = bounded_sum(apparent_size, other.apparent_size);
  inodes += other.inodes;
  newest = std::max(newest, other.newest);
  return *this;
}

UsageSums& UsageSums::operator-=(const UsageSums& other) {
  disk_usage -= other.disk_usage;
  apparent_size -= other.apparent_size;
  inodes -= other.inodes;
  return *this;
}

}  // namespace trawl

namespace trawl::fold {

Item& Record::item(std::uint64_t position, std::uint64_t inode) {
  return *std::lower_bound(items.begin(), items.end(), order.key(position, inode),
                           [this](const Item& item, const base::FtsOrder::Key& key) {
                             return order.key(item.position, item.inode) < key;
                           });
}

bool Bag::is_before(const Place& a, const Place& b) const {
  const auto same = [](const PlaceStep& x, const PlaceStep& y) { return x.position == y.position; };
  // The first steps that differ.
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end(), same);
  const auto step_a = differ.first;
  const auto step_b = differ.second;
  if (step_a == a.end() || step_b == b.end()) {
    return step_a == a.end() && step_b != b.end();
  }
  if (step_a->position == UINT64_MAX || step_b->position == UINT64_MAX) {
    return step_b->position == UINT64_MAX;
  }
  const auto directory = std::find_if(by_inode.begin(), by_inode.end(), [&](const auto& each) {
    return std::equal(each.first.begin(), each.first.end(), a.begin(), step_a, same);
  });
  const base::FtsOrder order = directory != by_inode.end() ? directory->second : base::FtsOrder{};
  return order.key(step_a->position, step_a->inode) < order.key(step_b->position, step_b->inode);
}

void Bag::sort() {
  std::sort(errors.begin(), errors.end(),
            [this](const ErrorItem& a, const ErrorItem& b) { return is_before(a.place, b.place); });
  std::sort(operands.begin(), operands.end(),
            [this](const Record* a, const Record* b) { return is_before(a->place, b->place); });
}

void free_records(Record* record) {
  Record* pending = record;
  const auto add = [&pending](Record* child) {
    if (child != nullptr) {
      child->next_to_free = pending;
      pending = child;
    }
  };
  while (pending != nullptr) {
    const std::unique_ptr<Record> next(std::exchange(pending, pending->next_to_free));
    for (const Item& item : next->items) {
      add(item.child);
    }
    if (next->bag != nullptr) {
      std::for_each(next->bag->operands.begin(), next->bag->operands.end(), add);
    }
  }
}

UsageSequencer::~UsageSequencer() {
  // Only after an exception is anything left. Frames below the first hang in its items.
  if (!stack_.empty()) {
    free_records(stack_.front().record);
  }
}

void UsageSequencer::start(Record* origin, std::size_t first_root) {
  final_ = false;
  first_root_ = first_root;
  stack_.push_back({.record = origin});
  awaited_.store(reinterpret_cast<std::uintptr_t>(origin));
}

void UsageSequencer::publish(Item& item, Record* record) {
  std::atomic_ref(item.child).store(record);
  awaited_may_be_here(&item);
}

void UsageSequencer::complete(Record& record) {
  record.complete.store(true);
  awaited_may_be_here(&record);
}

void UsageSequencer::finish() {
  final_ = true;
  awaited_.store(0);
  run();
}

void UsageSequencer::awaited_may_be_here(const void* what) {
  const auto address = reinterpret_cast<std::uintptr_t>(what);
  for (;;) {
    std::uintptr_t awaited = awaited_.load();
    if (awaited == address) {
      if (awaited_.compare_exchange_weak(awaited, 0)) {
        run();
        return;
      }
    } else if (awaited == (address | 1)) {
      if (awaited_.compare_exchange_weak(awaited, 0)) {
        return;  // the owner notices
      }
    } else {
      return;
    }
  }
}

// True if the thing at `what` is here; else it is no longer ours: nothing of it may be touched.
template <class IsHere>
bool UsageSequencer::await(const void* what, IsHere is_here) {
  if (is_here() || final_) {
    return true;
  }
  listener_.pause();
  std::uintptr_t armed = reinterpret_cast<std::uintptr_t>(what) | 1;
  awaited_.store(armed);
  if (is_here()) {
    awaited_.store(0);
    return true;
  }
  return !awaited_.compare_exchange_strong(armed, armed & ~std::uintptr_t{1});
}

void UsageSequencer::run() {
  while (!stack_.empty() && step()) {
  }
}

bool UsageSequencer::step() {
  Frame& frame = stack_.back();
  Record& record = *frame.record;
  if (frame.next < record.items.size()) {
    Item& item = record.items[frame.next];
    switch (item.kind) {
      case Item::Kind::directory: {
        const std::atomic_ref<Record*> child(item.child);
        if (!await(&item, [&] { return child.load() != nullptr; })) {
          return false;
        }
        ++frame.next;
        begin_item(record, item);
        if (Record* next = child.load()) {
          enter(next);
        } else {
          frame.incomplete = true;
        }
        break;
      }
      case Item::Kind::file:
        ++frame.next;
        begin_item(record, item);
        count_file(frame, record.files[item.index]);
        break;
      case Item::Kind::error:
        ++frame.next;
        begin_item(record, item);
        report(frame, record.errors[item.index]);
        break;
    }
    return true;
  }
  if (!await(&record, [&] { return record.complete.load(); })) {
    return false;
  }
  if (record.bag != nullptr && step_in_bag(frame, *record.bag)) {
    return true;
  }
  leave();
  return true;
}

// Errors and operands by their place; false when there are no more.
bool UsageSequencer::step_in_bag(Frame& frame, Bag& bag) {
  const bool has_error = frame.next_error < bag.errors.size();
  const bool has_operand = frame.next_operand < bag.operands.size();
  if (!frame.bag_sorted) {
    bag.sort();
    frame.bag_sorted = true;
  }
  if (has_error && (!has_operand || bag.is_before(bag.errors[frame.next_error].place,
                                                  bag.operands[frame.next_operand]->place))) {
    report(frame, bag.errors[frame.next_error++]);
  } else if (has_operand) {
    enter(bag.operands[frame.next_operand++]);
  }
  return has_error || has_operand;
}

void UsageSequencer::begin_item(const Record& record, const Item& item) {
  if (record.depth < 0) {
    listener_.root(first_root_ + item.position);
  }
}

void UsageSequencer::enter(Record* record) {
  const Frame& parent = stack_.back();
  Frame frame{.record = record, .path_size = path_.size(), .dropped = parent.dropped};
  if (record->counted && check_directories_ && !frame.dropped) {
    frame.dropped = !met_.insert(record->identity);
  }
  if (!path_.empty() && path_.back() != '/') {
    path_ += '/';
  }
  path_ += record->name;
  stack_.push_back(frame);
}

void UsageSequencer::count_file(Frame& frame, const FileItem& file) {
  if (frame.dropped) {
    return;
  }
  if (file.check) {
    if (!met_.insert(file.identity)) {
      ++repeated_links_;
      return;
    }
    frame.links += file.sums;
  }
  if (!file.name.empty()) {
    file_line(frame, file);
  }
}

void UsageSequencer::report(Frame& frame, const ErrorItem& error) {
  frame.incomplete = true;
  if (!frame.dropped && !stopped()) {
    listener_.error({.kind = error.kind, .code = error.code, .path = error.path});
  }
}

void UsageSequencer::leave() {
  Frame frame = stack_.back();
  Record& record = *frame.record;
  frame.incomplete |= record.state == State::cancelled || !record.complete.load();
  if (record.bag != nullptr) {
    count_bag(frame, *record.bag);
  }
  UsageSums sums;
  if (record.counted && !frame.dropped) {
    sums = record.sums;
    sums += frame.links;
    total_ += sums;
    if (!options_.separate_directories) {
      sums += frame.below;
    }
  }
  if (record.error != 0) {
    const auto kind = !record.counted                         ? UsageError::Kind::access
                      : record.state == State::partially_read ? UsageError::Kind::partial
                                                              : UsageError::Kind::read;
    report(frame, {.kind = kind, .code = record.error, .path = path_, .place = {}});
  }
  if (record.state == State::pruned && !frame.dropped) {
    // It was left out as an earlier root, which has become something else meanwhile.
    report(frame, {.kind = UsageError::Kind::read, .code = ESTALE, .path = path_, .place = {}});
  }
  // GNU du has no line for a directory whose listing broke off, unless files have lines too.
  const bool has_line = record.state != State::partially_read || options_.all || record.depth == 0;
  if (record.counted && !frame.dropped && has_line && record.depth >= 0 &&
      record.depth <= options_.max_depth) {
    line({.path = path_,
          .name = record.name,
          .depth = record.depth,
          .type = FileType::directory,
          .mode = record.mode,
          .complete = !frame.incomplete,
          .sums = sums,
          .own = record.own,
          .entries = record.order.entry_count});
  }
  path_.resize(frame.path_size);
  stack_.pop_back();
  delete frame.record;
  if (!stack_.empty()) {
    Frame& parent = stack_.back();
    parent.below += sums;
    parent.incomplete |= frame.incomplete;
    // Nothing may point to what is gone; see the destructor.
    if (parent.next_operand > 0) {
      parent.record->bag->operands[parent.next_operand - 1] = nullptr;
    } else {
      parent.record->items[parent.next - 1].child = nullptr;
    }
  }
}

void UsageSequencer::count_bag(Frame& frame, Bag& bag) {
  frame.incomplete |= bag.incomplete;
  if (frame.dropped) {
    return;
  }
  repeated_links_ += bag.repeated_links;
  for (const auto& [identity, sums] : bag.links) {
    if (met_.insert(identity)) {
      frame.links += sums;
    } else {
      ++repeated_links_;
    }
  }
}

void UsageSequencer::file_line(const Frame& frame, const FileItem& file) {
  const std::size_t size = path_.size();
  if (size > 0 && path_.back() != '/') {
    path_ += '/';
  }
  path_ += file.name;
  line({.path = path_,
        .name = file.name,
        .depth = frame.record->depth + 1,
        .type = file.type,
        .mode = file.mode,
        .complete = true,
        .sums = file.sums,
        .own = {},
        .entries = 0});
  path_.resize(size);
}

void UsageSequencer::line(const UsageLine& line) {
  if (!stopped() && !listener_.line(line)) {
    stopped_.store(true, std::memory_order_relaxed);
  }
}

}  // namespace trawl::fold
