// SPDX-License-Identifier: Apache-2.0
//
// The values that the engine hands out: file types, metadata, identities.
// Plain data without ownership; everything here may be copied between threads.
#pragma once

#include <cstdint>
#include <functional>

namespace trawl {

enum class FileType : std::uint8_t {
  unknown,
  regular,
  directory,
  symlink,
  block_device,
  character_device,
  fifo,
  socket,
};

// Metadata fields, as a set. The engine asks the kernel for these only; on network filesystems a
// narrower set saves round trips, on local ones it costs the same.
enum class Fields : std::uint32_t {
  none = 0,
  type = 1U << 0,      // mode's type bits
  mode = 1U << 1,      // permission bits
  links = 1U << 2,     // nlink
  owner = 1U << 3,     // uid and gid
  identity = 1U << 4,  // inode (device comes with every answer)
  size = 1U << 5,
  blocks = 1U << 6,
  atime = 1U << 7,
  mtime = 1U << 8,
  ctime = 1U << 9,
  btime = 1U << 10,
  basic = (1U << 10) - 1,
  all = (1U << 11) - 1,
};

constexpr Fields operator|(Fields a, Fields b) {
  return static_cast<Fields>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Fields operator&(Fields a, Fields b) {
  return static_cast<Fields>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
// True if every field of `wanted` is in `set`.
constexpr bool has(Fields set, Fields wanted) { return (set & wanted) == wanted; }

// Seconds since the epoch, and nanoseconds 0..999,999,999 after that second (also before 1970).
struct Timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend constexpr bool operator==(const Timestamp&, const Timestamp&) = default;
  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// What the kernel means by "the same file".
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend constexpr bool operator==(const FileIdentity&, const FileIdentity&) = default;
  friend constexpr auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

// `valid` says which fields the filesystem answered; the others are zero.
struct Metadata {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;    // bytes; apparent size
  std::uint64_t blocks = 0;  // units of 512 bytes, whatever the filesystem's block size
  Timestamp atime, mtime, ctime, btime;
  std::uint32_t mode = 0;  // type and permissions, as st_mode
  std::uint32_t links = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t device_major = 0, device_minor = 0;  // of a device node
  std::uint32_t block_size = 0;  // bytes: what the filesystem likes to be read and written by
  Fields valid = Fields::none;
  bool mount_root = false;  // the root of a mount, where the kernel tells (Linux 5.8)

  FileType type() const;
  bool is_directory() const { return type() == FileType::directory; }
  bool is_file() const { return type() == FileType::regular; }
  bool is_symlink() const { return type() == FileType::symlink; }
  FileIdentity identity() const { return {device, inode}; }
  // Bytes that the file takes on the medium.
  std::uint64_t disk_usage() const { return blocks * 512; }
};

// The type bits of a POSIX st_mode.
constexpr FileType type_of_mode(std::uint32_t mode) {
  switch (mode & 0170000) {
    case 0100000: return FileType::regular;
    case 0040000: return FileType::directory;
    case 0120000: return FileType::symlink;
    case 0060000: return FileType::block_device;
    case 0020000: return FileType::character_device;
    case 0010000: return FileType::fifo;
    case 0140000: return FileType::socket;
    default: return FileType::unknown;
  }
}
inline FileType Metadata::type() const { return type_of_mode(mode); }

// Names that one worker listed of a directory: they have the positions from `position` on. Between
// one range and the next there is a gap.
struct ListedRange {
  std::uint64_t position = 0;
  std::uint64_t count = 0;
};

}  // namespace trawl

template <>
struct std::hash<trawl::FileIdentity> {
  std::size_t operator()(const trawl::FileIdentity& id) const noexcept {
    // Inodes are dense and devices few: one multiplication (2^64 / golden ratio) spreads them.
    return static_cast<std::size_t>(((id.inode ^ (id.device << 40)) * 0x9E3779B97F4A7C15U) ^
                                    (id.device >> 24));
  }
};
