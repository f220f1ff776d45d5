// SPDX-License-Identifier: Apache-2.0
#include "sys/limits.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "sys/read_file.h"

namespace trawl::sys {
namespace {

using testing::passes_in_child;

using Paths = std::vector<std::string>;

FileReader files(std::map<std::string, std::string> contents) {
  return [contents = std::move(contents)](const std::string& path) {
    const auto found = contents.find(path);
    return found == contents.end() ? std::string() : found->second;
  };
}

TEST(ParseCgroups, TakesBothVersions) {
  const auto parsed = parse_cgroups("12:cpu,cpuacct:/a\n1:name=systemd:/b:c\n0::/user.slice\n");
  ASSERT_EQ(parsed.size(), 3U);
  EXPECT_EQ(parsed[0].controllers, (Paths{"cpu", "cpuacct"}));
  EXPECT_EQ(parsed[0].path, "/a");
  EXPECT_EQ(parsed[1].controllers, Paths{"name=systemd"});
  EXPECT_EQ(parsed[1].path, "/b:c");
  EXPECT_TRUE(parsed[2].controllers.empty());
  EXPECT_EQ(parsed[2].path, "/user.slice");
  EXPECT_TRUE(parse_cgroups("").empty());
  EXPECT_TRUE(parse_cgroups("nonsense\n0:x\n0::relative\n:cpu:/\n").empty());
}

TEST(ControllerDirectories, GoesUpToTheMount) {
  const auto mounts = parse_mountinfo("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(controller_directories(parse_cgroups("0::/a.slice/b.scope\n"), mounts, "cpu"),
            (Paths{"/sys/fs/cgroup/a.slice/b.scope", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"}));
  EXPECT_EQ(controller_directories(parse_cgroups("0::/\n"), mounts, "cpu"),
            Paths{"/sys/fs/cgroup"});
}

TEST(ControllerDirectories, KnowsWhatAContainerIsShown) {
  const auto mounts =
      parse_mountinfo("30 1 0:26 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(controller_directories(parse_cgroups("0::/docker/x/y\n"), mounts, "cpu"),
            (Paths{"/sys/fs/cgroup/y", "/sys/fs/cgroup"}));
  EXPECT_EQ(controller_directories(parse_cgroups("0::/docker/x\n"), mounts, "cpu"),
            Paths{"/sys/fs/cgroup"});
  // Not below what is mounted: the mount point is as near as it gets.
  for (const char* path : {"0::/docker/xy/z\n", "0::/../other\n", "0::/elsewhere\n"}) {
    EXPECT_EQ(controller_directories(parse_cgroups(path), mounts, "cpu"), Paths{"/sys/fs/cgroup"})
        << path;
  }
  const auto plain = parse_mountinfo("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  EXPECT_EQ(controller_directories(parse_cgroups("0::/../other\n"), plain, "cpu"),
            Paths{"/sys/fs/cgroup"});
}

TEST(ControllerDirectories, TakesTheMountOfItsController) {
  const auto mounts = parse_mountinfo(
      "32 31 0:28 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
      "33 31 0:29 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "34 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n"
      "35 31 0:29 / /elsewhere rw - cgroup cgroup rw,cpu,cpuacct\n");
  const auto memberships = parse_cgroups("3:cpuset:/s\n4:cpu,cpuacct:/a\n0::/u\n");
  EXPECT_EQ(controller_directories(memberships, mounts, "cpu"),
            (Paths{"/cg/cpu,cpuacct/a", "/cg/cpu,cpuacct", "/cg/unified/u", "/cg/unified"}));
  EXPECT_EQ(controller_directories(memberships, mounts, "pids"),
            (Paths{"/cg/unified/u", "/cg/unified"}));
}

TEST(CoresOfCpuMax, RoundsUp) {
  EXPECT_EQ(cores_of_cpu_max("100000 100000\n"), 1U);
  EXPECT_EQ(cores_of_cpu_max("100001 100000\n"), 2U);
  EXPECT_EQ(cores_of_cpu_max("150000 100000"), 2U);
  EXPECT_EQ(cores_of_cpu_max("1000 100000\n"), 1U);
  EXPECT_EQ(cores_of_cpu_max("0 100000\n"), 1U);
  EXPECT_EQ(cores_of_cpu_max("18446744073709551615 1\n"), kNoLimit);
  for (const char* text : {"max 100000\n", "", "max", "5", "x 1", "100000 0\n", "-1 100000"}) {
    EXPECT_EQ(cores_of_cpu_max(text), std::nullopt) << text;
  }
}

TEST(QuotaCores, IsTheLeastOfAllLevels) {
  const Paths levels{"/a/b", "/a", "/"};
  EXPECT_EQ(quota_cores(levels, files({})), kNoLimit);
  EXPECT_EQ(quota_cores({}, files({})), kNoLimit);
  EXPECT_EQ(quota_cores(levels, files({{"/a/b/cpu.max", "max 100000\n"},
                                       {"/a/cpu.max", "250000 100000\n"}})),
            3U);
  EXPECT_EQ(quota_cores(levels, files({{"/a/b/cpu.max", "800000 100000\n"},
                                       {"/a/cpu.max", "50000 100000\n"}})),
            1U);
  EXPECT_EQ(quota_cores(levels, files({{"/a/b/cpu.cfs_quota_us", "-1\n"},
                                       {"/a/b/cpu.cfs_period_us", "100000\n"},
                                       {"/a/cpu.cfs_quota_us", "400000\n"},
                                       {"/a/cpu.cfs_period_us", "100000\n"}})),
            4U);
}

TEST(PidsHeadroom, IsTheLeastOfAllLevels) {
  const Paths levels{"/a/b", "/a"};
  EXPECT_EQ(pids_headroom(levels, files({})), kNoLimit);
  EXPECT_EQ(pids_headroom(levels, files({{"/a/b/pids.max", "max\n"},
                                         {"/a/b/pids.current", "7\n"},
                                         {"/a/pids.max", "100\n"},
                                         {"/a/pids.current", "90\n"}})),
            10U);
  EXPECT_EQ(pids_headroom(levels, files({{"/a/pids.max", "5\n"}, {"/a/pids.current", "9\n"}})), 0U);
}

TEST(TasksOfLoadavg, IsTheNumberAfterTheSlash) {
  EXPECT_EQ(tasks_of_loadavg("0.11 0.04 0.01 2/87 4678\n"), 87U);
  EXPECT_EQ(tasks_of_loadavg(""), std::nullopt);
  EXPECT_EQ(tasks_of_loadavg("0.11 0.04 0.01"), std::nullopt);
}

TEST(ParseList, TakesNumbersAndRanges) {
  using Numbers = std::vector<unsigned>;
  EXPECT_EQ(parse_list("0\n"), Numbers{0});
  EXPECT_EQ(parse_list("0-2,8\n"), (Numbers{0, 1, 2, 8}));
  EXPECT_EQ(parse_list("3,5-5"), (Numbers{3, 5}));
  for (const char* text : {"", "\n", "x", "1-", "-1", "2-1", "0,x", "0-4294967295", "1-2-3"}) {
    EXPECT_EQ(parse_list(text), Numbers{}) << text;
  }
}

TEST(CountNodes, CountsThoseWhoseProcessorsMayBeUsed) {
  const std::string directory = "/sys/devices/system/node/";
  const auto all = [](unsigned) { return true; };
  EXPECT_EQ(count_nodes(files({}), all), 1U);
  EXPECT_EQ(count_nodes(files({{directory + "has_cpu", "0\n"}}), all), 1U);
  // Node 1 has memory only, and node 8 is the third: numbers have gaps.
  const auto machine = files({{directory + "has_cpu", "0,2,8\n"},
                              {directory + "online", "0-2,8\n"},
                              {directory + "node0/cpulist", "0-3,16-19\n"},
                              {directory + "node2/cpulist", "4-15\n"},
                              {directory + "node8/cpulist", "20\n"}});
  EXPECT_EQ(count_nodes(machine, all), 3U);
  EXPECT_EQ(count_nodes(machine, [](unsigned cpu) { return cpu == 15 || cpu == 16; }), 2U);
  EXPECT_EQ(count_nodes(machine, [](unsigned cpu) { return cpu >= 4 && cpu < 16; }), 1U);
  EXPECT_EQ(count_nodes(machine, [](unsigned) { return false; }), 1U);
}

// Where there is one node, which costs one read, no processor's is asked for.
TEST(CountNodes, LooksNoFurtherWhereThereIsOne) {
  unsigned reads = 0;
  const auto read = [&](const std::string& path) {
    ++reads;
    EXPECT_EQ(path, "/sys/devices/system/node/has_cpu");
    return std::string("0\n");
  };
  EXPECT_EQ(count_nodes(read,
                        [](unsigned) {
                          ADD_FAILURE() << "nobody needs to know";
                          return true;
                        }),
            1U);
  EXPECT_EQ(reads, 1U);
}

TEST(UsableNodes, IsOneForOneProcessor) {
  EXPECT_GE(usable_nodes(), 1U);
  EXPECT_LE(usable_nodes(), usable_cores());
  EXPECT_TRUE(passes_in_child([] {
    cpu_set_t allowed;
    ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
    std::size_t first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    ASSERT_EQ(::sched_setaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_EQ(usable_nodes(), 1U);
    const std::string node = "/sys/devices/system/node/node" + std::to_string(current_node());
    if (const std::string cpus = read_file(node + "/cpulist"); !cpus.empty()) {
      const std::vector<unsigned> here = parse_list(cpus);
      EXPECT_NE(std::find(here.begin(), here.end(), first), here.end()) << cpus;
    }
  }));
}

TEST(UsableCores, HeedsTheAffinityMask) {
  EXPECT_GE(usable_cores(), 1U);
  EXPECT_TRUE(passes_in_child([] {
    cpu_set_t allowed;
    ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
    std::size_t first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    ASSERT_EQ(::sched_setaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_EQ(usable_cores(), 1U);
  }));
}

TEST(ThreadLimit, CountsWhatTheUserRuns) {
  EXPECT_TRUE(passes_in_child([] {
    struct rlimit limit;
    ASSERT_EQ(::getrlimit(RLIMIT_NPROC, &limit), 0);
    if (::getuid() == 0) {
      limit.rlim_cur = 1;
      ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &limit), 0);
      EXPECT_GT(thread_limit(), 0U) << "root is held to no such limit";
      limit.rlim_cur = limit.rlim_max;
      ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &limit), 0);
      ASSERT_EQ(::setuid(65534), 0);
    }
    for (const rlim_t most : {rlim_t{20000}, rlim_t{100}, rlim_t{1}}) {
      limit.rlim_cur = std::min(most, limit.rlim_max);
      ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &limit), 0);
      EXPECT_LT(thread_limit(), limit.rlim_cur) << "this process is one of them";
    }
  }));
}

TEST(ReadFile, HasAllOfIt) {
  EXPECT_EQ(read_file("/does/not/exist"), "");
  EXPECT_EQ(read_file("/proc"), "") << "a directory has no bytes";
  char path[] = "/tmp/trawl_read_file_XXXXXX";
  const int fd = ::mkstemp(path);
  ASSERT_GE(fd, 0);
  std::string written;
  for (int i = 0; i < 30000; ++i) written += static_cast<char>(i % 251);
  ASSERT_EQ(::write(fd, written.data(), written.size()), static_cast<ssize_t>(written.size()));
  ::close(fd);
  EXPECT_EQ(read_file(path), written);
  ::unlink(path);
}

}  // namespace
}  // namespace trawl::sys
