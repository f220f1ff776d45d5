// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_text.h"

#include <sys/sysmacros.h>

#include <array>
#include <cstring>
#include <ctime>

#include "cli/json.h"
#include "cli/time_format.h"

namespace trawl::cli {

namespace {

// Appends at least so many digits.
void append_digits(std::string& out, std::uint64_t value, std::size_t digits) {
  char text[20];
  std::size_t at = sizeof text;
  for (; value != 0 || sizeof text - at < digits; value /= 10) {
    text[--at] = static_cast<char>('0' + value % 10);
  }
  out.append(text + at, sizeof text - at);
}

// Local time is expensive: glibc takes a lock that all threads share, and looks whether TZ changed.
// So each thread keeps the minutes it met last. Since 1972 every place is whole minutes off UTC, so
// all seconds of a minute have the same; but not where leap seconds count ("right/UTC"), nor with
// just any offset in TZ.
struct LocalMinute {
  std::int64_t minute = INT64_MIN;  // since the epoch
  char text[17] = {};               // "2026-11-21 14:00"
  char zone[6] = {};                // "+0000"
};

constexpr std::int64_t kWholeMinutes = 1 << 26;        // February 1972
constexpr std::int64_t kFourDigits = 253'370'764'800;  // year 9999

const LocalMinute* local_minute(std::int64_t seconds) {
  if (seconds < kWholeMinutes || seconds >= kFourDigits) {
    return nullptr;
  }
  thread_local std::array<LocalMinute, 512> lately;
  const std::int64_t minute = seconds / 60;
  LocalMinute& local = lately[static_cast<std::size_t>(minute) % lately.size()];
  if (local.minute != minute) {
    std::string text;
    append_time(text, {minute * 60, 0}, "%Y-%m-%d %H:%M%z%S");
    constexpr std::string_view kWhole = "00";
    if (text.size() != sizeof local.text + sizeof local.zone - 2 + kWhole.size() ||
        !text.ends_with(kWhole)) {
      return nullptr;  // also a zone that is more than 99 hours off
    }
    std::memcpy(local.text, text.data(), sizeof local.text - 1);
    std::memcpy(local.zone, text.data() + sizeof local.text - 1, sizeof local.zone - 1);
    local.minute = minute;
  }
  return &local;
}

bool append_local(std::string& out, const Timestamp& time, const char* format) {
  const std::size_t size = out.size();
  if (append_time(out, time, format)) {
    return true;
  }
  out.resize(size);
  return false;
}

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80; }

// The bytes of the UTF-8 character at `at` that is not ASCII, or 0.
std::size_t utf8_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : std::uint8_t{0};
  };
  const unsigned char first = byte(0);
  const unsigned char second = byte(1);
  if (first >= 0xC2 && first <= 0xDF) {
    return is_continuation(second) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool shortest = first != 0xE0 || second >= 0xA0;
    const bool no_surrogate = first != 0xED || second <= 0x9F;
    return shortest && no_surrogate && is_continuation(second) && is_continuation(byte(2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool in_range = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second <= 0x8F);
    return in_range && is_continuation(second) && is_continuation(byte(2)) &&
                   is_continuation(byte(3))
               ? 4
               : 0;
  }
  return 0;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// False if the text is not UTF-8: then some of it may have been appended.
bool append_json_text(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_plain(text[end])) {
      ++end;
    }
    out.append(text, at, end - at);
    at = end;
    if (at == text.size()) {
      break;
    }
    const char c = text[at];
    if ((c & 0x80) != 0) {
      const std::size_t size = utf8_size(text, at);
      if (size == 0) {
        return false;
      }
      out.append(text, at, size);
      at += size;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
    }
    ++at;
  }
  return true;
}

}  // namespace

void append_permissions(std::string& out, std::uint32_t mode) {
  char text[kPermissionsSize + 1] = "?rwxrwxrwx";
  switch (type_of_mode(mode)) {
    case FileType::regular:
      text[0] = '-';
      break;
    case FileType::directory:
      text[0] = 'd';
      break;
    case FileType::symlink:
      text[0] = 'l';
      break;
    case FileType::block_device:
      text[0] = 'b';
      break;
    case FileType::character_device:
      text[0] = 'c';
      break;
    case FileType::fifo:
      text[0] = 'p';
      break;
    case FileType::socket:
      text[0] = 's';
      break;
    case FileType::unknown:
      break;
  }
  for (unsigned i = 0; i < 9; ++i) {
    if ((mode & (0400U >> i)) == 0) {
      text[1 + i] = '-';
    }
  }
  // Set-user-id, set-group-id and sticky show where the execute bits are.
  constexpr char kSpecial[] = "sst";
  for (unsigned i = 0; i < 3; ++i) {
    if ((mode & (04000U >> i)) != 0) {
      char& execute = text[3 * (i + 1)];
      execute = execute == '-' ? static_cast<char>(kSpecial[i] - 'a' + 'A') : kSpecial[i];
    }
  }
  out.append(text, kPermissionsSize);
}

void append_mode(std::string& out, std::uint32_t mode) {
  for (const unsigned shift : {9U, 6U, 3U, 0U}) {
    out += static_cast<char>('0' + ((mode >> shift) & 7));
  }
}

std::uint64_t device_node(const Metadata& metadata) {
  return makedev(metadata.device_major, metadata.device_minor);
}

void append_utc(std::string& out, const Timestamp& time) {
  constexpr std::int64_t kDay = 86400;
  const std::int64_t remainder = time.seconds % kDay;
  const std::int64_t second = remainder < 0 ? remainder + kDay : remainder;
  const std::int64_t day = time.seconds / kDay - (remainder < 0 ? 1 : 0);  // since 1970-01-01
  // Years begin in March here, so that a leap day is a year's last.
  const std::int64_t from_0000_03_01 = day + 719'468;
  constexpr std::int64_t kEraDays = 146'097;  // of 400 years
  const std::int64_t era =
      (from_0000_03_01 >= 0 ? from_0000_03_01 : from_0000_03_01 - (kEraDays - 1)) / kEraDays;
  const std::int64_t day_of_era = from_0000_03_01 - era * kEraDays;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  const std::int64_t day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const auto digits = [&out](std::int64_t value, std::size_t count, char end) {
    append_digits(out, static_cast<std::uint64_t>(value), count);
    out += end;
  };
  if (year < 0) {
    out += '-';
  } else if (year > 9999) {
    out += '+';
  }
  digits(year < 0 ? -year : year, 4, '-');
  digits(month, 2, '-');
  digits(day_of_month, 2, 'T');
  digits(second / 3600, 2, ':');
  digits(second / 60 % 60, 2, ':');
  digits(second % 60, 2, '.');
  digits(time.nanoseconds, 9, 'Z');
}

bool append_local_minutes(std::string& out, const Timestamp& time) {
  if (const LocalMinute* local = local_minute(time.seconds)) {
    out.append(local->text, sizeof local->text - 1);
    return true;
  }
  return append_local(out, time, "%Y-%m-%d %H:%M");
}

bool append_local_nanoseconds(std::string& out, const Timestamp& time) {
  if (const LocalMinute* local = local_minute(time.seconds)) {
    out.append(local->text, sizeof local->text - 1);
    out += ':';
    append_digits(out, static_cast<std::uint64_t>(time.seconds % 60), 2);
    out += '.';
    append_digits(out, time.nanoseconds, 9);
    out += ' ';
    out.append(local->zone, sizeof local->zone - 1);
    return true;
  }
  return append_local(out, time, "%Y-%m-%d %H:%M:%S.%N %z");
}

std::string_view directory_of(std::string_view path) {
  std::size_t end = path.find_last_not_of('/');
  if (end == std::string_view::npos) {
    return path.empty() ? "." : path.substr(0, 1);
  }
  end = path.rfind('/', end);
  if (end == std::string_view::npos) {
    return ".";
  }
  end = path.find_last_not_of('/', end);
  return end == std::string_view::npos ? path.substr(0, 1) : path.substr(0, end + 1);
}

std::string_view name_of(std::string_view path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string_view::npos) {
    return path.substr(0, 1);
  }
  path = path.substr(0, last + 1);
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

void append_json_member(std::string& out, std::string_view key, std::string_view bytes) {
  const std::size_t size = out.size();
  out += '"';
  out += key;
  out += "\":\"";
  if (append_json_text(out, bytes)) {
    out += '"';
    return;
  }
  out.resize(size);
  Json object;
  add_name(object, std::string(key).c_str(), bytes);
  const std::string text = object.dump();
  out.append(text, 1, text.size() - 2);
}

}  // namespace trawl::cli
