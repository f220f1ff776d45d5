// SPDX-License-Identifier: Apache-2.0
//
// A glob, NUL, texts separated by NUL; before them a byte whose lowest bit says whether case
// counts. All forms of the glob must give its automaton's answer, and errors be inside the pattern.
#include <trawl/pattern.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "match/glob_parse.h"
#include "match/pattern_nfa.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) {
    return 0;
  }
  const bool ignore_case = (data[0] & 1) != 0;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string_view glob = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(glob.size());
  try {
    const auto mode = ignore_case ? trawl::Case::ignored : trawl::Case::sensitive;
    const trawl::Pattern pattern = trawl::Pattern::glob(glob, mode);
    (void)trawl::Pattern::glob(glob, trawl::Case::smart);
    const auto automaton =
        trawl::match::Nfa::compile(trawl::match::parse_glob(glob, ignore_case), false,
                                   std::numeric_limits<std::size_t>::max());
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view text = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(text.size());
      if (pattern.matches(text) != automaton->search(text)) {
        std::abort();
      }
    }
  } catch (const trawl::PatternError& error) {
    if (error.position() > glob.size() || error.what() == std::string_view()) {
      std::abort();
    }
  }
  return 0;
}
