// SPDX-License-Identifier: Apache-2.0
//
// Globs, read into trees. What counts as what is in trawl/pattern.h.
#pragma once

#include <string_view>

#include "match/pattern_syntax.h"

namespace trawl::match {

// Throws PatternError. The tree is for the whole text: from kBegin to kEnd.
Node parse_glob(std::string_view pattern, bool ignore_case);

// Whether a letter that stands for itself, or bounds a range, is upper-case. Of any bytes.
bool glob_has_upper_case(std::string_view pattern);

}  // namespace trawl::match
