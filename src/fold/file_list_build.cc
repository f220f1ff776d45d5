// SPDX-License-Identifier: Apache-2.0
#include "fold/file_list_build.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <stdexcept>

namespace trawl::fold {

namespace {

// What decides the place of a record in its block: a group, then bytes: the name, of some with a
// '/' behind it. The first eight bytes are compared as one number; most names differ there.
struct SortKey {
  std::uint64_t prefix;
  std::uint64_t place;  // the record's offset among those gathered, and two bits

  static constexpr std::uint64_t kSlash = 1;  // compares with '/' behind the name
  static constexpr std::uint64_t kLast = 2;   // in the second group
  static_assert(kRecordAlignment > (kSlash | kLast));
  std::uint64_t record() const { return place & ~(kSlash | kLast); }
  bool slash() const { return (place & kSlash) != 0; }
  bool last() const { return (place & kLast) != 0; }
};

std::uint64_t prefix_of(std::string_view name, bool slash) {
  std::array<unsigned char, 8> bytes{};
  const std::size_t size = std::min(name.size(), bytes.size());
  std::memcpy(bytes.data(), name.data(), size);
  if (slash && size < bytes.size()) {
    bytes[size] = '/';
  }
  std::uint64_t prefix;
  std::memcpy(&prefix, bytes.data(), sizeof prefix);
  return std::endian::native == std::endian::little ? __builtin_bswap64(prefix) : prefix;
}

// A directory that will be entered, from its record on.
struct Stub {
  std::uint64_t position;
  std::uint64_t record;  // offset among those gathered; in the block: the record's address
};

}  // namespace

// What is gathered of a directory while it is listed, and of its subdirectories until they are
// entered.
struct ListBuild {
  std::vector<std::byte> records;
  std::vector<SortKey> keys;
  std::vector<Stub> stubs;
  std::size_t entries = 0;

  void clear() {
    entries = 0;
    records.clear();
    keys.clear();
    stubs.clear();
  }
  void append(const ListBuild& other) {
    const std::uint64_t base = records.size();
    entries += other.entries;
    records.insert(records.end(), other.records.begin(), other.records.end());
    for (SortKey key : other.keys) {
      key.place += base;
      keys.push_back(key);
    }
    for (Stub stub : other.stubs) {
      stub.record += base;
      stubs.push_back(stub);
    }
  }
};

struct ListVisitor::Slot {
  ListBuild* build;
  ListedDirectory* block;
  bool known;
};
static_assert(ListVisitor::kSlotBytes == 24);

namespace {

void sort_keys(ListBuild& build, const RecordLayout& layout) {
  const std::byte* records = build.records.data();
  const auto text = [&](const SortKey& key) {
    const std::byte* record = records + key.record();
    return layout.name(record, header_of(record));
  };
  std::sort(build.keys.begin(), build.keys.end(), [&](const SortKey& a, const SortKey& b) {
    if (a.last() != b.last()) {
      return b.last();
    }
    if (a.prefix != b.prefix) {
      return a.prefix < b.prefix;
    }
    if (static_cast<unsigned char>(a.prefix) == 0) {
      return false;  // they were shorter than that, and are equal
    }
    const std::string_view left = text(a);
    const std::string_view right = text(b);
    const std::size_t common = std::min(left.size(), right.size());
    const int difference = std::memcmp(left.data(), right.data(), common);
    if (difference != 0) {
      return difference < 0;
    }
    // One is the beginning of the other: the next byte of each, or none.
    const auto next = [common](std::string_view name, const SortKey& key) {
      return common < name.size() ? static_cast<unsigned char>(name[common])
                                  : (key.slash() ? static_cast<unsigned char>('/') : 0);
    };
    const int at_left = next(left, a);
    const int at_right = next(right, b);
    if (at_left != at_right) {
      return at_left < at_right;
    }
    return left.size() < right.size();
  });
}

}  // namespace

ListedDirectory* make_block(std::uint64_t size) {
  if (size > std::uint64_t{UINT32_MAX} * kRecordAlignment) {
    throw std::length_error("a directory of more than 16 GiB of list");
  }
  return new (::operator new(sizeof(ListedDirectory) + size)) ListedDirectory{};
}

void free_block(const ListedDirectory* block) {
  ::operator delete(const_cast<ListedDirectory*>(block));
}

Descent descent_of(Order order) {
  return order == Order::component ? Descent::by_name : Descent::by_name_and_slash;
}

Options walk_options(const ListOptions& options) {
  if (options.safe_links && options.follow == Follow::all) {
    throw std::invalid_argument("safe_links judges links that are not followed");
  }
  Options walk;
  walk.fields = options.fields;
  walk.follow = options.follow;
  walk.one_file_system = options.one_file_system;
  // The walk's is of directories that are entered.
  walk.max_depth = options.max_depth == INT32_MAX ? INT32_MAX : std::max(options.max_depth, 0) - 1;
  walk.link_targets = options.link_targets || options.safe_links;
  walk.threads = options.threads;
  walk.private_descriptors = true;
  walk.slot_bytes = ListVisitor::kSlotBytes;
  walk.deadline = options.deadline;
  walk.cancel = options.cancel;
  walk.stall_timeout = options.stall_timeout;
  walk.filter = options.filter;
  walk.progress_entries = options.progress_entries;
  walk.max_errors = options.max_errors;
  if (options.follow == Follow::all && options.order != Order::unordered) {
    // By which of several links a directory is entered: the first in the list. That is known only
    // if all before it was walked.
    walk.threads = 1;
    walk.descent = descent_of(options.order);
  }
  return walk;
}

// As rsync 3.4 and later judge. What goes up after it went down may do so through another link, so
// it is not counted but refused; and a last ".." is only right alone.
bool leads_out(std::string_view target, int depth) {
  if (target.empty() || target.front() == '/') {
    return true;
  }
  int at = depth - 1;  // of the directory that the link is in
  bool may_go_up = true;
  for (bool first = true; !target.empty(); first = false) {
    const std::size_t end = std::min(target.find('/'), target.size());
    const bool last = end == target.size();
    const std::string_view component = target.substr(0, end);
    target.remove_prefix(std::min(end + 1, target.size()));
    if (component == "..") {
      if (!may_go_up || (last && !first) || --at < 0) {
        return true;
      }
    } else if (!component.empty()) {
      may_go_up = false;
      at += component == "." ? 0 : 1;
    }
  }
  return false;
}

ListVisitor::ListVisitor(ListWork& work) : work_(work), scratch_(std::make_unique<ListBuild>()) {}
ListVisitor::~ListVisitor() = default;

ListBuild* ListVisitor::take_build() {
  if (free_.empty()) {
    return builds_.emplace_back(std::make_unique<ListBuild>()).get();
  }
  ListBuild* build = free_.back();
  free_.pop_back();
  return build;
}

// The record of a directory, in its parent's block.
std::byte* ListVisitor::record_of(const Directory& directory) {
  const ListBuild& build = *directory.parent()->slot<Slot>().build;
  const auto stub = std::lower_bound(
      build.stubs.begin(), build.stubs.end(), directory.position(),
      [](const Stub& each, std::uint64_t position) { return each.position < position; });
  return reinterpret_cast<std::byte*>(stub->record);
}

Verdict ListVisitor::enter(Directory& directory) {
  if (work_.observer != nullptr && !directory.is_origin()) {
    work_.observer->before_directory(record_of(directory));
  }
  directory.slot<Slot>().build = take_build();
  return work_.stop.load(std::memory_order_relaxed) ? Verdict::stop : Verdict::proceed;
}

void ListVisitor::encode(const Entry& entry, int depth, ListBuild& out) const {
  const RecordLayout& layout = work_.storage.layout;
  const std::string_view name = depth == 0 ? std::string_view("") : entry.name;
  const bool has_target = work_.options.link_targets && entry.type == FileType::symlink;
  RecordHeader header{.name_size = static_cast<std::uint16_t>(name.size()), .type = entry.type};
  const auto set = [&header](RecordFlag flag, bool on) {
    header.flags = static_cast<std::uint8_t>(header.flags | (on ? flag : 0));
  };
  set(kRecordFollowed, entry.followed);
  set(kRecordHasTarget, has_target);
  set(kRecordHasLink, entry.descend);
  const bool has_metadata = layout.fields() != Fields::none;
  const Metadata* metadata = entry.descend || !has_metadata ? nullptr : entry.metadata;
  set(kRecordHasMetadata, has_metadata);
  set(kRecordWide, metadata != nullptr && !layout.fits(*metadata));

  const std::size_t at = out.records.size();
  const std::size_t target_at = layout.target_at(header);
  const std::size_t name_at =
      target_at + (has_target ? sizeof(std::uint16_t) + entry.link_target.size() : 0);
  out.records.resize((at + name_at + name.size() + kRecordAlignment - 1) / kRecordAlignment *
                     kRecordAlignment);
  std::byte* record = out.records.data() + at;
  set_header(record, header);
  if (header.is(kRecordWide)) {
    std::memcpy(record + sizeof header, metadata, sizeof *metadata);
  } else if (metadata != nullptr) {
    layout.pack(*metadata, record + sizeof header);
  }
  if (has_target) {
    const auto size = static_cast<std::uint16_t>(entry.link_target.size());
    std::memcpy(record + target_at, &size, sizeof size);
    std::memcpy(record + target_at + sizeof size, entry.link_target.data(), size);
  }
  std::memcpy(record + name_at, name.data(), name.size());

  const Order order = work_.storage.order;
  const bool after_files = order == Order::rsync && entry.type == FileType::directory;
  out.keys.push_back(
      {prefix_of(name, after_files), at | (after_files ? SortKey::kSlash | SortKey::kLast : 0)});
  ++out.entries;
  if (entry.descend) {
    out.stubs.push_back({entry.position, at});
    if (splits_directories(order) && !(depth == 0 && marks_root(order))) {
      out.keys.push_back({prefix_of(name, true), at | SortKey::kSlash});
    }
  }
}

Verdict ListVisitor::entries(Directory& directory, std::span<Entry> batch) {
  if (work_.stop.load(std::memory_order_relaxed)) {
    return Verdict::stop;
  }
  const int depth = directory.depth() + 1;
  scratch_->clear();
  for (Entry& entry : batch) {
    const bool unknown = entry.error != 0 && entry.metadata == nullptr;
    const bool unsafe = work_.options.safe_links && entry.type == FileType::symlink &&
                        leads_out(entry.link_target, depth);
    if (!unknown && !unsafe) {
      encode(entry, depth, *scratch_);
    }
  }
  const std::lock_guard lock(directory);
  directory.slot<Slot>().build->append(*scratch_);
  return Verdict::proceed;
}

// Puts the records in order, into a block.
void ListVisitor::listed(Directory& directory) {
  auto& slot = directory.slot<Slot>();
  ListBuild& build = *slot.build;
  const RecordLayout& layout = work_.storage.layout;
  if (work_.storage.order != Order::unordered) {
    sort_keys(build, layout);
  }
  std::sort(build.stubs.begin(), build.stubs.end(),
            [](const Stub& a, const Stub& b) { return a.position < b.position; });
  if (!build.keys.empty()) {
    const std::size_t marks = build.keys.size() - build.entries + 1;
    ListedDirectory& block = *make_block(build.records.size() + marks * kMarkSize);
    const bool is_origin = directory.is_origin();
    block.storage = &work_.storage;
    block.depth = directory.depth();
    block.parent = is_origin ? nullptr : directory.parent()->slot<Slot>().block;
    block.record = is_origin ? nullptr : record_of(directory);
    copy_records(build, block);
    slot.block = &block;
    entries_ += build.entries;
    bytes_ += sizeof block + block.size;
  }
  if (directory.is_origin()) {
    publish(reinterpret_cast<std::byte*>(&work_.origin),
            reinterpret_cast<std::uint64_t>(slot.block), build.entries, false);
  } else {
    fill_in(directory);
  }
}

void ListVisitor::copy_records(ListBuild& build, ListedDirectory& block) {
  const RecordLayout& layout = work_.storage.layout;
  const Order order = work_.storage.order;
  std::byte* to = block.begin();
  const auto put_mark = [&to](RecordFlag flag, std::uint64_t of) {
    set_header(to, {.flags = flag});
    std::memcpy(to + sizeof(RecordHeader), &of, sizeof of);
    to += kMarkSize;
  };
  bool root_to_come = marks_root(order) && block.depth == 0;
  const auto put_root = [&] {
    put_mark(kRecordRoot, reinterpret_cast<std::uint64_t>(block.record));
    root_to_come = false;
  };
  for (const SortKey& key : build.keys) {
    if (root_to_come && key.prefix >> 56 >= '.') {
      put_root();
    }
    std::byte* from = build.records.data() + key.record();
    const RecordHeader header = header_of(from);
    std::byte* link = from + layout.link_at(header);
    if (splits_directories(order) && key.slash()) {
      put_mark(kRecordSubtree, link_of(link));
      continue;
    }
    const std::size_t size = layout.size(from, header);
    std::memcpy(to, from, size);
    if (header.is(kRecordHasLink)) {  // where the record went; its mark comes later
      const auto moved = reinterpret_cast<std::uint64_t>(to);
      std::memcpy(link, &moved, sizeof moved);
    }
    to += size;
  }
  if (root_to_come) {
    put_root();
  }
  block.size = static_cast<std::uint64_t>(to - block.begin());
  for (Stub& stub : build.stubs) {
    const std::byte* from = build.records.data() + stub.record;
    stub.record = link_of(from + layout.link_at(header_of(from)));
  }
}

void ListVisitor::leave(Directory& directory) {
  auto& slot = directory.slot<Slot>();
  if (!slot.known && !directory.is_origin()) {
    fill_in(directory);
  }
  if (slot.build != nullptr) {
    slot.build->clear();
    free_.push_back(slot.build);
  }
}

// What became known of a directory, into its record.
void ListVisitor::fill_in(Directory& directory) {
  const RecordLayout& layout = work_.storage.layout;
  auto& slot = directory.slot<Slot>();
  slot.known = true;
  std::byte* record = record_of(directory);
  const Metadata& metadata = directory.metadata();
  std::uint64_t link = kLinkKnown | reinterpret_cast<std::uint64_t>(slot.block);
  if (directory.state() == State::vanished ||
      (layout.fields() != Fields::none && metadata.valid == Fields::none)) {
    link |= kLinkGone;
  } else if (layout.fields() == Fields::none) {
    // Only that it is there.
  } else if (layout.fits(metadata)) {
    layout.pack(metadata, record + sizeof(RecordHeader));
  } else {
    link |= kLinkWide;
    const std::lock_guard lock(work_.storage.odd_mutex);
    const Metadata* elsewhere = &work_.storage.odd.emplace_back(metadata);
    std::memcpy(record + sizeof(RecordHeader), &elsewhere, sizeof elsewhere);
  }
  publish(record + layout.link_at(header_of(record)), link,
          slot.block == nullptr ? 0 : slot.build->entries, slot.build != nullptr);
}

void ListVisitor::publish(std::byte* at, std::uint64_t link, std::uint64_t entries,
                          bool was_listed) {
  if (work_.observer != nullptr) {
    work_.observer->publish(at, link, entries, was_listed);
  } else {
    std::memcpy(at, &link, sizeof link);
  }
}

void free_blocks(ListCursor& cursor) {
  for (;;) {
    switch (cursor.next(final_link)) {
      case ListCursor::Step::leave:
        free_block(cursor.block());
        break;
      case ListCursor::Step::end:
        return;
      default:
        break;
    }
  }
}

}  // namespace trawl::fold
