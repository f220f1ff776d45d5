// SPDX-License-Identifier: Apache-2.0
#include "fold/file_list_record.h"

#include <type_traits>

#include "base/file_mode.h"

namespace trawl::fold {

namespace {

constexpr std::int64_t kNano = 1'000'000'000;
constexpr std::int64_t kMostSeconds = INT64_MAX / kNano - 1;

bool fits_in_64(Timestamp time) {
  return time.seconds <= kMostSeconds && time.seconds >= -kMostSeconds;
}

// Nanoseconds since the epoch.
struct PackedTime {
  std::int64_t value;
  PackedTime& operator=(Timestamp time) {
    value = time.seconds * kNano + time.nanoseconds;
    return *this;
  }
  operator Timestamp() const {  // NOLINT: a time is what it is
    std::int64_t seconds = value / kNano;
    std::int64_t rest = value % kNano;
    if (rest < 0) {
      rest += kNano;
      --seconds;
    }
    return {seconds, static_cast<std::uint32_t>(rest)};
  }
};

template <class To, class From>
To narrow(From from) {
  if constexpr (std::is_same_v<To, PackedTime>) {
    PackedTime time{};
    time = from;
    return time;
  } else {
    return static_cast<To>(from);
  }
}

// Calls `field(tag, member)` for each member that a list with these fields keeps, in the order of
// the record. The tag's type is how it is kept.
template <class M, class F>
void for_each_field(Fields fields, M& metadata, F field) {
  const auto wants = [fields](Fields any) { return (fields & any) != Fields::none; };
  if (wants(Fields::mode)) {
    field(std::uint16_t{}, metadata.mode);
  }
  if (wants(Fields::links)) {
    field(std::uint32_t{}, metadata.links);
  }
  if (wants(Fields::owner)) {
    field(std::uint32_t{}, metadata.uid);
    field(std::uint32_t{}, metadata.gid);
  }
  if (wants(Fields::identity)) {
    field(std::uint32_t{}, metadata.device);
    field(std::uint64_t{}, metadata.inode);
  }
  if (wants(Fields::size)) {
    field(std::uint64_t{}, metadata.size);
  }
  if (wants(Fields::blocks)) {
    field(std::uint64_t{}, metadata.blocks);
    field(std::uint32_t{}, metadata.block_size);
  }
  if (wants(Fields::atime)) {
    field(PackedTime{}, metadata.atime);
  }
  if (wants(Fields::mtime)) {
    field(PackedTime{}, metadata.mtime);
  }
  if (wants(Fields::ctime)) {
    field(PackedTime{}, metadata.ctime);
  }
  if (wants(Fields::btime)) {
    field(PackedTime{}, metadata.btime);
  }
}

constexpr std::uint32_t kTypeBits = 0170000;
constexpr std::uint32_t kMountRoot = 0x8000;  // beside the valid fields
static_assert(static_cast<std::uint32_t>(Fields::all) < kMountRoot);

}  // namespace

RecordLayout::RecordLayout(Fields fields) : fields_(fields) {
  if (fields_ != Fields::none) {
    packed_size_ = sizeof(std::uint16_t);
    Metadata metadata;
    for_each_field(fields_, metadata, [this](auto kept, auto&) { packed_size_ += sizeof kept; });
  }
}

bool RecordLayout::fits(const Metadata& metadata) const {
  return metadata.device <= UINT32_MAX && metadata.mode <= UINT16_MAX &&
         metadata.device_major == 0 && metadata.device_minor == 0 && fits_in_64(metadata.atime) &&
         fits_in_64(metadata.mtime) && fits_in_64(metadata.ctime) && fits_in_64(metadata.btime);
}

void RecordLayout::pack(const Metadata& metadata, std::byte* out) const {
  const auto valid = static_cast<std::uint16_t>(
      static_cast<std::uint32_t>(metadata.valid & (fields_ | Fields::type)) |
      (metadata.mount_root ? kMountRoot : 0U));
  std::memcpy(out, &valid, sizeof valid);
  out += sizeof valid;
  for_each_field(fields_, metadata, [&out](auto kept, const auto& member) {
    kept = narrow<decltype(kept)>(member);
    std::memcpy(out, &kept, sizeof kept);
    out += sizeof kept;
  });
}

Metadata RecordLayout::unpack(const std::byte* record) const {
  Metadata metadata;
  const RecordHeader header = header_of(record);
  if (!header.is(kRecordHasMetadata)) {
    return metadata;
  }
  const std::byte* at = record + sizeof header;
  if (header.is(kRecordHasLink) && (link_of(record + link_at(header)) & kLinkWide) != 0) {
    const Metadata* elsewhere;
    std::memcpy(&elsewhere, at, sizeof elsewhere);
    return *elsewhere;
  }
  if (header.is(kRecordWide)) {
    std::memcpy(&metadata, at, sizeof metadata);
    return metadata;
  }
  std::uint16_t valid;
  std::memcpy(&valid, at, sizeof valid);
  at += sizeof valid;
  for_each_field(fields_, metadata, [&at](auto kept, auto& member) {
    std::memcpy(&kept, at, sizeof kept);
    member = static_cast<std::remove_reference_t<decltype(member)>>(kept);
    at += sizeof kept;
  });
  metadata.valid = static_cast<Fields>(valid & ~kMountRoot);
  metadata.mount_root = (valid & kMountRoot) != 0;
  metadata.mode = (metadata.mode & ~kTypeBits) | base::mode_of_type(header.type);
  return metadata;
}

std::string_view RecordLayout::target(const std::byte* record, RecordHeader header) const {
  if (!header.is(kRecordHasTarget)) {
    return {};
  }
  const std::byte* at = record + target_at(header);
  std::uint16_t size;
  std::memcpy(&size, at, sizeof size);
  return {reinterpret_cast<const char*>(at) + sizeof size, size};
}

}  // namespace trawl::fold
