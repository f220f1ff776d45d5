// SPDX-License-Identifier: Apache-2.0
//
// The moments of find_values.h.
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <limits>
#include <utility>

#include "cli/find_values.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// --- durations
// -------------------------------------------------------------------------------------

// Nanoseconds, in 128 bits: no sum of what fits into 64 overflows.
__extension__ using Wide = __int128;

// A month is 30.44 days and a year 365.25, as for fd.
std::optional<std::int64_t> unit_of(std::string_view word) {
  struct Unit {
    std::array<std::string_view, 6> names;
    std::int64_t nanoseconds;
  };
  static constexpr std::array<Unit, 10> kUnits = {{
      {{"ns", "nsec", "nanos"}, 1},
      {{"us", "usec", "micros"}, 1'000},
      {{"ms", "msec", "millis"}, 1'000'000},
      {{"s", "sec", "secs", "second", "seconds"}, kBillion},
      {{"m", "min", "mins", "minute", "minutes"}, 60 * kBillion},
      {{"h", "hr", "hrs", "hour", "hours"}, 3600 * kBillion},
      {{"d", "day", "days"}, 86'400 * kBillion},
      {{"w", "wk", "wks", "week", "weeks"}, 604'800 * kBillion},
      {{"M", "month", "months"}, 2'630'016 * kBillion},
      {{"y", "yr", "yrs", "year", "years"}, 31'557'600 * kBillion},
  }};
  for (const Unit& unit : kUnits) {
    for (const std::string_view name : unit.names) {
      if (!name.empty() && name == word) {
        return unit.nanoseconds;
      }
    }
  }
  return std::nullopt;
}

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
}

// "1h 30m"; each number has its unit. `too_long` if it is one, but of more than 2^63 seconds.
std::optional<Wide> parse_span(std::string_view text, bool& too_long) {
  constexpr Wide kMost = static_cast<Wide>(INT64_MAX) * kBillion;
  Wide sum = 0;
  bool any = false;
  for (skip_spaces(text); !text.empty(); skip_spaces(text)) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    if (!is_digit(text[0])) {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    skip_spaces(text);
    std::size_t size = 0;
    while (size < text.size() && !is_digit(text[size]) && text[size] != ' ') {
      ++size;
    }
    const auto unit = unit_of(text.substr(0, size));
    if (!unit) {
      return std::nullopt;
    }
    text.remove_prefix(size);
    any = true;
    // 2^64 of the largest unit are 2^120 nanoseconds.
    sum += static_cast<Wide>(number) * *unit;
    too_long |= error != std::errc{} || sum > kMost;
    sum = sum > kMost ? kMost : sum;
  }
  return any ? std::optional(sum) : std::nullopt;
}

std::optional<Timestamp> before(const Timestamp& now, Wide span) {
  const Wide moment = static_cast<Wide>(now.seconds) * kBillion + now.nanoseconds - span;
  Wide seconds = moment / kBillion;
  Wide nanoseconds = moment % kBillion;
  if (nanoseconds < 0) {
    nanoseconds += kBillion;
    --seconds;
  }
  if (seconds < INT64_MIN) {
    return std::nullopt;
  }
  return Timestamp{static_cast<std::int64_t>(seconds), static_cast<std::uint32_t>(nanoseconds)};
}

// --- dates
// -----------------------------------------------------------------------------------------

class Date {
 public:
  // "2018-10-27", "2018-10-27 10:00", "2018-10-27T10:00:00.5+02:00"
  static std::optional<Timestamp> parse(std::string_view text) {
    Date date(text);
    return date.read() ? date.moment() : std::nullopt;
  }

 private:
  explicit Date(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  bool number(int& out, std::size_t digits, int least, int most) {
    if (rest_.size() < digits) {
      return false;
    }
    out = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) {
        return false;
      }
      out = out * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return out >= least && out <= most;
  }

  static int days_of(int year, int month) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
  }

  bool read() {
    if (!number(year_, 4, 0, 9999) || !take('-') || !number(month_, 2, 1, 12) || !take('-') ||
        !number(day_, 2, 1, days_of(year_, month_))) {
      return false;
    }
    if (rest_.empty()) {
      return true;
    }
    if (!take(' ') && !take('T') && !take('t')) {
      return false;
    }
    if (!number(hour_, 2, 0, 23) || !take(':') || !number(minute_, 2, 0, 59)) {
      return false;
    }
    // 60: a leap second.
    if (take(':') && (!number(second_, 2, 0, 60) || !fraction())) {
      return false;
    }
    return zone() && rest_.empty();
  }

  bool fraction() {
    if (!take('.')) {
      return true;
    }
    std::uint32_t unit = kBillion / 10;
    if (rest_.empty() || !is_digit(rest_[0])) {
      return false;
    }
    for (; !rest_.empty() && is_digit(rest_[0]); rest_.remove_prefix(1), unit /= 10) {
      nanoseconds_ += static_cast<std::uint32_t>(rest_[0] - '0') * unit;
    }
    return true;
  }

  bool zone() {
    if (rest_.empty()) {
      return true;
    }
    has_zone_ = true;
    if (take('Z') || take('z')) {
      return true;
    }
    const bool west = rest_.starts_with('-');
    int hours = 0;
    int minutes = 0;
    if ((!take('+') && !take('-')) || !number(hours, 2, 0, 23)) {
      return false;
    }
    take(':');
    if (!number(minutes, 2, 0, 59)) {
      return false;
    }
    offset_ = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
  }

  std::optional<Timestamp> moment() const {
    if (has_zone_) {
      return Timestamp{days() * 86'400 + hour_ * 3600 + minute_ * 60 + second_ - offset_,
                       nanoseconds_};
    }
    std::tm local{};
    local.tm_year = year_ - 1900;
    local.tm_mon = month_ - 1;
    local.tm_mday = day_;
    local.tm_hour = hour_;
    local.tm_min = minute_;
    local.tm_sec = second_;
    local.tm_isdst = -1;
    local.tm_wday = -1;  // stays so if it fails; -1 may be the answer
    const std::time_t seconds = std::mktime(&local);
    if (local.tm_wday < 0) {
      return std::nullopt;
    }
    return Timestamp{seconds, nanoseconds_};
  }

  // Since 1970, in the Gregorian calendar.
  std::int64_t days() const {
    std::int64_t days = day_ - 1;
    for (int month = 1; month < month_; ++month) {
      days += days_of(year_, month);
    }
    const std::int64_t past = year_ - 1;
    constexpr std::int64_t kUntil1970 = 719'162;
    return days + past * 365 + floor_div(past, 4) - floor_div(past, 100) + floor_div(past, 400) -
           kUntil1970;
  }
  static std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
  }

  std::string_view rest_;
  int year_ = 0, month_ = 0, day_ = 0, hour_ = 0, minute_ = 0, second_ = 0, offset_ = 0;
  std::uint32_t nanoseconds_ = 0;
  bool has_zone_ = false;
};

// Behind the '@': seconds, perhaps negative or with a fraction.
std::optional<Timestamp> parse_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  if (at == end) {
    return Timestamp{seconds, 0};
  }
  std::string_view digits = text.substr(static_cast<std::size_t>(at - text.data()));
  if (digits.size() < 2 || digits[0] != '.' ||
      digits.find_first_not_of("0123456789", 1) != std::string_view::npos) {
    return std::nullopt;
  }
  digits = digits.substr(1, 9);
  std::uint32_t nanoseconds = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    nanoseconds =
        nanoseconds * 10 + (i < digits.size() ? static_cast<std::uint32_t>(digits[i] - '0') : 0);
  }
  if (!text.starts_with('-') || nanoseconds == 0) {
    return Timestamp{seconds, nanoseconds};
  }
  if (seconds == INT64_MIN) {
    return std::nullopt;
  }
  return Timestamp{seconds - 1, static_cast<std::uint32_t>(kBillion - nanoseconds)};
}

}  // namespace

std::optional<Timestamp> parse_moment(std::string_view text, const Timestamp& now,
                                      std::string_view option, std::string& why) {
  const auto refuse = [&](std::string_view wanted) {
    why = "invalid ";
    why += option;
    why += " argument " + quote_word(text) + ": ";
    why += wanted;
    return std::nullopt;
  };
  bool too_long = false;
  if (const auto span = parse_span(text, too_long)) {
    const auto moment = too_long ? std::nullopt : before(now, *span);
    return moment ? moment : refuse("that is too long ago");
  }
  const auto moment = text.starts_with('@') ? parse_seconds(text.substr(1)) : Date::parse(text);
  return moment ? moment
                : refuse(
                      "a duration such as 10h or 2weeks, a date such as 2018-10-27 or "
                      "2018-10-27 10:00:00, or @SECONDS is wanted");
}

TimeInterval later_than(const Timestamp& moment) {
  Timestamp next = moment;
  if (++next.nanoseconds >= kBillion) {
    if (moment.seconds == INT64_MAX) {
      return {.since = Timestamp{INT64_MAX, 999'999'999}, .until = Timestamp{INT64_MIN, 0}};
    }
    next = {moment.seconds + 1, 0};
  }
  return {.since = next};
}

TimeInterval earlier_than(const Timestamp& moment) {
  if (moment.nanoseconds > 0) {
    return {.until = Timestamp{moment.seconds, moment.nanoseconds - 1}};
  }
  if (moment.seconds == INT64_MIN) {
    return {.since = Timestamp{INT64_MAX, 999'999'999}, .until = Timestamp{INT64_MIN, 0}};
  }
  return {.until = Timestamp{moment.seconds - 1, 999'999'999}};
}

}  // namespace trawl::cli
