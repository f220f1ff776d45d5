// SPDX-License-Identifier: Apache-2.0
#include "fold/entry_table_visitor.h"

#include <algorithm>
#include <cerrno>
#include <new>

namespace trawl::fold {

// Of every live directory, where metadata is asked for.
struct TableVisitor::Slot {
  std::uint64_t id;  // 0: not entered
};

Options walk_options(const TableOptions& options) {
  Options walk = options.walk;
  walk.directory_metadata_in_batch = false;
  walk.link_targets = options.link_targets;
  walk.slot_bytes = walk.fields == Fields::none ? 0 : TableVisitor::kSlotBytes;
  // The walk's is of directories that are entered.
  walk.max_depth = options.max_depth == INT32_MAX ? INT32_MAX : std::max(options.max_depth, 0) - 1;
  return walk;
}

TableVisitor::TableVisitor(const TableOptions& options, std::size_t number, RowSink& sink)
    : options_(options),
      has_fields_(options.walk.fields != Fields::none),
      may_skip_(options.types != UINT32_MAX || options.min_depth > 0),
      sink_(sink),
      last_id_(static_cast<std::uint64_t>(number + 1) << 48) {}

bool TableVisitor::wants(FileType type, int depth) const {
  return (options_.types >> static_cast<unsigned>(type) & 1) != 0 && depth >= options_.min_depth &&
         depth <= options_.max_depth;
}

bool TableVisitor::wants_directory(const Directory& directory) const {
  return (options_.include_roots || directory.depth() > 0) &&
         wants(FileType::directory, directory.depth());
}

// Of a directory that was entered, if there are slots.
const std::string& TableVisitor::path_of(Directory& directory) {
  const std::uint64_t id = has_fields_ && !directory.is_origin() ? directory.slot<Slot>().id : 0;
  if (id == 0 || id != path_id_) {
    path_.clear();
    directory.append_path(path_);
    path_id_ = id;
  }
  return path_;
}

Verdict TableVisitor::enter(Directory& directory) {
  if (!has_fields_ || directory.is_origin()) {
    return Verdict::proceed;
  }
  new (&directory.slot<Slot>()) Slot{++last_id_};
  if (!wants_directory(directory)) {
    return Verdict::proceed;
  }
  const std::unique_lock lock = sink_.lock();
  sink_.add({.name = path_of(directory),
             .depth = directory.depth(),
             .type = FileType::directory,
             .metadata = &directory.metadata()});
  return rest();
}

// What has no row needs no metadata.
void TableVisitor::select(Directory& directory, std::span<Entry> batch) {
  if (!may_skip_) {
    return;
  }
  const Follow follow = options_.walk.follow;
  const bool follows = follow == Follow::all || (follow == Follow::roots && directory.is_origin());
  for (Entry& entry : batch) {
    const bool may_be_entered =
        entry.type == FileType::directory || (entry.type == FileType::symlink && follows);
    entry.skip = entry.type != FileType::unknown && !may_be_entered &&
                 !wants(entry.type, directory.depth() + 1);
  }
}

Verdict TableVisitor::entries(Directory& directory, std::span<Entry> batch) {
  const int depth = directory.depth() + 1;
  const std::string& path = path_of(directory);
  const std::unique_lock lock = sink_.lock();
  for (const Entry& entry : batch) {
    const bool failed = entry.error != 0 && entry.metadata == nullptr;
    const bool vanished = failed && entry.error == ENOENT && depth > 0;
    const bool root_left_out =
        depth == 0 && !options_.include_roots && entry.type == FileType::directory;
    if ((entry.descend && has_fields_) || vanished || root_left_out || !wants(entry.type, depth)) {
      continue;
    }
    sink_.add({.directory = path,
               .name = entry.name,
               .depth = depth,
               .type = entry.type,
               .error = failed ? entry.error : 0,
               .metadata = entry.metadata,
               .link_target = entry.link_target});
  }
  return rest();
}

void TableVisitor::leave(Directory& directory) {
  if (!has_fields_ || directory.is_origin() || directory.slot<Slot>().id != 0 ||
      directory.state() == State::cancelled || directory.state() == State::vanished ||
      !wants_directory(directory)) {
    return;
  }
  const Metadata& metadata = directory.metadata();
  const bool known = metadata.valid != Fields::none;
  std::string path;
  directory.append_path(path);
  const std::unique_lock lock = sink_.lock();
  sink_.add({.name = path,
             .depth = directory.depth(),
             .type = FileType::directory,
             .error = known ? 0 : directory.error(),
             .metadata = known ? &metadata : nullptr});
  sink_.rest();
}

}  // namespace trawl::fold
