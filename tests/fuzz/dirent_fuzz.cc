// SPDX-License-Identifier: Apache-2.0
//
// The directory record decoder, against one that is written for nothing but being read: both must
// find the same records and stop at the same place. What was read is encoded and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sys/dirent.h"

namespace {

using trawl::sys::Dirent;
using trawl::sys::DirentReader;

struct Record {
  std::uint64_t inode = 0;
  std::int64_t offset = 0;
  trawl::FileType type = trawl::FileType::unknown;
  std::string name;
  bool operator==(const Record&) const = default;
};

struct Listing {
  std::vector<Record> records;
  bool malformed = false;
  bool operator==(const Listing&) const = default;
};

Listing decode_byte_by_byte(const std::uint8_t* data, std::size_t size) {
  Listing out;
  std::size_t at = 0;
  while (at < size) {
    out.malformed = true;
    if (size - at < 19) return out;
    std::uint16_t length = 0;
    Record record;
    std::memcpy(&record.inode, data + at, 8);
    std::memcpy(&record.offset, data + at + 8, 8);
    std::memcpy(&length, data + at + 16, 2);
    record.type = trawl::sys::type_of_dirent(data[at + 18]);
    if (length > size - at) return out;
    std::size_t end = at + 19;
    while (end < at + length && data[end] != 0) {
      if (data[end] == '/') return out;
      record.name.push_back(static_cast<char>(data[end++]));
    }
    if (end >= at + length || record.name.empty()) return out;
    out.malformed = false;
    out.records.push_back(record);
    at += length;
  }
  return out;
}

Listing decode(std::span<const std::byte> bytes) {
  Listing out;
  DirentReader reader(bytes);
  for (Dirent entry; reader.next(entry);) {
    if (entry.name.data()[entry.name.size()] != '\0') std::abort();
    out.records.push_back({entry.inode, entry.offset, entry.type, std::string(entry.name)});
  }
  out.malformed = reader.malformed();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of the exact size: the sanitizer sees every byte that is read beyond it.
  const std::unique_ptr<std::byte[]> bytes(new std::byte[size]);
  if (size != 0) std::memcpy(bytes.get(), data, size);
  const Listing listing = decode({bytes.get(), size});
  if (listing != decode_byte_by_byte(data, size)) std::abort();

  std::vector<std::byte> buffer(2 * size + 64);
  std::size_t used = 0;
  for (const Record& record : listing.records) {
    const Dirent entry{record.inode, record.offset, record.type, record.name};
    // Padding may make the longest record too long by up to seven bytes.
    if (!trawl::sys::append_dirent(buffer, used, entry) && record.name.size() < 65500) std::abort();
  }
  const Listing again = decode(std::span<const std::byte>(buffer).first(used));
  if (again.malformed) std::abort();
  if (again.records.size() == listing.records.size() && again.records != listing.records) {
    std::abort();
  }
  return 0;
}
