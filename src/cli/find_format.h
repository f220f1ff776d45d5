// SPDX-License-Identifier: Apache-2.0
//
// Templates of `trawl find --format`, -x and -X: text with placeholders for a path and its pieces.
//
//   {}    the path                    a/b.tar.gz
//   {/}   its last name               b.tar.gz
//   {//}  the directory it is in      a        (of a name alone: .)
//   {.}   without its extension       a/b.tar
//   {/.}  last name without extension b.tar
//
// {{ and }} stand for { and }; a brace that is nothing of all this, for itself. One more } behind a
// placeholder makes it text, as with fd: {}} is {}.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trawl::cli {

// The pieces of a path without '/' at its end. They are parts of it, but for the "." of parent().
std::string_view last_component(std::string_view path);
std::string_view parent_path(std::string_view path);
// Up to its last dot, unless its name begins with that.
std::string_view without_extension(std::string_view path);

// Appends the path with `separator` in place of each '/'.
void append_separated(std::string& out, std::string_view path, std::string_view separator);

class Template {
 public:
  explicit Template(std::string_view text);

  bool has_placeholder() const;
  void append(std::string& out, std::string_view path, std::string_view separator) const;
  // The path itself.
  static Template path_itself() { return Template("{}"); }

 private:
  enum class Kind : std::uint8_t { text, path, name, parent, path_stem, name_stem };
  struct Piece {
    Kind kind;
    std::string text;
  };
  static const Piece* placeholder_at(std::string_view text);
  void add_text(std::string_view text);

  std::vector<Piece> pieces_;
};

}  // namespace trawl::cli
