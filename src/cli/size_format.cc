// SPDX-License-Identifier: Apache-2.0
#include "cli/size_format.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <climits>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace trawl::cli {

namespace {

constexpr char kLetters[] = "\0KMGTPEZY";
constexpr int kMaxExponent = 8;

// Digits in the locale's groups, from the right. Its sizes may differ; the last one repeats.
std::string grouped(const std::string& digits) {
  const lconv* locale = std::localeconv();
  const char* sizes = locale->grouping;
  const std::string_view separator = locale->thousands_sep;
  if (*sizes == '\0' || separator.empty()) {
    return digits;
  }
  std::string out;
  std::size_t rest = digits.size();
  std::size_t size = static_cast<unsigned char>(*sizes);
  while (size != CHAR_MAX && rest > size) {
    out.insert(0, std::string(separator) + digits.substr(rest - size, size));
    rest -= size;
    if (sizes[0] != '\0' && sizes[1] != '\0') {
      size = static_cast<unsigned char>(*++sizes);
    }
  }
  return digits.substr(0, rest) + out;
}

void append_number(std::string& out, std::uint64_t value, bool group) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  if (group) {
    out += grouped(std::string(digits, end));
  } else {
    out.append(digits, end);
  }
}

void append_unit(std::string& out, int exponent, const SizeFormat& format) {
  if (!format.suffix) {
    return;
  }
  if (exponent > 0) {
    out += exponent == 1 && !format.base_1024 ? 'k' : kLetters[exponent];
  }
  if (format.suffix_b) {
    if (format.base_1024 && exponent > 0) {
      out += 'i';
    }
    out += 'B';
  }
}

// Multiplies by base^power; false: it overflows.
template <class T>
bool scale(T& value, T base, int power) {
  for (; power > 0; --power) {
    if (__builtin_mul_overflow(value, base, &value)) {
      return false;
    }
  }
  return true;
}

int power_of_suffix(char letter) {
  switch (letter) {
    case 'k': case 'K': return 1;
    case 'm': case 'M': return 2;
    case 'g': case 'G': return 3;
    case 't': case 'T': return 4;
    case 'P': return 5;
    case 'E': return 6;
    case 'Z': return 7;
    case 'Y': return 8;
    default: return -1;
  }
}

// `end` is behind what was read, also after an error in the suffix.
template <class T, class Parse>
NumberError parse_number(const char* text, const char* suffixes, Parse parse, T limit, T& out,
                         const char*& end) {
  errno = 0;
  char* after = nullptr;
  T value = parse(text, &after);
  end = after;
  bool overflow = false;
  if (end == text) {
    // A suffix alone stands for one of it.
    if (*text == '\0' || std::strchr(suffixes, *text) == nullptr) {
      return NumberError::invalid;
    }
    value = 1;
  } else if (errno == ERANGE) {
    overflow = true;
  } else if (errno != 0) {
    return NumberError::invalid;
  }
  if (*end == '\0') {
    out = value;
    return overflow ? NumberError::overflow : NumberError::none;
  }
  const int power = power_of_suffix(*end);
  out = value;
  if (std::strchr(suffixes, *end) == nullptr || power < 0) {
    return NumberError::invalid_suffix;
  }
  T base = 1024;
  int length = 1;
  if (std::strchr(suffixes, '0') != nullptr) {
    if (end[1] == 'i' && end[2] == 'B') {
      length = 3;
    } else if (end[1] == 'B' || end[1] == 'D') {
      base = 1000;
      length = 2;
    }
  }
  const bool negative = value < 0;
  if (!scale(value, base, power)) {
    overflow = true;
    value = negative ? static_cast<T>(-limit - 1) : limit;
  }
  end += length;
  out = value;
  if (*end != '\0') {
    return NumberError::invalid_suffix;
  }
  return overflow ? NumberError::overflow : NumberError::none;
}

NumberError parse_unsigned_until(const char* text, const char* suffixes, std::uint64_t& out,
                                 const char*& end) {
  const char* first = text;
  while (std::isspace(static_cast<unsigned char>(*first)) != 0) {
    ++first;
  }
  end = text;
  if (*first == '-') {
    return NumberError::invalid;
  }
  return parse_number<std::uint64_t>(
      text, suffixes, [](const char* from, char** to) { return std::strtoull(from, to, 0); },
      UINT64_MAX, out, end);
}

}  // namespace

NumberError parse_unsigned(const char* text, const char* suffixes, std::uint64_t& out) {
  const char* end;
  return parse_unsigned_until(text, suffixes, out, end);
}

NumberError parse_signed(const char* text, const char* suffixes, std::int64_t& out) {
  const char* end;
  return parse_number<std::int64_t>(
      text, suffixes, [](const char* from, char** to) { return std::strtoll(from, to, 0); },
      INT64_MAX, out, end);
}

void append_size(std::string& out, std::uint64_t bytes, const SizeFormat& format) {
  if (!format.autoscale) {
    append_number(out, bytes / format.block + (bytes % format.block != 0 ? 1 : 0), format.group);
    // The unit is the smallest power that is not below the block size.
    const std::uint64_t base = format.base_1024 ? 1024 : 1000;
    int exponent = 0;
    for (std::uint64_t power = 1; power < format.block && exponent < kMaxExponent; ++exponent) {
      if (__builtin_mul_overflow(power, base, &power)) {
        ++exponent;
        break;
      }
    }
    append_unit(out, exponent, format);
    return;
  }
  const std::uint64_t base = format.base_1024 ? 1024 : 1000;
  std::uint64_t unit = 1;
  int exponent = 0;
  while (exponent < kMaxExponent && bytes / unit >= base) {
    unit *= base;
    ++exponent;
  }
  std::uint64_t whole = bytes / unit;
  const std::uint64_t rest = bytes % unit;
  if (exponent > 0 && whole < 10) {
    // Tenths, rounded up; rest is below 2^60, so ten times that fits.
    const std::uint64_t tenths = 10 * whole + (10 * rest) / unit + ((10 * rest) % unit != 0 ? 1 : 0);
    if (tenths < 100) {
      append_number(out, tenths / 10, format.group);
      out += std::localeconv()->decimal_point;
      append_number(out, tenths % 10, false);
      append_unit(out, exponent, format);
      return;
    }
  }
  whole += rest != 0 ? 1 : 0;
  if (whole == base && exponent < kMaxExponent) {
    out += '1';
    out += std::localeconv()->decimal_point;
    out += '0';
    append_unit(out, exponent + 1, format);
    return;
  }
  append_number(out, whole, format.group);
  append_unit(out, exponent, format);
}

NumberError parse_block_size(const char* spec, SizeFormat& out) {
  out = SizeFormat{};
  if (*spec == '\'') {
    out.group = true;
    ++spec;
  }
  // Words may be abbreviated.
  const std::size_t length = std::strlen(spec);
  for (const auto& [word, format] : {std::pair("human-readable", SizeFormat::human()),
                                     std::pair("si", SizeFormat::si())}) {
    if (length > 0 && std::strncmp(spec, word, length) == 0) {
      const bool group = out.group;
      out = format;
      out.group = group;
      return NumberError::none;
    }
  }
  const char* end;
  std::uint64_t block = 0;
  const NumberError error = parse_unsigned_until(spec, "eEgGkKmMpPtTyYzZ0", block, end);
  const std::uint64_t fallback = std::getenv("POSIXLY_CORRECT") != nullptr ? 512 : 1024;
  if (error != NumberError::none) {
    // In the environment an error is overlooked: what could be read counts.
    out.block = block != 0 ? block : fallback;
    return error;
  }
  // A unit without a number is repeated behind each figure.
  if (std::none_of(spec, end, [](char c) { return c >= '0' && c <= '9'; })) {
    out.suffix = true;
    out.suffix_b = end[-1] == 'B';
    out.base_1024 = end[-1] != 'B' || end[-2] == 'i';
  }
  if (block == 0) {
    out.block = fallback;
    return NumberError::invalid;
  }
  out.block = block;
  return NumberError::none;
}

SizeFormat block_size_from_environment() {
  SizeFormat format;
  for (const char* name : {"DU_BLOCK_SIZE", "BLOCK_SIZE", "BLOCKSIZE"}) {
    if (const char* spec = std::getenv(name)) {
      parse_block_size(spec, format);
      return format;
    }
  }
  format.block = std::getenv("POSIXLY_CORRECT") != nullptr ? 512 : 1024;
  return format;
}

}  // namespace trawl::cli
