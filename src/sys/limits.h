// SPDX-License-Identifier: Apache-2.0
//
// How much of the machine this process may use: the processors of its affinity mask, as far as its
// control groups let it have their time, and the threads that it may start.
//
// Only the functions down to thread_limit() look at the system. The others are what they are made
// of.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sys/mounts.h"

namespace trawl::sys {

inline constexpr unsigned kNoLimit = std::numeric_limits<unsigned>::max();

// Processors that this process can keep busy: those of its affinity mask, or the quota of its
// control group or of one above if that is less, rounded up. At least 1. Takes 0.1 to 0.2 ms,
// most of it for the kernel to write its list of mounts.
unsigned usable_cores();

// Nodes of memory that have processors of this process's affinity mask; 1 where memory is equally
// near to all. There that takes one read.
unsigned usable_nodes();

// The node of the processor that the calling thread runs on; 20 ns.
unsigned current_node();

// True where the file's medium says that it rotates (queue/rotational of the block device); false
// where there is no such device, or no telling. Virtual disks often say so, too. `path` is relative
// to the directory descriptor `base`. About 20 µs.
bool is_on_rotating_disk(int base, const char* path);

// Threads that this process may start beyond those that run, by RLIMIT_NPROC and the control
// groups' pids.max; kNoLimit if neither limits. May be 0. Other processes share these limits, so
// starting one can fail all the same.
unsigned thread_limit();

// A line of /proc/self/cgroup.
struct CgroupMembership {
  std::vector<std::string> controllers;  // none: the unified hierarchy (v2)
  std::string path;
};
std::vector<CgroupMembership> parse_cgroups(std::string_view text);

// The directories in which `controller`'s files are to be looked for: the process's own control
// group and all above, as far as they are mounted, in v2 and in v1.
std::vector<std::string> controller_directories(std::span<const CgroupMembership> memberships,
                                                std::span<const Mount> mounts,
                                                std::string_view controller);

// Contents of a file by its path; empty: there is none.
using FileReader = std::function<std::string(const std::string&)>;

// Processors' worth of time in `directories`' cpu.max, or cpu.cfs_quota_us and cpu.cfs_period_us:
// the least of them, rounded up, at least 1; kNoLimit if there is no limit.
unsigned quota_cores(std::span<const std::string> directories, const FileReader& read);

// What is left of `directories`' pids.max above pids.current: the least of them.
unsigned pids_headroom(std::span<const std::string> directories, const FileReader& read);

// By /sys/devices/system/node; at least 1.
unsigned count_nodes(const FileReader& read, const std::function<bool(unsigned)>& may_use);

// "0-2,8" is 0, 1, 2 and 8; empty if it is not a list.
std::vector<unsigned> parse_list(std::string_view text);

// "150000 100000" is 2, "max 100000" nothing.
std::optional<unsigned> cores_of_cpu_max(std::string_view text);

// The tasks that exist on the machine, by /proc/loadavg.
std::optional<unsigned> tasks_of_loadavg(std::string_view text);

}  // namespace trawl::sys
