// SPDX-License-Identifier: Apache-2.0
//
// The Linux backend: getdents64, statx, openat2 and close_range, without a libc in between. Needs
// no more than Linux 2.6.16 and what openat, getdents64 and fstatat do there: each newer call that
// the kernel lacks, or that a sandbox refuses, is replaced for the rest of the process.
//
// A call that is refused fails with ENOSYS, or with EPERM (seccomp filters older than the call).
// Both can also be a real answer (a FUSE server's, say). So either is followed, once per call, by a
// probe with arguments that a kernel which has the call answers with EINVAL.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <iterator>

#include "sys/dirent.h"
#include "sys/filesystem.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

namespace trawl::sys {
namespace {

static_assert(kWorkingDirectory == AT_FDCWD);

// Newer than the headers that we build against, perhaps.
constexpr std::uint64_t kResolveNoXdev = 0x01;
constexpr std::uint64_t kResolveNoSymlinks = 0x04;
constexpr unsigned kCloseRangeUnshare = 1U << 1;
constexpr std::uint64_t kAttributeMountRoot = 0x2000;
constexpr int kStatxSyncType = 0x6000;

struct OpenHowArgument {  // struct open_how
  std::uint64_t flags = 0;
  std::uint64_t mode = 0;
  std::uint64_t resolve = 0;
};

// Raced resolutions answer EAGAIN; one lost race is likely followed by none.
constexpr int kResolveAttempts = 32;

// An optional system call. Assumed to be there until it fails as if it was not.
class OptionalCall {
 public:
  bool missing() const { return state_.load(std::memory_order_relaxed) == kMissing; }

  // Called with the errno of a failed call. True if the call itself is what is missing.
  // `probe` makes a call that is wrong in a way that only an implementation can notice.
  template <typename Probe>
  bool found_missing(int error, Probe probe) {
    if (error != ENOSYS && error != EPERM) [[likely]] {
      return false;
    }
    if (state_.load(std::memory_order_relaxed) == kAssumed) {
      const bool refused = probe() != 0 && (errno == ENOSYS || errno == EPERM);
      state_.store(refused ? kMissing : kProven, std::memory_order_relaxed);
    }
    return missing();
  }

 private:
  enum State : unsigned char { kAssumed, kProven, kMissing };
  std::atomic<State> state_ = kAssumed;
};

constexpr bool bit(Fields set, Fields field) { return (set & field) != Fields::none; }

// Fields follow the order of STATX_* but for the times, so masks are shifted, not assembled. The
// type is always asked for.
constexpr unsigned statx_mask(Fields fields) {
  const auto f = static_cast<unsigned>(fields);
  return 1U | (f & 0x007U) | ((f & 0x008U) * 3U) | ((f & 0x070U) << 4) | ((f & 0x380U) >> 2) |
         ((f & 0x400U) << 1);
}

constexpr Fields fields_of(unsigned mask) {
  const unsigned owner = (mask >> 3) & (mask >> 4) & 1U;
  return static_cast<Fields>((mask & 0x007U) | (owner << 3) | ((mask >> 4) & 0x070U) |
                             ((mask & 0x0E0U) << 2) | ((mask & 0x800U) >> 1));
}

static_assert(statx_mask(Fields::none) == STATX_TYPE);
static_assert(statx_mask(Fields::mode) == (STATX_TYPE | STATX_MODE));
static_assert(statx_mask(Fields::links) == (STATX_TYPE | STATX_NLINK));
static_assert(statx_mask(Fields::owner) == (STATX_TYPE | STATX_UID | STATX_GID));
static_assert(statx_mask(Fields::identity) == (STATX_TYPE | STATX_INO));
static_assert(statx_mask(Fields::size) == (STATX_TYPE | STATX_SIZE));
static_assert(statx_mask(Fields::blocks) == (STATX_TYPE | STATX_BLOCKS));
static_assert(statx_mask(Fields::atime) == (STATX_TYPE | STATX_ATIME));
static_assert(statx_mask(Fields::mtime) == (STATX_TYPE | STATX_MTIME));
static_assert(statx_mask(Fields::ctime) == (STATX_TYPE | STATX_CTIME));
static_assert(statx_mask(Fields::btime) == (STATX_TYPE | STATX_BTIME));
static_assert(statx_mask(Fields::basic) == STATX_BASIC_STATS);
static_assert(fields_of(STATX_BASIC_STATS) == Fields::basic);
static_assert(fields_of(statx_mask(Fields::all)) == Fields::all);
static_assert(fields_of(STATX_UID | STATX_ATIME) == Fields::atime);

// The 64-bit encoding of glibc's makedev(), which is st_dev. Inline, for it runs per entry.
constexpr std::uint64_t device_number(std::uint32_t major, std::uint32_t minor) {
  const std::uint64_t a = major;
  const std::uint64_t i = minor;
  return ((a & 0xFFFU) << 8) | ((a & ~std::uint64_t{0xFFF}) << 32) | (i & 0xFFU) |
         ((i & ~std::uint64_t{0xFF}) << 12);
}
constexpr std::uint32_t major_of(std::uint64_t device) {
  return static_cast<std::uint32_t>(((device >> 8) & 0xFFFU) | ((device >> 32) & 0xFFFFF000U));
}
constexpr std::uint32_t minor_of(std::uint64_t device) {
  return static_cast<std::uint32_t>((device & 0xFFU) | ((device >> 12) & 0xFFFFFF00U));
}
static_assert(major_of(device_number(0x12345678, 0x9ABCDEF0)) == 0x12345678);
static_assert(minor_of(device_number(0x12345678, 0x9ABCDEF0)) == 0x9ABCDEF0);

// Some filesystems fill fields that they then do not vouch for.
void clear_invalid(Metadata& data) {
  const Fields valid = data.valid;
  if (!bit(valid, Fields::mode)) data.mode &= 0170000U;
  if (!bit(valid, Fields::type)) data.mode &= 07777U;
  if (!bit(valid, Fields::links)) data.links = 0;
  if (!bit(valid, Fields::owner)) data.uid = data.gid = 0;
  if (!bit(valid, Fields::identity)) data.inode = 0;
  if (!bit(valid, Fields::size)) data.size = 0;
  if (!bit(valid, Fields::blocks)) data.blocks = 0;
  if (!bit(valid, Fields::atime)) data.atime = {};
  if (!bit(valid, Fields::mtime)) data.mtime = {};
  if (!bit(valid, Fields::ctime)) data.ctime = {};
  if (!bit(valid, Fields::btime)) data.btime = {};
}

Timestamp timestamp(const struct statx_timestamp& time) { return {time.tv_sec, time.tv_nsec}; }

void fill(const struct statx& from, Metadata& to) {
  to.device = device_number(from.stx_dev_major, from.stx_dev_minor);
  to.inode = from.stx_ino;
  to.size = from.stx_size;
  to.blocks = from.stx_blocks;
  to.atime = timestamp(from.stx_atime);
  to.mtime = timestamp(from.stx_mtime);
  to.ctime = timestamp(from.stx_ctime);
  to.btime = timestamp(from.stx_btime);
  to.mode = from.stx_mode;
  to.links = from.stx_nlink;
  to.uid = from.stx_uid;
  to.gid = from.stx_gid;
  to.device_major = from.stx_rdev_major;
  to.device_minor = from.stx_rdev_minor;
  to.block_size = from.stx_blksize;
  to.valid = fields_of(from.stx_mask);
  to.mount_root = (from.stx_attributes & from.stx_attributes_mask & kAttributeMountRoot) != 0;
  if (to.valid != Fields::all) clear_invalid(to);
}

Timestamp timestamp(const struct timespec& time) {
  return {time.tv_sec, static_cast<std::uint32_t>(time.tv_nsec)};
}

void fill(const struct stat& from, Metadata& to) {
  to = Metadata{};
  to.device = from.st_dev;
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
  to.device_major = major_of(from.st_rdev);
  to.device_minor = minor_of(from.st_rdev);
  to.block_size = static_cast<std::uint32_t>(from.st_blksize);
  to.valid = Fields::basic;
}

// Magic numbers of statfs, from linux/magic.h and the filesystems' own sources.
constexpr std::uint32_t kExt = 0xEF53;
constexpr std::uint32_t kXfs = 0x58465342;
constexpr std::uint32_t kBtrfs = 0x9123683E;
constexpr std::uint32_t kTmpfs = 0x01021994;
constexpr std::uint32_t kF2fs = 0xF2F52010;
constexpr std::uint32_t kNfs = 0x6969;
constexpr std::uint32_t kLustre = 0x0BD00BD0;
constexpr std::uint32_t kCifs = 0xFF534D42;

// 0 if it can't be had.
std::uint32_t filesystem_magic(const DirectoryHandle& handle) {
  struct statfs info;
  int status;
  do {
    status = ::fstatfs(handle.fd, &info);
  } while (status != 0 && errno == EINTR);
  return status == 0 ? static_cast<std::uint32_t>(info.f_type) : 0;
}

// True if the last of the records in `bytes` says that ext4's listing goes on at its end mark.
//
// The chain is walked only if a longest record would still have fit into the buffer: the kernel
// stops before that at the end of the listing alone, or for a reason of its own. So a huge
// directory pays nothing, and a small one a nanosecond per record, where a second getdents64 costs
// as much as listing three entries.
bool ends_at_last_offset(std::span<const std::byte> bytes, std::size_t room) {
  if (room < kMaxDirentLength) return false;
  std::size_t at = 0;
  std::size_t last = 0;
  while (bytes.size() - at >= kMinDirentLength) {
    const std::size_t length = detail::load<std::uint16_t>(bytes.data() + at + kDirentLengthAt);
    if (length < kMinDirentLength || length > bytes.size() - at) return false;
    last = at;
    at += length;
  }
  return at == bytes.size() && at != 0 &&
         detail::load<std::int64_t>(bytes.data() + last + kDirentOffsetAt) == INT64_MAX;
}

int read_open_file(int fd, std::uint64_t offset, std::span<std::byte> out, std::size_t& size) {
  size = 0;
  struct stat info;
  if (::fstat(fd, &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  if (!S_ISREG(info.st_mode)) return EINVAL;
  const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
  if (got < 0) return errno;
  size = static_cast<std::size_t>(got);
  return 0;
}

class LinuxFileSystem final : public FileSystem {
 public:
  explicit LinuxFileSystem(int synchronization) : synchronization_(synchronization) {}

  int open_directory(int base, const char* path, OpenHow how, DirectoryHandle& out) override {
    int flags = O_DIRECTORY | O_CLOEXEC;
    flags |= how.path_only ? O_PATH : O_RDONLY | O_NOCTTY | O_NONBLOCK;
    if (!how.follow) flags |= O_NOFOLLOW;
    OpenHowArgument argument;
    argument.flags = static_cast<std::uint64_t>(flags);
    if (!how.follow) argument.resolve |= kResolveNoSymlinks;
    if (how.stay_on_mount) argument.resolve |= kResolveNoXdev;

    long fd = -1;
    if (argument.resolve != 0 && !openat2_.missing()) {
      int attempts = kResolveAttempts;
      do {
        fd = ::syscall(SYS_openat2, base, path, &argument, sizeof argument);
      } while (fd < 0 && errno == EAGAIN && --attempts > 0);
      if (fd < 0) {
        const int error = errno;
        const bool missing = openat2_.found_missing(
            error, [&] { return ::syscall(SYS_openat2, base, path, &argument, 0); });
        if (!missing) return error;
      }
    }
    if (fd < 0) fd = ::openat(base, path, flags);
    if (fd < 0) return errno;
    out = DirectoryHandle{};
    out.fd = static_cast<int>(fd);
    return 0;
  }

  bool stays_on_mount() const override { return !openat2_.missing(); }

  int read_directory(DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    // The kernel takes the size as unsigned int.
    const std::size_t room = buffer.size() < INT_MAX ? buffer.size() : INT_MAX;
    const long read = ::syscall(SYS_getdents64, handle.fd, buffer.data(), room);
    if (read < 0) {
      size = 0;
      end = false;
      return errno;
    }
    size = static_cast<std::size_t>(read);
    end = size == 0 ||
          (handle.last_offset_marks_end && ends_at_last_offset(buffer.first(size), room - size));
    return 0;
  }

  int seek_directory(DirectoryHandle& handle, std::int64_t offset) override {
    return ::lseek(handle.fd, offset, SEEK_SET) < 0 ? errno : 0;
  }

  int stat_handle(const DirectoryHandle& handle, Fields fields, Metadata& out) override {
    if (!statx_.missing()) {
      const int error = statx_at(handle.fd, "", AT_EMPTY_PATH | synchronization_, fields, out);
      if (error == 0 || !statx_.found_missing(error, probe_statx)) return error;
    }
    struct stat info;
    if (::fstat(handle.fd, &info) != 0) return errno;
    fill(info, out);
    return 0;
  }

  int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override {
    const int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
    if (!statx_.missing()) {
      const int error = statx_at(base, path, flags | synchronization_, fields, out);
      if (error == 0 || !statx_.found_missing(error, probe_statx)) return error;
    }
    struct stat info;
    if (::fstatat(base, path, &info, flags) != 0) return errno;
    fill(info, out);
    return 0;
  }

  int read_link(int base, const char* path, std::span<char> out, std::size_t& size) override {
    const ssize_t read = ::readlinkat(base, path, out.data(), out.size());
    if (read < 0) return errno;
    size = static_cast<std::size_t>(read);
    return size < out.size() ? 0 : ENAMETOOLONG;  // the kernel cuts it off and does not say so
  }

  int read_file(int base, const char* path, bool follow, std::uint64_t offset,
                std::span<std::byte> out, std::size_t& size) override {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    // By number, as for directories; see close().
    const auto fd = static_cast<int>(::syscall(SYS_openat, base, path, flags));
    if (fd < 0) return errno;
    const int error = read_open_file(fd, offset, out, size);
    ::syscall(SYS_close, fd);
    return error;
  }

  int real_path(int base, const char* path, std::span<char> out, std::size_t& size) override {
    const auto fd =
        static_cast<int>(::syscall(SYS_openat, base, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) return errno;
    // The table of descriptors may be this thread's own.
    char name[64] = "/proc/thread-self/fd/";
    *std::to_chars(name + std::strlen(name), std::end(name) - 1, fd).ptr = '\0';
    const int error = read_link(AT_FDCWD, name, out, size);
    ::syscall(SYS_close, fd);
    return error;
  }

  void close(DirectoryHandle& handle) override {
    // Never repeated: Linux has given the descriptor up whatever it answers. By number, like the
    // openings: ThreadSanitizer would take equal descriptors of two private tables for one.
    if (handle.fd >= 0) ::syscall(SYS_close, handle.fd);
    handle = DirectoryHandle{};
  }

  bool make_descriptors_private() override {
    return ::syscall(SYS_close_range, 3U, ~0U, kCloseRangeUnshare) == 0;
  }

  bool listed_inodes_are_exact(const DirectoryHandle& handle) override {
    switch (filesystem_magic(handle)) {
      case kExt:
      case kXfs:
      case kTmpfs:
      case kF2fs:
        return true;
      default:
        return false;
    }
  }

  bool inode_order_helps(const DirectoryHandle& handle) override {
    switch (filesystem_magic(handle)) {
      case kTmpfs:
      case kNfs:
      case kLustre:
      case kCifs:
        return false;
      default:
        return true;
    }
  }

  // ext4 ends a listing at 2^63-1 and answers a read from there with nothing, whatever has been
  // added since: so not reading is the same as reading. ext2 and ext3 share its number, and reach
  // that offset never. Elsewhere the offset has no such meaning: a FUSE server chooses its own, and
  // one that joins several ext4 directories might well pass theirs on.
  bool last_offset_marks_end(const DirectoryHandle& handle) override {
    return filesystem_magic(handle) == kExt;
  }

  // ext4: the hash of the name, or the place in a directory without an index (fs/ext4/dir.c); XFS:
  // the place in the directory's data (fs/xfs/xfs_dir2_readdir.c); btrfs: a counter of the names
  // that were ever added (fs/btrfs/inode.c). tmpfs and overlay count too, but go through the names
  // before it to find one, or hold a lock while they list; a FUSE server chooses what it likes.
  bool offsets_ascend(const DirectoryHandle& handle) override {
    const std::uint32_t magic = filesystem_magic(handle);
    return magic == kExt || magic == kXfs || magic == kBtrfs;
  }

 private:
  static int statx_at(int base, const char* path, int flags, Fields fields, Metadata& out) {
    struct statx info;
    if (::syscall(SYS_statx, base, path, flags, statx_mask(fields), &info) != 0) return errno;
    fill(info, out);
    return 0;
  }

  static long probe_statx() {
    struct statx info;
    return ::syscall(SYS_statx, AT_FDCWD, ".", kStatxSyncType, 0U, &info);
  }

  const int synchronization_;  // AT_STATX_*_SYNC
  OptionalCall openat2_;
  OptionalCall statx_;
};

}  // namespace

// Never destroyed.
FileSystem& linux_filesystem() {
  static LinuxFileSystem* const filesystem = new LinuxFileSystem(0);
  return *filesystem;
}

FileSystem& linux_filesystem_unsynchronized() {
  static LinuxFileSystem* const filesystem = new LinuxFileSystem(AT_STATX_DONT_SYNC);
  return *filesystem;
}

}  // namespace trawl::sys
