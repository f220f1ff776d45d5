// SPDX-License-Identifier: Apache-2.0
//
// The arguments of `trawl find`'s tests; the first byte says of which. What is refused says why;
// what is read makes predicates that judge.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/find_values.h"

namespace {

void check(bool accepted, const std::string& why) {
  if (accepted != why.empty()) {
    std::abort();
  }
}

void judge(const trawl::Predicate& predicate) {
  trawl::Metadata metadata;
  metadata.valid = trawl::Fields::all;
  for (const std::uint32_t mode : {0100644U, 0047777U, 0U}) {
    metadata.mode = mode;
    const trawl::Answer answer = trawl::Plan(predicate).judge(
        {.name = "x", .type = trawl::FileType::regular, .metadata = &metadata});
    if (answer != trawl::Answer::yes && answer != trawl::Answer::no) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string why;
  switch (data[0] % 6) {
    case 0:
      check(trawl::cli::parse_size_range(text, why).has_value(), why);
      break;
    case 1:
      check(trawl::cli::parse_links(text, why).has_value(), why);
      break;
    case 2: {
      const trawl::Timestamp now{1'700'000'000, 5};
      const auto moment = trawl::cli::parse_moment(text, now, "--newer", why);
      check(moment.has_value(), why);
      if (moment) {
        const auto later = trawl::Predicate::modified(trawl::cli::later_than(*moment));
        const auto earlier = trawl::Predicate::modified(trawl::cli::earlier_than(*moment));
        trawl::Metadata at;
        at.valid = trawl::Fields::all;
        at.mtime = *moment;
        if (moment->nanoseconds >= 1'000'000'000 ||
            trawl::Plan(later || earlier).judge({.name = "x", .metadata = &at}) !=
                trawl::Answer::no) {
          std::abort();
        }
      }
      break;
    }
    case 3:
      // Not names, which would be looked up.
      if (text.find_first_not_of("0123456789:!") == std::string_view::npos) {
        const auto owner = trawl::cli::parse_owner(text, why);
        check(owner.has_value(), why);
        if (owner) {
          judge(*owner);
        }
      }
      break;
    case 4:
      check(trawl::cli::parse_type_word(text, why).has_value(), why);
      break;
    default: {
      const auto permissions = trawl::cli::parse_permissions(text, why);
      check(permissions.has_value(), why);
      if (permissions) {
        judge(*permissions);
      }
    }
  }
  return 0;
}
