// SPDX-License-Identifier: Apache-2.0
//
// What both backends must do alike, against stat and readdir as the C library has them.
#include "sys/filesystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/temporary_directory.h"
#include "sys/dirent.h"

namespace trawl::sys {
namespace {

using testing::passes_in_child;
using testing::TemporaryDirectory;

struct Listed {
  std::uint64_t inode = 0;
  FileType type = FileType::unknown;
};
using Listing = std::map<std::string, Listed>;

FileType type_of(const struct stat& info) { return type_of_mode(info.st_mode); }

class FileSystemTest : public ::testing::TestWithParam<FileSystem& (*)()> {
 protected:
  FileSystem& fs() const { return GetParam()(); }
  bool is_linux() const { return GetParam() == linux_filesystem; }

  int open(const std::string& path, OpenHow how = {}) {
    DirectoryHandle handle;
    const int error = fs().open_directory(kWorkingDirectory, path.c_str(), how, handle);
    EXPECT_EQ(error == 0, handle.fd >= 0);
    fs().close(handle);
    EXPECT_EQ(handle.fd, -1);
    return error;
  }

  // Reads `handle` to its end, so many bytes at a time.
  Listing list(DirectoryHandle& handle, std::size_t buffer_size = 65536, int* reads = nullptr) {
    Listing listing;
    std::vector<std::byte> buffer(buffer_size);
    bool end = false;
    while (!end) {
      std::size_t size = 0;
      const int error = fs().read_directory(handle, buffer, size, end);
      EXPECT_EQ(error, 0);
      if (reads != nullptr) ++*reads;
      if (error != 0) break;
      EXPECT_TRUE(size != 0 || end);
      if (size == 0) break;
      DirentReader reader(std::span<const std::byte>(buffer).first(size));
      for (Dirent entry; reader.next(entry);) {
        const bool fresh =
            listing.emplace(std::string(entry.name), Listed{entry.inode, entry.type}).second;
        EXPECT_TRUE(fresh) << entry.name << " was listed twice";
      }
      EXPECT_FALSE(reader.malformed());
    }
    return listing;
  }
  Listing list(const std::string& path, std::size_t buffer_size = 65536) {
    DirectoryHandle handle;
    EXPECT_EQ(fs().open_directory(kWorkingDirectory, path.c_str(), {}, handle), 0);
    Listing listing = list(handle, buffer_size);
    fs().close(handle);
    return listing;
  }

  Metadata stat(const std::string& path, Fields fields = Fields::all, bool follow = false) {
    Metadata data;
    EXPECT_EQ(fs().stat_at(kWorkingDirectory, path.c_str(), fields, follow, data), 0) << path;
    return data;
  }

  TemporaryDirectory tree_;
};

Listing list_with_readdir(const std::string& path) {
  Listing listing;
  DIR* directory = ::opendir(path.c_str());
  while (const struct dirent* entry = ::readdir(directory)) {
    struct stat info;
    EXPECT_EQ(::fstatat(::dirfd(directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW), 0);
    listing[entry->d_name] = {entry->d_ino, type_of(info)};
  }
  ::closedir(directory);
  return listing;
}

void expect_same(const Listing& got, const Listing& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (const auto& [name, entry] : wanted) {
    const auto found = got.find(name);
    ASSERT_NE(found, got.end()) << name;
    EXPECT_EQ(found->second.inode, entry.inode) << name;
    if (found->second.type != FileType::unknown) {
      EXPECT_EQ(found->second.type, entry.type) << name;
    }
  }
}

void make_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
}

INSTANTIATE_TEST_SUITE_P(Backends, FileSystemTest,
                         ::testing::Values(linux_filesystem, posix_filesystem),
                         [](const ::testing::TestParamInfo<FileSystem& (*)()>& backend) {
                           return backend.param == linux_filesystem ? "Linux" : "Posix";
                         });

// ---- Listing --------------------------------------------------------------------------------

TEST_P(FileSystemTest, ListsNamesOfAllBytes) {
  for (const char* name : {"plain", ".hidden", "...", "with space", "new\nline", "-rf", "\\", "\"'",
                           "\x01\x7F", "\xFF\xFE invalid", "\xC3\xA4", "#", "~", "tab\t"}) {
    tree_.file(name);
  }
  tree_.file(std::string(255, 'L'));
  const Listing listing = list(tree_.path());
  EXPECT_EQ(listing.size(), 17U);
  EXPECT_EQ(listing.count("."), 1U);
  EXPECT_EQ(listing.count(".."), 1U);
  expect_same(listing, list_with_readdir(tree_.path()));
}

TEST_P(FileSystemTest, ListsEveryType) {
  tree_.file("file");
  tree_.directory("directory");
  tree_.link("link", "nowhere");
  ASSERT_EQ(::mkfifo(tree_.at("fifo").c_str(), 0600), 0);
  make_socket(tree_.at("socket"));
  const Listing listing = list(tree_.path());
  expect_same(listing, list_with_readdir(tree_.path()));
  for (const auto& [name, entry] : listing) {
    EXPECT_EQ(stat(tree_.at(name)).type(), list_with_readdir(tree_.path())[name].type) << name;
  }
}

TEST_P(FileSystemTest, ListsAnEmptyDirectory) { EXPECT_EQ(list(tree_.path()).size(), 2U); }

TEST_P(FileSystemTest, ListsEveryEntryOnceForAnyBufferSize) {
  for (int i = 0; i < 700; ++i) {
    tree_.file(std::to_string(i) + std::string(static_cast<std::size_t>(i % 240), 'x'));
  }
  const Listing wanted = list_with_readdir(tree_.path());
  for (const std::size_t size : {280U, 281U, 320U, 1000U, 4096U, 65536U, 1U << 20}) {
    expect_same(list(tree_.path(), size), wanted);
  }
}

TEST_P(FileSystemTest, SaysThatABufferIsTooSmall) {
  tree_.file(std::string(200, 'x'));
  DirectoryHandle handle;
  ASSERT_EQ(fs().open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
  std::vector<std::byte> buffer(100);
  std::size_t got = 0;
  int error = 0;
  for (int reads = 0; reads < 5 && error == 0; ++reads) {
    std::size_t size = 0;
    bool end = false;
    error = fs().read_directory(handle, buffer, size, end);
    EXPECT_FALSE(error == 0 && end) << "an entry is still to come";
    got += size;
  }
  EXPECT_EQ(error, EINVAL);
  EXPECT_LE(got, 48U);
  EXPECT_EQ(list(handle).count(std::string(200, 'x')), 1U) << "not lost";
  fs().close(handle);
}

TEST_P(FileSystemTest, EndsTheListingOfARemovedDirectory) {
  const std::string path = tree_.directory("removed");
  DirectoryHandle handle;
  ASSERT_EQ(fs().open_directory(kWorkingDirectory, path.c_str(), {}, handle), 0);
  ASSERT_EQ(::rmdir(path.c_str()), 0);
  std::vector<std::byte> buffer(4096);
  std::size_t size = 0;
  bool end = false;
  const int error = fs().read_directory(handle, buffer, size, end);
  EXPECT_TRUE(error == ENOENT || (error == 0 && size == 0)) << error;
  Metadata data;
  EXPECT_EQ(fs().stat_handle(handle, Fields::links, data), 0);
  EXPECT_EQ(data.links, 0U);
  fs().close(handle);
}

// ---- Opening --------------------------------------------------------------------------------

TEST_P(FileSystemTest, OpensRelativeToAHandle) {
  tree_.directory("a");
  tree_.directory("a/b");
  tree_.file("a/b/c");
  DirectoryHandle top, below;
  ASSERT_EQ(fs().open_directory(kWorkingDirectory, tree_.path().c_str(), {}, top), 0);
  ASSERT_EQ(fs().open_directory(top.fd, "a/b", {}, below), 0);
  EXPECT_EQ(list(below).count("c"), 1U);
  Metadata data;
  EXPECT_EQ(fs().stat_at(below.fd, "c", Fields::type, false, data), 0);
  EXPECT_TRUE(data.is_file());
  EXPECT_EQ(fs().stat_at(top.fd, "a/b/c", Fields::type, false, data), 0);
  EXPECT_EQ(::fcntl(top.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  fs().close(below);
  fs().close(top);
  fs().close(top);  // twice is harmless
}

TEST_P(FileSystemTest, SaysWhyItCannotOpen) {
  tree_.directory("directory");
  tree_.file("file");
  tree_.link("link", "directory");
  tree_.link("dangling", "nowhere");
  tree_.link("loop", "loop");
  ASSERT_EQ(::mkfifo(tree_.at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(open(tree_.at("missing")), ENOENT);
  EXPECT_EQ(open(""), ENOENT);
  EXPECT_EQ(open(tree_.at("file")), ENOTDIR);
  EXPECT_EQ(open(tree_.at("file/below")), ENOTDIR);
  EXPECT_EQ(open(tree_.at("fifo")), ENOTDIR);
  EXPECT_EQ(open(tree_.at("link")), ENOTDIR);
  EXPECT_EQ(open(tree_.at("link"), {.follow = true}), 0);
  EXPECT_EQ(open(tree_.at("dangling"), {.follow = true}), ENOENT);
  EXPECT_EQ(open(tree_.at("loop"), {.follow = true}), ELOOP);
  EXPECT_EQ(open(tree_.at(std::string(256, 'x'))), ENAMETOOLONG);
  EXPECT_EQ(open(tree_.path() + std::string(5000, '/')), ENAMETOOLONG);
  DirectoryHandle handle;
  EXPECT_EQ(fs().open_directory(12345, "x", {}, handle), EBADF);
}

TEST_P(FileSystemTest, OpensNoPathThroughALinkWhereTheKernelCanTell) {
  tree_.directory("directory");
  tree_.directory("directory/below");
  tree_.link("link", "directory");
  EXPECT_EQ(open(tree_.at("link/below")), is_linux() ? ELOOP : 0);
  EXPECT_EQ(open(tree_.at("link/below"), {.follow = true}), 0);
}

TEST_P(FileSystemTest, SaysThatItMayNot) {
  tree_.directory("closed");
  tree_.directory("closed/below");
  ASSERT_EQ(::chmod(tree_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(tree_.at("closed").c_str(), 0), 0);
  EXPECT_TRUE(passes_in_child([&] {
    if (::getuid() == 0) {
      ASSERT_EQ(::setuid(65534), 0);
    }
    EXPECT_EQ(open(tree_.at("closed")), EACCES);
    EXPECT_EQ(open(tree_.at("closed/below")), EACCES);
    Metadata data;
    EXPECT_EQ(
        fs().stat_at(kWorkingDirectory, tree_.at("closed/below").c_str(), Fields::all, false, data),
        EACCES);
    EXPECT_EQ(fs().stat_at(kWorkingDirectory, tree_.at("closed").c_str(), Fields::all, false, data),
              0);
  }));
  ::chmod(tree_.at("closed").c_str(), 0755);
}

TEST_P(FileSystemTest, CanStayOnAMount) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may mount";
  tree_.directory("mounted");
  EXPECT_TRUE(passes_in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", tree_.at("mounted").c_str(), "tmpfs", 0, nullptr) != 0) {
      std::puts("not checked: this place allows no mounts");
      return;
    }
    ASSERT_EQ(::mkdir(tree_.at("mounted/below").c_str(), 0755), 0);
    DirectoryHandle top, handle;
    ASSERT_EQ(fs().open_directory(kWorkingDirectory, tree_.path().c_str(), {}, top), 0);
    for (const bool follow : {false, true}) {
      const OpenHow stay{.follow = follow, .stay_on_mount = true};
      for (const char* path : {"mounted", "mounted/below"}) {
        EXPECT_EQ(fs().open_directory(top.fd, path, stay, handle), is_linux() ? EXDEV : 0);
        fs().close(handle);
        EXPECT_EQ(fs().open_directory(top.fd, path, {.follow = follow}, handle), 0);
        fs().close(handle);
      }
    }
    EXPECT_EQ(fs().stays_on_mount(), is_linux());
    const Metadata root = stat(tree_.at("mounted"));
    EXPECT_EQ(root.mount_root, is_linux());
    EXPECT_NE(root.device, stat(tree_.path()).device);
    EXPECT_FALSE(stat(tree_.at("mounted/below")).mount_root);
    EXPECT_FALSE(stat(tree_.path()).mount_root);
    fs().close(top);
    ::umount(tree_.at("mounted").c_str());
  }));
}

// ---- Metadata -------------------------------------------------------------------------------

void expect_metadata(const Metadata& got, const struct stat& wanted) {
  EXPECT_TRUE(has(got.valid, Fields::basic));
  EXPECT_EQ(got.device, wanted.st_dev);
  EXPECT_EQ(got.inode, wanted.st_ino);
  EXPECT_EQ(got.size, static_cast<std::uint64_t>(wanted.st_size));
  EXPECT_EQ(got.blocks, static_cast<std::uint64_t>(wanted.st_blocks));
  EXPECT_EQ(got.mode, wanted.st_mode);
  EXPECT_EQ(got.links, wanted.st_nlink);
  EXPECT_EQ(got.uid, wanted.st_uid);
  EXPECT_EQ(got.gid, wanted.st_gid);
  EXPECT_EQ(got.device_major, major(wanted.st_rdev));
  EXPECT_EQ(got.device_minor, minor(wanted.st_rdev));
  EXPECT_EQ(got.block_size, static_cast<std::uint32_t>(wanted.st_blksize));
  const auto expect_time = [](const Timestamp& time, const struct timespec& spec) {
    EXPECT_EQ(time.seconds, spec.tv_sec);
    EXPECT_EQ(time.nanoseconds, spec.tv_nsec);
  };
  expect_time(got.mtime, wanted.st_mtim);
  expect_time(got.ctime, wanted.st_ctim);
  EXPECT_EQ(got.type(), type_of(wanted));
}

struct stat lstat_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info;
}

TEST_P(FileSystemTest, TellsWhatStatTells) {
  const std::string file = tree_.file("file", "content");
  tree_.link("hard", "unused");
  ASSERT_EQ(::unlink(tree_.at("hard").c_str()), 0);
  ASSERT_EQ(::link(file.c_str(), tree_.at("hard").c_str()), 0);
  const std::string sparse = tree_.file("sparse");
  ASSERT_EQ(::truncate(sparse.c_str(), off_t{5} << 30), 0);
  const std::string old = tree_.file("old");
  const struct timespec times[2] = {{-86400, 250'000'000}, {-2, 999'999'999}};
  ASSERT_EQ(::utimensat(AT_FDCWD, old.c_str(), times, 0), 0);
  ASSERT_EQ(::chmod(old.c_str(), 07751), 0);
  if (::getuid() == 0) {
    ASSERT_EQ(::chown(old.c_str(), 12345, 54321), 0);
  }
  const std::string link = tree_.link("link", "file");
  ASSERT_EQ(::mkfifo(tree_.at("fifo").c_str(), 0600), 0);
  make_socket(tree_.at("socket"));
  for (const std::string& path :
       {file, tree_.at("hard"), sparse, old, link, tree_.at("fifo"), tree_.at("socket"),
        tree_.path(), std::string("/"), std::string("/dev/null"), std::string("/proc/self/stat"),
        std::string("/proc"), std::string("/dev/shm")}) {
    SCOPED_TRACE(path);
    expect_metadata(stat(path), lstat_of(path));
  }
  EXPECT_EQ(stat(old).atime, (Timestamp{-86400, 250'000'000}));
  EXPECT_EQ(stat(old).mtime, (Timestamp{-2, 999'999'999}));
  EXPECT_EQ(stat(file).identity(), stat(tree_.at("hard")).identity());
  EXPECT_EQ(stat(tree_.path()).disk_usage(), stat(tree_.path()).blocks * 512);
}

TEST_P(FileSystemTest, FollowsALinkOnlyWhenAsked) {
  tree_.file("file", "content");
  tree_.link("link", "file");
  tree_.link("dangling", "nowhere");
  tree_.link("loop", "loop");
  EXPECT_TRUE(stat(tree_.at("link")).is_symlink());
  EXPECT_TRUE(stat(tree_.at("link"), Fields::all, true).is_file());
  EXPECT_TRUE(stat(tree_.at("dangling")).is_symlink());
  Metadata data;
  const auto error = [&](const char* name, bool follow) {
    return fs().stat_at(kWorkingDirectory, tree_.at(name).c_str(), Fields::all, follow, data);
  };
  EXPECT_EQ(error("dangling", true), ENOENT);
  EXPECT_EQ(error("loop", true), ELOOP);
  EXPECT_EQ(error("missing", false), ENOENT);
  EXPECT_EQ(error("file/below", false), ENOTDIR);
  EXPECT_EQ(error(std::string(256, 'x').c_str(), false), ENAMETOOLONG);
  EXPECT_EQ(fs().stat_at(kWorkingDirectory, "", Fields::all, false, data), ENOENT);
}

TEST_P(FileSystemTest, TellsWhatAHandleIs) {
  DirectoryHandle handle;
  ASSERT_EQ(fs().open_directory(kWorkingDirectory, tree_.path().c_str(), {}, handle), 0);
  Metadata data;
  ASSERT_EQ(fs().stat_handle(handle, Fields::all, data), 0);
  expect_metadata(data, lstat_of(tree_.path()));
  fs().close(handle);
  EXPECT_EQ(fs().stat_handle(handle, Fields::all, data), EBADF);
}

TEST_P(FileSystemTest, TellsWhatItWasAskedFor) {
  const std::string path = tree_.file("file", "content");
  const struct stat wanted = lstat_of(path);
  for (std::uint32_t set = 0; set <= static_cast<std::uint32_t>(Fields::all); ++set) {
    const auto fields = static_cast<Fields>(set);
    Metadata data;
    data.links = 99;  // what was there before does not shine through
    data.mount_root = true;
    ASSERT_EQ(fs().stat_at(kWorkingDirectory, path.c_str(), fields, false, data), 0);
    // The time of birth is not known everywhere.
    ASSERT_TRUE(has(data.valid, fields & Fields::basic)) << set;
    EXPECT_TRUE(data.is_file());
    EXPECT_EQ(data.device, wanted.st_dev);
    EXPECT_FALSE(data.mount_root);
    if (has(data.valid, Fields::links)) {
      EXPECT_EQ(data.links, 1U);
    }
    if (has(data.valid, Fields::size)) {
      EXPECT_EQ(data.size, 7U);
    }
    if (has(data.valid, Fields::owner)) {
      EXPECT_EQ(data.uid, wanted.st_uid);
    }
    if (has(data.valid, Fields::mode)) {
      EXPECT_EQ(data.mode, wanted.st_mode);
    }
    if (!has(data.valid, Fields::btime)) {
      EXPECT_EQ(data.btime, Timestamp{});
    }
  }
}

}  // namespace
}  // namespace trawl::sys
