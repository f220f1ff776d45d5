// SPDX-License-Identifier: Apache-2.0
#include "fold/entry_table_utf8.h"

#include <cstdint>
#include <cstring>

namespace trawl::fold {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

std::uint64_t load(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

struct Sequence {
  std::size_t size;  // at least 1
  bool well_formed;  // else: of the maximal part of an ill-formed one
};

Sequence sequence_at(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    return {1, true};
  }
  const std::size_t size = lead < 0xc2   ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf5 ? 4
                                         : 0;
  if (size == 0) {
    return {1, false};
  }
  // Of the second byte; the others may be any that continue.
  const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < size; ++i) {
    const bool continues =
        i < bytes.size() && byte(i) >= (i == 1 ? low : 0x80) && byte(i) <= (i == 1 ? high : 0xbf);
    if (!continues) {
      return {i, false};
    }
  }
  return {size, true};
}

// How many bytes from the start on are ASCII for sure.
std::size_t skip_ascii(std::string_view bytes) {
  std::size_t i = 0;
  while (i + sizeof(std::uint64_t) <= bytes.size() && (load(bytes.data() + i) & kHighBits) == 0) {
    i += sizeof(std::uint64_t);
  }
  return i;
}

}  // namespace

bool is_ascii(std::string_view bytes) {
  // Four at a time: the compiler makes vectors of them.
  std::uint64_t any[4] = {};
  std::size_t i = 0;
  for (; i + sizeof any <= bytes.size(); i += sizeof any) {
    for (std::size_t k = 0; k < 4; ++k) {
      any[k] |= load(bytes.data() + i + k * sizeof(std::uint64_t));
    }
  }
  unsigned char rest = 0;
  for (; i < bytes.size(); ++i) {
    rest = static_cast<unsigned char>(rest | static_cast<unsigned char>(bytes[i]));
  }
  return ((any[0] | any[1] | any[2] | any[3]) & kHighBits) == 0 && rest < 0x80;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    bytes.remove_prefix(skip_ascii(bytes));
    if (bytes.empty()) {
      break;
    }
    const Sequence sequence = sequence_at(bytes);
    if (!sequence.well_formed) {
      return false;
    }
    bytes.remove_prefix(sequence.size);
  }
  return true;
}

std::size_t write_utf8(std::string_view bytes, char* out) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const char* const begin = out;
  while (!bytes.empty()) {
    const Sequence sequence = sequence_at(bytes);
    const std::string_view written =
        sequence.well_formed ? bytes.substr(0, sequence.size) : kReplacement;
    std::memcpy(out, written.data(), written.size());
    out += written.size();
    bytes.remove_prefix(sequence.size);
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace trawl::fold
