// SPDX-License-Identifier: Apache-2.0
//
// Colours of names, as LS_COLORS has them (dircolors(1)); without it, dircolors' defaults for
// types.
#pragma once

#include <trawl/types.h>

#include <cstdint>
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
  using Suffix = std::pair<std::string, std::string>;  // and its colour

  std::string_view indicator(const char* key) const;
  std::string_view indicator_or_normal(const char* key) const;
  std::string_view of_directory(std::uint32_t mode) const;
  std::string_view of_file(std::string_view name, std::uint32_t mode) const;

  std::map<std::string, std::string, std::less<>> indicators_;  // by two-letter key
  std::vector<Suffix> suffixes_;  // the last that fits counts; in either case if none fits exactly
};

}  // namespace trawl::cli
