// SPDX-License-Identifier: Apache-2.0
#include "match/ignore_lines.h"

#include <algorithm>
#include <cstdint>

namespace trawl::match {

namespace {

std::string_view without_spaces_at_end(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') continue;
    if (line[i] == '\\') ++i;
    end = i + 1;
  }
  return line.substr(0, std::min(end, line.size()));
}

IgnoreLine read_line(std::string_view line, std::uint64_t number) {
  if (line.back() == '\r') line.remove_suffix(1);
  line = without_spaces_at_end(line.substr(0, line.find('\0')));
  IgnoreLine out;
  out.rule = {.pattern = line, .line = number, .negated = line.starts_with('!')};
  out.body = line.substr(out.rule.negated ? 1 : 0);
  out.directory_only = out.body.ends_with('/');
  if (out.directory_only) out.body.remove_suffix(1);
  out.has_slash = out.body.find('/') != std::string_view::npos;
  return out;
}

}  // namespace

std::vector<IgnoreLine> read_ignore_lines(std::string_view text) {
  std::vector<IgnoreLine> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line[0] != '#') lines.push_back(read_line(line, number));
  }
  return lines;
}

}  // namespace trawl::match
