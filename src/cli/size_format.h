// SPDX-License-Identifier: Apache-2.0
//
// Sizes as GNU du prints them, and block sizes as it reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trawl::cli {

struct SizeFormat {
  std::uint64_t block = 1024;  // bytes in a unit
  bool autoscale = false;      // choose the unit per figure (-h, --si); block is 1
  bool base_1024 = false;      // of autoscaling and of the suffix
  bool suffix = false;         // print the unit's letter
  bool suffix_b = false;       // and a B behind it ("kB", "KiB")
  bool group = false;          // digits in the locale's groups

  static SizeFormat human() { return {1, true, true, true, false, false}; }
  static SizeFormat si() { return {1, true, false, true, false, false}; }
  static SizeFormat blocks_of(std::uint64_t bytes) {
    return {bytes, false, false, false, false, false};
  }
};

// Appends `bytes` in that format, rounded up.
void append_size(std::string& out, std::uint64_t bytes, const SizeFormat& format);

// How a number with a suffix was refused.
enum class NumberError : std::uint8_t { none, invalid, invalid_suffix, overflow };

// A number with one of the `suffixes` behind it (k, MB, GiB …; "0" among them allows the B and iB
// forms), in C notation: 0x… and 0… count.
NumberError parse_unsigned(const char* text, const char* suffixes, std::uint64_t& out);
NumberError parse_signed(const char* text, const char* suffixes, std::int64_t& out);

// A block size as -B and the environment give it ("human-readable", "si", "K", "'1kB", "1M").
// A block size of zero is invalid. `out` is changed in any case, as GNU's is.
NumberError parse_block_size(const char* spec, SizeFormat& out);

// What the environment asks for: DU_BLOCK_SIZE, BLOCK_SIZE, BLOCKSIZE, POSIXLY_CORRECT.
SizeFormat block_size_from_environment();

}  // namespace trawl::cli
