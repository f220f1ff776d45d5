// SPDX-License-Identifier: Apache-2.0
#include "fold/events_order.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "fold/events_visitor.h"

namespace trawl::fold {

struct EventSequence::Item {
  enum class Kind : std::uint8_t { file, directory, error };
  static constexpr std::size_t kNone = SIZE_MAX;

  std::uint64_t position;
  std::size_t name;           // in Record::names; the link's target follows it
  Record* child = nullptr;    // of a directory; under the mutex until it is there
  std::size_t index = kNone;  // in Record::metadata or errors
  std::uint32_t name_size = 0;
  std::uint32_t target_size = 0;
  Kind kind = Kind::file;
  FileType type = FileType::unknown;
  bool followed = false;
};

struct EventSequence::Record {
  std::uint64_t id = 0;  // once it is its turn
  std::string path;
  std::size_t parent_size = 0;  // of its parent's path in it
  std::size_t name_size = 0;
  int depth = -1;
  bool entered = false;
  Metadata own_metadata;
  // Under the directory's lock while it is listed, then constant.
  std::vector<Item> items;
  std::vector<char> names;
  std::vector<Metadata> metadata;
  std::vector<Error> errors;
  // Before it is complete.
  State state = State::open;
  Operation operation = Operation::open;
  int error = 0;
  // Under the mutex.
  bool is_listed = false;
  bool is_complete = false;

  void set_end(const Directory& directory) {
    state = directory.state();
    operation = directory.operation();
    error = directory.error();
  }
  std::string_view name(const Item& item) const {
    return {names.data() + item.name, item.name_size};
  }
  std::string_view target(const Item& item) const {
    return {names.data() + item.name + item.name_size, item.target_size};
  }
  // Roots stay as given. A broken filesystem may list a name twice.
  std::pair<std::string_view, std::uint64_t> key(std::string_view name,
                                                 std::uint64_t position) const {
    return {depth < 0 ? std::string_view() : name, position};
  }
  auto key(const Item& item) const { return key(name(item), item.position); }
};

EventSequence::~EventSequence() {
  std::vector<Record*> left;
  for (const Frame& frame : stack_) {
    left.push_back(frame.record);
  }
  while (!left.empty()) {
    const std::unique_ptr<Record> record(left.back());
    left.pop_back();
    for (const Item& item : record->items) {
      if (item.child != nullptr) {
        left.push_back(item.child);
      }
    }
  }
}

// ---------------------------------------------------------------------------------------------
// The workers' side

// Waits if many entries are ahead of the order, but only while there is something to take: what the
// order waits for may be in the deque of a worker that waits here, and consumers bring that to an
// end.
void EventSequence::throttle() {
  if (ahead_.load(std::memory_order_relaxed) > most_ahead_ && pipe_.is_half_full()) {
    pipe_.let_consumers_work();
  }
}

void EventSequence::enter(Directory& directory) {
  throttle();
  begin(directory, true);
}

void EventSequence::entries(Directory& directory, std::span<Entry> batch) {
  throttle();
  Record& record = *directory.slot<Record*>();
  const std::lock_guard lock(directory);
  const std::size_t before = record.items.size();
  for (const Entry& entry : batch) {
    if (is_vanished(directory, entry)) {
      continue;
    }
    Item item{.position = entry.position, .name = record.names.size()};
    item.name_size = static_cast<std::uint32_t>(entry.name.size());
    item.type = entry.type;
    item.followed = entry.followed;
    record.names.insert(record.names.end(), entry.name.begin(), entry.name.end());
    if (entry.descend) {
      item.kind = Item::Kind::directory;
    } else if (is_failure(entry)) {
      item.kind = Item::Kind::error;
      item.index = record.errors.size();
      record.errors.push_back(failure_of(directory, entry));
    } else {
      item.target_size = static_cast<std::uint32_t>(entry.link_target.size());
      record.names.insert(record.names.end(), entry.link_target.begin(), entry.link_target.end());
      if (entry.metadata != nullptr) {
        item.index = record.metadata.size();
        record.metadata.push_back(*entry.metadata);
      }
    }
    record.items.push_back(item);
  }
  ahead_.fetch_add(record.items.size() - before, std::memory_order_relaxed);
}

void EventSequence::listed(Directory& directory) {
  Record& record = *directory.slot<Record*>();
  std::sort(record.items.begin(), record.items.end(),
            [&record](const Item& a, const Item& b) { return record.key(a) < record.key(b); });
  publish(&record.is_listed, [&record] { record.is_listed = true; });
}

void EventSequence::leave(Directory& directory) {
  Record* record = directory.slot<Record*>();
  if (record == nullptr) {
    begin(directory, false);
    return;
  }
  record->set_end(directory);
  publish(&record->is_complete, [record] { record->is_listed = record->is_complete = true; });
}

// Makes a directory's record, which belongs to the parent's from then on.
void EventSequence::begin(Directory& directory, bool entered) {
  auto owned = std::make_unique<Record>();
  Record* const record = owned.get();
  directory.slot<Record*>() = record;
  record->depth = directory.depth();
  record->entered = entered;
  if (directory.is_origin()) {
    stack_.push_back({.record = record});
    owned.release();
    awaited_ = &record->is_listed;
    return;
  }
  directory.append_path(record->path);
  record->parent_size = parent_path_size(directory, record->path);
  record->name_size = directory.name().size();
  record->own_metadata = directory.metadata();
  if (!entered) {
    record->set_end(directory);
    record->is_listed = record->is_complete = true;  // nobody sees it yet
  }
  Record& parent = *directory.parent()->slot<Record*>();
  Item& item = *std::lower_bound(
      parent.items.begin(), parent.items.end(), parent.key(directory.name(), directory.position()),
      [&parent](const Item& each, const auto& key) { return parent.key(each) < key; });
  owned.release();
  publish(&item, [&item, record] { item.child = record; });
}

// After that, what was published may be gone.
template <class Publish>
void EventSequence::publish(const void* what, Publish publish) {
  {
    const std::lock_guard lock(mutex_);
    publish();
    if (awaited_ != what) {
      return;
    }
    awaited_ = nullptr;
  }
  run();
}

// ---------------------------------------------------------------------------------------------
// The sequence

void EventSequence::finish() {
  {
    const std::lock_guard lock(mutex_);
    final_ = true;
    awaited_ = nullptr;
  }
  run();
}

// If it is not here, the sequence is not ours any more: nothing of it may be touched.
template <class IsHere>
bool EventSequence::await(const void* what, IsHere is_here) {
  const std::lock_guard lock(mutex_);
  if (is_here() || final_) {
    return true;
  }
  awaited_ = what;
  return false;
}

void EventSequence::run() {
  while (!pipe_.is_cancelled() && !stack_.empty() && step()) {
  }
}

bool EventSequence::step() {
  Frame& frame = stack_.back();
  Record& record = *frame.record;
  if (!frame.is_listed) {
    if (!await(&record.is_listed, [&record] { return record.is_listed; })) {
      return false;
    }
    frame.is_listed = true;
  }
  add_items(frame);
  if (frame.next < record.items.size()) {
    Item& item = record.items[frame.next];
    if (!await(&item, [&item] { return item.child != nullptr; })) {
      return false;
    }
    ++frame.next;
    ahead_.fetch_sub(1, std::memory_order_relaxed);
    if (item.child != nullptr) {
      stack_.push_back({.record = item.child});  // `frame` is not valid any more
      item.child = nullptr;
      begin_record(*stack_.back().record);
    }
    return true;
  }
  if (!await(&record.is_complete, [&record] { return record.is_complete; })) {
    return false;
  }
  end_record(record);
  delete &record;
  stack_.pop_back();
  return true;
}

// Those that are not directories, up to the next that is one.
void EventSequence::add_items(Frame& frame) {
  const Record& record = *frame.record;
  const std::size_t first = frame.next;
  const std::size_t size = record.items.size();
  if (first == size || record.items[first].kind == Item::Kind::directory) {
    return;
  }
  const std::unique_lock lock = pipe_.lock(producer_);
  for (; frame.next < size && record.items[frame.next].kind != Item::Kind::directory;
       ++frame.next) {
    add_item(record, record.items[frame.next]);
  }
  pipe_.rest(producer_);
  ahead_.fetch_sub(frame.next - first, std::memory_order_relaxed);
}

void EventSequence::add_item(const Record& record, const Item& item) {
  EventPipe::Storage& out = producer_.batch();
  const bool failed = item.kind == Item::Kind::error;
  WalkEvent& event =
      out.add(failed ? WalkEvent::Kind::error : WalkEvent::Kind::file, item.type, record.depth + 1);
  event.directory = path_in_batch(record);
  event.name = out.keep(record.name(item));
  event.link_target = item.target_size != 0 ? out.keep(record.target(item)) : std::string_view();
  event.followed = item.followed;
  if (failed) {
    event.failure = out.keep(record.errors[item.index]);
  } else if (item.index != Item::kNone) {
    event.metadata = out.keep(record.metadata[item.index]);
  }
  pipe_.added(producer_);
}

// Of what a directory is reported with before all that is in it: all, if it was not entered.
void EventSequence::begin_record(Record& record) {
  record.id = ++ids_;
  const std::unique_lock lock = pipe_.lock(producer_);
  if (record.entered) {
    add_own(record, WalkEvent::Kind::enter_dir, State::open);
  } else if (record.state == State::unreadable) {
    add_own(record, WalkEvent::Kind::error, State::unreadable);
  } else if (record.state != State::vanished && record.state != State::cancelled) {
    add_own(record, WalkEvent::Kind::file, record.state);
  }
  pipe_.rest(producer_);
}

void EventSequence::end_record(const Record& record) {
  if (!record.entered || record.depth < 0 || !record.is_complete ||
      record.state == State::cancelled) {
    return;
  }
  const bool failed = record.state == State::unreadable || record.state == State::partially_read;
  const std::unique_lock lock = pipe_.lock(producer_);
  if (failed) {
    add_own(record, WalkEvent::Kind::error, State::partially_read);
  }
  add_own(record, WalkEvent::Kind::exit_dir, failed ? State::partially_read : record.state);
  pipe_.rest(producer_);
}

void EventSequence::add_own(const Record& record, WalkEvent::Kind kind, State state) {
  EventPipe::Storage& out = producer_.batch();
  WalkEvent& event = out.add(kind, FileType::directory, record.depth);
  const std::string_view path = path_in_batch(record);
  event.state = state;
  event.directory = path.substr(0, record.parent_size);
  event.name = path.substr(path.size() - record.name_size);
  if (kind != WalkEvent::Kind::exit_dir && record.own_metadata.valid != Fields::none) {
    event.metadata = out.keep(record.own_metadata);
  }
  if (kind == WalkEvent::Kind::error) {
    event.failure = out.keep({.operation = record.operation,
                              .code = record.error,
                              .depth = record.depth,
                              .path = record.path});
  }
  pipe_.added(producer_);
}

std::string_view EventSequence::path_in_batch(const Record& record) {
  if (record.depth < 0) {
    return {};
  }
  std::string_view path = producer_.known_path(record.id);
  if (path.empty()) {
    path = producer_.batch().keep(record.path);
    producer_.know_path(record.id, path);
  }
  return path;
}

}  // namespace trawl::fold
