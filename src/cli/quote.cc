// SPDX-License-Identifier: Apache-2.0
#include "cli/quote.h"

#include <langinfo.h>
#include <wctype.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <cwchar>
#include <utility>

namespace trawl::cli {

namespace {

struct Piece {
  std::size_t size;
  bool printable;
};

// The multibyte character at the front; a byte that begins none is a piece of its own.
Piece next_piece(std::string_view text, std::mbstate_t& state) {
  wchar_t wide;
  const std::size_t size = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (size == static_cast<std::size_t>(-1)) {
    state = {};
    return {1, false};
  }
  if (size == static_cast<std::size_t>(-2)) {
    return {text.size(), false};  // cut off in the middle
  }
  return {size == 0 ? 1 : size, iswprint(static_cast<wint_t>(wide)) != 0};
}

// The letter of a backslash escape, or 0.
char escape_letter(char c) {
  switch (c) {
    case '\a': return 'a';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    default: return 0;
  }
}

void append_octal(std::string& out, char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  out += '\\';
  out += static_cast<char>('0' + (byte >> 6));
  out += static_cast<char>('0' + ((byte >> 3) & 7));
  out += static_cast<char>('0' + (byte & 7));
}

enum class Kind : std::uint8_t {
  harmless,  // in any quotes
  special,   // to a shell, but not within double quotes as this kind of text has them
  shell,     // to a shell, also within double quotes
  escape,    // must be written as an escape
};

Kind kind_of(std::string_view name, std::size_t at, Piece piece) {
  const char c = name[at];
  if (piece.size > 1 || (c & 0x80) != 0) {
    return piece.printable ? Kind::harmless : Kind::escape;
  }
  switch (c) {
    case '{': case '}':
      return name.size() == 1 ? Kind::special : Kind::shell;
    case '#': case '~':
      return at == 0 ? Kind::special : Kind::shell;
    case ' ': case '\'':
      return Kind::special;
    case '!': case '"': case '$': case '&': case '(': case ')': case '*': case ';': case '<':
    case '=': case '>': case '[': case '^': case '`': case '|': case '\\': case '?':
      return Kind::shell;
    default:
      return piece.printable && escape_letter(c) == 0 ? Kind::harmless : Kind::escape;
  }
}

struct Quoted {
  std::string text;
  bool has_quote = false;
  bool double_quotes_do = true;
  bool in_escape = false;  // the text ends within $'…'
};

Quoted quote(std::string_view name, bool in_escape) {
  Quoted out{.text = "'", .in_escape = in_escape};
  std::mbstate_t state{};
  for (std::size_t at = 0; at < name.size();) {
    const Piece piece = next_piece(name.substr(at), state);
    const Kind kind = kind_of(name, at, piece);
    out.double_quotes_do &= kind == Kind::harmless || kind == Kind::special;
    if (kind == Kind::escape) {
      if (!out.in_escape) {
        out.text += "'$'";
        out.in_escape = true;
      }
      for (const char c : name.substr(at, piece.size)) {
        if (const char letter = escape_letter(c)) {
          out.text += '\\';
          out.text += letter;
        } else {
          append_octal(out.text, c);
        }
      }
    } else if (name[at] == '\'') {
      out.has_quote = true;
      out.text += "'\\''";  // the first of them also ends an escape
      out.in_escape = false;
    } else {
      if (out.in_escape) {
        out.text += "''";
        out.in_escape = false;
      }
      out.text += name.substr(at, piece.size);
    }
    at += piece.size;
  }
  out.text += '\'';
  return out;
}

}  // namespace

std::string quote_always(std::string_view name) {
  Quoted quoted = quote(name, false);
  if (!quoted.has_quote) {
    return std::move(quoted.text);
  }
  if (quoted.double_quotes_do) {
    return '"' + std::string(name) + '"';
  }
  // GNU begins such a name in the state in which a first look at it ended: a slip, kept for the sake
  // of equal bytes.
  return quote(name, quoted.in_escape).text;
}

std::string quote_if_needed(std::string_view name) {
  bool needed = name.empty();
  std::mbstate_t state{};
  for (std::size_t at = 0; at < name.size() && !needed;) {
    const Piece piece = next_piece(name.substr(at), state);
    const bool plain_here = (name[at] == '{' || name[at] == '}') ? name.size() > 1
                            : (name[at] == '#' || name[at] == '~') && at > 0;
    needed = name[at] == ':' || (kind_of(name, at, piece) != Kind::harmless && !plain_here);
    at += piece.size;
  }
  return needed ? quote_always(name) : std::string(name);
}

std::string quote_word(std::string_view word) {
  const bool utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  const std::string_view open = utf8 ? "\u2018" : "'";
  const std::string_view close = utf8 ? "\u2019" : "'";
  std::string out(open);
  std::mbstate_t state{};
  for (std::size_t at = 0; at < word.size();) {
    const Piece piece = next_piece(word.substr(at), state);
    const std::string_view text = word.substr(at, piece.size);
    if (const char letter = escape_letter(text[0])) {
      out += '\\';
      out += letter;
    } else if (!piece.printable) {
      for (const char c : text) {
        append_octal(out, c);
      }
    } else {
      if (text == "\\" || text == close) {
        out += '\\';
      }
      out += text;
    }
    at += piece.size;
  }
  out += close;
  return out;
}

}  // namespace trawl::cli
