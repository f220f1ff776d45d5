// SPDX-License-Identifier: Apache-2.0
//
// The mounts that this process sees: /proc/self/mountinfo, parsed, and what a walk wants to know
// about them. Nothing here is needed for a walk to be right about files that it meets; it says
// beforehand what it may meet.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sys/filesystem.h"

namespace trawl::sys {

struct Mount {
  int id = 0;
  int parent = 0;
  std::uint32_t device_major = 0, device_minor = 0;
  std::string root;         // the directory (or file) of the filesystem that is mounted
  std::string mount_point;  // relative to the process's root; bytes
  std::string type;         // "ext4"
  std::string options;      // of the filesystem ("rw,cpu,cpuacct"), not of the mount
  bool is_file = false;     // a file is mounted on a file; see mark_file_mounts()
};

// Lines of /proc/<pid>/mountinfo; what can't be understood is left out.
std::vector<Mount> parse_mountinfo(std::string_view text);

// The mounts of this process; none where the system has no such list.
std::vector<Mount> read_mounts();

// Sets is_file. One stat of each mount point whose filesystem another mount shows too; the others
// are never touched. A dead server's mount point blocks who looks at it: `filesystem` is one that
// asks no server for what the kernel knows, or a StallGuard. What it gives up (ETIME) is taken for a
// directory, and no further mount of that filesystem is looked at.
void mark_file_mounts(std::span<Mount> mounts, FileSystem& filesystem);

// True for filesystems that answer from this machine's own memory and disks, so that no call waits for
// a server. Not overlay, whose layers may be anything.
bool is_local_type(std::string_view type);

// The mount points with is_file.
std::vector<std::string> file_mount_points(std::span<const Mount> mounts);

// True if some directory of a filesystem can be reached through more than one mount, so that a walk
// over several mounts may meet it more than once under one st_dev. A mount that covers the very
// directory that it shows ("mount --bind /a /a", as sandboxes do) is none, nor is one of a file.
// Says true rather than false where the list does not tell.
bool same_directory_may_appear_twice(std::span<const Mount> mounts);

}  // namespace trawl::sys
