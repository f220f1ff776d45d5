// SPDX-License-Identifier: Apache-2.0
//
// Formats of times as GNU's date has them: strftime's conversions and some more, each with flags
// (_ - + 0 pad, ^ # change case), a width, and E or O before the letter. What names the locale has is
// strftime's to say; numbers, padding and composed formats are done here, because strftime pads in its
// own way. What is no conversion is printed as it stands.
#include "cli/time_format.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace trawl::cli {

namespace {

constexpr int kMaxWidth = 1 << 20;  // wider is a slip, and would only fill the memory

// One conversion: %[flags][width][modifier]letter.
struct Conversion {
  std::size_t begin = 0;  // of the '%'
  std::size_t end = 0;    // behind the letter
  char pad = 0;           // '_', '-', '+', '0', or 0: the letter's own way
  bool upper = false;
  bool change_case = false;  // '#': to whatever is unusual for the letter
  int width = -1;
  char modifier = 0;
  std::size_t colons = 0;
  char letter = 0;  // 0: the format ends in the middle
};

Conversion parse_conversion(std::string_view format, std::size_t at) {
  const auto next = [&format, &at] { return at < format.size() ? format[at] : '\0'; };
  Conversion out{.begin = at++};
  for (;; ++at) {
    const char c = next();
    if (c == '_' || c == '-' || c == '+' || c == '0') {
      out.pad = c;
    } else if (c == '^') {
      out.upper = true;
    } else if (c == '#') {
      out.change_case = true;
    } else {
      break;
    }
  }
  for (; next() >= '0' && next() <= '9'; ++at) {
    out.width = std::min(10 * std::max(out.width, 0) + (next() - '0'), kMaxWidth);
  }
  if (next() == 'E' || next() == 'O') {
    out.modifier = format[at++];
  }
  std::size_t colons = 0;
  while (at + colons < format.size() && format[at + colons] == ':') {
    ++colons;
  }
  if (colons > 0 && at + colons < format.size() && format[at + colons] == 'z') {
    out.colons = colons;
    at += colons;
  }
  out.letter = next();
  out.end = std::min(at + 1, format.size());
  return out;
}

class Writer {
 public:
  Writer(std::string& out, const Timestamp& time, const std::tm& tm)
      : out_(out), time_(time), tm_(tm) {}

  // `upper` and `year_pad` come from a conversion that stands for a whole format; `width` is that of
  // the first conversion in it.
  void write(std::string_view format, bool upper = false, char year_pad = 0, int width = -1);

 private:
  struct Number {
    std::uint64_t value;
    int digits;  // at least, unless a width is given
    bool negative = false;
    bool always_sign = false;
    bool year = false;
    unsigned colons = 0;  // bit i: one stands before the i-th digit from the right
  };

  bool write_conversion(Conversion c, char year_pad);
  void put(const Conversion& c, std::string_view text);
  void put_cased(Conversion c, std::string text);
  void put_number(Conversion c, Number number, char year_pad);
  void put_composed(const Conversion& c, std::string_view format, int width = -1);
  void put_nanoseconds(Conversion c);
  bool put_zone_offset(const Conversion& c, char year_pad);
  std::string of_locale(char modifier, char letter) const;

  std::string& out_;
  const Timestamp& time_;
  const std::tm& tm_;
};

void Writer::write(std::string_view format, bool upper, char year_pad, int width) {
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out_ += format[at++];
      continue;
    }
    Conversion c = parse_conversion(format, at);
    c.upper |= upper;
    if (at == 0 && width >= 0) {
      c.width = width;
    }
    if (c.letter == '%' && c.end - c.begin > 2) {
      --c.end;  // a conversion is broken off by the next
      put_cased(c, std::string(format.substr(at, c.end - at)));
    } else if (c.letter == ':') {
      put_cased(c, std::string(format.substr(at, c.end - at)));  // colons that lead to no %z
    } else if (!write_conversion(c, year_pad)) {
      put_cased(c, std::string(format.substr(at, c.end - at)));
    }
    at = c.end;
  }
}

// Pads to the conversion's width.
void Writer::put(const Conversion& c, std::string_view text) {
  const std::size_t width = c.pad == '-' || c.width < 0 ? 0 : static_cast<std::size_t>(c.width);
  if (text.size() < width) {
    out_.append(width - text.size(), c.pad == '0' || c.pad == '+' ? '0' : ' ');
  }
  out_ += text;
}

void Writer::put_cased(Conversion c, std::string text) {
  if (c.upper) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char byte) {
      return static_cast<char>(std::toupper(byte));
    });
  }
  put(c, text);
}

void Writer::put_number(Conversion c, Number number, char year_pad) {
  if (number.year) {
    c.pad = c.pad == 0 ? year_pad : c.pad;
    const std::uint64_t usual = number.digits == 2 ? 99 : 9999;
    number.always_sign = c.pad == '+' && (number.value > usual || c.width > number.digits);
  }
  if (c.modifier == 'O' && !number.negative) {
    put_cased(c, of_locale('O', c.letter));
    return;
  }
  std::string digits;
  unsigned colons = number.colons;
  for (std::uint64_t value = number.value; digits.empty() || value != 0 || colons != 0; value /= 10) {
    if ((colons & 1) != 0) {
      digits += ':';
    }
    colons >>= 1;
    digits += static_cast<char>('0' + value % 10);
  }
  std::reverse(digits.begin(), digits.end());
  c.pad = c.pad == 0 ? '0' : c.pad;
  c.width = c.width < 0 ? number.digits : c.width;
  if (number.negative || number.always_sign) {
    const int padding = c.width - 1 - static_cast<int>(digits.size());
    if (c.pad == '_' && padding > 0) {
      out_.append(static_cast<std::size_t>(padding), ' ');
      c.width -= padding;
    }
    out_ += number.negative ? '-' : '+';
    c.width = std::max(c.width - 1, 0);
  }
  put(c, digits);
}

void Writer::put_composed(const Conversion& c, std::string_view format, int width) {
  std::string text;
  Writer(text, time_, tm_).write(format, c.upper, c.pad, width);
  put(c, text);
}

// Nine digits, or the first `width` of them; zeros at the end are padding.
void Writer::put_nanoseconds(Conversion c) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%09u", time_.nanoseconds);
  c.width = c.width <= 0 ? 9 : c.width;
  std::string text(digits, static_cast<std::size_t>(std::min(c.width, 9)));
  while (text.size() > 1 && text.back() == '0') {
    text.pop_back();
  }
  out_ += text;
  if (c.pad != '-') {
    out_.append(static_cast<std::size_t>(c.width) - text.size(), c.pad == '_' ? ' ' : '0');
  }
}

bool Writer::put_zone_offset(const Conversion& c, char year_pad) {
  const long offset = tm_.tm_gmtoff;
  const auto seconds = static_cast<std::uint64_t>(std::labs(offset));
  const std::uint64_t h = seconds / 3600;
  const std::uint64_t m = seconds / 60 % 60;
  const std::uint64_t s = seconds % 60;
  Number number{.value = h * 100 + m, .digits = 5, .always_sign = true};
  number.negative = offset < 0 || (offset == 0 && tm_.tm_zone != nullptr && *tm_.tm_zone == '-');
  if (c.colons == 2 || (c.colons == 3 && s != 0)) {
    number.value = h * 10'000 + m * 100 + s;
    number.digits = 9;
    number.colons = 0b10100;
  } else if (c.colons == 1 || (c.colons == 3 && m != 0)) {
    number.digits = 6;
    number.colons = 0b100;
  } else if (c.colons == 3) {
    number.value = h;
    number.digits = 3;
  }
  if (c.colons > 3) {
    return false;
  }
  put_number(c, number, year_pad);
  return true;
}

std::string Writer::of_locale(char modifier, char letter) const {
  std::string format = "%";
  if (modifier != 0) {
    format += modifier;
  }
  format += letter;
  format += '.';  // else nothing and too much would look alike
  char text[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const std::size_t size = std::strftime(text, sizeof text, format.c_str(), &tm_);
#pragma GCC diagnostic pop
  return {text, size == 0 ? 0 : size - 1};
}

// False if there is no such conversion.
bool Writer::write_conversion(Conversion c, char year_pad) {
  constexpr int kYearBase = 1900;
  const auto number = [&](int digits, int value) {
    put_number(c, {.value = static_cast<std::uint64_t>(value), .digits = digits}, year_pad);
    return true;
  };
  const auto spaced = [&](int value) {
    c.pad = c.pad == 0 ? '_' : c.pad;
    return number(2, value);
  };
  const auto year = [&](int digits, std::int64_t value, bool negative) {
    put_number(c,
               {.value = static_cast<std::uint64_t>(std::abs(value)),
                .digits = digits,
                .negative = negative,
                .year = true},
               year_pad);
    return true;
  };
  const auto named = [&] {
    put_cased(c, of_locale(c.modifier, c.letter));
    return true;
  };
  const auto composed = [&](std::string_view format) {
    put_composed(c, format);
    return true;
  };
  // Which of E and O a letter does not take.
  const std::string_view refuses_both = "aADF";
  const std::string_view refuses_e = "bhBdeHIklmMjNSUVgGWw";
  const std::string_view refuses_o = "cxXY";
  const auto is_in = [&c](std::string_view letters) {
    return letters.find(c.letter) != std::string_view::npos;
  };
  if ((c.modifier != 0 && is_in(refuses_both)) || (c.modifier == 'E' && is_in(refuses_e)) ||
      (c.modifier == 'O' && is_in(refuses_o))) {
    return false;
  }
  const std::int64_t full_year = std::int64_t{tm_.tm_year} + kYearBase;
  const int hour12 = tm_.tm_hour % 12 == 0 ? 12 : tm_.tm_hour % 12;
  switch (c.letter) {
    case '%': out_ += '%'; return true;
    case 'n': put(c, "\n"); return true;
    case 't': put(c, "\t"); return true;
    case 'a': case 'A': case 'b': case 'h': case 'B':
      c.upper |= c.change_case;
      return named();
    case 'c': case 'x': case 'X': case 'r':
      return named();
    case 'p': case 'P': {
      std::string text = of_locale(c.modifier, 'p');
      if (c.letter == 'P' || c.change_case) {
        std::transform(text.begin(), text.end(), text.begin(), [](unsigned char byte) {
          return static_cast<char>(std::tolower(byte));
        });
        c.upper = false;
      }
      put_cased(c, text);
      return true;
    }
    case 'Z': {
      std::string text = tm_.tm_zone != nullptr ? tm_.tm_zone : "";
      if (c.change_case) {
        std::transform(text.begin(), text.end(), text.begin(), [](unsigned char byte) {
          return static_cast<char>(std::tolower(byte));
        });
        c.upper = false;
      }
      put_cased(c, text);
      return true;
    }
    case 'D': return composed("%m/%d/%y");
    case 'R': return composed("%H:%M");
    case 'T': return composed("%H:%M:%S");
    case 'F': {
      int width = 4;
      if (c.pad == 0 && c.width < 0) {
        c.pad = '+';
      } else {
        width = std::max(c.width - 6, 0);
      }
      put_composed(c, "%Y-%m-%d", width);
      return true;
    }
    case 'C':
      if (c.modifier == 'E') {
        return named();
      }
      return year(2, full_year / 100, full_year < 0);
    case 'Y':
      return c.modifier == 'E' ? named() : year(4, full_year, full_year < 0);
    case 'y':
      if (c.modifier == 'E') {
        return named();
      }
      return year(2, full_year < 0 ? -(full_year % 100) : full_year % 100, false);
    case 'G': case 'g': case 'V': {
      // strftime knows the week's year; its sign and padding are ours.
      const std::int64_t week_year = std::strtoll(of_locale(0, 'G').c_str(), nullptr, 10);
      if (c.letter == 'V') {
        return number(2, std::atoi(of_locale(0, 'V').c_str()));
      }
      return c.letter == 'G' ? year(4, week_year, week_year < 0)
                             : year(2, std::abs(week_year % 100), false);
    }
    case 'd': return number(2, tm_.tm_mday);
    case 'e': return spaced(tm_.tm_mday);
    case 'H': return number(2, tm_.tm_hour);
    case 'k': return spaced(tm_.tm_hour);
    case 'I': return number(2, hour12);
    case 'l': return spaced(hour12);
    case 'j': return number(3, tm_.tm_yday + 1);
    case 'M': return number(2, tm_.tm_min);
    case 'm': return number(2, tm_.tm_mon + 1);
    case 'q': return number(1, tm_.tm_mon / 3 + 1);
    case 'S': return number(2, tm_.tm_sec);
    case 'u': return number(1, (tm_.tm_wday + 6) % 7 + 1);
    case 'w': return number(1, tm_.tm_wday);
    case 'U': return number(2, (tm_.tm_yday - tm_.tm_wday + 7) / 7);
    case 'W': return number(2, (tm_.tm_yday - (tm_.tm_wday + 6) % 7 + 7) / 7);
    case 'N': put_nanoseconds(c); return true;
    case 's': {
      const bool negative = time_.seconds < 0;
      const auto value = static_cast<std::uint64_t>(time_.seconds);
      c.modifier = 0;
      put_number(c, {.value = negative ? 0 - value : value, .digits = 1, .negative = negative}, 0);
      return true;
    }
    case 'z': return put_zone_offset(c, year_pad);
    default: return false;
  }
}

}  // namespace

bool append_time(std::string& out, const Timestamp& time, const std::string& format) {
  const std::time_t seconds = time.seconds;
  std::tm tm{};
  if (::localtime_r(&seconds, &tm) == nullptr) {
    out += std::to_string(time.seconds);
    return false;
  }
  Writer(out, time, tm).write(format);
  return true;
}

}  // namespace trawl::cli
