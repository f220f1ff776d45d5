// SPDX-License-Identifier: Apache-2.0
#include "sys/mounts.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <map>
#include <utility>

#include "sys/read_file.h"

namespace trawl::sys {
namespace {

// The word up to the next space, which is taken off as well.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes space, tab, newline, backslash and '#' as a backslash and three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && is_octal(text[i + 1]) &&
        is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
// id parent device root point options optional… - type source options
bool parse_line(std::string_view line, Mount& out) {
  if (!parse_number(take_word(line), out.id) || !parse_number(take_word(line), out.parent)) {
    return false;
  }
  const std::string_view device = take_word(line);
  const std::size_t colon = device.find(':');
  if (colon == std::string_view::npos || !parse_number(device.substr(0, colon), out.device_major) ||
      !parse_number(device.substr(colon + 1), out.device_minor)) {
    return false;
  }
  out.root = unescape(take_word(line));
  out.mount_point = unescape(take_word(line));
  take_word(line);
  while (!line.empty() && take_word(line) != "-") {
  }
  out.type = unescape(take_word(line));
  take_word(line);
  out.options = unescape(take_word(line));
  return !out.root.empty() && !out.mount_point.empty() && !out.type.empty();
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  if (above == "/") return path.starts_with('/');
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

// What `path` has below `above`, with its slash, or nothing.
std::string_view below(std::string_view path, std::string_view above) {
  return above == "/" ? (path == "/" ? std::string_view{} : path) : path.substr(above.size());
}

// True if `inner` is mounted on the place where `outer` has what it shows: one of them hides the
// other there, whatever else is mounted on top.
bool covers_itself(const Mount& outer, const Mount& inner) {
  return is_at_or_below(inner.root, outer.root) &&
         is_at_or_below(inner.mount_point, outer.mount_point) &&
         below(inner.mount_point, outer.mount_point) == below(inner.root, outer.root);
}

// Calls `pair(outer, inner)` for mounts of one filesystem of which one shows the other's root, and
// not only where the other hides it, until it returns false. Per filesystem, roots are visited so
// that all that is below one follows it: a stack holds those above the current one.
template <typename Range, typename Pair>
void for_each_overlap(Range& mounts, Pair pair) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<decltype(mounts.data())>> devices;
  for (auto& mount : mounts) {
    devices[{mount.device_major, mount.device_minor}].push_back(&mount);
  }
  const auto by_component = [](char a, char b) {
    return (a == '/' ? 0 : static_cast<unsigned char>(a) + 1) <
           (b == '/' ? 0 : static_cast<unsigned char>(b) + 1);
  };
  for (auto& [device, shown] : devices) {
    std::stable_sort(shown.begin(), shown.end(), [&](const Mount* a, const Mount* b) {
      return std::lexicographical_compare(a->root.begin(), a->root.end(), b->root.begin(),
                                          b->root.end(), by_component);
    });
    std::vector<decltype(mounts.data())> above;
    for (auto* mount : shown) {
      while (!above.empty() && !is_at_or_below(mount->root, above.back()->root)) above.pop_back();
      for (auto* outer : above) {
        if (covers_itself(*outer, *mount) || covers_itself(*mount, *outer)) continue;
        if (!pair(*outer, *mount)) return;
      }
      above.push_back(mount);
    }
  }
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Mount mount;
    if (parse_line(text.substr(0, end), mount)) mounts.push_back(std::move(mount));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mounts;
}

std::vector<Mount> read_mounts() { return parse_mountinfo(read_file("/proc/self/mountinfo")); }

void mark_file_mounts(std::span<Mount> mounts, FileSystem& filesystem) {
  std::vector<Mount*> candidates;
  for_each_overlap(mounts, [&](Mount&, Mount& inner) {
    if (candidates.empty() || candidates.back() != &inner) candidates.push_back(&inner);
    return true;
  });
  const Mount* silent = nullptr;  // those of one filesystem follow each other
  for (Mount* mount : candidates) {
    if (silent != nullptr && silent->device_major == mount->device_major &&
        silent->device_minor == mount->device_minor) {
      continue;
    }
    Metadata metadata;
    const int error = filesystem.stat_at(kWorkingDirectory, mount->mount_point.c_str(),
                                         Fields::type, false, metadata);
    mount->is_file = error == 0 && metadata.type() != FileType::directory;
    silent = error == ETIME ? mount : nullptr;
  }
}

bool is_local_type(std::string_view type) {
  static constexpr std::string_view kLocal[] = {
      "bcachefs", "bpf",     "btrfs",     "cgroup",  "cgroup2",  "configfs", "cramfs",  "debugfs",
      "devpts",   "devtmpfs", "efivarfs", "erofs",   "exfat",    "ext2",     "ext3",    "ext4",
      "f2fs",     "hfsplus", "hugetlbfs", "iso9660", "jfs",      "mqueue",   "nilfs2",  "ntfs3",
      "proc",     "pstore",  "ramfs",     "reiserfs", "rootfs",  "securityfs", "squashfs", "sysfs",
      "tmpfs",    "tracefs", "udf",       "vfat",    "xfs",      "zfs"};
  return std::find(std::begin(kLocal), std::end(kLocal), type) != std::end(kLocal);
}

std::vector<std::string> file_mount_points(std::span<const Mount> mounts) {
  std::vector<std::string> points;
  for (const Mount& mount : mounts) {
    if (mount.is_file) points.push_back(mount.mount_point);
  }
  return points;
}

bool same_directory_may_appear_twice(std::span<const Mount> mounts) {
  bool found = false;
  for_each_overlap(mounts, [&](const Mount&, const Mount& inner) {
    found = !inner.is_file;
    return !found;
  });
  return found;
}

}  // namespace trawl::sys
