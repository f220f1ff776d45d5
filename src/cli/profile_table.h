// SPDX-License-Identifier: Apache-2.0
//
// Tables of the report: figures, names and bars, as wide as the terminal has room for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace trawl::cli {

struct TableCell {
  std::string text = {};
  std::string_view color = {};
  double share = 0;  // of a bar: 0 to 1
};

struct TableColumn {
  enum class Kind : std::uint8_t {
    right,
    share,  // as right; left out, from the right, where there is no room for names
    name,   // at most one: gets what room there is, and loses its middle where that is too little
    bar,    // left out, from the right, where there is no room
  };
  Kind kind = Kind::right;
  std::string_view caption = {};
  std::size_t least = 0;  // columns, so that tables below each other look alike
};

// A heading, which shares its line with the captions where it can, and a line for each row.
// `heading` is painted; `heading_width` columns wide.
std::string table_text(const std::string& heading, std::size_t heading_width,
                       const std::vector<TableColumn>& columns,
                       const std::vector<std::vector<TableCell>>& rows, const Terminal& terminal);

struct TablePair {
  std::string label;
  std::string figure;
};

// Labels and figures, as many pairs a line as there is room for.
std::string grid_text(const std::vector<TablePair>& pairs, const Terminal& terminal);

}  // namespace trawl::cli
