// SPDX-License-Identifier: Apache-2.0
//
// Names on their way to a terminal, a message, a document.
#include "cli/json.h"
#include "cli/quote.h"
#include "cli/terminal.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  (void)trawl::cli::quote_always(name);
  (void)trawl::cli::quote_if_needed(name);
  (void)trawl::cli::quote_word(name);
  trawl::cli::Json object;
  trawl::cli::add_name(object, "name", name);
  if (object.dump().empty()) {
    std::abort();
  }
  for (const bool utf8 : {false, true}) {
    const std::string shown = trawl::cli::printable(name, utf8);
    for (const char c : shown) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        std::abort();
      }
    }
    for (const std::size_t columns : {0U, 1U, 2U, 7U, 40U}) {
      if (trawl::cli::width_of(trawl::cli::fitted(shown, columns, utf8), utf8) > columns) {
        std::abort();
      }
    }
  }
  return 0;
}
