// SPDX-License-Identifier: Apache-2.0
//
// Letter by letter, but for the two rules of Unicode's SpecialCasing that hold in every language:
// of U+0130, which becomes two characters, and of a sigma at the end of a word.
#include "cli/profile_lower.h"

#include <utf8proc.h>

#include <cstddef>
#include <vector>

namespace trawl::cli {

namespace {

struct Letter {
  utf8proc_int32_t code = -1;  // negative: a byte that is no UTF-8
  char byte = 0;
};

std::vector<Letter> letters_of(std::string_view bytes) {
  std::vector<Letter> letters;
  while (!bytes.empty()) {
    Letter letter{.code = -1, .byte = bytes[0]};
    const utf8proc_ssize_t size =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                         static_cast<utf8proc_ssize_t>(bytes.size()), &letter.code);
    letters.push_back(letter);
    bytes.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 1);
  }
  return letters;
}

bool is_cased(const Letter& letter) {
  if (letter.code < 0) {
    return false;
  }
  switch (utf8proc_category(letter.code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      return false;
  }
}

// What may stand inside of a word without being a letter of it.
bool is_ignored(const Letter& letter) {
  if (letter.code < 0) {
    return false;
  }
  switch (utf8proc_category(letter.code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return letter.code == '\'' || letter.code == '.' || letter.code == ':' ||
             letter.code == 0xb7 || letter.code == 0x2019;
  }
}

bool is_final(const std::vector<Letter>& letters, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_ignored(letters[before - 1])) {
    --before;
  }
  std::size_t after = at + 1;
  while (after < letters.size() && is_ignored(letters[after])) {
    ++after;
  }
  return before > 0 && is_cased(letters[before - 1]) &&
         (after == letters.size() || !is_cased(letters[after]));
}

void append(std::string& out, utf8proc_int32_t code) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t size = utf8proc_encode_char(code, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

}  // namespace

std::string lower_case(std::string_view bytes) {
  constexpr utf8proc_int32_t kSigma = 0x3a3;
  constexpr utf8proc_int32_t kFinalSigma = 0x3c2;
  constexpr utf8proc_int32_t kDottedI = 0x130;
  constexpr utf8proc_int32_t kDotAbove = 0x307;
  const std::vector<Letter> letters = letters_of(bytes);
  std::string out;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const utf8proc_int32_t code = letters[i].code;
    if (code < 0) {
      out += letters[i].byte;
    } else if (code == kDottedI) {
      out += 'i';
      append(out, kDotAbove);
    } else if (code == kSigma && is_final(letters, i)) {
      append(out, kFinalSigma);
    } else {
      append(out, utf8proc_tolower(code));
    }
  }
  return out;
}

}  // namespace trawl::cli
