// SPDX-License-Identifier: Apache-2.0
//
// profile(): the walk, its visitors merged, and what they counted put in order.
#include <trawl/profile.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <span>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "fold/profile_table.h"
#include "fold/profile_visitor.h"

namespace trawl {

namespace {

using fold::ProfileCounters;
using fold::ProfileCounts;

void check(const ProfileOptions& options) {
  if (options.walk.max_depth < 0) {
    throw std::invalid_argument("a profile's max_depth is 0 or more");
  }
  if (options.top == 0 || options.top_folders == 0) {
    throw std::invalid_argument("a profile's lists have one entry or more");
  }
  if (!options.exact && options.capacity < options.top) {
    throw std::invalid_argument("a profile's tables need room for the top entries");
  }
}

Timestamp clock_now() {
  using std::chrono::nanoseconds;
  const auto now = std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return {seconds.time_since_epoch().count(), static_cast<std::uint32_t>((now - seconds).count())};
}

Options walk_options(const ProfileOptions& options) {
  const Options& from = options.walk;
  Options walk;
  walk.fields = fold::ProfileVisitor::fields();
  walk.slot_bytes = fold::ProfileVisitor::slot_bytes();
  walk.threads = from.threads;
  walk.filter = from.filter;
  walk.follow = from.follow;
  walk.visit_once = from.visit_once;
  walk.one_file_system = from.one_file_system;
  walk.max_depth = from.max_depth;
  walk.private_descriptors = from.private_descriptors;
  walk.deadline = from.deadline;
  walk.cancel = from.cancel;
  walk.stall_timeout = from.stall_timeout;
  walk.progress_entries = from.progress_entries;
  walk.backend = from.backend;
  walk.trace = from.trace;
  walk.max_errors = from.max_errors;
  if (walk.follow == Follow::all && walk.visit_once) {
    // By which of several links a directory is entered is decided by the walk, when it gets there:
    // one worker, in the order of the listing.
    walk.threads = 1;
  }
  return walk;
}

// The `top` items with most files; `set(result, item)` fills in what is particular to them.
template <class Result, class Set>
ProfileTable<Result> table_of(const ProfileCounts& counts, std::size_t top, Set set) {
  ProfileTable<Result> table;
  table.distinct = counts.distinct();
  table.files_error = counts.error();
  std::vector<const ProfileCounts::Item*> order;
  order.reserve(counts.items().size());
  for (const ProfileCounts::Item& item : counts.items()) {
    order.push_back(&item);
  }
  const std::size_t shown = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&counts](const ProfileCounts::Item* a, const ProfileCounts::Item* b) {
                      return a->files != b->files ? a->files > b->files
                                                  : counts.key(*a) < counts.key(*b);
                    });
  table.items.reserve(shown);
  for (std::size_t i = 0; i < shown; ++i) {
    Result& result = table.items.emplace_back();
    result.files = order[i]->files;
    result.bytes = order[i]->bytes;
    set(result, *order[i], counts.key(*order[i]));
  }
  return table;
}

ProfileTable<ProfileOwner> owners_of(const ProfileCounts& counts, std::size_t top) {
  return table_of<ProfileOwner>(
      counts, top, [](ProfileOwner& owner, const ProfileCounts::Item&, std::string_view key) {
        for (const char byte : key) {
          owner.key = owner.key << 8 | static_cast<unsigned char>(byte);
        }
      });
}

ProfileTable<ProfileExtension> extensions_of(const ProfileCounters& counters,
                                             const ProfileOptions& options) {
  const auto set = [](ProfileExtension& extension, const ProfileCounts::Item& item,
                      std::string_view key) {
    extension.key = key;
    extension.disk_usage = item.disk_usage;
  };
  const ProfileCounts& counts = counters.extensions;
  if (!options.lower_case || counters.files_to_lower == 0) {
    return table_of<ProfileExtension>(counts, options.top, set);
  }
  ProfileCounts lowered(SIZE_MAX);
  std::uint64_t not_found = counters.files_to_lower;
  for (const ProfileCounts::Item& item : counts.items()) {
    const std::string_view key = counts.key(item);
    const bool is_ascii = std::all_of(
        key.begin(), key.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
    ProfileCounts::Item& to = is_ascii ? lowered[key] : lowered[options.lower_case(key)];
    to.files += item.files;
    fold::add_up(to.bytes, item.bytes);
    fold::add_up(to.disk_usage, item.disk_usage);
    not_found -= is_ascii ? 0 : item.files;
  }
  ProfileTable<ProfileExtension> table = table_of<ProfileExtension>(lowered, options.top, set);
  // Where extensions were missed, several may have the same lower case: all together, at most,
  // those files that are in the table with none.
  table.files_error = counts.error() == 0 ? 0 : counts.error() + not_found;
  return table;
}

template <class List>
std::vector<ProfileFile> files_of(List& list) {
  std::vector<ProfileFile> files;
  for (const auto& item : list.take()) {
    files.push_back(
        {fold::path_of(item.folder.get(), item.name), item.figures.size, item.figures.mtime});
  }
  return files;
}

// Those with most bytes, of which each has its parent among those before it.
std::optional<ProfileTreeFolder> tree_of(ProfileCounters& counters) {
  const auto items = counters.biggest.take();
  if (items.empty()) {
    return std::nullopt;
  }
  std::vector<ProfileTreeFolder> folders;
  std::unordered_map<const fold::Folder*, std::size_t> places;
  for (const auto& item : items) {
    places.emplace(item.figures.itself.get(), folders.size());
    ProfileTreeFolder& folder = folders.emplace_back();
    folder.name = item.name;
    folder.bytes = item.figures.bytes;
    folder.files = item.figures.files;
    folder.own_bytes = item.figures.own_bytes;
    folder.own_files = item.figures.own_files;
    folder.folders = item.figures.folders;
  }
  // From the last on, so that each is complete when it goes to its parent.
  for (std::size_t i = items.size(); i-- > 0;) {
    std::reverse(folders[i].children.begin(), folders[i].children.end());
    if (i > 0 && items[i].figures.itself->depth() <= kMostTreeLevels) {
      folders[places.at(items[i].folder.get())].children.push_back(std::move(folders[i]));
    }
  }
  return std::move(folders.front());
}

void finish(ProfileCounters& counters, const ProfileOptions& options, Profile& profile) {
  profile.files = counters.files;
  profile.bytes = counters.bytes;
  profile.disk_usage = counters.disk_usage;
  profile.types = counters.types;
  profile.folders = counters.types[static_cast<std::size_t>(FileType::directory)];
  profile.folders_by_depth = std::move(counters.folders_by_depth);
  profile.deepest = std::max(0, static_cast<int>(profile.folders_by_depth.size()) - 1);
  profile.empty_folders = counters.empty_folders;
  for (const auto& item : counters.empty.take()) {
    profile.empty_folder_paths.push_back(fold::path_of(item.folder.get(), item.name));
  }
  for (const auto& item : counters.fullest.take()) {
    profile.fullest_folders.push_back({fold::path_of(item.folder.get(), item.name), item.figures});
  }
  profile.extensions = extensions_of(counters, options);
  profile.folder_names = table_of<ProfileName>(
      counters.folder_names, options.top,
      [](ProfileName& name, const ProfileCounts::Item&, std::string_view key) { name.key = key; });
  profile.owners = owners_of(counters.owners, options.top);
  profile.groups = owners_of(counters.groups, options.top);
  profile.sizes = counters.sizes;
  profile.modified = counters.modified;
  profile.accessed = counters.accessed;
  profile.largest = files_of(counters.largest);
  profile.oldest = files_of(counters.oldest);
  profile.newest = files_of(counters.newest);
  profile.linked_names = counters.linked_names;
  profile.linked_files = counters.linked_files;
  profile.repeated_bytes = counters.repeated_bytes;
  profile.repeated_disk_usage = counters.repeated_disk_usage;
  profile.sparse_files = counters.sparse_files;
  profile.sparse_bytes = counters.sparse_bytes;
  counters.duplicates.finish(options.top, profile);
  profile.tree = tree_of(counters);
}

}  // namespace

Profile fold::profile_by(const ProfileWalk& walk, const std::string& root,
                         const ProfileOptions& options) {
  check(options);
  Profile profile;
  profile.now = options.now ? *options.now : clock_now();
  fold::ProfileShared shared{
      .options = options,
      .ages = fold::ProfileAges(profile.now),
      .capacity = options.exact ? SIZE_MAX : options.capacity,
      .max_empty_folders = options.exact ? SIZE_MAX : options.max_empty_folders,
      .any_may_repeat = options.walk.follow == Follow::all,
      .linked = {}};
  std::list<fold::ProfileVisitor> visitors;
  profile.walk = walk(std::span(&root, 1), walk_options(options),
                      [&](unsigned) -> Visitor& { return visitors.emplace_back(shared); });
  if (shared.root_error != 0) {
    ++profile.walk.statistics.errors;
    if (profile.walk.errors.size() < options.walk.max_errors) {
      profile.walk.errors.push_back({Operation::open, shared.root_error, 0, root});
    }
  }
  ProfileCounters counters = std::move(visitors.front().counters());
  visitors.pop_front();
  for (; !visitors.empty(); visitors.pop_front()) {
    counters.merge(std::move(visitors.front().counters()));
  }
  finish(counters, options, profile);
  return profile;
}

Profile profile(const std::string& root, const ProfileOptions& options) {
  return fold::profile_by(
      [](std::span<const std::string> roots, const Options& walk_options,
         const VisitorFactory& factory) { return walk(roots, walk_options, factory); },
      root, options);
}

}  // namespace trawl
