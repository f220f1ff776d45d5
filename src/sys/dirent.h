// SPDX-License-Identifier: Apache-2.0
//
// Directory listings as bytes: Linux' `struct linux_dirent64` records, decoded and encoded. Pure;
// the layout is written down here, so that every backend and every test can speak it.
//
//   0  u64 inode | 8  s64 offset | 16  u16 record length | 18  u8 type | 19  name, NUL, padding
//
// The decoder trusts nothing: records come from kernels, emulators of kernels, and FUSE servers. It
// reads inside the given bytes only, and stops for good at the first record that cannot be right.
#pragma once

#include <trawl/types.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace trawl::sys {

struct Dirent {
  std::uint64_t inode = 0;
  std::int64_t offset = 0;  // where the listing goes on after this record
  FileType type = FileType::unknown;
  std::string_view name;  // in the listing's bytes; NUL follows
};

inline constexpr std::size_t kDirentOffsetAt = 8;
inline constexpr std::size_t kDirentLengthAt = 16;
inline constexpr std::size_t kDirentTypeAt = 18;
inline constexpr std::size_t kDirentNameAt = 19;
inline constexpr std::size_t kDirentAlignment = 8;
// The shortest record is a name of one byte. The longest of a kernel filesystem has 255.
inline constexpr std::size_t kMinDirentLength = kDirentNameAt + 2;
inline constexpr std::size_t kMaxDirentLength = 280;

inline bool is_dot_or_dotdot(std::string_view name) {
  return !name.empty() && name[0] == '.' &&
         (name.size() == 1 || (name.size() == 2 && name[1] == '.'));
}

constexpr FileType type_of_dirent(std::uint8_t d_type) {
  switch (d_type) {
    case 1:
      return FileType::fifo;
    case 2:
      return FileType::character_device;
    case 4:
      return FileType::directory;
    case 6:
      return FileType::block_device;
    case 8:
      return FileType::regular;
    case 10:
      return FileType::symlink;
    case 12:
      return FileType::socket;
    default:
      return FileType::unknown;  // DT_UNKNOWN, whiteouts, and what is still to be invented
  }
}

constexpr std::uint8_t dirent_type(FileType type) {
  switch (type) {
    case FileType::fifo:
      return 1;
    case FileType::character_device:
      return 2;
    case FileType::directory:
      return 4;
    case FileType::block_device:
      return 6;
    case FileType::regular:
      return 8;
    case FileType::symlink:
      return 10;
    case FileType::socket:
      return 12;
    case FileType::unknown:
      break;
  }
  return 0;
}

namespace detail {

template <typename T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// 0x80 in every byte of `word` that is zero. No carry between bytes, so exact in both directions.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7FU;
  return ~(((word & kLow) + kLow) | word | kLow);
}

// Index in memory order of the first byte that is marked.
constexpr std::size_t first_marked(std::uint64_t marks) {
  const int bits = std::endian::native == std::endian::little ? std::countr_zero(marks)
                                                              : std::countl_zero(marks);
  return static_cast<std::size_t>(bits) / 8;
}

// Length of the name in a record of `length` bytes; 0 if it is empty, holds a slash or does not end
// in the record, of any length. One pass for NUL and slash, eight bytes at a time from the record's
// aligned offset 16 on: what the kernel writes is a multiple of eight, so that the byte loop at the
// end is idle.
inline std::size_t name_length(const std::byte* record, std::size_t length) {
  constexpr std::uint64_t kSlashes = 0x2F2F2F2F2F2F2F2FU;
  constexpr std::size_t kSkip =
      kDirentNameAt - kDirentLengthAt;  // bytes of the word before the name
  constexpr std::uint64_t kBefore = std::endian::native == std::endian::little
                                        ? (std::uint64_t{1} << (8 * kSkip)) - 1
                                        : ~(~std::uint64_t{0} >> (8 * kSkip));
  std::uint64_t ignored = kBefore;
  std::size_t at = kDirentLengthAt;
  for (; at + sizeof(std::uint64_t) <= length; at += sizeof(std::uint64_t)) {
    const auto word = load<std::uint64_t>(record + at);
    const std::uint64_t marks = (zero_bytes(word) | zero_bytes(word ^ kSlashes)) & ~ignored;
    ignored = 0;
    if (marks != 0) {
      const std::size_t end = at + first_marked(marks);
      return record[end] == std::byte{0} ? end - kDirentNameAt : 0;
    }
  }
  if (at < kDirentNameAt) at = kDirentNameAt;
  for (; at < length; ++at) {
    if (record[at] == std::byte{0}) return at - kDirentNameAt;
    if (record[at] == std::byte{'/'}) return 0;
  }
  return 0;
}

}  // namespace detail

// Goes through the records of one buffer. "." and ".." are delivered like any other name.
class DirentReader {
 public:
  explicit DirentReader(std::span<const std::byte> bytes)
      : at_(bytes.data()), left_(bytes.size()) {}

  // The next record; false at the end of the bytes, and at a malformed record, for good.
  bool next(Dirent& out) {
    if (left_ == 0) return false;
    if (left_ < kMinDirentLength) return fail();
    const std::size_t length = detail::load<std::uint16_t>(at_ + kDirentLengthAt);
    if (length > left_) return fail();
    const std::size_t name_size = detail::name_length(at_, length);
    if (name_size == 0) return fail();
    out.inode = detail::load<std::uint64_t>(at_);
    out.offset = detail::load<std::int64_t>(at_ + kDirentOffsetAt);
    out.type = type_of_dirent(std::to_integer<std::uint8_t>(at_[kDirentTypeAt]));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters
    out.name = {reinterpret_cast<const char*>(at_ + kDirentNameAt), name_size};
    at_ += length;
    left_ -= length;
    return true;
  }

  // True if the bytes did not end where a record did, or held one that cannot be right. What was
  // delivered before stands.
  bool malformed() const { return malformed_; }

  std::size_t bytes_left() const { return left_; }

 private:
  bool fail() {
    malformed_ = true;  // at_ stays where it is: every further try fails alike
    return false;
  }

  const std::byte* at_;
  std::size_t left_;
  bool malformed_ = false;
};

// The records of a buffer that begin before an offset, given that the first does: each begins where
// the one before it goes on.
struct RecordsBefore {
  std::size_t size = 0;   // bytes; the rest, too, if it is malformed
  std::int64_t next = 0;  // where the listing goes on after them
  bool ascending = true;  // their offsets are, beginning at `begin`
};

inline RecordsBefore records_before(std::span<const std::byte> bytes, std::int64_t begin,
                                    std::int64_t end) {
  RecordsBefore found{.next = begin};
  while (bytes.size() - found.size >= kMinDirentLength) {
    const std::byte* const record = bytes.data() + found.size;
    const std::size_t length = detail::load<std::uint16_t>(record + kDirentLengthAt);
    if (length < kMinDirentLength || length > bytes.size() - found.size) {
      found.size = bytes.size();
      break;
    }
    const auto offset = detail::load<std::int64_t>(record + kDirentOffsetAt);
    found.ascending = found.ascending && offset >= found.next;
    found.next = offset;
    found.size += length;
    if (offset >= end) {
      break;
    }
  }
  return found;
}

// Appends a record to what `buffer` holds in its first `used` bytes. False, and nothing has
// changed, if it does not fit. `entry.name` may lie anywhere but in the buffer's free part.
inline bool append_dirent(std::span<std::byte> buffer, std::size_t& used, const Dirent& entry) {
  const std::size_t plain = kDirentNameAt + entry.name.size() + 1;
  const std::size_t length = (plain + kDirentAlignment - 1) & ~(kDirentAlignment - 1);
  if (length > UINT16_MAX || length > buffer.size() - used) return false;
  std::byte* record = buffer.data() + used;
  const auto length16 = static_cast<std::uint16_t>(length);
  std::memcpy(record, &entry.inode, sizeof entry.inode);
  std::memcpy(record + kDirentOffsetAt, &entry.offset, sizeof entry.offset);
  std::memcpy(record + kDirentLengthAt, &length16, sizeof length16);
  record[kDirentTypeAt] = std::byte{dirent_type(entry.type)};
  std::memcpy(record + kDirentNameAt, entry.name.data(), entry.name.size());
  std::memset(record + kDirentNameAt + entry.name.size(), 0,
              length - kDirentNameAt - entry.name.size());
  used += length;
  return true;
}

}  // namespace trawl::sys
