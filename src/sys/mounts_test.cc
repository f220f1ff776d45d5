// SPDX-License-Identifier: Apache-2.0
#include "sys/mounts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/fault_filesystem.h"

namespace trawl::sys {
namespace {

// Lines of "id parent device root point", the rest does not matter.
std::vector<Mount> mounts(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + " rw - ext4 /dev/x rw\n";
  auto out = parse_mountinfo(text);
  EXPECT_EQ(out.size(), lines.size());
  return out;
}

bool twice(const std::vector<std::string>& lines) {
  return same_directory_may_appear_twice(mounts(lines));
}

TEST(ParseMountinfo, TakesTheFieldsOfALine) {
  const auto parsed = parse_mountinfo(
      "36 35 98:4294967295 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root "
      "rw,errors=continue\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct");
  ASSERT_EQ(parsed.size(), 2U);
  EXPECT_EQ(parsed[0].id, 36);
  EXPECT_EQ(parsed[0].parent, 35);
  EXPECT_EQ(parsed[0].device_major, 98U);
  EXPECT_EQ(parsed[0].device_minor, 4294967295U);
  EXPECT_EQ(parsed[0].root, "/mnt1");
  EXPECT_EQ(parsed[0].mount_point, "/mnt2");
  EXPECT_EQ(parsed[0].type, "ext3");
  EXPECT_EQ(parsed[0].options, "rw,errors=continue");
  EXPECT_EQ(parsed[1].type, "cgroup");
  EXPECT_EQ(parsed[1].options, "rw,cpu,cpuacct");
}

TEST(ParseMountinfo, UndoesEscapes) {
  const auto parsed = parse_mountinfo(
      "1 0 8:1 /a\\040b /c\\011d\\012e\\134f\\043\\377 rw - fuse.x\\040y none rw\n"
      "2 0 8:1 /\\04 /\\9999\\777\\ rw - ext4 x rw\n");
  ASSERT_EQ(parsed.size(), 2U);
  EXPECT_EQ(parsed[0].root, "/a b");
  EXPECT_EQ(parsed[0].mount_point, "/c\td\ne\\f#\377");
  EXPECT_EQ(parsed[0].type, "fuse.x y");
  EXPECT_EQ(parsed[1].root, "/\\04");
  EXPECT_EQ(parsed[1].mount_point, "/\\9999\\777\\");
}

TEST(ParseMountinfo, LeavesOutWhatIsNoMount) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("\n\n").empty());
  EXPECT_TRUE(parse_mountinfo("1 0 8:1 / /").empty());
  EXPECT_TRUE(parse_mountinfo("x 0 8:1 / / rw - ext4 x rw").empty());
  EXPECT_TRUE(parse_mountinfo("1 0 81 / / rw - ext4 x rw").empty());
  EXPECT_TRUE(parse_mountinfo("1 0 8:1 / / rw shared:1 ext4 x rw").empty());
}

TEST(ReadMounts, HasTheMountOfTheRootDirectory) {
  const auto all = read_mounts();
  struct stat root;
  ASSERT_EQ(::stat("/", &root), 0);
  bool found = false;
  for (const Mount& mount : all) {
    found = found || (mount.mount_point == "/" &&
                      makedev(mount.device_major, mount.device_minor) == root.st_dev);
  }
  EXPECT_TRUE(found);
}

TEST(SameDirectoryMayAppearTwice, NotOnSeparateFilesystems) {
  EXPECT_FALSE(twice({}));
  EXPECT_FALSE(twice({"1 0 8:1 / /", "2 1 8:2 / /home", "3 1 0:21 / /proc"}));
  EXPECT_FALSE(twice({"1 0 0:30 /@ /", "2 1 0:30 /@home /home"}));
  EXPECT_FALSE(twice({"1 0 8:1 /a /x", "2 1 8:1 /a-b /y", "3 1 8:1 /ab /z"}));
}

TEST(SameDirectoryMayAppearTwice, WhereOneMountShowsAnothersDirectory) {
  EXPECT_TRUE(twice({"1 0 8:1 / /", "2 1 8:1 /usr /mnt"}));
  EXPECT_TRUE(twice({"1 0 8:1 / /", "2 1 8:1 / /mnt"}));
  EXPECT_TRUE(twice({"1 0 8:9 / /", "2 1 8:1 /a/b /x", "3 1 8:1 /a-b /y", "4 1 8:1 /a /z"}));
  EXPECT_TRUE(twice({"1 0 8:9 / /", "2 1 8:1 /a /x", "3 1 8:1 /a /y"}));
  EXPECT_TRUE(twice({"1 0 8:9 / /", "2 1 8:1 /usr /x", "3 2 8:1 / /x/y"}));
}

TEST(SameDirectoryMayAppearTwice, NotWhereAMountHidesWhatItShows) {
  EXPECT_FALSE(twice({"1 0 8:1 / /", "2 1 8:1 /usr /usr"}));
  EXPECT_FALSE(twice({"1 0 8:1 / /", "2 1 8:1 / /"}));
  EXPECT_FALSE(twice({"1 0 0:21 / /proc", "2 1 0:21 /bus /proc/bus", "3 1 0:21 /fs /proc/fs"}));
  EXPECT_FALSE(twice({"1 0 8:9 / /", "2 1 8:1 /data /srv", "3 2 8:1 /data/a/b /srv/a/b"}));
  EXPECT_FALSE(twice({"1 0 8:1 / /", "2 1 8:1 /usr /usr", "3 2 8:1 /usr /usr"}));
  EXPECT_FALSE(twice({"1 0 8:1 / /", "2 1 8:2 / /usr", "3 2 8:1 /usr /usr"}));
  // Hidden under one mount, but shown by another.
  EXPECT_TRUE(twice({"1 0 8:1 / /", "2 1 8:1 /usr /usr", "3 1 8:1 /usr/lib /mnt"}));
  // The same name by chance: not in the place that is shown.
  EXPECT_TRUE(twice({"1 0 8:1 / /", "2 1 8:1 /usr /srv/usr"}));
}

TEST(SameDirectoryMayAppearTwice, NotForFiles) {
  auto list = mounts({"1 0 8:1 / /", "2 1 8:1 /etc/hosts /run/hosts"});
  EXPECT_TRUE(same_directory_may_appear_twice(list));
  list[1].is_file = true;
  EXPECT_FALSE(same_directory_may_appear_twice(list));
  EXPECT_EQ(file_mount_points(list), std::vector<std::string>{"/run/hosts"});
}

TEST(MarkFileMounts, AsksForMountsOfASharedFilesystemOnly) {
  auto list = mounts({"1 0 8:1 / /", "2 1 8:1 /x /proc/self/status", "3 1 8:1 /y /proc/self",
                      "4 1 8:2 /z /proc/self/stat"});
  mark_file_mounts(list, linux_filesystem());
  EXPECT_FALSE(list[0].is_file);
  EXPECT_TRUE(list[1].is_file);
  EXPECT_TRUE(list[2].is_file) << "a symbolic link is no directory";
  EXPECT_FALSE(list[3].is_file) << "alone on its filesystem: of no interest";
}

// Each would take the whole time again.
TEST(MarkFileMounts, GivesUpAFilesystemThatDoesNotAnswer) {
  testing::FaultFileSystem silent(linux_filesystem());
  silent.fail_when([](const testing::Request&) { return ETIME; });
  auto list = mounts({"1 0 8:1 / /", "2 1 8:1 /a /proc/1/status", "3 1 8:1 /b /proc/1/stat",
                      "4 1 8:2 / /x", "5 1 8:2 /a /proc/1/maps", "6 1 8:2 /b /proc/1/stack"});
  mark_file_mounts(list, silent);
  EXPECT_EQ(silent.calls(testing::Call::stat_at), 2U);
  EXPECT_EQ(file_mount_points(list), std::vector<std::string>{});
  EXPECT_TRUE(same_directory_may_appear_twice(list)) << "rather than not";
}

TEST(SameDirectoryMayAppearTwice, IsQuickWithThousandsOfMounts) {
  std::vector<std::string> lines;
  for (int i = 0; i < 20000; ++i) {
    const std::string n = std::to_string(i);
    lines.push_back(n + " 0 8:1 /pods/" + n + "/volume /mnt/" + n);
  }
  auto list = mounts(lines);
  mark_file_mounts(list, linux_filesystem());
  EXPECT_FALSE(same_directory_may_appear_twice(list));
}

}  // namespace
}  // namespace trawl::sys
