// SPDX-License-Identifier: Apache-2.0
//
// What a person's terminal can show: its size, colour, characters and their widths.
#pragma once

#include "cli/when.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace trawl::cli {

struct Terminal {
  std::size_t columns = 80;
  std::size_t rows = 40;
  bool is_terminal = false;
  bool color = false;
  bool utf8 = false;
};

// Of standard output. COLUMNS and LINES decide where there is no terminal to ask. Colour: as `when`
// says. Automatic: no if NO_COLOR is set and not empty; else yes if CLICOLOR_FORCE is set and
// neither empty nor 0; else on a terminal that is not "dumb".
Terminal look_at_terminal(When color);

// The locale's characters.
bool is_utf8_locale();

// Columns of the terminal on this descriptor, asked for anew each time; SIZE_MAX if there is none.
std::size_t columns_now(int descriptor);

// One that knows no escape sequences, by TERM.
bool is_dumb_terminal();

// A name as it can be shown: control characters and what is no character of the locale as \xNN, and
// a backslash, so that no other name looks the same, as two.
std::string printable(std::string_view name, bool utf8);

// Columns that printable text takes.
std::size_t width_of(std::string_view text, bool utf8);

// The text between an escape sequence with these parameters ("01;34") and its end; as it is if
// there are none, or no colours are wanted.
std::string painted(std::string_view text, std::string_view color, const Terminal& terminal);

// The text, with its middle left out if it is wider than `columns`.
std::string fitted(std::string_view text, std::size_t columns, bool utf8);

}  // namespace trawl::cli
