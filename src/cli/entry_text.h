// SPDX-License-Identifier: Apache-2.0
//
// What the forms of an entry are made of. All of it appends, is thread-safe, and is fast enough to
// be called for every entry.
#pragma once

#include <trawl/types.h>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace trawl::cli {

template <class T>
void append_number(std::string& out, T value, int base = 10) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

// "-rwsr-xr-x"
inline constexpr std::size_t kPermissionsSize = 10;
void append_permissions(std::string& out, std::uint32_t mode);
// "0644", "4755": the permission bits.
void append_mode(std::string& out, std::uint32_t mode);

// st_rdev, as makedev() has it.
std::uint64_t device_node(const Metadata& metadata);

// "2026-11-21T14:00:00.123456789Z". Years beyond 9999 and before 0 have a sign.
void append_utc(std::string& out, const Timestamp& time);
// Local time: "2026-11-21 14:00", and with seconds "2026-11-21 14:00:00.123456789 +0000". False: it
// can't be expressed in a calendar, and nothing was appended. tzset() has been called.
bool append_local_minutes(std::string& out, const Timestamp& time);
bool append_local_nanoseconds(std::string& out, const Timestamp& time);

// The directory part of a path, "." if it has none.
std::string_view directory_of(std::string_view path);
// The last component, without slashes behind it; "/" of that.
std::string_view name_of(std::string_view path);

// Appends "key":"bytes", and "key_base64" where they are not UTF-8; see cli/json.h.
void append_json_member(std::string& out, std::string_view key, std::string_view bytes);

// Says so if a field was answered.
inline bool is_valid(const Metadata* metadata, Fields field) {
  return metadata != nullptr && has(metadata->valid, field);
}

}  // namespace trawl::cli
