// SPDX-License-Identifier: Apache-2.0
#include "cli/exclude.h"

#include "cli/read_file.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace trawl::cli {

namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

}  // namespace

void Excludes::add(std::string_view pattern) {
  // A name without wildcards is compared as it is, less the backslashes that escape.
  std::string plain;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (std::strchr("?*[", pattern[i]) != nullptr) {
      patterns_.emplace_back(pattern);
      return;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
    }
    plain += pattern[i];
  }
  plain_.insert(std::move(plain));
}

int Excludes::add_file(const char* name) {
  std::string text;
  if (const int error = read_file(name, text)) {
    return error;
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!line.empty() && is_space(line.back())) {
      line.remove_suffix(1);
    }
    line = line.substr(0, line.find('\0'));
    if (!line.empty()) {
      add(line);
    }
  }
  return 0;
}

bool Excludes::matches(const char* path) const {
  if (!plain_.empty()) {
    for (const char* part = path;; ++part) {
      if (plain_.contains(std::string_view(part))) {
        return true;
      }
      part = std::strchr(part, '/');
      if (part == nullptr) {
        break;
      }
    }
  }
  return std::any_of(patterns_.begin(), patterns_.end(), [path](const std::string& pattern) {
    if (::fnmatch(pattern.c_str(), path, 0) == 0) {
      return true;
    }
    for (const char* at = path; *at != '\0'; ++at) {
      if (*at == '/' && at[1] != '/' && ::fnmatch(pattern.c_str(), at + 1, 0) == 0) {
        return true;
      }
    }
    return false;
  });
}

}  // namespace trawl::cli
