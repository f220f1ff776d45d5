// SPDX-License-Identifier: Apache-2.0
//
// Colours of names, as LS_COLORS has them (dircolors(1)); without it, dircolors' defaults for types.
#pragma once

#include <trawl/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::cli {

class LsColors {
 public:
  // The value of LS_COLORS. A malformed part ends it, as for ls; what came before counts.
  explicit LsColors(std::string_view definition);
  // The environment's, or the defaults.
  static LsColors from_environment();

  // The parameters of the escape sequence ("01;34"), or nothing.
  std::string_view of(std::string_view name, FileType type, std::uint32_t mode) const;

 private:
  std::string_view indicator(const char* key) const;

  std::map<std::string, std::string, std::less<>> indicators_;  // by two-letter key
  std::vector<std::pair<std::string, std::string>> suffixes_;   // the last that fits counts
};

}  // namespace trawl::cli
