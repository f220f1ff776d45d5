// SPDX-License-Identifier: Apache-2.0
//
// What `trawl find` makes of its patterns.
#pragma once

#include <trawl/pattern.h>
#include <trawl/predicate.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trawl::cli {

struct PatternMode {
  bool glob = false, fixed = false, exact = false;  // one of them; none: regular expressions
  bool full_path = false;
  Case letters = Case::smart;  // one pattern with upper case decides for all
  bool is_text() const { return fixed || exact; }
};

// All must match. None: everything matches. Throws PatternError.
std::optional<Predicate> compile(const std::vector<std::string>& patterns, const PatternMode& mode);

// Whether the pattern matches nothing but names that begin with a dot. It may miss some that do.
bool only_finds_hidden(std::string_view pattern, const PatternMode& mode);

// What is wrong with a pattern, and below it the pattern with a caret where it is.
std::string with_caret(const PatternError& error, const PatternMode& mode);

// The argument of --exclude as lines of an ignore file: there # and ! mean something else, and {a,b}
// is no choice. Throws PatternError for a bad glob, and for one that is more than a thousand lines.
std::vector<std::string> exclude_rules(const std::string& glob);

// The user's: fd's, then ours, which wins; those that there are.
std::vector<std::string> global_ignore_files();

}  // namespace trawl::cli
