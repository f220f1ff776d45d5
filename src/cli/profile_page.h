// SPDX-License-Identifier: Apache-2.0
//
// The page of `trawl profile --html`: profile_page.html, with the style, the program and the
// figures in it. It needs nothing else, and its policy forbids it to ask for anything.
#pragma once

#include <string>

#include "cli/json.h"

namespace trawl::cli {

// Folders in the tree of the page unless --tree says otherwise.
inline constexpr std::size_t kPageFolders = 3000;

// `data`: see page_data().
std::string to_page(const Json& data);

}  // namespace trawl::cli
