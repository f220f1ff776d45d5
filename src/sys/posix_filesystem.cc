// SPDX-License-Identifier: Apache-2.0
//
// The portable backend: openat, fdopendir, readdir and fstatat as POSIX 2008 has them, and d_type
// where the system has it. It is what runs elsewhere than on Linux, and a second opinion there.
//
// readdir() hands out one entry at a time from a buffer of its own; they are written as records
// into the caller's. One that does not fit any more stays with the stream, and starts the next
// buffer. Offsets in the records count entries, from 1: nothing can be done with them but
// comparing.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "sys/dirent.h"
#include "sys/filesystem.h"
#if __has_include(<sys/sysmacros.h>)
#include <sys/sysmacros.h>  // glibc's and musl's place for major()
#endif

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace trawl::sys {
namespace {

// What DirectoryHandle::stream points to. An entry belongs to the DIR until the next readdir().
struct Stream {
  DIR* directory = nullptr;
  const struct dirent* pending = nullptr;  // read, not delivered
  int error = 0;                           // of a readdir() after entries that were delivered first
  bool ended = false;
  std::int64_t position = 0;
};

int real_base(int base) { return base == kWorkingDirectory ? AT_FDCWD : base; }

Dirent dirent_of(const struct dirent& entry, std::int64_t position) {
  Dirent out;
  out.inode = entry.d_ino;
  out.offset = position;
#ifdef DT_UNKNOWN
  out.type = type_of_dirent(entry.d_type);
#endif
  out.name = entry.d_name;
  return out;
}

Timestamp timestamp(const struct timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

void fill(const struct stat& from, Metadata& to) {
  to = Metadata{};
  to.device = static_cast<std::uint64_t>(from.st_dev);
  to.inode = from.st_ino;
  to.size = static_cast<std::uint64_t>(from.st_size);
  to.blocks = static_cast<std::uint64_t>(from.st_blocks);
  to.atime = timestamp(from.st_atim);
  to.mtime = timestamp(from.st_mtim);
  to.ctime = timestamp(from.st_ctim);
  to.mode = from.st_mode;
  to.links = static_cast<std::uint32_t>(from.st_nlink);
  to.uid = from.st_uid;
  to.gid = from.st_gid;
  to.device_major = static_cast<std::uint32_t>(major(from.st_rdev));
  to.device_minor = static_cast<std::uint32_t>(minor(from.st_rdev));
  to.block_size = static_cast<std::uint32_t>(from.st_blksize);
  to.valid = Fields::basic;
}

class PosixFileSystem final : public FileSystem {
 public:
  int open_directory(int base, const char* path, OpenHow how, DirectoryHandle& out) override {
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (!how.follow) flags |= O_NOFOLLOW;
    auto* stream = new (std::nothrow) Stream;
    if (stream == nullptr) return ENOMEM;
    const int fd = ::openat(real_base(base), path, flags);
    stream->directory = fd < 0 ? nullptr : ::fdopendir(fd);
    if (stream->directory == nullptr) {
      const int error = errno;
      if (fd >= 0) ::close(fd);
      delete stream;
      return error;
    }
    out = DirectoryHandle{};
    out.fd = fd;
    out.stream = stream;
    return 0;
  }

  int read_directory(DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    auto& stream = *static_cast<Stream*>(handle.stream);
    size = 0;
    end = false;
    for (;;) {
      if (stream.pending == nullptr && stream.error == 0 && !stream.ended) {
        errno = 0;
        stream.pending = ::readdir(stream.directory);
        if (stream.pending == nullptr) {
          stream.error = errno;
          stream.ended = errno == 0;
        }
      }
      if (stream.pending == nullptr) break;
      const Dirent entry = dirent_of(*stream.pending, stream.position + 1);
      if (!append_dirent(buffer, size, entry)) return size == 0 ? EINVAL : 0;
      ++stream.position;
      stream.pending = nullptr;
    }
    if (stream.error != 0 && size == 0) {  // entries first, then what ended them
      const int error = stream.error;
      stream.error = 0;  // a caller may try again after EINTR
      return error;
    }
    end = stream.ended;
    return 0;
  }

  int stat_handle(const DirectoryHandle& handle, Fields, Metadata& out) override {
    struct stat info;
    if (::fstat(handle.fd, &info) != 0) return errno;
    fill(info, out);
    return 0;
  }

  int stat_at(int base, const char* path, Fields, bool follow, Metadata& out) override {
    int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
#ifdef AT_NO_AUTOMOUNT
    flags |= AT_NO_AUTOMOUNT;
#endif
    struct stat info;
    if (::fstatat(real_base(base), path, &info, flags) != 0) return errno;
    fill(info, out);
    return 0;
  }

  int read_link(int base, const char* path, std::span<char> out, std::size_t& size) override {
    const ssize_t read = ::readlinkat(real_base(base), path, out.data(), out.size());
    if (read < 0) return errno;
    size = static_cast<std::size_t>(read);
    return size < out.size() ? 0 : ENAMETOOLONG;  // the kernel cuts it off and does not say so
  }

  int read_file(int base, const char* path, bool follow, std::uint64_t offset,
                std::span<std::byte> out, std::size_t& size) override {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    const int fd = ::openat(real_base(base), path, flags);
    if (fd < 0) return errno;
    struct stat info;
    int error = ::fstat(fd, &info) != 0   ? errno
                : S_ISDIR(info.st_mode)   ? EISDIR
                : !S_ISREG(info.st_mode) ? EINVAL
                                         : 0;
    ssize_t got = 1;
    for (size = 0; error == 0 && got > 0 && size < out.size();) {
      got = ::pread(fd, out.data() + size, out.size() - size, static_cast<off_t>(offset + size));
      error = got < 0 ? errno : 0;
      size += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    ::close(fd);
    return error;
  }

  int real_path(int base, const char* path, std::span<char> out, std::size_t& size) override {
    if (base != kWorkingDirectory && path[0] != '/') return ENOTSUP;
    char* const real = ::realpath(path, nullptr);
    if (real == nullptr) return errno;
    size = std::strlen(real);
    const bool fits = size <= out.size();
    std::memcpy(out.data(), real, fits ? size : 0);
    std::free(real);
    return fits ? 0 : ENAMETOOLONG;
  }

  void close(DirectoryHandle& handle) override {
    if (auto* stream = static_cast<Stream*>(handle.stream); stream != nullptr) {
      ::closedir(stream->directory);
      delete stream;
    }
    handle = DirectoryHandle{};
  }

  bool make_descriptors_private() override { return false; }

  // What cannot be known is answered with what is always right.
  bool listed_inodes_are_exact(const DirectoryHandle&) override { return false; }
  bool inode_order_helps(const DirectoryHandle&) override { return true; }
};

}  // namespace

FileSystem& posix_filesystem() {
  static PosixFileSystem* const filesystem = new PosixFileSystem;  // never destroyed
  return *filesystem;
}

}  // namespace trawl::sys
