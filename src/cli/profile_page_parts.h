// SPDX-License-Identifier: Apache-2.0
//
// profile_page.html, .css and .js as strings: cmake/TrawlCli.cmake writes their source.
#pragma once

namespace trawl::cli {

extern const char* const kProfilePageHtml;
extern const char* const kProfilePageCss;
extern const char* const kProfilePageJs;

}  // namespace trawl::cli
