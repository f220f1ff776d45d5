// SPDX-License-Identifier: Apache-2.0
//
// A file that is replaced as a whole: who reads it finds what was there or what is new.
#pragma once

#include <string>

#include "cli/output.h"

namespace trawl::cli {

// Each returns errno's text, or nothing if all is well.
//
// Whether replace_file() would be refused, as far as can be told before.
std::string why_not_replaceable(const std::string& path);
// Writes beside it, then renames. What is there and no regular file (a pipe, /dev/stdout) is
// written to; links are followed; permissions of a file that is there stay.
std::string replace_file(const std::string& path, std::string content, const Deadline& deadline);

}  // namespace trawl::cli
