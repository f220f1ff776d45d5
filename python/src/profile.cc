// SPDX-License-Identifier: Apache-2.0
//
// profile(): the figures of docs/profile.md as Python values.
#include <trawl/profile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings.h"
#include "control.h"
#include "convert.h"
#include "filter.h"

namespace trawl::python {

namespace {

constexpr const char* kNoExtension = "<no extension>";
constexpr std::int64_t kBillion = 1'000'000'000;

// str.lower() of an extension. Any thread.
std::string lower_case(std::string_view bytes) {
  const Gil gil;
  PyObject* const text = to_str(bytes);
  PyObject* const lowered = text == nullptr ? nullptr : PyObject_CallMethod(text, "lower", nullptr);
  PyObject* const encoded = lowered == nullptr ? nullptr : PyUnicode_EncodeFSDefault(lowered);
  Py_XDECREF(text);
  Py_XDECREF(lowered);
  char* begin = nullptr;
  Py_ssize_t size = 0;
  if (encoded == nullptr || PyBytes_AsStringAndSize(encoded, &begin, &size) != 0) {
    Py_XDECREF(encoded);
    throw CallbackRaised();
  }
  std::string result(begin, static_cast<std::size_t>(size));
  Py_DECREF(encoded);
  return result;
}

Timestamp time_from(nb::handle now) {
  const double seconds = PyFloat_AsDouble(now.ptr());
  if (seconds == -1 && PyErr_Occurred() != nullptr) {
    throw nb::python_error();
  }
  if (!(std::abs(seconds) < 9e9)) {  // nanoseconds in 64 bits
    throw nb::value_error("now must be seconds since the epoch, within 285 years");
  }
  const auto total = static_cast<std::int64_t>(std::nearbyint(seconds * 1e9));
  const std::int64_t whole = total / kBillion - (total % kBillion < 0 ? 1 : 0);
  return {whole, static_cast<std::uint32_t>(total - whole * kBillion)};
}

nb::object divided(nb::object value, std::int64_t by) { return value / nb::int_(by); }

nb::object to_two_decimals(const nb::object& value) {
  return nb::module_::import_("builtins").attr("round")(value, 2);
}

nb::dict summary_of(const Profile& profile) {
  const auto folders = static_cast<std::int64_t>(profile.folders);
  nb::dict out;
  out["total_files"] = profile.files;
  out["total_folders"] = profile.folders;
  out["total_size_bytes"] = profile.bytes;
  out["total_size_mb"] = to_two_decimals(divided(nb::int_(profile.bytes), 1 << 20));
  out["avg_files_per_folder"] =
      to_two_decimals(divided(nb::int_(profile.files), std::max<std::int64_t>(folders, 1)));
  out["max_depth"] = profile.deepest;
  out["empty_folder_count"] = profile.empty_folders;
  out["total_disk_usage_bytes"] = profile.disk_usage;
  out["total_links"] = profile.types[static_cast<std::size_t>(FileType::symlink)];
  return out;
}

nb::dict types_of(const Profile& profile) {
  constexpr std::array kNames = {"unknown",          "file", "directory", "symlink", "block_device",
                                 "character_device", "fifo", "socket"};
  nb::dict out;
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    out[kNames[i]] = profile.types[i];
  }
  out[kNames[0]] = profile.types[0];
  return out;
}

template <class Item, class Make>
nb::list list_of(const std::vector<Item>& items, Make make) {
  nb::list out;
  for (const Item& item : items) {
    out.append(make(item));
  }
  return out;
}

nb::list paths_of(const std::vector<std::string>& paths) {
  return list_of(paths, [](const std::string& path) { return to_text(path); });
}

nb::list sizes_of(const Profile& profile) {
  std::size_t count = profile.sizes.size();
  while (count > 0 && profile.sizes[count - 1].files == 0) {
    --count;
  }
  nb::list out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t from = i == 0 ? 0 : std::uint64_t{1} << (i - 1);
    nb::dict bucket;
    bucket["from"] = from;
    bucket["to"] = i == 0 ? 0 : from - 1 + from;
    bucket["files"] = profile.sizes[i].files;
    bucket["bytes"] = profile.sizes[i].bytes;
    out.append(bucket);
  }
  return out;
}

nb::list ages_of(const std::array<ProfileCount, kAgeBuckets>& ages) {
  const auto limit = [](bool there, std::size_t i) -> nb::object {
    return there ? nb::object(nb::int_(kAgeLimits[i])) : nb::none();
  };
  nb::list out;
  for (std::size_t i = 0; i < ages.size(); ++i) {
    nb::dict bucket;
    bucket["from"] = limit(i != 0, i - 1);
    bucket["below"] = limit(i != kAgeLimits.size(), i);
    bucket["files"] = ages[i].files;
    bucket["bytes"] = ages[i].bytes;
    out.append(bucket);
  }
  return out;
}

nb::list files_of(const std::vector<ProfileFile>& files) {
  return list_of(files, [](const ProfileFile& file) {
    nb::dict time;
    time["seconds"] = file.mtime.seconds;
    time["nanoseconds"] = file.mtime.nanoseconds;
    nb::dict out;
    out["path"] = to_text(file.path);
    out["size"] = file.size;
    out["mtime"] = time;
    return out;
  });
}

nb::list owners_of(const ProfileTable<ProfileOwner>& table, const char* key) {
  return list_of(table.items, [key](const ProfileOwner& owner) {
    nb::dict out;
    out[key] = owner.key;
    out["files"] = owner.files;
    out["bytes"] = owner.bytes;
    return out;
  });
}

nb::dict duplicates_of(const Profile& profile) {
  nb::dict out;
  out["groups"] = profile.duplicate_groups;
  out["wasted_bytes"] = profile.duplicate_wasted;
  out["from_size"] = profile.duplicates_from;
  out["candidates"] = list_of(profile.duplicates, [](const ProfileDuplicate& group) {
    nb::dict candidate;
    candidate["name"] = to_text(group.name);
    candidate["size"] = group.size;
    candidate["files"] = group.files;
    candidate["wasted_bytes"] = group.wasted();
    candidate["paths"] = paths_of(group.paths);
    return candidate;
  });
  return out;
}

nb::list approximate_of(const Profile& profile) {
  nb::list out;
  const auto add = [&out](const char* name, const auto& table) {
    if (!table.exact()) {
      nb::dict entry;
      entry["table"] = name;
      entry["distinct"] = table.distinct;
      entry["files_error"] = table.files_error;
      out.append(entry);
    }
  };
  add("extensions", profile.extensions);
  add("folder_names", profile.folder_names);
  add("owners", profile.owners);
  add("groups", profile.groups);
  return out;
}

// Not by recursion: it may be as deep as it has folders.
nb::dict tree_of(const ProfileTreeFolder& root) {
  std::vector<std::pair<const ProfileTreeFolder*, nb::list>> open;
  const auto make = [&open](const ProfileTreeFolder& folder) {
    nb::list children;
    nb::dict out;
    out["name"] = to_text(folder.name);
    out["bytes"] = folder.bytes;
    out["files"] = folder.files;
    out["own_bytes"] = folder.own_bytes;
    out["own_files"] = folder.own_files;
    out["folders"] = folder.folders;
    out["children"] = children;
    open.emplace_back(&folder, std::move(children));
    return out;
  };
  nb::dict made = make(root);
  while (!open.empty()) {
    auto [folder, children] = std::move(open.back());
    open.pop_back();
    for (const ProfileTreeFolder& child : folder->children) {
      children.append(make(child));
    }
  }
  return made;
}

void add_names(nb::dict& out, const Profile& profile) {
  nb::dict extension_counts, folder_counts, depths;
  for (const ProfileExtension& each : profile.extensions.items) {
    extension_counts[each.key.empty() ? nb::object(nb::str(kNoExtension)) : to_text(each.key)] =
        each.files;
  }
  for (const ProfileName& each : profile.folder_names.items) {
    folder_counts[to_text(each.key)] = each.files;
  }
  for (std::size_t depth = 0; depth < profile.folders_by_depth.size(); ++depth) {
    depths[nb::int_(depth)] = profile.folders_by_depth[depth];
  }
  out["file_extensions"] = extension_counts;
  out["common_folder_names"] = folder_counts;
  out["empty_folders"] = paths_of(profile.empty_folder_paths);
  out["top_folders_by_file_count"] =
      list_of(profile.fullest_folders, [](const ProfileFolder& folder) {
        return nb::make_tuple(to_text(folder.path), folder.files);
      });
  out["depth_distribution"] = depths;
  out["extensions"] = list_of(profile.extensions.items, [](const ProfileExtension& each) {
    nb::dict item;
    item["extension"] = to_text(each.key);
    item["files"] = each.files;
    item["bytes"] = each.bytes;
    item["disk_usage"] = each.disk_usage;
    return item;
  });
  out["folder_names"] = list_of(profile.folder_names.items, [](const ProfileName& each) {
    nb::dict item;
    item["name"] = to_text(each.key);
    item["folders"] = each.files;
    return item;
  });
}

nb::dict to_dict(const Profile& profile) {
  nb::dict out;
  add_result(out, profile.walk);
  out["summary"] = summary_of(profile);
  add_names(out, profile);
  out["file_types"] = types_of(profile);
  out["size_histogram"] = sizes_of(profile);
  out["modified_histogram"] = ages_of(profile.modified);
  out["accessed_histogram"] = ages_of(profile.accessed);
  out["largest_files"] = files_of(profile.largest);
  out["oldest_files"] = files_of(profile.oldest);
  out["newest_files"] = files_of(profile.newest);
  out["owners"] = owners_of(profile.owners, "uid");
  out["groups"] = owners_of(profile.groups, "gid");
  nb::dict links;
  links["names"] = profile.linked_names;
  links["files"] = profile.linked_files;
  links["repeated_bytes"] = profile.repeated_bytes;
  links["repeated_disk_usage"] = profile.repeated_disk_usage;
  out["hard_links"] = links;
  nb::dict sparse;
  sparse["files"] = profile.sparse_files;
  sparse["bytes"] = profile.sparse_bytes;
  out["sparse"] = sparse;
  out["duplicates"] = duplicates_of(profile);
  out["approximate"] = approximate_of(profile);
  out["now"] = divided(stolen(to_nanoseconds(profile.now)), kBillion);
  if (profile.tree) {
    out["tree"] = tree_of(*profile.tree);
  }
  return out;
}

nb::dict profile(nb::bytes root, nb::object top, nb::object top_folders, nb::object max_depth,
                 bool exact, nb::object capacity, nb::object max_empty_folders,
                 nb::object tree_folders, nb::object now, nb::object follow, bool one_file_system,
                 nb::object filter, nb::object threads, nb::object timeout, CancelSource* cancel,
                 nb::object poll) {
  Control control(cancel, poll);
  const std::string path = path_from(root);
  const auto count = [](nb::handle value, const char* name, std::int64_t least) {
    return static_cast<std::size_t>(integer_from(value, name, least, INT64_MAX, true));
  };
  ProfileOptions options;
  options.top = count(top, "top", 1);
  options.top_folders = count(top_folders, "top_folders", 1);
  options.exact = exact;
  options.capacity = count(capacity, "capacity", static_cast<std::int64_t>(options.top));
  options.max_empty_folders = count(max_empty_folders, "max_empty_folders", 0);
  options.tree_folders = count(tree_folders, "tree_folders", 0);
  if (!now.is_none()) {
    options.now = time_from(now);
  }
  options.lower_case = &lower_case;
  options.walk.max_depth = depth_from(max_depth, "max_depth");
  options.walk.follow = follow_from(follow);
  options.walk.one_file_system = one_file_system;
  options.walk.threads = threads_from(threads);
  options.walk.deadline = deadline_from(timeout);
  options.walk.cancel = control.cancel();
  options.walk.progress_entries = control.progress();
  set_filter(options.walk, filter_from(filter));
  return to_dict(control.run([&] { return trawl::profile(path, options); }));
}

}  // namespace

void bind_profile(nb::module_& module) {
  module.def("profile", &profile, nb::arg("root"), nb::kw_only(), nb::arg("top") = 20,
             nb::arg("top_folders") = 10, nb::arg("max_depth") = nb::none(),
             nb::arg("exact") = false, nb::arg("capacity") = 65536,
             nb::arg("max_empty_folders") = 100000, nb::arg("tree_folders") = 0,
             nb::arg("now") = nb::none(), nb::arg("follow") = 0, nb::arg("one_file_system") = false,
             nb::arg("filter") = nb::none(), nb::arg("threads") = 0,
             nb::arg("timeout") = nb::none(), nb::arg("cancel") = nb::none(),
             nb::arg("poll") = nb::none());
}

}  // namespace trawl::python
