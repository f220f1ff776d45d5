// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_page.h"

#include <stdexcept>
#include <string_view>

#include "cli/profile_page_parts.h"

namespace trawl::cli {

namespace {

// What is JSON and can stand in a script element: ASCII, in which nothing ends the element.
std::string embedded(const Json& data) {
  const std::string text = data.dump(-1, ' ', true);
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Appends `page` up to a mark, then `part`; the rest is left in `page`.
void append_to(std::string& out, std::string_view& page, std::string_view mark,
               std::string_view part) {
  const std::size_t at = page.find(mark);
  if (at == page.npos) {
    throw std::logic_error("profile_page.html lacks a mark");
  }
  out += page.substr(0, at);
  out += part;
  page.remove_prefix(at + mark.size());
}

}  // namespace

std::string to_page(const Json& data) {
  std::string_view page = kProfilePageHtml;
  std::string out;
  append_to(out, page, "/* profile_page.css */", kProfilePageCss);
  append_to(out, page, "{\"figures\": 0}", embedded(data));
  append_to(out, page, "/* profile_page.js */", kProfilePageJs);
  return out += page;
}

}  // namespace trawl::cli
