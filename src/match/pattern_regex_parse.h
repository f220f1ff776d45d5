// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions of RE2's syntax, read into trees for the forms that are faster than RE2.
// Whether an expression is right is RE2's to say: this reads any bytes, and what it makes of wrong
// ones does not matter.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "match/pattern_syntax.h"

namespace trawl::match {

struct RegexTree {
  // None: RE2 alone knows. For texts of ASCII; what others are matched by it may not hold.
  std::optional<Node> root;
  // Else the tree also matches what the expression does not: a no is right, a yes must be asked
  // for.
  bool exact = true;
  // A letter that stands for itself, or bounds a range, is upper-case.
  bool has_upper_case = false;
};

RegexTree parse_regex(std::string_view pattern, bool ignore_case);

// Where a parenthesis lacks its partner; the size of the pattern if none does.
std::size_t unbalanced_parenthesis(std::string_view pattern);

}  // namespace trawl::match
