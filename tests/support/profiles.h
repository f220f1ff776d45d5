// SPDX-License-Identifier: Apache-2.0
//
// A profile made by hand, with something in every list.
#pragma once

#include <trawl/profile.h>

#include <cstdint>
#include <string>

namespace trawl::testing {

inline ProfileTreeFolder tree_folder(std::string name, std::uint64_t bytes, std::uint64_t own_bytes,
                                     std::vector<ProfileTreeFolder> children = {}) {
  ProfileTreeFolder folder;
  folder.name = std::move(name);
  folder.bytes = bytes;
  folder.own_bytes = own_bytes;
  folder.files = bytes / 1000;
  folder.own_files = own_bytes / 1000;
  folder.folders = children.size();
  folder.children = std::move(children);
  return folder;
}

// Of a root "/data". Names are hostile: a newline, bytes that are no UTF-8, markup.
inline Profile profile_of_data() {
  constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15 08:00 UTC
  Profile profile;
  profile.now = {kNow, 500'000'000};
  profile.walk.statistics.entries = 1300;
  profile.walk.statistics.directories = 40;
  profile.files = 1234;
  profile.folders = 40;
  profile.bytes = 6'000'000;
  profile.disk_usage = 8'000'000;
  profile.deepest = 3;
  profile.types = {0, 1234, 40, 21, 0, 1, 3, 1};
  profile.folders_by_depth = {1, 9, 20, 10};
  profile.empty_folders = 12;
  profile.empty_folder_paths = {"/data/a", "/data/b\nc", "/data/\xff", "/data/z"};
  profile.fullest_folders = {{"/data/photos", 600}, {"/data", 4}};
  const auto extension = [](std::string key, std::uint64_t files, std::uint64_t bytes) {
    ProfileExtension item;
    item.key = std::move(key);
    item.files = files;
    item.bytes = bytes;
    item.disk_usage = 2 * bytes;
    return item;
  };
  profile.extensions.items = {extension(".jpg", 1000, 5'000'000), extension("", 200, 900'000),
                              extension(".\xff", 30, 90'000), extension(".\xfe", 4, 10'000)};
  profile.extensions.distinct = 4;
  ProfileName folder_name;
  folder_name.key = "2024";
  folder_name.files = 12;
  profile.folder_names.items = {folder_name};
  profile.folder_names.distinct = 70'000;
  profile.folder_names.files_error = 2;
  ProfileOwner owner;
  owner.key = 0;
  owner.files = 1200;
  owner.bytes = 5'500'000;
  profile.owners.items = {owner};
  profile.owners.distinct = 1;
  owner.key = 4'000'000'000;
  profile.groups.items = {owner};
  profile.groups.distinct = 1;
  profile.sizes[0] = {34, 0};
  profile.sizes[10] = {200, 150'000};
  profile.sizes[13] = {1000, 5'850'000};
  profile.modified[2] = {1000, 5'000'000};
  profile.modified[9] = {234, 1'000'000};
  profile.accessed[0] = {1234, 6'000'000};
  profile.largest = {{"/data/photos/<script>alert(1)</script>.jpg", 2'000'000, {kNow - 9, 5}},
                     {"/data/ä\u2028\xff", 1'048'576, {kNow - 86'400, 0}}};
  profile.oldest = {{"/data/old", 12, {-1, 999'999'999}}};
  profile.newest = {{"/data/new", 0, {kNow, 0}}};
  profile.linked_names = 5;
  profile.linked_files = 2;
  profile.repeated_bytes = 3000;
  profile.repeated_disk_usage = 4096;
  profile.sparse_files = 1;
  profile.sparse_bytes = 1 << 20;
  profile.duplicates = {{"a.jpg", 5000, 3, {"/data/1/a.jpg", "/data/\xfe/a.jpg", "/data/3/a.jpg"}}};
  profile.duplicate_groups = 9;
  profile.duplicate_wasted = 12'000;
  profile.tree = tree_folder("/data", 6'000'000, 50'000,
                             {tree_folder("photos", 5'000'000, 1'000'000,
                                          {tree_folder("<b>2024</b>", 4'000'000, 4'000'000)}),
                              tree_folder("\"quoted\" & \xff\n'x'", 900'000, 900'000)});
  return profile;
}

}  // namespace trawl::testing
