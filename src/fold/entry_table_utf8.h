// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as Unicode 15, table 3-7, has it: neither surrogates nor overlong forms.
#pragma once

#include <cstddef>
#include <string_view>

namespace trawl::fold {

bool is_ascii(std::string_view bytes);

bool is_utf8(std::string_view bytes);

// Writes `bytes` with U+FFFD for each maximal part of an ill-formed sequence, as Python's
// errors="replace" does, and returns the size: at most 3 * bytes.size().
std::size_t write_utf8(std::string_view bytes, char* out);

}  // namespace trawl::fold
