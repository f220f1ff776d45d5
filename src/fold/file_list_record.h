// SPDX-License-Identifier: Apache-2.0
//
// How a list keeps an entry: a record of bytes, in its directory's block.
//
//   u16 size of the name · u8 type · u8 flags          4 bytes
//   metadata                                           which fields are valid, 2 bytes, and those
//   of
//                                                      the list, 2 to 8 bytes each; or, where they
//                                                      don't fit, all of struct Metadata; of a
//                                                      directory with a link then a pointer to that
//   u64 link                                           of a directory that is entered: its block,
//   and
//                                                      what became of it; see RecordLink
//   u16 size, bytes                                    of a link: its target
//   the name                                           and up to 3 bytes, so that records begin at
//                                                      multiples of 4
//
// Fits: times between 1678 and 2261, device numbers of 32 bits, no device node.
#pragma once

#include <trawl/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace trawl::fold {

inline constexpr std::size_t kRecordAlignment = 4;

enum RecordFlag : std::uint8_t {
  kRecordHasMetadata = 1,
  kRecordWide = 2,     // struct Metadata as it is
  kRecordHasLink = 4,  // the directory's block
  kRecordHasTarget = 8,
  kRecordFollowed = 16,
  // Not entries, but a header and the address of a record:
  kRecordSubtree = 32,  // what is below that directory comes here
  kRecordRoot = 64,     // the root comes here
};

// Bits beside the address of a block, which is a multiple of 16. 0: nothing is known yet, and the
// metadata is not there. Nothing else of a record ever changes.
enum RecordLink : std::uint64_t {
  kLinkKnown = 1,
  kLinkGone = 2,  // it vanished, or could not be stat'ed: no entry
  kLinkWide = 4,  // its metadata is elsewhere
  kLinkBits = 15,
};

struct RecordHeader {
  std::uint16_t name_size = 0;
  FileType type = FileType::unknown;
  std::uint8_t flags = 0;
  bool is(RecordFlag flag) const { return (flags & flag) != 0; }
};
static_assert(sizeof(RecordHeader) == 4);

inline RecordHeader header_of(const std::byte* record) {
  RecordHeader header;
  std::memcpy(&header, record, sizeof header);
  return header;
}
inline void set_header(std::byte* record, RecordHeader header) {
  std::memcpy(record, &header, sizeof header);
}

// Which fields a list keeps, and where.
class RecordLayout {
 public:
  explicit RecordLayout(Fields fields);

  Fields fields() const { return fields_; }
  std::size_t metadata_size(RecordHeader header) const {
    if (header.is(kRecordHasLink)) {  // it is filled in later, whatever it will be
      return packed_size_ == 0 ? 0 : std::max(packed_size_, sizeof(const Metadata*));
    }
    return header.is(kRecordWide) ? sizeof(Metadata) : packed_size_;
  }
  bool fits(const Metadata& metadata) const;
  void pack(const Metadata& metadata, std::byte* out) const;
  Metadata unpack(const std::byte* record) const;

  std::size_t link_at(RecordHeader header) const {
    return sizeof(RecordHeader) + metadata_size(header);
  }
  std::size_t target_at(RecordHeader header) const {
    return link_at(header) + (header.is(kRecordHasLink) ? sizeof(std::uint64_t) : 0);
  }
  std::string_view target(const std::byte* record, RecordHeader header) const;
  std::string_view name(const std::byte* record, RecordHeader header) const {
    std::size_t at = target_at(header);
    if (header.is(kRecordHasTarget)) {
      at += sizeof(std::uint16_t) + target(record, header).size();
    }
    return {reinterpret_cast<const char*>(record) + at, header.name_size};
  }
  // Of the whole record, to the next.
  std::size_t size(const std::byte* record, RecordHeader header) const {
    const std::string_view last = name(record, header);
    const auto end = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(last.data()) +
                                              last.size() - record);
    return (end + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
  }

 private:
  Fields fields_;
  std::size_t packed_size_ = 0;
};

inline std::uint64_t link_of(const std::byte* at) {
  std::uint64_t link;
  std::memcpy(&link, at, sizeof link);
  return link;
}

}  // namespace trawl::fold
