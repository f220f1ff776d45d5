// SPDX-License-Identifier: Apache-2.0
//
// What only the Linux backend does: calls that are refused, descriptor tables, ext4's end mark.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/child_process.h"
#include "support/temporary_directory.h"
#include "sys/dirent.h"
#include "sys/filesystem.h"

namespace trawl::sys {
namespace {

using testing::passes_in_child;
using testing::TemporaryDirectory;

// Lets calls of `number` fail with `error` in this process from now on. With `argument` 0 to 5 only
// those whose argument of that place has this value (its lower half).
void refuse(long number, int error, int argument = -1, std::uint32_t value = 0) {
  const auto load = [](std::size_t at) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at));
  };
  const auto unless_equal_skip = [](std::uint32_t wanted, std::uint8_t skip) {
    return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, skip);
  };
  const auto answer = [](std::uint32_t action) {
    return sock_filter BPF_STMT(BPF_RET | BPF_K, action);
  };
  std::vector<sock_filter> filter;
  filter.push_back(load(offsetof(seccomp_data, nr)));
  if (argument < 0) {
    filter.push_back(unless_equal_skip(static_cast<std::uint32_t>(number), 1));
  } else {
    filter.push_back(unless_equal_skip(static_cast<std::uint32_t>(number), 3));
    filter.push_back(load(offsetof(seccomp_data, args) +
                          sizeof(std::uint64_t) * static_cast<std::size_t>(argument)));
    filter.push_back(unless_equal_skip(value, 1));
  }
  filter.push_back(answer(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)));
  filter.push_back(answer(SECCOMP_RET_ALLOW));
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

class LinuxFileSystem : public ::testing::Test {
 protected:
  LinuxFileSystem() {
    tree_.directory("directory");
    tree_.directory("directory/below");
    tree_.file("file", "content");
    tree_.link("link", "directory");
  }

  int open(const std::string& path, OpenHow how = {}) {
    DirectoryHandle handle;
    const int error = fs_.open_directory(kWorkingDirectory, path.c_str(), how, handle);
    fs_.close(handle);
    return error;
  }
  int stat(const std::string& path, Metadata& data, bool follow = false) {
    return fs_.stat_at(kWorkingDirectory, path.c_str(), Fields::all, follow, data);
  }

  FileSystem& fs_ = linux_filesystem();
  TemporaryDirectory tree_;
};

class RefusedCalls : public LinuxFileSystem, public ::testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Errors, RefusedCalls, ::testing::Values(ENOSYS, EPERM),
                         [](const ::testing::TestParamInfo<int>& error) {
                           return error.param == ENOSYS ? "Missing" : "Forbidden";
                         });

TEST_P(RefusedCalls, OpensWithoutOpenat2) {
  EXPECT_TRUE(fs_.stays_on_mount());
  EXPECT_TRUE(passes_in_child([&] {
    refuse(SYS_openat2, GetParam());
    EXPECT_EQ(open(tree_.at("missing")), ENOENT);
    EXPECT_FALSE(fs_.stays_on_mount());
    EXPECT_EQ(open(tree_.at("directory/below")), 0);
    EXPECT_EQ(open(tree_.at("directory"), {.stay_on_mount = true}), 0);
    EXPECT_EQ(open(tree_.at("file")), ENOTDIR);
    EXPECT_EQ(open(tree_.at("link")), ENOTDIR);
    EXPECT_EQ(open(tree_.at("link"), {.follow = true}), 0);
    EXPECT_EQ(open(tree_.at("link"), {.follow = true, .stay_on_mount = true}), 0);
    EXPECT_EQ(open(tree_.at("link/below")), 0) << "only the last component can be checked";
  }));
}

TEST_P(RefusedCalls, StatsWithoutStatx) {
  EXPECT_TRUE(passes_in_child([&] {
    refuse(SYS_statx, GetParam());
    Metadata data;
    EXPECT_EQ(stat(tree_.at("missing"), data), ENOENT);
    for (const std::string& path : {tree_.at("file"), tree_.at("link"), tree_.path(),
                                    std::string("/dev/null"), std::string("/")}) {
      struct stat wanted;
      ASSERT_EQ(::lstat(path.c_str(), &wanted), 0);
      data.mount_root = true;  // from before
      data.btime = {1, 2};
      ASSERT_EQ(stat(path, data), 0);
      EXPECT_EQ(data.valid, Fields::basic) << "not from statx, which knows the birth as well";
      EXPECT_EQ(data.device, wanted.st_dev);
      EXPECT_EQ(data.inode, wanted.st_ino);
      EXPECT_EQ(data.mode, wanted.st_mode);
      EXPECT_EQ(data.links, wanted.st_nlink);
      EXPECT_EQ(data.size, static_cast<std::uint64_t>(wanted.st_size));
      EXPECT_EQ(data.blocks, static_cast<std::uint64_t>(wanted.st_blocks));
      EXPECT_EQ(data.mtime.seconds, wanted.st_mtim.tv_sec);
      EXPECT_EQ(data.mtime.nanoseconds, wanted.st_mtim.tv_nsec);
      EXPECT_FALSE(data.mount_root);
      EXPECT_EQ(data.btime, Timestamp{});
    }
    EXPECT_EQ(stat("/dev/null", data), 0);
    EXPECT_EQ(data.device_major, 1U);
    EXPECT_EQ(data.device_minor, 3U);
    EXPECT_EQ(stat(tree_.at("link"), data, true), 0);
    EXPECT_TRUE(data.is_directory());
    DirectoryHandle handle;
    ASSERT_EQ(fs_.open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
    EXPECT_EQ(fs_.stat_handle(handle, Fields::all, data), 0);
    EXPECT_TRUE(data.is_directory());
    EXPECT_EQ(data.valid, Fields::basic);
    fs_.close(handle);
  }));
}

TEST_P(RefusedCalls, StatsAHandleFirstWithoutStatx) {
  EXPECT_TRUE(passes_in_child([&] {
    refuse(SYS_statx, GetParam());
    DirectoryHandle handle;
    ASSERT_EQ(fs_.open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
    Metadata data;
    EXPECT_EQ(fs_.stat_handle(handle, Fields::all, data), 0);
    EXPECT_TRUE(data.is_directory());
    fs_.close(handle);
  }));
}

TEST_P(RefusedCalls, KeepsTheDescriptorTableWithoutCloseRange) {
  EXPECT_TRUE(passes_in_child([&] {
    refuse(SYS_close_range, GetParam());
    const int fd = ::open("/", O_RDONLY | O_CLOEXEC);
    bool is_private = true;
    bool has_it = false;
    std::thread([&] {
      is_private = fs_.make_descriptors_private();
      has_it = ::fcntl(fd, F_GETFD) >= 0;
    }).join();
    EXPECT_FALSE(is_private);
    EXPECT_TRUE(has_it);
  }));
}

// An answer of the filesystem, as a FUSE server may give it, is not taken for a missing call: the
// probe, which has other arguments, gets through.
TEST_P(RefusedCalls, TellsARefusalFromAnAnswer) {
  EXPECT_TRUE(passes_in_child([&] {
    constexpr int kHowSize = 3;
    refuse(SYS_openat2, GetParam(), kHowSize, 24);
    constexpr int kStatxFlags = 2;
    refuse(SYS_statx, GetParam(), kStatxFlags, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW);
    Metadata data;
    for (int repeated = 0; repeated < 3; ++repeated) {
      EXPECT_EQ(open(tree_.at("directory")), GetParam());
      EXPECT_TRUE(fs_.stays_on_mount());
      EXPECT_EQ(stat(tree_.at("file"), data), GetParam());
      EXPECT_EQ(stat(tree_.at("file"), data, true), 0);
      EXPECT_TRUE(has(data.valid, Fields::basic));
    }
  }));
}

TEST_F(LinuxFileSystem, GivesUpARaceThatIsLostForEver) {
  EXPECT_TRUE(passes_in_child([&] {
    refuse(SYS_openat2, EAGAIN);
    EXPECT_EQ(open(tree_.at("directory")), EAGAIN);
  }));
}

TEST_F(LinuxFileSystem, GivesAThreadDescriptorsOfItsOwn) {
  EXPECT_TRUE(passes_in_child([&] {
    int pipe_ends[2];
    ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
    std::vector<int> kept;
    std::thread([&] {
      ASSERT_TRUE(fs_.make_descriptors_private());
      for (int fd = 0; fd < 64; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) kept.push_back(fd);
      }
      // The writing end is open nowhere else, once the main thread's is closed.
      ::close(pipe_ends[1]);
      DirectoryHandle handle;
      ASSERT_EQ(fs_.open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
      EXPECT_EQ(handle.fd, 3);
      fs_.close(handle);
    }).join();
    EXPECT_EQ(kept, (std::vector<int>{0, 1, 2}));
    EXPECT_GE(::fcntl(pipe_ends[1], F_GETFD), 0) << "closed in the other table only";
    char byte;
    EXPECT_EQ(::read(pipe_ends[0], &byte, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    ::close(pipe_ends[1]);
    EXPECT_EQ(::read(pipe_ends[0], &byte, 1), 0) << "end of file: nobody else can write";
  }));
}

// The same while the other thread lives on.
TEST_F(LinuxFileSystem, HoldsNoInheritedPipeOpen) {
  EXPECT_TRUE(passes_in_child([&] {
    int pipe_ends[2];
    ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
    std::atomic<bool> may_end = false;
    std::atomic<bool> is_private = false;
    std::thread thread([&] {
      EXPECT_TRUE(fs_.make_descriptors_private());
      is_private = true;
      is_private.notify_all();
      may_end.wait(false);
    });
    is_private.wait(false);
    ::close(pipe_ends[1]);
    char byte;
    EXPECT_EQ(::read(pipe_ends[0], &byte, 1), 0);
    may_end = true;
    may_end.notify_all();
    thread.join();
  }));
}

// ---- The end mark ---------------------------------------------------------------------------

struct Reading {
  std::multiset<std::string> names;
  std::int64_t last_offset = 0;
  int reads = 0;
};

Reading read_all(FileSystem& fs, DirectoryHandle& handle, std::size_t buffer_size) {
  Reading reading;
  std::vector<std::byte> buffer(buffer_size);
  bool end = false;
  while (!end) {
    std::size_t size = 0;
    EXPECT_EQ(fs.read_directory(handle, buffer, size, end), 0);
    ++reading.reads;
    if (size == 0) break;
    DirentReader reader(std::span<const std::byte>(buffer).first(size));
    for (Dirent entry; reader.next(entry);) {
      reading.names.emplace(entry.name);
      reading.last_offset = entry.offset;
    }
    EXPECT_FALSE(reader.malformed());
  }
  return reading;
}

Reading read_all(FileSystem& fs, const std::string& path, std::size_t buffer_size, bool trust) {
  DirectoryHandle handle;
  EXPECT_EQ(fs.open_directory(kWorkingDirectory, path.c_str(), {}, handle), 0);
  EXPECT_FALSE(handle.last_offset_marks_end) << "off until somebody knows";
  handle.last_offset_marks_end = trust;
  Reading reading = read_all(fs, handle, buffer_size);
  fs.close(handle);
  return reading;
}

std::uint32_t magic_of(const std::string& path) {
  struct statfs info {};
  EXPECT_EQ(::statfs(path.c_str(), &info), 0);
  return static_cast<std::uint32_t>(info.f_type);
}

TEST_F(LinuxFileSystem, NeedsOneReadWhereTheLastOffsetMarksTheEnd) {
  if (magic_of(tree_.path()) != 0xEF53) GTEST_SKIP() << "the temporary directory is not on ext4";
  DirectoryHandle handle;
  ASSERT_EQ(fs_.open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
  EXPECT_TRUE(fs_.last_offset_marks_end(handle));
  EXPECT_TRUE(fs_.listed_inodes_are_exact(handle));
  EXPECT_TRUE(fs_.inode_order_helps(handle));
  fs_.close(handle);
  const Reading careful = read_all(fs_, tree_.path(), 65536, false);
  const Reading trusting = read_all(fs_, tree_.path(), 65536, true);
  EXPECT_EQ(careful.reads, 2);
  // Made without dir_index, it has byte offsets.
  EXPECT_EQ(trusting.reads, careful.last_offset == INT64_MAX ? 1 : 2);
  EXPECT_EQ(trusting.names, careful.names);
}

TEST_F(LinuxFileSystem, LosesNothingToTheEndMarkInAnyBuffer) {
  for (int i = 0; i < 2000; ++i) {
    tree_.file(std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), 'x'));
  }
  const Reading wanted = read_all(fs_, tree_.path(), 1 << 20, false);
  ASSERT_EQ(wanted.names.size(), 2000U + 2 + 3);
  for (std::size_t size = 280; size < 6000; size += 104) {
    EXPECT_EQ(read_all(fs_, tree_.path(), size, true).names, wanted.names) << size;
  }
}

TEST_F(LinuxFileSystem, SeesNoEndMarkElsewhere) {
  for (const char* path : {"/proc", "/sys", "/dev/shm"}) {
    DirectoryHandle handle;
    if (fs_.open_directory(kWorkingDirectory, path, {}, handle) != 0) continue;
    EXPECT_FALSE(fs_.last_offset_marks_end(handle)) << path;
    const bool is_tmpfs = magic_of(path) == 0x01021994;
    EXPECT_EQ(fs_.listed_inodes_are_exact(handle), is_tmpfs) << path;
    EXPECT_EQ(fs_.inode_order_helps(handle), !is_tmpfs) << path;
    handle.last_offset_marks_end = true;
    EXPECT_GE(read_all(fs_, handle, 1 << 20).reads, 2) << path;
    fs_.close(handle);
  }
}

}  // namespace
}  // namespace trawl::sys
