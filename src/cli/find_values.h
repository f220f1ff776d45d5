// SPDX-License-Identifier: Apache-2.0
//
// The arguments of `trawl find`'s tests: those of fd and, for --perm and --links, of find. Each
// function gives nothing if it can't read its argument, and says in `why` what is wrong with it.
#pragma once

#include <trawl/predicate.h>
#include <trawl/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace trawl::cli {

// --size: "5k" is 5000 bytes, "+5ki" at least, "-5Mi" at most so many; units b, k, m, g, t of 1000
// and ki, mi, gi, ti of 1024, perhaps with a b, in either case.
std::optional<Interval> parse_size_range(std::string_view text, std::string& why);

// --links: "3", "+3" for more and "-3" for fewer.
std::optional<Interval> parse_links(std::string_view text, std::string& why);

// A moment: a duration before now, of one or several numbers with a unit ("35min", "1h 30m"); a
// local date, perhaps with a time of day ("2018-10-27", "2018-10-27 10:00:00"); RFC 3339 with its
// zone; or
// "@" and seconds since 1970. `option` is for `why`.
std::optional<Timestamp> parse_moment(std::string_view text, const Timestamp& now,
                                      std::string_view option, std::string& why);
// All that comes after `moment`, or before it; not the moment itself.
TimeInterval later_than(const Timestamp& moment);
TimeInterval earlier_than(const Timestamp& moment);

// --owner: "user:group", names or numbers; either may be left out, or have a '!' before it.
std::optional<Predicate> parse_owner(std::string_view text, std::string& why);

// --type: one of these three.
struct TypeWord {
  FileType type = FileType::unknown;
  bool executable = false;
  bool empty = false;
};
std::optional<TypeWord> parse_type_word(std::string_view word, std::string& why);

// --perm: MODE, -MODE or /MODE, octal or as for chmod(1) without a umask.
std::optional<Predicate> parse_permissions(std::string_view text, std::string& why);

}  // namespace trawl::cli
