// SPDX-License-Identifier: Apache-2.0
#include "cli/find_values.h"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "cli/number.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

std::nullopt_t refuse(std::string& why, std::string_view option, std::string_view argument,
                      std::string_view wanted) {
  why = "invalid ";
  why += option;
  why += " argument " + quote_word(argument) + ": ";
  why += wanted;
  return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

// Takes the digits that `text` begins with; none if there are none or they are too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text[0])) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(at - text.data()));
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

char take_sign(std::string_view& text) {
  if (text.starts_with('+') || text.starts_with('-')) {
    const char sign = text[0];
    text.remove_prefix(1);
    return sign;
  }
  return ' ';
}

}  // namespace

std::optional<Interval> parse_size_range(std::string_view text, std::string& why) {
  std::string_view rest = text;
  const char sign = take_sign(rest);
  const bool has_digits = !rest.empty() && is_digit(rest[0]);
  const std::optional<std::uint64_t> number = take_number(rest);
  const std::string unit = lower(rest);
  constexpr std::string_view kPrefixes = "kmgt";
  std::uint64_t factor = 0;
  if (unit == "b") {
    factor = 1;
  } else if (const std::size_t power =
                 unit.empty() ? std::string_view::npos : kPrefixes.find(unit[0]);
             power != std::string_view::npos) {
    const std::string_view behind = std::string_view(unit).substr(1);
    const bool binary = behind == "i" || behind == "ib";
    if (binary || behind.empty() || behind == "b") {
      factor = 1;
      for (std::size_t i = 0; i <= power; ++i) {
        factor *= binary ? 1024 : 1000;
      }
    }
  }
  if (!has_digits || factor == 0) {
    return refuse(why, "--size", text,
                  "a number and a unit are wanted, such as +10k, -1Mi or 512b");
  }
  std::uint64_t bytes = 0;
  if (!number || __builtin_mul_overflow(*number, factor, &bytes)) {
    return refuse(why, "--size", text, "that is more than 2^64 bytes");
  }
  return sign == '+'   ? Interval{.least = bytes}
         : sign == '-' ? Interval{.most = bytes}
                       : Interval{bytes, bytes};
}

std::optional<Interval> parse_links(std::string_view text, std::string& why) {
  constexpr Interval kNone{1, 0};
  std::string_view rest = text;
  const char sign = take_sign(rest);
  const std::optional<std::uint64_t> count = take_number(rest);
  if (!count || !rest.empty()) {
    return refuse(why, "--links", text, "a number is wanted, perhaps with + or - before it");
  }
  if (sign == '+') {
    return *count == UINT64_MAX ? kNone : Interval{.least = *count + 1};
  }
  if (sign == '-') {
    return *count == 0 ? kNone : Interval{.most = *count - 1};
  }
  return Interval{*count, *count};
}

// --- owners
// ----------------------------------------------------------------------------------------

namespace {

// Calls getpwnam_r or getgrnam_r with as large a buffer as it wants.
template <class Record, class Look>
std::optional<Record> look_up(const Look& look, const std::string& name,
                              std::vector<char>& buffer) {
  constexpr std::size_t kMaxBuffer = 1 << 24;
  for (buffer.resize(4096); buffer.size() <= kMaxBuffer; buffer.resize(buffer.size() * 2)) {
    Record record{};
    Record* found = nullptr;
    const int error = look(name.c_str(), &record, buffer.data(), buffer.size(), &found);
    if (error == 0 && found != nullptr) {
      return record;
    }
    if (error != ERANGE && error != EINTR) {
      break;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> id_of(const std::string& name, bool is_group) {
  if (const auto number = parse_in_range<std::uint32_t>(name, 0, UINT32_MAX)) {
    return number;
  }
  if (name.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  std::vector<char> buffer;
  if (is_group) {
    const auto record = look_up<struct group>(::getgrnam_r, name, buffer);
    return record ? std::optional<std::uint32_t>(record->gr_gid) : std::nullopt;
  }
  const auto record = look_up<struct passwd>(::getpwnam_r, name, buffer);
  return record ? std::optional<std::uint32_t>(record->pw_uid) : std::nullopt;
}

}  // namespace

std::optional<Predicate> parse_owner(std::string_view text, std::string& why) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::array<std::string_view, 2> halves = {text.substr(0, colon),
                                                  text.substr(std::min(colon + 1, text.size()))};
  if (halves[1].find(':') != std::string_view::npos) {
    return refuse(why, "--owner", text, "USER:GROUP is wanted, with one colon");
  }
  Predicate both = Predicate::always();
  for (const bool is_group : {false, true}) {
    std::string_view half = halves[is_group ? 1 : 0];
    if (half.empty()) {
      continue;
    }
    const bool negated = half.starts_with('!');
    half.remove_prefix(negated ? 1 : 0);
    const auto id = id_of(std::string(half), is_group);
    if (!id) {
      return refuse(
          why, "--owner", text,
          std::string("no ") + (is_group ? "group" : "user") + " is called " + quote_word(half));
    }
    const Predicate one = is_group ? Predicate::group(*id) : Predicate::user(*id);
    both = both && (negated ? !one : one);
  }
  return both;
}

// --- types
// -----------------------------------------------------------------------------------------

std::optional<TypeWord> parse_type_word(std::string_view word, std::string& why) {
  struct Word {
    std::array<std::string_view, 3> names;
    TypeWord means;
  };
  static constexpr std::array<Word, 9> kWords = {{
      {{"f", "file"}, {.type = FileType::regular}},
      {{"d", "dir", "directory"}, {.type = FileType::directory}},
      {{"l", "symlink"}, {.type = FileType::symlink}},
      {{"s", "socket"}, {.type = FileType::socket}},
      {{"p", "pipe"}, {.type = FileType::fifo}},
      {{"b", "block-device"}, {.type = FileType::block_device}},
      {{"c", "char-device"}, {.type = FileType::character_device}},
      {{"x", "executable"}, {.executable = true}},
      {{"e", "empty"}, {.empty = true}},
  }};
  std::string names;
  for (const auto& [spelt, means] : kWords) {
    if (!word.empty() && std::find(spelt.begin(), spelt.end(), word) != spelt.end()) {
      return means;
    }
    names += names.empty() ? "" : ", ";
    names += spelt[0];
    names += " (" + std::string(spelt[2].empty() ? spelt[1] : spelt[2]) + ")";
  }
  return refuse(why, "--type", word, "one of these is wanted: " + names);
}

// --- permissions
// -----------------------------------------------------------------------------------

namespace {

// A mode as for chmod(1), of a file that has no permission yet.
class Mode {
 public:
  static std::optional<std::uint32_t> parse(std::string_view text, bool is_directory) {
    if (!text.empty() && is_octal(text[0])) {
      Mode octal(text, is_directory);
      const auto bits = octal.number();
      return octal.rest_.empty() ? bits : std::nullopt;
    }
    Mode mode(text, is_directory);
    do {
      if (!mode.clause()) {
        return std::nullopt;
      }
    } while (mode.take(','));
    return mode.rest_.empty() ? std::optional(mode.bits_) : std::nullopt;
  }

 private:
  static constexpr std::uint32_t kAll = 07777, kSetIds = 06000, kSticky = 01000;

  Mode(std::string_view text, bool is_directory) : rest_(text), is_directory_(is_directory) {}

  static bool is_octal(char c) { return c >= '0' && c <= '7'; }
  bool take(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint32_t> number() {
    std::uint32_t value = 0;
    while (!rest_.empty() && is_octal(rest_[0])) {
      value = value * 8 + static_cast<std::uint32_t>(rest_[0] - '0');
      if (value > kAll) {
        return std::nullopt;
      }
      rest_.remove_prefix(1);
    }
    return value;
  }

  // [ugoa]*([-+=]([rwxXst]*|[ugo]))+ or [-+=]OCTAL
  bool clause() {
    std::uint32_t whose = 0;
    for (;; rest_.remove_prefix(1)) {
      if (rest_.starts_with('u')) {
        whose |= 04700;
      } else if (rest_.starts_with('g')) {
        whose |= 02070;
      } else if (rest_.starts_with('o')) {
        whose |= 01007;
      } else if (rest_.starts_with('a')) {
        whose |= kAll;
      } else {
        break;
      }
    }
    bool any = false;
    while (!rest_.empty() && std::string_view("+-=").find(rest_[0]) != std::string_view::npos) {
      const char how = rest_[0];
      rest_.remove_prefix(1);
      any = true;
      if (whose == 0 && !rest_.empty() && is_octal(rest_[0])) {
        const auto bits = number();
        change(how, bits.value_or(0), kAll, kAll);
        return bits.has_value();
      }
      const std::uint32_t bits = permissions();
      change(how, bits, whose == 0 ? kAll : whose, bits);
    }
    return any;
  }

  // Of everybody.
  std::uint32_t permissions() {
    for (const auto& [letter, shift] : {std::pair('u', 6), {'g', 3}, {'o', 0}}) {
      if (take(letter)) {
        return (bits_ >> shift & 7) * 0111;
      }
    }
    std::uint32_t bits = 0;
    for (; !rest_.empty(); rest_.remove_prefix(1)) {
      switch (rest_[0]) {
        case 'r':
          bits |= 0444;
          break;
        case 'w':
          bits |= 0222;
          break;
        case 'x':
          bits |= 0111;
          break;
        case 'X':
          bits |= is_directory_ || (bits_ & 0111) != 0 ? 0111 : 0;
          break;
        case 's':
          bits |= kSetIds;
          break;
        case 't':
          bits |= kSticky;
          break;
        default:
          return bits;
      }
    }
    return bits;
  }

  void change(char how, std::uint32_t bits, std::uint32_t whose, std::uint32_t mentioned) {
    bits &= whose;
    if (how == '+') {
      bits_ |= bits;
    } else if (how == '-') {
      bits_ &= ~bits;
    } else {
      // A directory keeps those that are not spoken of.
      const std::uint32_t kept = is_directory_ ? kSetIds & ~mentioned : 0;
      bits_ = (bits_ & (~whose | kept)) | bits;
    }
  }

  std::string_view rest_;
  std::uint32_t bits_ = 0;
  bool is_directory_;
};

}  // namespace

std::optional<Predicate> parse_permissions(std::string_view text, std::string& why) {
  using Bits = Predicate::Bits;
  const bool all = text.starts_with('-');
  const bool any = text.starts_with('/');
  const std::string_view mode = text.substr(all || any ? 1 : 0);
  const Bits how = all ? Bits::all : any ? Bits::any : Bits::exactly;
  const auto of_files = Mode::parse(mode, false);
  const auto of_directories = Mode::parse(mode, true);
  // What /MODE was once written as is refused, not taken for another.
  const bool outdated = text.size() > 1 && text[0] == '+' && is_digit(text[1]);
  if (outdated || !of_files || !of_directories) {
    return refuse(why, "--perm", text,
                  "a mode is wanted, octal or such as u=rw,go+r; with - before it for all of it, "
                  "with / for any");
  }
  if (*of_files == *of_directories) {
    return Predicate::permissions(how, *of_files);
  }
  const Predicate directory = Predicate::type({FileType::directory});
  return (directory && Predicate::permissions(how, *of_directories)) ||
         (!directory && Predicate::permissions(how, *of_files));
}

}  // namespace trawl::cli
