// SPDX-License-Identifier: Apache-2.0
//
// The seam to the operating system: the only calls through which the engine touches files. One
// implementation per backend, and one for tests that injects faults.
//
// Every function returns 0 or an errno, EINTR included (the engine retries); none allocates on the
// hot path, none prints. Thread-safe: implementations hold no state but what was probed at start
// (missing system calls are remembered in atomics).
#pragma once

#include <trawl/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace trawl::sys {

inline constexpr int kWorkingDirectory = -100;  // AT_FDCWD

inline constexpr std::size_t kMaxLinkTarget = 4096;  // PATH_MAX

struct OpenHow {
  // Resolve symbolic links, the last component's too: for roots as the user wrote them, and for
  // links that are followed. False: fail with ELOOP on a link in any component below `base`, or with
  // ENOTDIR on a last component that is one, where the kernel can (openat2); without openat2 only
  // the last component is checked.
  bool follow = false;
  // Fail with EXDEV instead of crossing a mount point (openat2 only; ignored elsewhere, the caller
  // compares devices anyway).
  bool stay_on_mount = false;
  // Only to stat entries in it: the directory itself is not opened where the system knows such
  // descriptors (O_PATH), which saves a network filesystem's server, and FUSE's, a request.
  bool path_only = false;
};

// An open directory. Owned by who opened it, closed by close(); not copied while open.
struct DirectoryHandle {
  int fd = -1;
  void* stream = nullptr;  // DIR*, where the backend needs one
  // Set by who opened it, who knows the device: FileSystem::last_offset_marks_end(). Saves the last
  // read of each listing, which only says that there is no more.
  bool last_offset_marks_end = false;
};

// Listings are delivered as `struct linux_dirent64` records, whatever the backend; see dirent.h.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Opens a directory by `path` relative to `base` (kWorkingDirectory, or a handle's fd). Close on
  // exec, never a controlling terminal, never blocks on a fifo (O_DIRECTORY).
  virtual int open_directory(int base, const char* path, OpenHow how, DirectoryHandle& out) = 0;

  // True if `stay_on_mount` is heeded.
  virtual bool stays_on_mount() const { return false; }

  // Fills `buffer` with records of the directory, `size` bytes. size 0 or end true: there are no
  // more. `end` may also stay false with the last records; then the next call returns size 0.
  virtual int read_directory(DirectoryHandle& handle, std::span<std::byte> buffer,
                             std::size_t& size, bool& end) = 0;

  // Goes on with the record at `offset`: 0, or where a listing said that it goes on (then from any
  // handle of the directory), or, where offsets_ascend(), any number. EINVAL: no offset of this
  // directory.
  virtual int seek_directory(DirectoryHandle&, std::int64_t) { return ENOTSUP; }

  // Metadata of an open directory.
  virtual int stat_handle(const DirectoryHandle& handle, Fields fields, Metadata& out) = 0;

  // Metadata of `path` relative to `base`. Never triggers an automount. Type, identity's device and
  // mount_root come with every answer where the kernel has them.
  virtual int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) = 0;

  // What a symbolic link leads to: `path` relative to `base`, `size` bytes in `out`, no NUL.
  // EINVAL: no link; ENAMETOOLONG: `out` may be too small (kMaxLinkTarget never is).
  virtual int read_link(int /*base*/, const char* /*path*/, std::span<char> /*out*/,
                        std::size_t& /*size*/) {
    return ENOTSUP;
  }

  // Bytes of the regular file `path` relative to `base`, from `offset` on, as many as there are or
  // `out` has room for; `size` of them. EISDIR: a directory; EINVAL: something else that is no file.
  // Opens it for this call alone, and waits for no writer of a fifo. Not `follow`: ELOOP for a link.
  virtual int read_file(int /*base*/, const char* /*path*/, bool /*follow*/,
                        std::uint64_t /*offset*/, std::span<std::byte> /*out*/,
                        std::size_t& /*size*/) {
    return ENOTSUP;
  }

  // The path from the top of a directory relative to `base`, without links, "." and "..": `size`
  // bytes in `out`, no NUL. ENAMETOOLONG: `out` is too small, or the kernel's limit is.
  virtual int real_path(int /*base*/, const char* /*path*/, std::span<char> /*out*/,
                        std::size_t& /*size*/) {
    return ENOTSUP;
  }

  virtual void close(DirectoryHandle& handle) = 0;  // sets fd to -1

  // True for a handle with which nothing can be done any more but to close it; see StallGuard.
  virtual bool is_lost(const DirectoryHandle&) { return false; }

  // Gives the calling thread a descriptor table of its own that holds 0 to 2 only. False where that
  // is not to be had (nothing has changed then).
  virtual bool make_descriptors_private() = 0;

  // True where the filesystem's d_ino is known to be st_ino (ext2-4, XFS, tmpfs, f2fs; not overlay,
  // FUSE, NFS, btrfs).
  virtual bool listed_inodes_are_exact(const DirectoryHandle& handle) = 0;

  // True where reading inodes in order may help (GNU fts: everywhere but tmpfs, NFS, Lustre, CIFS).
  virtual bool inode_order_helps(const DirectoryHandle& handle) = 0;

  // True where a last record that goes on at offset 2^63-1 ends the listing (ext4). One system call:
  // ask once per device, and set it in the handles of directories that are known to be on it, from
  // their metadata or since they were opened with `stay_on_mount` below one that was.
  virtual bool last_offset_marks_end(const DirectoryHandle&) { return false; }

  // True where the offsets of a listing are known to ascend, to stay with their entries while others
  // come and go, and to be found in less time than it takes to read up to them: so that several
  // workers can each list a range of them.
  virtual bool offsets_ascend(const DirectoryHandle&) { return false; }
};

// All are process-wide and live for ever.
FileSystem& linux_filesystem();
FileSystem& linux_filesystem_unsynchronized();  // stats with AT_STATX_DONT_SYNC
FileSystem& posix_filesystem();

}  // namespace trawl::sys
