// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_duplicates.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "fold/profile_table.h"

namespace trawl::fold {

namespace {

std::uint64_t hash_of_linked(std::size_t group, const FileIdentity& identity) {
  return hash_of({}, std::hash<FileIdentity>{}(identity) + group * 0x9E3779B97F4A7C15U);
}

std::uint64_t wasted_by(std::uint64_t files, std::uint64_t size) {
  std::uint64_t wasted = 0;
  return __builtin_mul_overflow(files - 1, size, &wasted) ? UINT64_MAX : wasted;
}

}  // namespace

void ProfileDuplicates::add(std::string_view name, std::uint64_t size, const FolderRef& folder,
                            const FileIdentity* identity) {
  const std::uint64_t hash = hash_of(name, size);
  const std::size_t group = group_of(name, size, hash);
  if (identity != nullptr) {
    add_linked(group, *identity, folder);
  } else {
    ++groups_[group].files;
    add_path(groups_[group], folder);
  }
  if (groups_.size() > most_groups_) {
    limit_to_capacity();
  }
}

std::size_t ProfileDuplicates::group_of(std::string_view name, std::uint64_t size,
                                        std::uint64_t hash) {
  const std::size_t found = index_.find(hash, [&](std::size_t i) {
    return groups_[i].size == size && this->name(groups_[i]) == name;
  });
  if (found != ProfileIndex::kNone) {
    return found;
  }
  Group& group = groups_.emplace_back();
  group.hash = hash;
  group.size = size;
  group.name = names_.size();
  group.name_size = static_cast<std::uint32_t>(name.size());
  names_.insert(names_.end(), name.begin(), name.end());
  index_.add_last(groups_.size(), [this](std::size_t i) { return groups_[i].hash; });
  return groups_.size() - 1;
}

// Keeps the lowest paths. The name is the group's, wherever the folder is.
void ProfileDuplicates::add_path(Group& group, const FolderRef& folder) {
  if (group.first.get() == nullptr) {
    group.first = folder;
    return;
  }
  if (all_paths_) {
    group.more.push_back(folder);
    return;
  }
  const std::string_view its_name = name(group);
  const auto lower = [its_name](const FolderRef& a, const FolderRef& b) {
    return compare_paths(a.get(), its_name, b.get(), its_name) < 0;
  };
  if (group.more.size() + 1 < kPaths) {
    group.more.push_back(folder);
    if (group.more.size() + 1 < kPaths) {
      return;
    }
  } else if (lower(folder, group.first)) {
    group.first = folder;
  } else {
    return;
  }
  // As many as are kept: the highest comes first, to be compared with what comes next.
  FolderRef& highest = *std::max_element(group.more.begin(), group.more.end(), lower);
  if (lower(group.first, highest)) {
    std::swap(group.first, highest);
  }
}

void ProfileDuplicates::add_linked(std::size_t group, const FileIdentity& identity,
                                   const FolderRef& folder) {
  const std::size_t found = linked_index_.find(hash_of_linked(group, identity), [&](std::size_t i) {
    return linked_[i].group == group && linked_[i].identity == identity;
  });
  if (found == ProfileIndex::kNone) {
    linked_.push_back({identity, group, folder});
    linked_index_.add_last(linked_.size(), [this](std::size_t i) {
      return hash_of_linked(linked_[i].group, linked_[i].identity);
    });
    return;
  }
  const std::string_view its_name = name(groups_[group]);
  if (compare_paths(folder.get(), its_name, linked_[found].folder.get(), its_name) < 0) {
    linked_[found].folder = folder;
  }
}

// Raises the floor if there are too many groups.
void ProfileDuplicates::limit_to_capacity() {
  std::uint64_t floor = this->floor();
  std::vector<std::uint64_t> sizes;
  for (const Group& group : groups_) {
    if (group.size >= floor) {
      sizes.push_back(group.size);
    }
  }
  if (sizes.size() > capacity_) {
    const auto first_out = sizes.begin() + static_cast<std::ptrdiff_t>(capacity_);
    std::nth_element(sizes.begin(), first_out, sizes.end(), std::greater<>());
    const std::uint64_t raised = *first_out + 1;
    while (floor < raised &&
           !floor_.compare_exchange_weak(floor, raised, std::memory_order_relaxed)) {
    }
    floor = std::max(floor, raised);
  }
  drop_below(floor);
}

void ProfileDuplicates::drop_below(std::uint64_t floor) {
  constexpr std::size_t kDropped = SIZE_MAX;
  std::vector<std::size_t> place(groups_.size(), kDropped);
  std::vector<char> names;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Group& group = groups_[i];
    if (group.size < floor) {
      continue;
    }
    const std::string_view its_name = name(group);
    group.name = names.size();
    names.insert(names.end(), its_name.begin(), its_name.end());
    place[i] = kept;
    if (kept != i) {
      groups_[kept] = std::move(group);
    }
    ++kept;
  }
  groups_.resize(kept);
  names_ = std::move(names);
  std::erase_if(linked_, [&place](Linked& linked) {
    linked.group = place[linked.group];
    return linked.group == kDropped;
  });
  index_.rebuild(groups_.size(), [this](std::size_t i) { return groups_[i].hash; });
  linked_index_.rebuild(linked_.size(), [this](std::size_t i) {
    return hash_of_linked(linked_[i].group, linked_[i].identity);
  });
}

void ProfileDuplicates::merge(ProfileDuplicates&& other) {
  std::vector<std::size_t> place(other.groups_.size());
  for (std::size_t i = 0; i < other.groups_.size(); ++i) {
    Group& from = other.groups_[i];
    place[i] = group_of(other.name(from), from.size, from.hash);
    Group& group = groups_[place[i]];
    group.files += from.files;
    if (from.first.get() != nullptr) {
      add_path(group, from.first);
      for (const FolderRef& folder : from.more) {
        add_path(group, folder);
      }
    }
    from = {};
  }
  for (Linked& linked : other.linked_) {
    add_linked(place[linked.group], linked.identity, linked.folder);
    linked.folder = {};
  }
}

void ProfileDuplicates::finish(std::size_t top, Profile& profile) {
  limit_to_capacity();
  profile.duplicates_from = floor();
  std::vector<std::uint64_t> files(groups_.size());
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    files[i] = groups_[i].files;
  }
  for (const Linked& linked : linked_) {
    ++files[linked.group];
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (files[i] > 1) {
      order.push_back(i);
      ++profile.duplicate_groups;
      add_up(profile.duplicate_wasted, wasted_by(files[i], groups_[i].size));
    }
  }
  const auto before = [&](std::size_t a, std::size_t b) {
    const std::uint64_t a_wasted = wasted_by(files[a], groups_[a].size);
    const std::uint64_t b_wasted = wasted_by(files[b], groups_[b].size);
    if (a_wasted != b_wasted) {
      return a_wasted > b_wasted;
    }
    const int names = name(groups_[a]).compare(name(groups_[b]));
    return names != 0 ? names < 0 : groups_[a].size < groups_[b].size;
  };
  const std::size_t shown = std::min(top, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    before);
  std::vector<std::vector<const Folder*>> folders(shown);
  std::vector<std::size_t> rank(groups_.size(), SIZE_MAX);
  for (std::size_t i = 0; i < shown; ++i) {
    rank[order[i]] = i;
  }
  for (const Linked& linked : linked_) {
    if (rank[linked.group] != SIZE_MAX) {
      folders[rank[linked.group]].push_back(linked.folder.get());
    }
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const Group& group = groups_[order[i]];
    const std::string_view its_name = name(group);
    std::vector<const Folder*>& its_folders = folders[i];
    if (group.first.get() != nullptr) {
      its_folders.push_back(group.first.get());
    }
    for (const FolderRef& folder : group.more) {
      its_folders.push_back(folder.get());
    }
    std::sort(its_folders.begin(), its_folders.end(), [&](const Folder* a, const Folder* b) {
      return compare_paths(a, its_name, b, its_name) < 0;
    });
    if (!all_paths_ && its_folders.size() > kPaths) {
      its_folders.resize(kPaths);
    }
    ProfileDuplicate& shown_group = profile.duplicates.emplace_back();
    shown_group.name = its_name;
    shown_group.size = group.size;
    shown_group.files = files[order[i]];
    for (const Folder* folder : its_folders) {
      shown_group.paths.push_back(path_of(folder, its_name));
    }
  }
}

}  // namespace trawl::fold
