// SPDX-License-Identifier: Apache-2.0
//
// Text with named fields in braces. A field that is not known is empty.
#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "cli/entry_format.h"
#include "cli/entry_text.h"
#include "cli/json.h"
#include "cli/owner_names.h"
#include "cli/quote.h"
#include "cli/time_format.h"

namespace trawl::cli {

namespace {

enum class Field : std::uint8_t {
  literal,
  path,
  name,
  dir,
  depth,
  type,
  target,
  mode,
  perm,
  links,
  uid,
  gid,
  user,
  group,
  device,
  inode,
  rdev,
  size,
  blocks,
  disk_usage,
  block_size,
  atime,
  mtime,
  ctime,
  btime,
};

struct Word {
  std::string_view name;
  Field field;
  Fields needs;
};

constexpr std::array kWords = {
    Word{"path", Field::path, Fields::none},
    Word{"name", Field::name, Fields::none},
    Word{"dir", Field::dir, Fields::none},
    Word{"depth", Field::depth, Fields::none},
    Word{"type", Field::type, Fields::none},
    Word{"target", Field::target, Fields::none},
    Word{"mode", Field::mode, Fields::mode},
    Word{"perm", Field::perm, Fields::type | Fields::mode},
    Word{"links", Field::links, Fields::links},
    Word{"uid", Field::uid, Fields::owner},
    Word{"gid", Field::gid, Fields::owner},
    Word{"user", Field::user, Fields::owner},
    Word{"group", Field::group, Fields::owner},
    Word{"device", Field::device, Fields::type},
    Word{"inode", Field::inode, Fields::identity},
    Word{"rdev", Field::rdev, Fields::type},
    Word{"size", Field::size, Fields::size},
    Word{"blocks", Field::blocks, Fields::blocks},
    Word{"disk_usage", Field::disk_usage, Fields::blocks},
    Word{"block_size", Field::block_size, Fields::type},
    Word{"atime", Field::atime, Fields::atime},
    Word{"mtime", Field::mtime, Fields::mtime},
    Word{"ctime", Field::ctime, Fields::ctime},
    Word{"btime", Field::btime, Fields::btime},
};

bool is_time(Field field) { return field >= Field::atime; }

struct Piece {
  Field field = Field::literal;
  Fields needs = Fields::none;
  std::string text;  // a literal, or the format of a time
};

[[noreturn]] void refuse(const std::string& what) {
  std::string message = what + "; fields are";
  for (const Word& word : kWords) {
    message += " {";
    message += word.name;
    message += '}';
  }
  throw UnknownWord{message +
                    ", times also {mtime:%Y-%m-%d}; \\n, \\t, \\0, \\\\, {{ and }} stand for "
                    "characters"};
}

class Parser {
 public:
  explicit Parser(std::string_view format) : rest_(format) {}

  std::vector<Piece> parse() {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '\\') {
        literal(escape());
      } else if ((c == '{' || c == '}') && !rest_.empty() && rest_[0] == c) {
        literal(take());
      } else if (c == '{') {
        field();
      } else if (c == '}') {
        refuse("a } without its {");
      } else {
        literal(c);
      }
    }
    return std::move(pieces_);
  }

 private:
  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  void literal(char c) {
    if (pieces_.empty() || pieces_.back().field != Field::literal) {
      pieces_.emplace_back();
    }
    pieces_.back().text += c;
  }

  char escape() {
    if (!rest_.empty()) {
      switch (take()) {
        case 'n':
          return '\n';
        case 't':
          return '\t';
        case '0':
          return '\0';
        case '\\':
          return '\\';
        default:
          break;
      }
    }
    refuse("unknown escape in the format");
  }

  void field() {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) {
      refuse("a { without its }");
    }
    const std::string_view inside = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    const std::size_t colon = inside.find(':');
    const auto* word = std::find_if(kWords.begin(), kWords.end(), [&](const Word& each) {
      return each.name == inside.substr(0, colon);
    });
    if (word == kWords.end() || (colon != std::string_view::npos && !is_time(word->field))) {
      refuse("unknown field " + quote_word(inside));
    }
    pieces_.push_back({word->field, word->needs,
                       std::string(colon == std::string_view::npos ? std::string_view()
                                                                   : inside.substr(colon + 1))});
  }

  std::string_view rest_;
  std::vector<Piece> pieces_;
};

const Timestamp& time_of(const Metadata& data, Field field) {
  switch (field) {
    case Field::atime:
      return data.atime;
    case Field::ctime:
      return data.ctime;
    case Field::btime:
      return data.btime;
    default:
      return data.mtime;
  }
}

void append_owner(std::string& out, const std::string* name, std::uint32_t id) {
  if (name != nullptr) {
    out += *name;
  } else {
    append_number(out, id);
  }
}

class FieldFormat final : public EntryFormat {
 public:
  FieldFormat(std::string_view format, char end) : pieces_(Parser(format).parse()), end_(end) {
    for (const Piece& piece : pieces_) {
      fields_ = fields_ | piece.needs;
      needs_target_ |= piece.field == Field::target;
    }
    ::tzset();
  }

  Fields fields() const override { return fields_; }
  bool needs_target() const override { return needs_target_; }

  void append(const EntryLine& entry, std::string& out) const override {
    for (const Piece& piece : pieces_) {
      if (piece.needs == Fields::none) {
        append_known(piece, entry, out);
      } else if (is_valid(entry.metadata, piece.needs)) {
        append_metadata(piece, *entry.metadata, out);
      }
    }
    out += end_;
  }

 private:
  static void append_known(const Piece& piece, const EntryLine& entry, std::string& out) {
    switch (piece.field) {
      case Field::literal:
        out += piece.text;
        break;
      case Field::path:
        out += entry.path;
        break;
      case Field::name:
        out += entry.name;
        break;
      case Field::dir:
        out += directory_of(entry.path);
        break;
      case Field::depth:
        append_number(out, entry.depth);
        break;
      case Field::type:
        out += to_word(entry.type);
        break;
      case Field::target:
        out += entry.target;
        break;
      default:
        break;
    }
  }

  static void append_metadata(const Piece& piece, const Metadata& data, std::string& out) {
    switch (piece.field) {
      case Field::mode:
        append_mode(out, data.mode);
        break;
      case Field::perm:
        append_permissions(out, data.mode);
        break;
      case Field::links:
        append_number(out, data.links);
        break;
      case Field::uid:
        append_number(out, data.uid);
        break;
      case Field::gid:
        append_number(out, data.gid);
        break;
      case Field::user:
        append_owner(out, user_name(data.uid), data.uid);
        break;
      case Field::group:
        append_owner(out, group_name(data.gid), data.gid);
        break;
      case Field::device:
        append_number(out, data.device);
        break;
      case Field::inode:
        append_number(out, data.inode);
        break;
      case Field::rdev:
        append_number(out, device_node(data));
        break;
      case Field::size:
        append_number(out, data.size);
        break;
      case Field::blocks:
        append_number(out, data.blocks);
        break;
      case Field::disk_usage:
        append_number(out, data.disk_usage());
        break;
      case Field::block_size:
        append_number(out, data.block_size);
        break;
      default:
        if (piece.text.empty()) {
          append_utc(out, time_of(data, piece.field));
        } else {
          append_time(out, time_of(data, piece.field), piece.text);
        }
    }
  }

  const std::vector<Piece> pieces_;
  const char end_;
  Fields fields_ = Fields::none;
  bool needs_target_ = false;
};

}  // namespace

std::unique_ptr<EntryFormat> make_field_format(std::string_view format, char end) {
  return std::make_unique<FieldFormat>(format, end);
}

}  // namespace trawl::cli
