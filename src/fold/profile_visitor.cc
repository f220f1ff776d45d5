// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_visitor.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace trawl::fold {

// Of every live directory.
struct ProfileVisitor::Slot {
  Folder* folder;      // from enter() on; a reference that leave() gives back
  ProfileCount own;    // files directly in it
  ProfileCount below;  // in subdirectories that were left; with a tree only, as what follows
  std::uint64_t folders;
};

namespace {

// Lower case of a name's extension, with its dot, as far as it is ASCII.
class Extension {
 public:
  explicit Extension(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) {
      return;
    }
    size_ = std::min(name.size() - dot, sizeof text_);
    unsigned char all = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const auto byte = static_cast<unsigned char>(name[dot + i]);
      all |= byte;
      text_[i] = static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    is_ascii_ = all < 0x80;
  }
  std::string_view text() const { return {text_, size_}; }
  bool is_ascii() const { return is_ascii_; }

 private:
  std::size_t size_ = 0;
  bool is_ascii_ = true;
  char text_[256];
};

// A size beyond off_t's range is negative to others, and counts as nothing (see usage).
std::uint64_t size_of(const Metadata& metadata) {
  return metadata.size > static_cast<std::uint64_t>(INT64_MAX) ? 0 : metadata.size;
}

std::string_view key_of(std::uint32_t number, char (&buffer)[4]) {
  for (int i = 0; i < 4; ++i) {
    buffer[i] = static_cast<char>(number >> (24 - 8 * i) & 0xFF);
  }
  return {buffer, sizeof buffer};
}

// Whether a directory that is left was one that counts.
bool is_folder(const Directory& directory) {
  switch (directory.state()) {
    case State::complete:
    case State::unreadable:
    case State::partially_read:
    case State::cancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

ProfileAges::ProfileAges(const Timestamp& now) {
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    limits_[i] = now;
    if (__builtin_sub_overflow(now.seconds, kAgeLimits[i], &limits_[i].seconds)) {
      limits_[i] = {INT64_MIN, 0};
    }
  }
}

std::size_t ProfileAges::bucket(const Timestamp& time) const {
  return static_cast<std::size_t>(
      std::find_if(limits_.begin(), limits_.end(),
                   [&time](const Timestamp& limit) { return time > limit; }) -
      limits_.begin());
}

ProfileCounters::ProfileCounters(ProfileShared& shared)
    : extensions(shared.capacity),
      folder_names(shared.capacity),
      owners(shared.capacity),
      groups(shared.capacity),
      largest(shared.options.top),
      oldest(shared.options.top),
      newest(shared.options.top),
      fullest(shared.options.top_folders),
      biggest(shared.options.tree_folders),
      empty(shared.max_empty_folders),
      duplicates(shared.capacity, shared.options.exact, shared.duplicates_floor) {}

void ProfileCounters::merge(ProfileCounters&& other) {
  files += other.files;
  add_up(bytes, other.bytes);
  add_up(disk_usage, other.disk_usage);
  linked_names += other.linked_names;
  linked_files += other.linked_files;
  add_up(repeated_bytes, other.repeated_bytes);
  add_up(repeated_disk_usage, other.repeated_disk_usage);
  sparse_files += other.sparse_files;
  add_up(sparse_bytes, other.sparse_bytes);
  empty_folders += other.empty_folders;
  files_to_lower += other.files_to_lower;
  for (std::size_t i = 0; i < types.size(); ++i) {
    types[i] += other.types[i];
  }
  folders_by_depth.resize(std::max(folders_by_depth.size(), other.folders_by_depth.size()));
  for (std::size_t i = 0; i < other.folders_by_depth.size(); ++i) {
    folders_by_depth[i] += other.folders_by_depth[i];
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] += other.sizes[i];
  }
  for (std::size_t i = 0; i < kAgeBuckets; ++i) {
    modified[i] += other.modified[i];
    accessed[i] += other.accessed[i];
  }
  extensions.merge(other.extensions);
  folder_names.merge(other.folder_names);
  owners.merge(other.owners);
  groups.merge(other.groups);
  largest.merge(std::move(other.largest));
  oldest.merge(std::move(other.oldest));
  newest.merge(std::move(other.newest));
  fullest.merge(std::move(other.fullest));
  biggest.merge(std::move(other.biggest));
  empty.merge(std::move(other.empty));
  duplicates.merge(std::move(other.duplicates));
}

std::size_t ProfileVisitor::slot_bytes() { return sizeof(Slot); }

Fields ProfileVisitor::fields() {
  return Fields::type | Fields::size | Fields::blocks | Fields::atime | Fields::mtime |
         Fields::owner | Fields::links | Fields::identity;
}

FolderRef ProfileVisitor::make_folder(const Directory& directory) {
  const Directory& parent = *directory.parent();
  const FolderRef above =
      parent.is_origin()
          ? FolderRef()
          : FolderRef(const_cast<Directory&>(parent).slot<Slot>().folder);  // entered, and live
  return FolderRef::make(above, directory.name());
}

Verdict ProfileVisitor::enter(Directory& directory) {
  if (!directory.is_origin()) {
    Slot* const slot = new (&directory.slot<Slot>()) Slot{};
    slot->folder = make_folder(directory).detach();
  }
  return Verdict::proceed;
}

// Only files need metadata, and directories that are too deep are not looked at.
void ProfileVisitor::select(Directory& directory, std::span<Entry> batch) {
  if (directory.is_origin()) {
    return;
  }
  const bool is_deepest = directory.depth() >= shared_.options.walk.max_depth;
  for (Entry& entry : batch) {
    if (entry.type != FileType::regular) {
      entry.no_metadata = true;
      entry.skip = is_deepest && entry.type == FileType::directory;
    }
  }
}

Verdict ProfileVisitor::entries(Directory& directory, std::span<Entry> batch) {
  if (directory.is_origin()) {
    // The walk is content with whatever is there; a link to nowhere has an error that is none to
    // it.
    const Entry& root = batch.front();
    if (root.metadata != nullptr && root.type != FileType::directory) {
      shared_.root_error = root.error != 0 ? root.error : ENOTDIR;
    }
    return Verdict::proceed;
  }
  Slot& slot = directory.slot<Slot>();
  const FolderRef folder(slot.folder);
  ProfileCount counted;
  for (const Entry& entry : batch) {
    if (entry.error == ENOENT && entry.metadata == nullptr) {
      continue;  // vanished
    }
    if (entry.type == FileType::regular) {
      add_file(folder, entry, counted);
    } else if (entry.type != FileType::directory) {
      ++counters_.types[static_cast<std::size_t>(entry.type)];
    }
  }
  counters_.files += counted.files;
  counters_.types[static_cast<std::size_t>(FileType::regular)] += counted.files;
  add_up(counters_.bytes, counted.bytes);
  const std::lock_guard lock(directory);
  slot.own += counted;
  return Verdict::proceed;
}

void ProfileVisitor::add_file(const FolderRef& folder, const Entry& entry, ProfileCount& counted) {
  ++counted.files;
  const Extension extension(entry.name);
  counters_.files_to_lower += extension.is_ascii() ? 0U : 1U;
  ProfileCounts::Item& of_extension = counters_.extensions[extension.text()];
  ++of_extension.files;
  if (entry.metadata == nullptr) {
    return;
  }
  const Metadata& metadata = *entry.metadata;
  const std::uint64_t size = size_of(metadata);
  const std::uint64_t disk_usage = metadata.disk_usage();
  add_up(counted.bytes, size);
  add_up(counters_.disk_usage, disk_usage);
  add_up(of_extension.bytes, size);
  add_up(of_extension.disk_usage, disk_usage);
  counters_.sizes[static_cast<std::size_t>(std::bit_width(size))] += ProfileCount{1, size};
  if (disk_usage < size) {
    ++counters_.sparse_files;
    add_up(counters_.sparse_bytes, size - disk_usage);
  }
  if (has(metadata.valid, Fields::mtime)) {
    add_age(counters_.modified, last_modified_, metadata.mtime, size);
    const ProfileFileFigures figures{size, metadata.mtime};
    counters_.oldest.offer(figures, folder, entry.name);
    counters_.newest.offer(figures, folder, entry.name);
  }
  if (has(metadata.valid, Fields::atime)) {
    add_age(counters_.accessed, last_accessed_, metadata.atime, size);
  }
  if (has(metadata.valid, Fields::owner)) {
    char buffer[4];
    for (const auto& [table, number] :
         {std::pair(&counters_.owners, metadata.uid), std::pair(&counters_.groups, metadata.gid)}) {
      ProfileCounts::Item& item = (*table)[key_of(number, buffer)];
      ++item.files;
      add_up(item.bytes, size);
    }
  }
  counters_.largest.offer({size, metadata.mtime}, folder, entry.name);
  const bool is_linked = metadata.links > 1;
  const FileIdentity identity = metadata.identity();
  if (is_linked) {
    ++counters_.linked_names;
    if (shared_.linked.insert(identity)) {
      ++counters_.linked_files;
    } else {
      add_up(counters_.repeated_bytes, size);
      add_up(counters_.repeated_disk_usage, disk_usage);
    }
  }
  if (size >= counters_.duplicates.floor()) {  // from 1
    counters_.duplicates.add(entry.name, size, folder,
                             is_linked || shared_.any_may_repeat ? &identity : nullptr);
  }
}

void ProfileVisitor::add_age(std::array<ProfileCount, kAgeBuckets>& ages, std::size_t& last,
                             const Timestamp& time, std::uint64_t size) const {
  if (!shared_.ages.is_in(time, last)) {
    last = shared_.ages.bucket(time);
  }
  ages[last] += ProfileCount{1, size};
}

void ProfileVisitor::leave(Directory& directory) {
  if (directory.is_origin()) {
    return;
  }
  Slot& slot = directory.slot<Slot>();
  const FolderRef folder =
      slot.folder != nullptr ? FolderRef::adopt(slot.folder) : make_folder(directory);
  if (!is_folder(directory)) {
    if (directory.depth() == 0) {
      shared_.root_error = directory.error();
    }
    return;
  }
  add_folder(directory, folder, slot);
  Directory& parent = *directory.parent();
  if (shared_.options.tree_folders > 0 && !parent.is_origin()) {
    Slot& above = parent.slot<Slot>();
    const std::lock_guard lock(parent);
    above.below += slot.own;
    above.below += slot.below;
    above.folders += slot.folders + 1;
  }
}

void ProfileVisitor::add_folder(const Directory& directory, const FolderRef& folder,
                                const Slot& slot) {
  ++counters_.types[static_cast<std::size_t>(FileType::directory)];
  const auto depth = static_cast<std::size_t>(directory.depth());
  if (counters_.folders_by_depth.size() <= depth) {
    counters_.folders_by_depth.resize(depth + 1);
  }
  ++counters_.folders_by_depth[depth];
  if (depth > 0) {
    ++counters_.folder_names[directory.name()].files;
  }
  const FolderRef above(folder->parent());
  if (directory.state() == State::complete && directory.entry_count() == 0) {
    ++counters_.empty_folders;
    counters_.empty.offer({}, above, directory.name());
  }
  if (slot.own.files > 0) {
    counters_.fullest.offer(slot.own.files, above, directory.name());
  }
  if (shared_.options.tree_folders > 0) {
    ProfileCount all = slot.own;
    all += slot.below;
    counters_.biggest.offer(
        {all.bytes, all.files, slot.own.bytes, slot.own.files, slot.folders, folder}, above,
        directory.name());
  }
}

}  // namespace trawl::fold
