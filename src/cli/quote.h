// SPDX-License-Identifier: Apache-2.0
//
// Names in messages, quoted as GNU's tools do, so that they can be pasted into a shell. The locale
// decides what is printable.
#pragma once

#include <string>
#include <string_view>

namespace trawl::cli {

// Always in quotes: 'a b', "it's", 'a'$'\n''b'.
std::string quote_always(std::string_view name);
// Only where a shell (or the colon that follows in a message) makes it necessary.
std::string quote_if_needed(std::string_view name);
// For words that are no file names: ‘word’ in a UTF-8 locale, else 'word'.
std::string quote_word(std::string_view word);

}  // namespace trawl::cli
