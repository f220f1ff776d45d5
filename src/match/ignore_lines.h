// SPDX-License-Identifier: Apache-2.0
//
// The lines of an ignore file that are patterns, cut as git cuts them: a byte order mark at the
// beginning is left out, and of each line what is behind a NUL, one carriage return at the end, and
// then spaces at the end, but not a space that follows a '\'. Tabs stay. Lines are counted by '\n'.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "match/ignore_rules.h"

namespace trawl::match {

struct IgnoreLine {
  IgnoreRule rule;
  std::string_view body;  // the pattern without '!' and the '/' at its end
  bool directory_only = false;
  bool has_slash = false;  // in the body
};

// `text` is what the views point into.
std::vector<IgnoreLine> read_ignore_lines(std::string_view text);

}  // namespace trawl::match
