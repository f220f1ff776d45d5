// SPDX-License-Identifier: Apache-2.0
//
// The formats of GNU stat's -c and --printf, for files: what coreutils 9.1 prints for a directive,
// with any flags, width and precision. A directive or escape that GNU answers with "?" or a warning
// for each file is refused here, before anything is printed.
//
// A format is taken apart once. Numbers with flags are printf's to write; plain ones, which are
// nearly all, are written directly.
#include <langinfo.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "cli/entry_format.h"
#include "cli/entry_text.h"
#include "cli/mount_point.h"
#include "cli/number.h"
#include "cli/owner_names.h"
#include "cli/quote.h"
#include "cli/quoting_style.h"

namespace trawl::cli {

namespace {

constexpr std::string_view kFlags = "'-+ #0I";
constexpr int kMaxWidth = 1 << 16;

// How a directive's value is written, and which flags count for it.
enum class Kind : std::uint8_t { literal, text, signed_number, number, octal, hex, seconds };

constexpr std::string_view flags_of(Kind kind) {
  switch (kind) {
    case Kind::literal:
      return "";
    case Kind::text:
      return "-";
    case Kind::signed_number:
    case Kind::seconds:
      return "'-+ 0";
    case Kind::number:
      return "'-0";
    case Kind::octal:
    case Kind::hex:
      return "-#0";
  }
  return "";
}

struct Directive {
  char letter;
  Kind kind;
  Fields needs;
};

constexpr std::array kDirectives = {
    Directive{'a', Kind::octal, Fields::mode},
    Directive{'A', Kind::text, Fields::type | Fields::mode},
    Directive{'b', Kind::number, Fields::blocks},
    Directive{'B', Kind::number, Fields::type},
    Directive{'C', Kind::text, Fields::type},
    Directive{'d', Kind::number, Fields::type},
    Directive{'D', Kind::hex, Fields::type},
    Directive{'f', Kind::hex, Fields::type | Fields::mode},
    Directive{'F', Kind::text, Fields::type | Fields::size},
    Directive{'g', Kind::number, Fields::owner},
    Directive{'G', Kind::text, Fields::owner},
    Directive{'h', Kind::number, Fields::links},
    Directive{'i', Kind::number, Fields::identity},
    Directive{'m', Kind::text, Fields::type},
    Directive{'n', Kind::text, Fields::type},
    Directive{'N', Kind::text, Fields::type},
    Directive{'o', Kind::number, Fields::type},
    Directive{'r', Kind::number, Fields::type},
    Directive{'R', Kind::hex, Fields::type},
    Directive{'s', Kind::signed_number, Fields::size},
    Directive{'t', Kind::hex, Fields::type},
    Directive{'T', Kind::hex, Fields::type},
    Directive{'u', Kind::number, Fields::owner},
    Directive{'U', Kind::text, Fields::owner},
    Directive{'w', Kind::text, Fields::btime},
    Directive{'W', Kind::seconds, Fields::btime},
    Directive{'x', Kind::text, Fields::atime},
    Directive{'X', Kind::seconds, Fields::atime},
    Directive{'y', Kind::text, Fields::mtime},
    Directive{'Y', Kind::seconds, Fields::mtime},
    Directive{'z', Kind::text, Fields::ctime},
    Directive{'Z', Kind::seconds, Fields::ctime},
};

[[noreturn]] void refuse(const std::string& what) {
  std::string message = what + "; directives are";
  for (const Directive& directive : kDirectives) {
    message += " %";
    message += directive.letter;
  }
  throw UnknownWord{message + " %Hd %Ld %Hr %Lr %%"};
}

struct Piece {
  Kind kind = Kind::literal;
  char letter = 0;
  char part = 0;  // 'H' or 'L': of a device number
  std::string flags;
  int width = -1;      // -1: none
  int precision = -1;  // -1: none
  bool dot = false;    // a precision was given, perhaps without its digits
  std::string text;    // of a literal; else what printf wants for the number

  bool plain() const { return flags.empty() && width < 0 && !dot; }
  bool has_flag(char flag) const { return flags.find(flag) != std::string::npos; }
};

std::string printf_format(const Piece& piece, int width, int precision, const char* conversion) {
  std::string out = "%" + piece.flags;
  if (width >= 0) {
    out += std::to_string(width);
  }
  if (precision >= 0) {
    out += '.' + std::to_string(precision);
  }
  return out + conversion;
}

template <class T>
void append_printf(std::string& out, const std::string& format, T value) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  char text[256];
  const int size = std::snprintf(text, sizeof text, format.c_str(), value);
  if (size < 0) {
    return;
  }
  const auto length = static_cast<std::size_t>(size);
  if (length < sizeof text) {
    out.append(text, length);
    return;
  }
  const std::size_t begin = out.size();
  out.resize(begin + length + 1);
  std::snprintf(out.data() + begin, length + 1, format.c_str(), value);
  out.resize(begin + length);
#pragma GCC diagnostic pop
}

// Seconds with a fraction of `precision` digits, as GNU has them: cut off towards zero, but seconds
// before the epoch are rounded down if no digit of the fraction is left. The width is that of the
// whole, but spaces on the right that go by the digits of the integer part can be too many.
class Seconds {
 public:
  explicit Seconds(const Piece& piece) {
    Piece integer = piece;
    int width = piece.width;
    if (piece.dot) {
      precision_ = piece.precision < 0 ? 9 : piece.precision;
      if (precision_ > 0 && piece.width > 1) {
        whole_width_ = piece.width;
        width = -1;
        const int left = piece.width - 1 - precision_;
        if (left > 1) {
          if (integer.has_flag('-')) {
            std::erase(integer.flags, '-');
          } else {
            width = left;
          }
        }
      }
    }
    integer_ = printf_format(integer, width, -1, PRIdMAX);
    minus_zero_ = printf_format(integer, width, -1, ".0f");
    for (int i = std::min(precision_, 9); i < 9; ++i) {
      divisor_ *= 10;
    }
  }

  void append(std::string& out, const Timestamp& time) const {
    const std::size_t begin = out.size();
    std::int64_t seconds = time.seconds;
    std::uint32_t fraction = time.nanoseconds / divisor_;
    bool minus_zero = false;
    if (seconds < 0 && time.nanoseconds != 0) {
      fraction = 1'000'000'000 / divisor_ - fraction - (time.nanoseconds % divisor_ != 0 ? 1 : 0);
      seconds += fraction != 0 ? 1 : 0;
      minus_zero = seconds == 0;
    }
    if (minus_zero) {
      append_printf(out, minus_zero_, -0.25);
    } else {
      append_printf(out, integer_, std::intmax_t{seconds});
    }
    if (precision_ == 0) {
      return;
    }
    const int size = static_cast<int>(out.size() - begin);
    const int digits = std::min(precision_, 9);
    out += nl_langinfo(RADIXCHAR);
    char text[16];
    std::snprintf(text, sizeof text, "%.*" PRIu32, digits, fraction);
    out += text;
    const int zeros = precision_ - digits;
    out.append(static_cast<std::size_t>(zeros), '0');
    const int room =
        size < whole_width_ && whole_width_ - size > 1 ? whole_width_ - size - 1 - digits : 0;
    const int spaces = std::abs(room) - zeros;
    out.append(static_cast<std::size_t>(std::max(spaces, 0)), ' ');
  }

 private:
  int precision_ = 0;
  int whole_width_ = 0;
  std::uint32_t divisor_ = 1;
  std::string integer_;
  std::string minus_zero_;
};

class Parser {
 public:
  Parser(std::string_view format, bool escapes) : format_(format), escapes_(escapes) {}

  std::vector<Piece> parse() {
    while (at_ < format_.size()) {
      const char c = format_[at_++];
      if (c == '%') {
        directive();
      } else {
        literal(c == '\\' && escapes_ ? escape() : c);
      }
    }
    return std::move(pieces_);
  }

 private:
  char next() const { return at_ < format_.size() ? format_[at_] : '\0'; }

  void literal(char c) {
    if (pieces_.empty() || pieces_.back().kind != Kind::literal) {
      pieces_.emplace_back();
    }
    pieces_.back().text += c;
  }

  // -1 if there are no digits.
  int number() {
    const std::size_t begin = at_;
    while (next() >= '0' && next() <= '9') {
      ++at_;
    }
    if (at_ == begin) {
      return -1;
    }
    const auto value = parse_in_range(format_.substr(begin, at_ - begin), 0, kMaxWidth);
    if (!value) {
      refuse("a width of more than " + std::to_string(kMaxWidth) + " in the format");
    }
    return *value;
  }

  void directive() {
    const std::size_t begin = at_ - 1;
    Piece piece;
    std::string flags;
    while (next() != 0 && kFlags.find(next()) != std::string_view::npos) {
      flags += format_[at_++];
    }
    piece.width = number();
    if (next() == '.') {
      ++at_;
      piece.dot = true;
      piece.precision = number();
    }
    const auto text = [&] { return quote_word(format_.substr(begin, at_ - begin)); };
    if (at_ == format_.size() || next() == '%') {
      const bool bare = at_ - begin == 1;
      at_ = std::min(at_ + 1, format_.size());
      if (!bare) {
        refuse("invalid directive " + text());
      }
      literal('%');
      return;
    }
    piece.letter = format_[at_++];
    if ((piece.letter == 'H' || piece.letter == 'L') && (next() == 'd' || next() == 'r')) {
      piece.part = piece.letter;
      piece.letter = format_[at_++];
    }
    const auto* known =
        std::find_if(kDirectives.begin(), kDirectives.end(),
                     [&](const Directive& each) { return each.letter == piece.letter; });
    if (known == kDirectives.end()) {
      refuse("unknown directive " + text());
    }
    piece.kind = known->kind;
    for (const char flag : flags) {
      if (flags_of(piece.kind).find(flag) != std::string_view::npos && !piece.has_flag(flag)) {
        piece.flags += flag;
      }
    }
    // Of a text a dot without digits leaves nothing, and of numbers the same as 0 does.
    if (piece.kind != Kind::seconds && piece.dot && piece.precision < 0) {
      piece.precision = 0;
    }
    const char* conversion = piece.kind == Kind::signed_number ? PRIdMAX
                             : piece.kind == Kind::octal       ? PRIoMAX
                             : piece.kind == Kind::hex         ? PRIxMAX
                                                               : PRIuMAX;
    piece.text = printf_format(piece, piece.width, piece.precision, conversion);
    pieces_.push_back(std::move(piece));
  }

  static int digit(char c, int base) {
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : base;
    return value < base ? value : -1;
  }

  char digits(int base, int most) {
    int value = 0;
    for (int i = 0; i < most && digit(next(), base) >= 0; ++i) {
      value = value * base + digit(format_[at_++], base);
    }
    return static_cast<char>(value);
  }

  char escape() {
    constexpr std::string_view kLetters = "abefnrtv\"\\";
    constexpr std::string_view kMeanings = "\a\b\x1B\f\n\r\t\v\"\\";
    if (digit(next(), 8) >= 0) {
      return digits(8, 3);
    }
    const std::size_t begin = at_ - 1;
    if (at_ < format_.size()) {
      const char c = format_[at_++];
      if (c == 'x' && digit(next(), 16) >= 0) {
        return digits(16, 2);
      }
      if (const std::size_t letter = kLetters.find(c); letter != std::string_view::npos) {
        return kMeanings[letter];
      }
    }
    refuse("unknown escape " + quote_word(format_.substr(begin, at_ - begin)) + " in the format");
  }

  const std::string_view format_;
  const bool escapes_;
  std::size_t at_ = 0;
  std::vector<Piece> pieces_;
};

const char* type_text(const Metadata& data) {
  switch (data.type()) {
    case FileType::regular:
      return data.size == 0 ? "regular empty file" : "regular file";
    case FileType::directory:
      return "directory";
    case FileType::symlink:
      return "symbolic link";
    case FileType::block_device:
      return "block special file";
    case FileType::character_device:
      return "character special file";
    case FileType::fifo:
      return "fifo";
    case FileType::socket:
      return "socket";
    case FileType::unknown:
      break;
  }
  return "weird file";
}

const Timestamp& time_of(const Metadata& data, char letter) {
  switch (letter) {
    case 'w':
    case 'W':
      return data.btime;
    case 'x':
    case 'X':
      return data.atime;
    case 'y':
    case 'Y':
      return data.mtime;
    default:
      return data.ctime;
  }
}

std::uint64_t number_of(const Metadata& data, const Piece& piece) {
  // As major() and minor() of sys/sysmacros.h.
  const auto major_of = [](std::uint64_t d) {
    return ((d >> 8) & 0xFFFU) | ((d >> 32) & 0xFFFFF000U);
  };
  const auto minor_of = [](std::uint64_t d) { return (d & 0xFFU) | ((d >> 12) & 0xFFFFFF00U); };
  switch (piece.letter) {
    case 'a':
      return data.mode & 07777;
    case 'b':
      return data.blocks;
    case 'B':
      return 512;
    case 'd':
      return piece.part == 'H'   ? major_of(data.device)
             : piece.part == 'L' ? minor_of(data.device)
                                 : data.device;
    case 'D':
      return data.device;
    case 'f':
      return data.mode;
    case 'g':
      return data.gid;
    case 'h':
      return data.links;
    case 'i':
      return data.inode;
    case 'o':
      return data.block_size;
    case 'r':
      return piece.part == 'H'   ? data.device_major
             : piece.part == 'L' ? data.device_minor
                                 : device_node(data);
    case 'R':
      return device_node(data);
    case 's':
      return data.size;
    case 't':
      return data.device_major;
    case 'T':
      return data.device_minor;
    case 'u':
      return data.uid;
    default:
      return 0;
  }
}

// Pads and cuts, by bytes, what was appended from `begin` on.
void fit(std::string& out, std::size_t begin, const Piece& piece) {
  std::size_t size = out.size() - begin;
  if (piece.precision >= 0 && size > static_cast<std::size_t>(piece.precision)) {
    size = static_cast<std::size_t>(piece.precision);
    out.resize(begin + size);
  }
  if (piece.width > 0 && size < static_cast<std::size_t>(piece.width)) {
    const std::size_t padding = static_cast<std::size_t>(piece.width) - size;
    out.insert(piece.has_flag('-') ? out.size() : begin, padding, ' ');
  }
}

class StatFormat final : public EntryFormat {
 public:
  StatFormat(std::string_view format, bool escapes, char end)
      : pieces_(Parser(format, escapes).parse()), ended_(!escapes), end_(end) {
    for (const Piece& piece : pieces_) {
      seconds_.emplace_back(piece);
      for (const Directive& directive : kDirectives) {
        if (directive.letter == piece.letter) {
          fields_ = fields_ | directive.needs;
        }
      }
      needs_target_ |= piece.letter == 'N';
    }
    // GNU's slip: a %N with flags or a width alone does not quote.
    if (format.find("%N") == std::string_view::npos) {
      style_ = QuotingStyle::literal;
    } else if (const char* style = std::getenv("QUOTING_STYLE")) {
      if (const auto parsed = parse_quoting_style(style)) {
        style_ = *parsed;
      } else {
        std::fprintf(
            stderr,
            "trawl stat: ignoring invalid value of environment variable QUOTING_STYLE: %s\n",
            quote_word(style).c_str());
      }
    }
    ::tzset();
  }

  Fields fields() const override { return fields_; }
  bool needs_target() const override { return needs_target_; }

  void append(const EntryLine& entry, std::string& out) const override {
    const Metadata nothing;
    const Metadata& data = entry.metadata != nullptr ? *entry.metadata : nothing;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      const Piece& piece = pieces_[i];
      switch (piece.kind) {
        case Kind::literal:
          out += piece.text;
          break;
        case Kind::text:
          append_text(piece, entry, data, out);
          break;
        case Kind::seconds:
          append_seconds(i, data, out);
          break;
        case Kind::signed_number:
        case Kind::number:
        case Kind::octal:
        case Kind::hex:
          append_integer(piece, number_of(data, piece), out);
          break;
      }
    }
    if (ended_) {
      out += end_;
    }
  }

 private:
  static void append_integer(const Piece& piece, std::uint64_t value, std::string& out) {
    if (!piece.plain()) {
      append_printf(out, piece.text, std::uintmax_t{value});
    } else if (piece.kind == Kind::signed_number) {
      append_number(out, static_cast<std::int64_t>(value));
    } else {
      append_number(out, value, piece.kind == Kind::octal ? 8 : piece.kind == Kind::hex ? 16 : 10);
    }
  }

  void append_seconds(std::size_t index, const Metadata& data, std::string& out) const {
    const Piece& piece = pieces_[index];
    const Timestamp& time = time_of(data, piece.letter);  // 0 for a birth that is not known
    if (piece.plain() && (time.seconds >= 0 || time.nanoseconds == 0)) {
      append_number(out, time.seconds);
    } else {
      seconds_[index].append(out, time);
    }
  }

  void append_text(const Piece& piece, const EntryLine& entry, const Metadata& data,
                   std::string& out) const {
    const std::size_t begin = out.size();
    switch (piece.letter) {
      case 'A':
        append_permissions(out, data.mode);
        break;
      case 'C':
        out += '?';
        break;  // as where there is no SELinux
      case 'F':
        out += type_text(data);
        break;
      case 'G':
        append_owner(group_name(data.gid), out);
        break;
      case 'm':
        out += mount_point_of(entry.path, data);
        break;
      case 'n':
        out += entry.path;
        break;
      case 'N':
        out += quoted(entry.path, style_);
        if (data.is_symlink() && !entry.target.empty()) {
          fit(out, begin, piece);
          out += " -> ";
          const std::size_t target = out.size();
          out += quoted(entry.target, style_);
          fit(out, target, piece);
          return;
        }
        break;
      case 'U':
        append_owner(user_name(data.uid), out);
        break;
      default:
        if (piece.letter == 'w' && !has(data.valid, Fields::btime)) {
          out += '-';
        } else if (const Timestamp& time = time_of(data, piece.letter);
                   !append_local_nanoseconds(out, time)) {
          append_number(out, time.seconds);
          char fraction[16];
          std::snprintf(fraction, sizeof fraction, ".%09" PRIu32, time.nanoseconds);
          out += fraction;
        }
    }
    fit(out, begin, piece);
  }

  static void append_owner(const std::string* name, std::string& out) {
    out += name != nullptr ? *name : "UNKNOWN";
  }

  const std::vector<Piece> pieces_;
  std::vector<Seconds> seconds_;  // one for each piece
  const bool ended_;
  const char end_;
  Fields fields_ = Fields::none;
  bool needs_target_ = false;
  QuotingStyle style_ = QuotingStyle::shell_escape_always;
};

}  // namespace

std::unique_ptr<EntryFormat> make_stat_format(std::string_view format, bool printf_escapes,
                                              char end) {
  return std::make_unique<StatFormat>(format, printf_escapes, end);
}

}  // namespace trawl::cli
