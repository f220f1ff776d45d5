// SPDX-License-Identifier: Apache-2.0
#include "cli/find_format.h"

#include <algorithm>

namespace trawl::cli {

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  const std::size_t last = path.find_last_not_of('/', slash);
  return path.substr(0, last == std::string_view::npos ? 1 : last + 1);
}

std::string_view without_extension(std::string_view path) {
  const std::string_view name = last_component(path);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name == "..") {
    return path;
  }
  return path.substr(0, path.size() - (name.size() - dot));
}

void append_separated(std::string& out, std::string_view path, std::string_view separator) {
  if (separator == "/") {
    out += path;
    return;
  }
  for (std::size_t at = 0;;) {
    const std::size_t slash = path.find('/', at);
    out += path.substr(at, slash - at);
    if (slash == std::string_view::npos) {
      return;
    }
    out += separator;
    at = slash + 1;
  }
}

const Template::Piece* Template::placeholder_at(std::string_view text) {
  static const Piece kPlaceholders[] = {{Kind::path, "{}"},
                                        {Kind::name, "{/}"},
                                        {Kind::parent, "{//}"},
                                        {Kind::path_stem, "{.}"},
                                        {Kind::name_stem, "{/.}"}};
  const auto* found =
      std::find_if(std::begin(kPlaceholders), std::end(kPlaceholders),
                   [text](const Piece& each) { return text.starts_with(each.text); });
  return found != std::end(kPlaceholders) ? found : nullptr;
}

void Template::add_text(std::string_view text) {
  if (pieces_.empty() || pieces_.back().kind != Kind::text) {
    pieces_.push_back({Kind::text, {}});
  }
  pieces_.back().text += text;
}

Template::Template(std::string_view text) {
  while (!text.empty()) {
    if (text.starts_with("{{") || text.starts_with("}}")) {
      add_text(text.substr(0, 1));
      text.remove_prefix(2);
      continue;
    }
    const Piece* placeholder = placeholder_at(text);
    if (placeholder == nullptr) {
      add_text(text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    const std::size_t size = placeholder->text.size();
    const std::size_t after = std::min(text.find_first_not_of('}', size), text.size());
    if ((after - size) % 2 != 0) {
      add_text(placeholder->text);
      text.remove_prefix(size + 1);
    } else {
      pieces_.push_back({placeholder->kind, {}});
      text.remove_prefix(size);
    }
  }
}

bool Template::has_placeholder() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& each) { return each.kind != Kind::text; });
}

void Template::append(std::string& out, std::string_view path, std::string_view separator) const {
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Kind::text:
        out += piece.text;
        break;
      case Kind::path:
        append_separated(out, path, separator);
        break;
      case Kind::name:
        out += last_component(path);
        break;
      case Kind::parent:
        append_separated(out, parent_path(path), separator);
        break;
      case Kind::path_stem:
        append_separated(out, without_extension(path), separator);
        break;
      case Kind::name_stem:
        out += without_extension(last_component(path));
        break;
    }
  }
}

}  // namespace trawl::cli
