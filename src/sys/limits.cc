// SPDX-License-Identifier: Apache-2.0
#include "sys/limits.h"

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sys/read_file.h"

namespace trawl::sys {
namespace {

// The word up to the next `separator`, which is taken off as well.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::optional<std::uint64_t> number(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

unsigned clamp(std::uint64_t value) {
  return static_cast<unsigned>(std::min<std::uint64_t>(value, kNoLimit));
}

std::optional<unsigned> cores(std::optional<std::uint64_t> quota,
                              std::optional<std::uint64_t> period) {
  if (!quota || !period || *period == 0) return std::nullopt;
  const std::uint64_t whole = *quota / *period + (*quota % *period != 0 ? 1 : 0);
  return std::max(1U, clamp(whole));
}

bool lists(std::string_view commas, std::string_view word) {
  while (!commas.empty()) {
    if (take_until(commas, ',') == word) return true;
  }
  return false;
}

// Where `mount` shows the control group `path`, and those above it. Of one that it does not show (a
// namespace's own root may be another), the nearest that it has: the mount point.
void append_levels(const Mount& mount, std::string_view path, std::vector<std::string>& out) {
  std::string_view rest;
  if (mount.root == "/") {
    rest = path;
  } else if (path.starts_with(mount.root)) {
    rest = path.substr(mount.root.size());
  }
  const bool is_shown = rest.starts_with('/') && !rest.starts_with("/..");
  if (!is_shown || rest == "/") rest = {};
  for (;;) {
    std::string directory = mount.mount_point == "/" ? std::string() : mount.mount_point;
    out.push_back(directory.append(rest));
    if (rest.empty()) return;
    rest = rest.substr(0, rest.rfind('/'));
  }
}

#ifdef __linux__
using CpuSet = std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)>;

// Its size is set; null if the kernel does not tell.
CpuSet affinity(std::size_t& size) {
  const auto free = [](cpu_set_t* allocated) { CPU_FREE(allocated); };
  // The kernel refuses a set that is smaller than its own.
  for (std::size_t count = 1024; count <= std::size_t{1} << 20; count *= 4) {
    CpuSet set(CPU_ALLOC(count), free);
    if (set == nullptr) break;
    size = CPU_ALLOC_SIZE(count);
    if (::sched_getaffinity(0, size, set.get()) == 0) return set;
    if (errno != EINVAL) break;
  }
  return {nullptr, free};
}
#endif

unsigned affinity_cores() {
#ifdef __linux__
  std::size_t size = 0;
  if (const CpuSet set = affinity(size)) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT_S(size, set.get())));
  }
#endif
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}

// Tasks of this user that /proc shows. Not those in other process namespaces, which count as well.
std::uint64_t tasks_of_user() {
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (proc == nullptr) return 0;
  const uid_t user = ::getuid();
  std::uint64_t tasks = 0;
  while (const struct dirent* entry = ::readdir(proc.get())) {
    const std::string_view name = entry->d_name;
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
    struct stat info;
    const std::string path = std::string(name) + "/task";
    if (::fstatat(::dirfd(proc.get()), path.c_str(), &info, 0) != 0 || info.st_uid != user) {
      continue;
    }
    tasks += std::max<std::uint64_t>(1, info.st_nlink - std::min<std::uint64_t>(info.st_nlink, 2));
  }
  return tasks;
}

unsigned user_headroom() {
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  if (::getuid() == 0) return kNoLimit;  // the kernel does not hold root to it
  const std::uint64_t most = limit.rlim_cur;
  // All tasks of the machine are at least those of this user, and cost one read to know. Only where
  // that leaves little, they are counted.
  constexpr std::uint64_t kPlenty = 1024;
  const auto all = tasks_of_loadavg(read_file("/proc/loadavg"));
  if (all && most >= *all + kPlenty) return clamp(most - *all);
  return clamp(most - std::min(most, tasks_of_user()));
}

std::vector<std::string> own_directories(std::string_view controller) {
  const auto memberships = parse_cgroups(read_file("/proc/self/cgroup"));
  if (memberships.empty()) return {};
  return controller_directories(memberships, read_mounts(), controller);
}

}  // namespace

std::vector<CgroupMembership> parse_cgroups(std::string_view text) {
  std::vector<CgroupMembership> out;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    std::string_view controllers = take_until(line, ':');
    if (!number(hierarchy) || !line.starts_with('/')) continue;
    CgroupMembership membership;
    membership.path = line;
    while (!controllers.empty()) membership.controllers.emplace_back(take_until(controllers, ','));
    out.push_back(std::move(membership));
  }
  return out;
}

std::vector<std::string> controller_directories(std::span<const CgroupMembership> memberships,
                                                std::span<const Mount> mounts,
                                                std::string_view controller) {
  std::vector<std::string> out;
  for (const CgroupMembership& membership : memberships) {
    const auto& controllers = membership.controllers;
    const bool unified = controllers.empty();
    if (!unified &&
        std::find(controllers.begin(), controllers.end(), controller) == controllers.end()) {
      continue;
    }
    for (const Mount& mount : mounts) {
      const bool shows_it = unified ? mount.type == "cgroup2"
                                    : mount.type == "cgroup" && lists(mount.options, controller);
      if (!shows_it) continue;
      append_levels(mount, membership.path, out);
      break;  // the others show the same
    }
  }
  return out;
}

unsigned quota_cores(std::span<const std::string> directories, const FileReader& read) {
  unsigned least = kNoLimit;
  for (const std::string& directory : directories) {
    const std::string cpu_max = read(directory + "/cpu.max");
    const auto limit = cpu_max.empty() ? cores(number(read(directory + "/cpu.cfs_quota_us")),
                                               number(read(directory + "/cpu.cfs_period_us")))
                                       : cores_of_cpu_max(cpu_max);
    least = std::min(least, limit.value_or(kNoLimit));
  }
  return least;
}

unsigned pids_headroom(std::span<const std::string> directories, const FileReader& read) {
  unsigned least = kNoLimit;
  for (const std::string& directory : directories) {
    const auto most = number(read(directory + "/pids.max"));
    const auto current = number(read(directory + "/pids.current"));
    if (most && current) least = std::min(least, clamp(*most - std::min(*most, *current)));
  }
  return least;
}

std::optional<unsigned> cores_of_cpu_max(std::string_view text) {
  const auto quota = number(take_until(text, ' '));
  return cores(quota, number(text));
}

std::optional<unsigned> tasks_of_loadavg(std::string_view text) {
  for (int averages = 0; averages < 3; ++averages) take_until(text, ' ');
  std::string_view tasks = take_until(text, ' ');
  take_until(tasks, '/');
  const auto count = number(tasks);
  return count ? std::optional(clamp(*count)) : std::nullopt;
}

unsigned count_nodes(const FileReader& read, const std::function<bool(unsigned)>& may_use) {
  const std::string directory = "/sys/devices/system/node/";
  const std::vector<unsigned> nodes = parse_list(read(directory + "has_cpu"));
  if (nodes.size() <= 1) return 1;
  const auto usable = std::count_if(nodes.begin(), nodes.end(), [&](unsigned node) {
    const auto cpus = parse_list(read(directory + "node" + std::to_string(node) + "/cpulist"));
    return std::any_of(cpus.begin(), cpus.end(), may_use);
  });
  return std::max(1U, static_cast<unsigned>(usable));
}

std::vector<unsigned> parse_list(std::string_view text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20;
  std::vector<unsigned> out;
  while (!text.empty()) {
    std::string_view range = take_until(text, ',');
    const bool is_one = range.find('-') == std::string_view::npos;
    const auto first = number(take_until(range, '-'));
    const auto last = is_one ? first : number(range);
    if (!first || !last || *last < *first || *last >= kMost) return {};
    for (std::uint64_t i = *first; i <= *last; ++i) out.push_back(static_cast<unsigned>(i));
  }
  return out;
}

unsigned usable_nodes() {
#ifdef __linux__
  CpuSet set(nullptr, [](cpu_set_t*) {});
  std::size_t size = 0;
  bool is_known = false;
  return count_nodes(read_file, [&](unsigned cpu) {
    if (!is_known) {
      set = affinity(size);
      is_known = true;
    }
    return set == nullptr || CPU_ISSET_S(cpu, size, set.get());
  });
#else
  return 1;
#endif
}

unsigned current_node() {
  unsigned node = 0;
#ifdef __linux__
  unsigned cpu = 0;
  ::getcpu(&cpu, &node);  // by the vDSO
#endif
  return node;
}

unsigned usable_cores() {
  const unsigned cores = affinity_cores();
  return cores == 1 ? 1 : std::min(cores, quota_cores(own_directories("cpu"), read_file));
}

bool is_on_rotating_disk(int base, const char* path) {
  struct stat info;
  if (::fstatat(base, path, &info, 0) != 0) return false;
  const std::string device = "/sys/dev/block/" + std::to_string(major(info.st_dev)) + ':' +
                             std::to_string(minor(info.st_dev));
  std::string text = read_file(device + "/queue/rotational");
  if (text.empty()) text = read_file(device + "/../queue/rotational");  // of a partition
  return text.starts_with('1');
}

unsigned thread_limit() {
  return std::min(user_headroom(), pids_headroom(own_directories("pids"), read_file));
}

}  // namespace trawl::sys
