// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_json.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cli/owner_names.h"
#include "cli/terminal.h"

namespace trawl::cli {

namespace {

constexpr const char* kNoExtension = "<no extension>";
constexpr std::size_t kMostInPage = 1000;  // empty folders and errors
// Readers of JSON nest only so far: Python's some 490 of these.

// How names are written: for programs, lossless, or for a person to look at.
enum class Names : std::uint8_t { lossless, shown };

void put_name(Json& object, const char* key, std::string_view bytes, Names names) {
  if (names == Names::shown) {
    object[key] = printable(bytes, true);
  } else {
    add_name(object, key, bytes);
  }
}

// To two decimals, a tie in the exact value to the even one: as Python's round().
double rounded(double value) {
  char digits[400];
  const char* end = std::to_chars(digits, std::end(digits), value, std::chars_format::fixed, 2).ptr;
  std::from_chars(digits, end, value);
  return value;
}

Json to_json(const Timestamp& time) {
  return {{"seconds", time.seconds}, {"nanoseconds", time.nanoseconds}};
}

double seconds_of(const Timestamp& time) {
  return static_cast<double>(time.seconds) + 1e-9 * static_cast<double>(time.nanoseconds);
}

Json summary_of(const Profile& profile) {
  constexpr double kMegabyte = 1 << 20;
  const auto files = static_cast<double>(profile.files);
  const auto folders = static_cast<double>(std::max<std::uint64_t>(profile.folders, 1));
  return {{"total_files", profile.files},
          {"total_folders", profile.folders},
          {"total_size_bytes", profile.bytes},
          {"total_size_mb", rounded(static_cast<double>(profile.bytes) / kMegabyte)},
          {"avg_files_per_folder", rounded(files / folders)},
          {"max_depth", profile.deepest},
          {"empty_folder_count", profile.empty_folders},
          {"total_disk_usage_bytes", profile.disk_usage},
          {"total_links", profile.types[static_cast<std::size_t>(FileType::symlink)]}};
}

// A member that an object does not have yet: those of an ordered one are looked for one by one.
void append_new(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

// An object of counts; keys that look alike are added up.
template <class Items>
Json counts_of(const Items& items, const char* empty) {
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& item : items) {
    Json name;
    add_name(name, "key", item.key.empty() ? empty : item.key);
    std::string key = name["key"].template get<std::string>();
    const auto [place, is_new] = places.emplace(key, counts.size());
    if (is_new) {
      counts.emplace_back(std::move(key), item.files);
    } else {
      counts[place->second].second += item.files;
    }
  }
  Json object = Json::object();
  for (auto& [key, files] : counts) {
    append_new(object, std::move(key), files);
  }
  return object;
}

Json extensions_of(const Profile& profile, Names names) {
  Json list = Json::array();
  for (const ProfileExtension& each : profile.extensions.items) {
    Json object;
    put_name(object, "extension", each.key, names);
    object["files"] = each.files;
    object["bytes"] = each.bytes;
    object["disk_usage"] = each.disk_usage;
    list.push_back(std::move(object));
  }
  return list;
}

Json folder_names_of(const Profile& profile, Names names) {
  Json list = Json::array();
  for (const ProfileName& each : profile.folder_names.items) {
    Json object;
    put_name(object, "name", each.key, names);
    object["folders"] = each.files;
    list.push_back(std::move(object));
  }
  return list;
}

Json fullest_folders_of(const Profile& profile, Names names) {
  Json list = Json::array();
  for (const ProfileFolder& each : profile.fullest_folders) {
    Json object;
    put_name(object, "path", each.path, names);
    object["files"] = each.files;
    list.push_back(std::move(object));
  }
  return list;
}

// Paths as plain strings. Those that are not UTF-8 are also in an object beside it, by their index.
void put_empty_folders(Json& document, const Profile& profile) {
  Json& paths = document["empty_folders"] = Json::array();
  Json exact = Json::object();
  for (const std::string& path : profile.empty_folder_paths) {
    Json object;
    add_name(object, "path", path);
    if (object.contains("path_base64")) {
      append_new(exact, std::to_string(paths.size()), std::move(object["path_base64"]));
    }
    paths.push_back(std::move(object["path"]));
  }
  if (!exact.empty()) {
    document["empty_folders_base64"] = std::move(exact);
  }
}

Json depths_of(const Profile& profile) {
  Json object = Json::object();
  for (std::size_t depth = 0; depth < profile.folders_by_depth.size(); ++depth) {
    append_new(object, std::to_string(depth), profile.folders_by_depth[depth]);
  }
  return object;
}

Json types_of(const Profile& profile) {
  Json object;
  for (const FileType type :
       {FileType::regular, FileType::directory, FileType::symlink, FileType::block_device,
        FileType::character_device, FileType::fifo, FileType::socket, FileType::unknown}) {
    object[to_word(type)] = profile.types[static_cast<std::size_t>(type)];
  }
  return object;
}

Json sizes_of(const Profile& profile) {
  Json list = Json::array();
  std::size_t count = profile.sizes.size();
  while (count > 0 && profile.sizes[count - 1].files == 0) {
    --count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t from = i == 0 ? 0 : std::uint64_t{1} << (i - 1);
    const std::uint64_t to = i == 0 ? 0 : from - 1 + from;
    list.push_back({{"from", from},
                    {"to", to},
                    {"files", profile.sizes[i].files},
                    {"bytes", profile.sizes[i].bytes}});
  }
  return list;
}

Json ages_of(const std::array<ProfileCount, kAgeBuckets>& ages) {
  Json list = Json::array();
  for (std::size_t i = 0; i < ages.size(); ++i) {
    list.push_back({{"from", i == 0 ? Json() : Json(kAgeLimits[i - 1])},
                    {"below", i == kAgeLimits.size() ? Json() : Json(kAgeLimits[i])},
                    {"files", ages[i].files},
                    {"bytes", ages[i].bytes}});
  }
  return list;
}

Json files_of(const std::vector<ProfileFile>& files, Names names) {
  Json list = Json::array();
  for (const ProfileFile& each : files) {
    Json object;
    put_name(object, "path", each.path, names);
    object["size"] = each.size;
    object["mtime"] = to_json(each.mtime);
    list.push_back(std::move(object));
  }
  return list;
}

Json owners_of(const ProfileTable<ProfileOwner>& owners, const char* id,
               const std::string* (*name_of)(std::uint32_t), Names names) {
  Json list = Json::array();
  for (const ProfileOwner& each : owners.items) {
    Json object{{id, each.key}};
    if (const std::string* name = name_of(each.key)) {
      put_name(object, "name", *name, names);
    }
    object["files"] = each.files;
    object["bytes"] = each.bytes;
    list.push_back(std::move(object));
  }
  return list;
}

Json duplicates_of(const Profile& profile, Names names) {
  Json candidates = Json::array();
  for (const ProfileDuplicate& each : profile.duplicates) {
    Json object;
    put_name(object, "name", each.name, names);
    object["size"] = each.size;
    object["files"] = each.files;
    object["wasted_bytes"] = each.wasted();
    Json& paths = object["paths"] = Json::array();
    for (const std::string& path : each.paths) {
      Json entry;
      put_name(entry, "path", path, names);
      paths.push_back(std::move(entry));
    }
    candidates.push_back(std::move(object));
  }
  return {{"groups", profile.duplicate_groups},
          {"wasted_bytes", profile.duplicate_wasted},
          {"from_size", profile.duplicates_from},
          {"candidates", std::move(candidates)}};
}

Json approximate_of(const Profile& profile) {
  Json list = Json::array();
  const auto add = [&list](const char* name, const auto& table) {
    if (!table.exact()) {
      list.push_back(
          {{"table", name}, {"distinct", table.distinct}, {"files_error", table.files_error}});
    }
  };
  add("extensions", profile.extensions);
  add("folder_names", profile.folder_names);
  add("owners", profile.owners);
  add("groups", profile.groups);
  return list;
}

Json tree_of(const ProfileTreeFolder& folder, Names names) {
  Json object;
  put_name(object, "name", folder.name, names);
  object["bytes"] = folder.bytes;
  object["files"] = folder.files;
  object["own_bytes"] = folder.own_bytes;
  object["own_files"] = folder.own_files;
  object["folders"] = folder.folders;
  Json& children = object["children"] = Json::array();
  for (const ProfileTreeFolder& child : folder.children) {
    children.push_back(tree_of(child, names));
  }
  return object;
}

// What the document and the page have both.
void put_figures(Json& document, const Profile& profile, Names names) {
  document["extensions"] = extensions_of(profile, names);
  document["folder_names"] = folder_names_of(profile, names);
  document["file_types"] = types_of(profile);
  document["size_histogram"] = sizes_of(profile);
  document["modified_histogram"] = ages_of(profile.modified);
  document["accessed_histogram"] = ages_of(profile.accessed);
  document["largest_files"] = files_of(profile.largest, names);
  document["oldest_files"] = files_of(profile.oldest, names);
  document["newest_files"] = files_of(profile.newest, names);
  document["owners"] = owners_of(profile.owners, "uid", user_name, names);
  document["groups"] = owners_of(profile.groups, "gid", group_name, names);
  document["hard_links"] = {{"names", profile.linked_names},
                            {"files", profile.linked_files},
                            {"repeated_bytes", profile.repeated_bytes},
                            {"repeated_disk_usage", profile.repeated_disk_usage}};
  document["sparse"] = {{"files", profile.sparse_files}, {"bytes", profile.sparse_bytes}};
  document["duplicates"] = duplicates_of(profile, names);
  document["approximate"] = approximate_of(profile);
  document["now"] = seconds_of(profile.now);
}

Json beginning_of(const Profile& profile, const ProfileArguments& arguments, Names names) {
  Json document;
  document["version"] = 1;
  document["kind"] = "trawl.profile";
  put_name(document, "path", arguments.path, names);
  document["complete"] = profile.walk.complete();
  document["ending"] = to_word(profile.walk.ending);
  document["summary"] = summary_of(profile);
  return document;
}

}  // namespace

std::string to_document(const Profile& profile, const ProfileArguments& arguments,
                        std::chrono::duration<double> elapsed) {
  const Result& walk = profile.walk;
  Json document = beginning_of(profile, arguments, Names::lossless);
  document["file_extensions"] = counts_of(profile.extensions.items, kNoExtension);
  document["common_folder_names"] = counts_of(profile.folder_names.items, "");
  put_empty_folders(document, profile);
  document["top_folders_by_file_count"] = fullest_folders_of(profile, Names::lossless);
  document["depth_distribution"] = depths_of(profile);
  put_figures(document, profile, Names::lossless);
  if (arguments.tree_folders.value_or(0) > 0 && profile.tree) {
    document["tree"] = tree_of(*profile.tree, Names::lossless);
  }
  document["elapsed_seconds"] = elapsed.count();
  document["statistics"] = to_json(walk.statistics);
  Json& errors = document["errors"] = Json::array();
  for (const Error& error : walk.errors) {
    errors.push_back(to_json(error));
  }
  return document.dump() + '\n';
}

Json page_data(const Profile& profile, const ProfileArguments& arguments,
               std::chrono::duration<double> elapsed) {
  const Result& walk = profile.walk;
  Json document = beginning_of(profile, arguments, Names::shown);
  put_figures(document, profile, Names::shown);
  document["top_folders_by_file_count"] = fullest_folders_of(profile, Names::shown);
  document["depth_distribution"] = profile.folders_by_depth;
  Json& empty = document["empty_folders"] = Json::array();
  for (const std::string& path : profile.empty_folder_paths) {
    if (empty.size() == kMostInPage) {
      break;
    }
    empty.push_back(printable(path, true));
  }
  if (profile.tree) {
    document["tree"] = tree_of(*profile.tree, Names::shown);
  }
  document["elapsed_seconds"] = elapsed.count();
  document["entries"] = walk.statistics.entries;
  document["error_count"] = walk.statistics.errors;
  Json& errors = document["errors"] = Json::array();
  for (const Error& error : walk.errors) {
    if (errors.size() == kMostInPage) {
      break;
    }
    Json object = to_json(error);
    object.erase("path_base64");
    put_name(object, "path", error.path, Names::shown);
    errors.push_back(std::move(object));
  }
  return document;
}

}  // namespace trawl::cli
