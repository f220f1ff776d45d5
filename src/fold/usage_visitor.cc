// SPDX-License-Identifier: Apache-2.0
#include "fold/usage_visitor.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace trawl::fold {

// Of every live directory.
struct UsageVisitor::Slot {
  UsageSums sums;    // under the directory's lock: its entries and collapsed subdirectories
  Record* record;    // its own, or null if it is collapsed
  Record* group;     // its own, or the nearest kept ancestor's
  bool published;
};

namespace {

void append_name(std::string& path, std::string_view name) {
  if (!path.empty() && path.back() != '/') {
    path += '/';
  }
  path += name;
}

// Of an entry with an error; see UsageError::code.
int code_of(const Entry& entry) {
  const bool dangling = entry.error == ENOENT && entry.metadata != nullptr;
  return dangling ? 0 : entry.error;
}

}  // namespace

std::size_t UsageVisitor::slot_bytes() { return sizeof(Slot); }

UsageSums UsageVisitor::sums_of(const Metadata& metadata) const {
  UsageSums sums;
  sums.disk_usage = metadata.disk_usage();
  // A size beyond off_t's range is negative to GNU du, and counts as nothing.
  sums.apparent_size = metadata.size > static_cast<std::uint64_t>(INT64_MAX) ? 0 : metadata.size;
  sums.inodes = 1;
  switch (options_.time) {
    case UsageTime::none: break;
    case UsageTime::mtime: sums.newest = metadata.mtime; break;
    case UsageTime::atime: sums.newest = metadata.atime; break;
    case UsageTime::ctime: sums.newest = metadata.ctime; break;
  }
  return sums;
}

bool UsageVisitor::is_operand(const Metadata& metadata) const {
  return shared_.any_may_repeat && shared_.operands.contains(metadata.identity());
}

// Something below a root is one that comes before it.
bool UsageVisitor::is_earlier_root(const Directory& directory) const {
  if (!shared_.any_may_repeat || directory.is_origin()) {
    return false;
  }
  const auto operand = shared_.operands.find(directory.metadata().identity());
  if (operand == shared_.operands.end()) {
    return false;
  }
  const Directory* root = &directory;
  while (root->depth() > 0) {
    root = root->parent();
  }
  return operand->second < shared_.first_root + root->position();
}

bool UsageVisitor::must_check(const Entry& entry) const {
  return !options_.count_links && (entry.metadata->links > 1 || shared_.check_all ||
                                   is_operand(*entry.metadata));
}

// Files are on another device than their directory where one is mounted on them, and on overlays.
bool UsageVisitor::leaves_file_system(const Directory& directory, const Metadata& metadata) const {
  return options_.walk.one_file_system && !directory.is_origin() &&
         metadata.device != directory.metadata().device;
}

// Whether an entry of the record's directory has a line by itself.
bool UsageVisitor::has_line(const Record& record, const UsageSums& sums) const {
  if (record.depth < 0) {
    return true;  // an operand
  }
  if (!options_.all || record.depth >= options_.max_depth) {
    return false;
  }
  return options_.file_floor == nullptr ||
         (options_.floor_by_apparent_size ? sums.apparent_size : sums.disk_usage) >=
             options_.file_floor->load(std::memory_order_relaxed);
}

std::string UsageVisitor::path_of(const Directory& directory, std::string_view name) const {
  std::string path;
  directory.append_path(path);
  append_name(path, name);
  return path;
}

UsageVisitor::Slot& UsageVisitor::begin(Directory& directory) {
  Slot& slot = *new (&directory.slot<Slot>()) Slot{};
  if (directory.is_origin()) {
    slot.record = slot.group = shared_.origin;
    return slot;
  }
  const Metadata& metadata = directory.metadata();
  if (directory.depth() > shared_.keep_depth && !is_operand(metadata)) {
    slot.group = directory.parent()->slot<Slot>().group;
    return slot;
  }
  auto record = std::make_unique<Record>();
  record->name = directory.name();
  record->identity = metadata.identity();
  record->mode = metadata.mode;
  record->depth = directory.depth();
  record->ordered = directory.depth() < shared_.keep_depth;
  if (!record->ordered) {
    record->bag = std::make_unique<Bag>();
  }
  slot.record = slot.group = record.release();
  return slot;
}

Verdict UsageVisitor::enter(Directory& directory) {
  Slot& slot = begin(directory);
  if (slot.record != nullptr) {
    slot.record->counted = true;
    if (is_earlier_root(directory)) {
      return Verdict::prune;
    }
  }
  return shared_.sequencer.stopped() ? Verdict::stop : Verdict::proceed;
}

Verdict UsageVisitor::entries(Directory& directory, std::span<Entry> batch) {
  Slot& slot = directory.slot<Slot>();
  const bool ordered = slot.group->ordered;
  UsageSums counted;
  std::unique_lock lock(directory, std::defer_lock);
  for (const Entry& entry : batch) {
    if (entry.descend) {
      if (!ordered) {
        continue;
      }
    } else if (entry.error == 0 && leaves_file_system(directory, *entry.metadata)) {
      continue;
    } else if (entry.error == 0) {
      const UsageSums sums = sums_of(*entry.metadata);
      const bool check = must_check(entry);
      if (!check) {
        counted += sums;
      }
      if (!check && !(ordered && has_line(*slot.group, sums))) {
        continue;  // as good as all
      }
    }
    if (ordered) {
      if (!lock.owns_lock()) {
        lock.lock();
      }
      add_item(directory, *slot.group, entry);
    } else {
      add_to_bag(directory, *slot.group->bag, entry, counted);
    }
  }
  if (!lock.owns_lock()) {
    lock.lock();
  }
  slot.sums += counted;
  return shared_.sequencer.stopped() ? Verdict::stop : Verdict::proceed;
}

// Under the directory's lock: others may report entries of the same directory.
void UsageVisitor::add_item(const Directory& directory, Record& record, const Entry& entry) {
  Item item{.position = entry.position, .inode = entry.inode};
  if (entry.error != 0) {
    item.kind = Item::Kind::error;
    item.index = static_cast<std::uint32_t>(record.errors.size());
    record.errors.push_back({.kind = UsageError::Kind::access,
                             .code = code_of(entry),
                             .path = path_of(directory, entry.name),
                             .place = {}});
  } else if (!entry.descend) {
    item.kind = Item::Kind::file;
    item.index = static_cast<std::uint32_t>(record.files.size());
    const UsageSums sums = sums_of(*entry.metadata);
    record.files.push_back({.identity = entry.metadata->identity(),
                            .sums = sums,
                            .name = has_line(record, sums) ? std::string(entry.name) : "",
                            .type = entry.type,
                            .mode = entry.metadata->mode,
                            .check = must_check(entry)});
  }
  record.items.push_back(item);
}

void UsageVisitor::add_to_bag(const Directory& directory, Bag& bag, const Entry& entry,
                              UsageSums& counted) {
  if (entry.error != 0) {
    add_bag_error(directory, &entry, bag, UsageError::Kind::access, code_of(entry));
    return;
  }
  const FileIdentity identity = entry.metadata->identity();
  const UsageSums sums = sums_of(*entry.metadata);
  if (shared_.count_links_at_once) {
    if (shared_.links_counted.insert(identity)) {
      counted += sums;
    } else {
      shared_.repeated_links.fetch_add(1, std::memory_order_relaxed);
    }
    return;
  }
  std::lock_guard lock(bag.mutex);
  if (bag.seen.insert(identity)) {
    bag.links.emplace_back(identity, sums);
  } else {
    ++bag.repeated_links;
  }
}

Place UsageVisitor::place_of(const Directory& directory) {
  Place place;
  for (const Directory* at = &directory; !at->is_origin(); at = at->parent()) {
    place.push_back({at->position(), at->listed_inode()});
  }
  std::reverse(place.begin(), place.end());
  return place;
}

// An error of an entry, or of the directory itself.
void UsageVisitor::add_bag_error(const Directory& directory, const Entry* entry, Bag& bag,
                                 UsageError::Kind kind, int code) {
  ErrorItem error{.kind = kind, .code = code, .path = {}, .place = place_of(directory)};
  directory.append_path(error.path);
  if (entry != nullptr) {
    append_name(error.path, entry->name);
    error.place.push_back({entry->position, entry->inode});
  } else {
    error.place.push_back({UINT64_MAX, UINT64_MAX});  // after all that is in it
  }
  std::lock_guard lock(bag.mutex);
  bag.errors.push_back(std::move(error));
}

void UsageVisitor::listed(Directory& directory) {
  Slot& slot = directory.slot<Slot>();
  if (!slot.group->ordered) {
    if (directory.inode_ordered()) {
      Bag& bag = *slot.group->bag;
      std::lock_guard lock(bag.mutex);
      bag.by_inode.emplace_back(place_of(directory), base::FtsOrder::of(directory));
    }
    return;
  }
  Record& record = *slot.record;
  record.order = base::FtsOrder::of(directory);
  const auto before = [&record](const Item& a, const Item& b) {
    return record.order.key(a.position, a.inode) < record.order.key(b.position, b.inode);
  };
  if (!std::is_sorted(record.items.begin(), record.items.end(), before)) {
    std::sort(record.items.begin(), record.items.end(), before);
  }
  if (directory.is_origin()) {
    shared_.sequencer.origin_listed(&record);
    return;
  }
  // Without children leave() follows at once: one hand-over is enough.
  if (std::any_of(record.items.begin(), record.items.end(), [](const Item& item) {
        return item.kind == Item::Kind::directory;
      })) {
    slot.published = true;
    shared_.sequencer.publish(
        directory.parent()->slot<Slot>().record->item(directory.position(),
                                                      directory.listed_inode()),
        &record);
  }
}

void UsageVisitor::leave(Directory& directory) {
  const bool entered = directory.slot<Slot>().group != nullptr;
  Slot& slot = entered ? directory.slot<Slot>() : begin(directory);
  // Not entered, but there: unreadable. Everything else that was not entered does not count.
  const bool counted = entered || (directory.state() == State::unreadable &&
                                   has(directory.metadata().valid, Fields::identity));
  // Removed while it was listed: it is as good as empty.
  const int error = entered && directory.state() == State::vanished ? 0 : directory.error();
  UsageSums own;
  if (counted && !directory.is_origin()) {
    own = sums_of(directory.metadata());
    slot.sums += own;
  }

  if (Record* record = slot.record) {
    if (!entered) {
      record->counted = counted;  // else it may be published, and is true already
    }
    record->own = own;
    record->sums = slot.sums;
    record->order.entry_count = directory.entry_count();
    record->error = error;
    record->state = directory.state();
    if (!slot.published && !directory.is_origin()) {
      Record& parent = *directory.parent()->slot<Slot>().group;
      if (parent.ordered) {
        shared_.sequencer.publish(parent.item(directory.position(), directory.listed_inode()),
                                  record);
      } else {
        record->place = place_of(directory);
        std::lock_guard lock(parent.bag->mutex);
        parent.bag->operands.push_back(record);
      }
    }
    shared_.sequencer.complete(*record);
    return;
  }

  Bag& bag = *slot.group->bag;
  if (error != 0) {
    const auto kind = !counted                                     ? UsageError::Kind::access
                      : directory.state() == State::partially_read ? UsageError::Kind::partial
                                                                   : UsageError::Kind::read;
    add_bag_error(directory, nullptr, bag, kind, error);
  }
  if (directory.state() == State::cancelled) {
    std::lock_guard lock(bag.mutex);
    bag.incomplete = true;
  }
  Directory& parent = *directory.parent();
  std::lock_guard lock(parent);
  parent.slot<Slot>().sums += slot.sums;
}

}  // namespace trawl::fold
