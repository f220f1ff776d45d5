// SPDX-License-Identifier: Apache-2.0
//
// Names as git writes and reads them: in double quotes, with the escapes of C, where they need it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trawl::cli {

// Quoted if there is a control character, a double quote, a backslash or a byte above 127 in it.
void append_git_quoted(std::string& out, std::string_view name);
// Of a word that begins with a double quote; nothing if it is not quoted well.
std::optional<std::string> git_unquoted(std::string_view word);

}  // namespace trawl::cli
