// SPDX-License-Identifier: Apache-2.0
#include "support/profile_oracle.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "support/oracle.h"

namespace trawl::testing {

namespace {

__extension__ using Wide = __int128;

std::uint64_t saturated(Wide sum) {
  return sum > Wide{UINT64_MAX} ? UINT64_MAX : static_cast<std::uint64_t>(sum);
}

struct File {
  std::string path, name, folder;
  std::optional<struct stat> info;
  Wide size() const { return info ? info->st_size : 0; }
  Wide disk_usage() const { return info ? Wide{info->st_blocks} * 512 : 0; }
};

struct Directory {
  std::string path, name;
  int depth = 0;
  bool is_empty = false;
};

class Naive {
 public:
  Naive(const ProfileOptions& options, const std::function<bool(const std::string&)>& left_out)
      : options_(options), left_out_(left_out) {}

  void start(const std::string& root) {
    struct stat info = {};
    const bool follow = options_.walk.follow != Follow::never;
    const int status = follow ? ::stat(root.c_str(), &info) : ::lstat(root.c_str(), &info);
    if (status != 0 || !S_ISDIR(info.st_mode)) {
      ++errors;
      return;
    }
    if (left_out_ && left_out_(root)) return;
    root_device_ = info.st_dev;
    enter(root, root, 0);
  }

  std::vector<File> files;
  std::vector<Directory> directories;
  std::array<std::uint64_t, 8> types{};
  std::uint64_t errors = 0;

 private:
  void enter(const std::string& path, const std::string& name, int depth) {
    Directory directory{path, name, depth};
    struct stat info = {};
    if (::stat(path.c_str(), &info) == 0) {
      if (options_.walk.one_file_system && info.st_dev != root_device_) return;
      if (options_.walk.follow == Follow::all) {
        const FileIdentity id = identity_of(info);
        if (std::find(above_.begin(), above_.end(), id) != above_.end()) return;
        if (options_.walk.visit_once && !visited_.insert(id).second) return;
      }
    }
    ++types[static_cast<std::size_t>(FileType::directory)];
    DIR* const stream = ::opendir(path.c_str());
    if (stream == nullptr) {
      ++errors;
      directories.push_back(directory);
      return;
    }
    std::vector<std::pair<std::string, unsigned char>> names;
    while (const struct dirent* found = ::readdir(stream)) {
      const std::string each = found->d_name;
      if (each != "." && each != "..") names.emplace_back(each, found->d_type);
    }
    ::closedir(stream);
    directory.is_empty = names.empty();
    directories.push_back(directory);
    above_.push_back(identity_of(info));
    std::vector<std::string> below;
    for (const auto& [each, listed] : names) look(path, each, listed, depth, below);
    for (const std::string& each : below) enter(join(path, each), each, depth + 1);
    above_.pop_back();
  }

  void look(const std::string& folder, const std::string& name, unsigned char listed, int depth,
            std::vector<std::string>& below) {
    const std::string path = join(folder, name);
    if (left_out_ && left_out_(path)) return;
    const bool follow = options_.walk.follow == Follow::all;
    struct stat info = {};
    FileType type = type_of_mode(static_cast<std::uint32_t>(DTTOIF(listed)));
    std::optional<struct stat> known;
    if (::lstat(path.c_str(), &info) == 0) {
      known = info;
      type = type_of_mode(info.st_mode);
      if (type == FileType::symlink && follow) {
        struct stat target = {};
        if (::stat(path.c_str(), &target) == 0) {
          known = target;
          type = type_of_mode(target.st_mode);
        } else if (errno != ENOENT && errno != ELOOP) {
          ++errors;
        }
      }
    } else if (type == FileType::regular || (type == FileType::symlink && follow)) {
      ++errors;
    }
    if (type == FileType::directory) {
      if (depth < options_.walk.max_depth) below.push_back(name);
      return;
    }
    ++types[static_cast<std::size_t>(type)];
    if (type == FileType::regular) files.push_back({path, name, folder, known});
  }

  static std::string join(const std::string& folder, const std::string& name) {
    return folder + (folder.ends_with('/') ? "" : "/") + name;
  }

  const ProfileOptions& options_;
  const std::function<bool(const std::string&)>& left_out_;
  dev_t root_device_ = 0;
  std::vector<FileIdentity> above_;
  std::set<FileIdentity> visited_;
};

std::string extension_of(const std::string& name, const ProfileOptions& options) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot == name.size() - 1) return "";
  std::string extension = name.substr(dot);
  bool is_ascii = true;
  for (char& c : extension) {
    is_ascii = is_ascii && static_cast<unsigned char>(c) < 0x80;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return is_ascii || !options.lower_case ? extension : options.lower_case(extension);
}

struct Sums {
  Wide files = 0, bytes = 0, disk_usage = 0;
  void add(const File& file) {
    ++files;
    bytes += file.size();
    disk_usage += file.disk_usage();
  }
};

template <class Item, class Key>
ProfileTable<Item> table_of(const std::map<Key, Sums>& sums) {
  ProfileTable<Item> table;
  table.distinct = sums.size();
  for (const auto& [key, sum] : sums) {
    Item item;
    item.key = key;
    item.files = saturated(sum.files);
    item.bytes = saturated(sum.bytes);
    if constexpr (std::is_same_v<Item, ProfileExtension>)
      item.disk_usage = saturated(sum.disk_usage);
    table.items.push_back(item);
  }
  std::stable_sort(table.items.begin(), table.items.end(),
                   [](const Item& a, const Item& b) { return a.files > b.files; });
  return table;
}

template <class List>
void cut(List& list, std::size_t size) {
  if (list.size() > size) list.resize(size);
}

std::size_t age_bucket(const Timestamp& now, const timespec& time) {
  constexpr Wide kSecond = 1'000'000'000;
  const Wide age = (Wide{now.seconds} - time.tv_sec) * kSecond + now.nanoseconds - time.tv_nsec;
  std::size_t bucket = 0;
  while (bucket < kAgeLimits.size() && age >= kAgeLimits[bucket] * kSecond) ++bucket;
  return bucket;
}

void add_histograms(const std::vector<File>& files, Profile& profile) {
  std::array<Wide, kSizeBuckets> sizes{};
  std::array<Wide, kAgeBuckets> modified{}, accessed{};
  for (const File& file : files) {
    if (!file.info) continue;
    std::size_t bucket = 0;
    while (file.size() >= Wide{1} << bucket) ++bucket;
    const std::size_t mtime = age_bucket(profile.now, file.info->st_mtim);
    const std::size_t atime = age_bucket(profile.now, file.info->st_atim);
    ++profile.sizes[bucket].files;
    ++profile.modified[mtime].files;
    ++profile.accessed[atime].files;
    profile.sizes[bucket].bytes = saturated(sizes[bucket] += file.size());
    profile.modified[mtime].bytes = saturated(modified[mtime] += file.size());
    profile.accessed[atime].bytes = saturated(accessed[atime] += file.size());
  }
}

void add_lists(const std::vector<File>& files, std::size_t top, Profile& profile) {
  std::vector<ProfileFile> all;
  for (const File& file : files) {
    if (!file.info) continue;
    all.push_back(
        {file.path,
         saturated(file.size()),
         {file.info->st_mtim.tv_sec, static_cast<std::uint32_t>(file.info->st_mtim.tv_nsec)}});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto list = [&](auto before) {
    std::vector<ProfileFile> sorted = all;
    std::stable_sort(sorted.begin(), sorted.end(), before);
    cut(sorted, top);
    return sorted;
  };
  using P = const ProfileFile&;
  profile.largest = list([](P a, P b) { return a.size > b.size; });
  profile.oldest = list([](P a, P b) { return a.mtime < b.mtime; });
  profile.newest = list([](P a, P b) { return a.mtime > b.mtime; });
}

void add_links(const std::vector<File>& files, Profile& profile) {
  std::set<FileIdentity> seen;
  Wide bytes = 0, disk_usage = 0, sparse = 0;
  for (const File& file : files) {
    if (file.info && file.disk_usage() < file.size()) {
      ++profile.sparse_files;
      sparse += file.size() - file.disk_usage();
    }
    if (!file.info || file.info->st_nlink < 2) continue;
    ++profile.linked_names;
    if (seen.insert(identity_of(*file.info)).second) {
      ++profile.linked_files;
    } else {
      bytes += file.size();
      disk_usage += file.disk_usage();
    }
  }
  profile.repeated_bytes = saturated(bytes);
  profile.repeated_disk_usage = saturated(disk_usage);
  profile.sparse_bytes = saturated(sparse);
}

void add_duplicates(const std::vector<File>& files, const ProfileOptions& options,
                    Profile& profile) {
  std::map<std::pair<std::string, std::uint64_t>, std::map<FileIdentity, std::string>> groups;
  for (const File& file : files) {
    if (!file.info || file.size() == 0) continue;
    auto& group = groups[{file.name, saturated(file.size())}];
    const auto [found, added] = group.try_emplace(identity_of(*file.info), file.path);
    if (!added) found->second = std::min(found->second, file.path);
  }
  std::vector<std::uint64_t> sizes;
  for (const auto& [key, members] : groups) sizes.push_back(key.second);
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  if (!options.exact && sizes.size() > options.capacity) {
    profile.duplicates_from = sizes[options.capacity] + 1;
  }
  Wide wasted = 0;
  for (const auto& [key, members] : groups) {
    if (members.size() < 2 || key.second < profile.duplicates_from) continue;
    ProfileDuplicate group{key.first, key.second, members.size(), {}};
    for (const auto& [identity, path] : members) group.paths.push_back(path);
    std::sort(group.paths.begin(), group.paths.end());
    if (!options.exact) cut(group.paths, 4);
    ++profile.duplicate_groups;
    wasted += Wide{group.files - 1} * group.size;
    profile.duplicates.push_back(group);
  }
  profile.duplicate_wasted = saturated(wasted);
  std::stable_sort(profile.duplicates.begin(), profile.duplicates.end(),
                   [](const auto& a, const auto& b) { return a.wasted() > b.wasted(); });
  cut(profile.duplicates, options.top);
}

struct Below {
  Wide bytes = 0, own_bytes = 0;
  std::uint64_t files = 0, own_files = 0, folders = 0;
};

ProfileTreeFolder tree_below(
    const std::string& path, const std::string& name, const std::map<std::string, Below>& all,
    const std::map<std::string, std::pair<std::string, std::string>>& kept) {
  const Below& sums = all.at(path);
  ProfileTreeFolder folder{
      name,           saturated(sums.bytes), sums.files, saturated(sums.own_bytes),
      sums.own_files, sums.folders,          {}};
  for (const auto& [child, place] : kept) {
    if (place.first == path) folder.children.push_back(tree_below(child, place.second, all, kept));
  }
  std::sort(folder.children.begin(), folder.children.end(), [](const auto& a, const auto& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.name < b.name;
  });
  return folder;
}

void add_tree(const Naive& naive, std::size_t size, Profile& profile) {
  if (size == 0 || naive.directories.empty()) return;
  std::map<std::string, Below> sums;
  std::map<std::string, std::string> parents;
  for (const Directory& directory : naive.directories) {
    sums[directory.path];
    // The root's path may end with a slash.
    const std::string& root = naive.directories.front().path;
    std::string parent = directory.path.substr(0, directory.path.size() - directory.name.size());
    if (directory.depth > 0 && parent != root) parent.pop_back();
    parents[directory.path] = directory.depth > 0 ? parent : "";
  }
  const auto for_each_above = [&](std::string path, auto add) {
    for (; !path.empty(); path = parents.at(path)) add(sums[path]);
  };
  for (const File& file : naive.files) {
    ++sums[file.folder].own_files;
    sums[file.folder].own_bytes += file.size();
    for_each_above(file.folder, [&file](Below& each) {
      ++each.files;
      each.bytes += file.size();
    });
  }
  for (const Directory& directory : naive.directories) {
    for_each_above(parents.at(directory.path), [](Below& each) { ++each.folders; });
  }
  std::vector<Directory> order = naive.directories;
  std::sort(order.begin(), order.end(), [&sums](const Directory& a, const Directory& b) {
    const std::uint64_t a_bytes = saturated(sums[a.path].bytes);
    const std::uint64_t b_bytes = saturated(sums[b.path].bytes);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.path < b.path;
  });
  cut(order, size);
  std::map<std::string, std::pair<std::string, std::string>> kept;  // path: parent, name
  for (const Directory& each : order) kept[each.path] = {parents.at(each.path), each.name};
  const Directory& root = naive.directories.front();
  profile.tree = tree_below(root.path, root.name, sums, kept);
}

void write(const ProfileTreeFolder& folder, int depth, std::ostream& out) {
  out << "tree " << depth << ' ' << folder.name << ' ' << folder.bytes << ' ' << folder.files << ' '
      << folder.own_bytes << ' ' << folder.own_files << ' ' << folder.folders << '\n';
  for (const ProfileTreeFolder& child : folder.children) write(child, depth + 1, out);
}

template <class Item>
void write(const char* name, const ProfileTable<Item>& table, std::ostream& out) {
  out << name << " distinct " << table.distinct << " error " << table.files_error << '\n';
  for (const Item& item : table.items) {
    out << name << ' ' << item.key << ' ' << item.files << ' ' << item.bytes;
    if constexpr (std::is_same_v<Item, ProfileExtension>) out << ' ' << item.disk_usage;
    out << '\n';
  }
}

}  // namespace

Profile profile_naively(const std::string& root, const ProfileOptions& options,
                        const std::function<bool(const std::string& path)>& left_out) {
  Naive naive(options, left_out);
  naive.start(root);
  Profile profile;
  profile.walk.statistics.errors = naive.errors;
  profile.now = *options.now;
  profile.types = naive.types;
  profile.files = naive.files.size();
  profile.folders = naive.directories.size();
  Sums total;
  std::map<std::string, Sums> extensions, names;
  std::map<std::uint32_t, Sums> owners, groups;
  std::map<std::string, std::uint64_t> in_folders;
  for (const File& file : naive.files) {
    total.add(file);
    extensions[extension_of(file.name, options)].add(file);
    ++in_folders[file.folder];
    if (file.info) {
      owners[file.info->st_uid].add(file);
      groups[file.info->st_gid].add(file);
    }
  }
  profile.bytes = saturated(total.bytes);
  profile.disk_usage = saturated(total.disk_usage);
  for (const Directory& directory : naive.directories) {
    profile.deepest = std::max(profile.deepest, directory.depth);
    const auto depth = static_cast<std::size_t>(directory.depth);
    if (profile.folders_by_depth.size() <= depth) profile.folders_by_depth.resize(depth + 1);
    ++profile.folders_by_depth[depth];
    if (depth > 0) ++names[directory.name].files;
    if (directory.is_empty) {
      ++profile.empty_folders;
      profile.empty_folder_paths.push_back(directory.path);
    }
  }
  std::sort(profile.empty_folder_paths.begin(), profile.empty_folder_paths.end());
  if (!options.exact) cut(profile.empty_folder_paths, options.max_empty_folders);
  for (const auto& [path, count] : in_folders) profile.fullest_folders.push_back({path, count});
  std::stable_sort(profile.fullest_folders.begin(), profile.fullest_folders.end(),
                   [](const auto& a, const auto& b) { return a.files > b.files; });
  cut(profile.fullest_folders, options.top_folders);
  profile.extensions = table_of<ProfileExtension>(extensions);
  profile.folder_names = table_of<ProfileName>(names);
  profile.owners = table_of<ProfileOwner>(owners);
  profile.groups = table_of<ProfileOwner>(groups);
  add_histograms(naive.files, profile);
  add_lists(naive.files, options.top, profile);
  add_links(naive.files, profile);
  add_duplicates(naive.files, options, profile);
  add_tree(naive, options.tree_folders, profile);
  return profile;
}

void cut_tables(Profile& profile, std::size_t top) {
  cut(profile.extensions.items, top);
  cut(profile.folder_names.items, top);
  cut(profile.owners.items, top);
  cut(profile.groups.items, top);
}

std::string text_of(const Profile& profile, bool tables) {
  std::ostringstream out;
  out << "files " << profile.files << "\nfolders " << profile.folders << "\nbytes " << profile.bytes
      << "\ndisk usage " << profile.disk_usage << "\ndeepest " << profile.deepest << "\ntypes";
  for (const std::uint64_t count : profile.types) out << ' ' << count;
  out << "\ndepths";
  for (const std::uint64_t count : profile.folders_by_depth) out << ' ' << count;
  out << "\nempty " << profile.empty_folders << '\n';
  for (const std::string& path : profile.empty_folder_paths) out << "empty " << path << '\n';
  for (const auto& each : profile.fullest_folders) {
    out << "fullest " << each.path << ' ' << each.files << '\n';
  }
  if (tables) {
    write("extension", profile.extensions, out);
    write("name", profile.folder_names, out);
    write("owner", profile.owners, out);
    write("group", profile.groups, out);
  }
  const auto histogram = [&out](const char* name, const auto& buckets) {
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (buckets[i] != ProfileCount{}) {
        out << name << ' ' << i << ": " << buckets[i].files << ' ' << buckets[i].bytes << '\n';
      }
    }
  };
  histogram("size", profile.sizes);
  histogram("modified", profile.modified);
  histogram("accessed", profile.accessed);
  const auto list = [&out](const char* name, const std::vector<ProfileFile>& files) {
    for (const ProfileFile& file : files) {
      out << name << ' ' << file.path << ' ' << file.size << ' ' << file.mtime.seconds << '.'
          << file.mtime.nanoseconds << '\n';
    }
  };
  list("largest", profile.largest);
  list("oldest", profile.oldest);
  list("newest", profile.newest);
  out << "linked " << profile.linked_names << ' ' << profile.linked_files << ' '
      << profile.repeated_bytes << ' ' << profile.repeated_disk_usage << "\nsparse "
      << profile.sparse_files << ' ' << profile.sparse_bytes << "\nduplicates "
      << profile.duplicate_groups << ' ' << profile.duplicate_wasted << " from "
      << profile.duplicates_from << '\n';
  for (const ProfileDuplicate& group : profile.duplicates) {
    out << "duplicate " << group.name << ' ' << group.size << ' ' << group.files << '\n';
    for (const std::string& path : group.paths) out << "  at " << path << '\n';
  }
  if (profile.tree) write(*profile.tree, 0, out);
  return out.str();
}

}  // namespace trawl::testing
