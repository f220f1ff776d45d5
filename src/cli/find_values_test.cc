// SPDX-License-Identifier: Apache-2.0
#include "cli/find_values.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "support/environment.h"

namespace trawl::cli {
namespace {

constexpr Timestamp kNow{1'000'000'000, 500};

std::string why_not(const auto& parse) {
  std::string why;
  EXPECT_FALSE(parse(why));
  EXPECT_FALSE(why.empty());
  return why;
}

// --- sizes
// -----------------------------------------------------------------------------------------

std::optional<Interval> size(std::string_view text) {
  std::string why;
  return parse_size_range(text, why);
}

TEST(FindSize, HasASignAndAUnit) {
  const auto check = [](std::string_view text, std::uint64_t least, std::uint64_t most) {
    const auto got = size(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(got->least, least) << text;
    EXPECT_EQ(got->most, most) << text;
  };
  check("5b", 5, 5);
  check("+10k", 10'000, UINT64_MAX);
  check("-1Mi", 0, 1 << 20);
  check("+0b", 0, UINT64_MAX);
  check("1K", 1000, 1000);
  check("1kb", 1000, 1000);
  check("1KiB", 1024, 1024);
  check("2m", 2'000'000, 2'000'000);
  check("1g", 1'000'000'000, 1'000'000'000);
  check("1GI", 1 << 30, 1 << 30);
  check("1t", 1'000'000'000'000, 1'000'000'000'000);
  check("1ti", 1ULL << 40, 1ULL << 40);
  check("18446744073709551615b", UINT64_MAX, UINT64_MAX);
}

TEST(FindSize, RefusesWhatIsNone) {
  for (const char* const text : {"", "+", "5", "+5", "k", "1.5k", "+-1k", " 1k", "1 k", "1p", "1bb",
                                 "1bi", "1kk", "1kii", "1kibb", "0x5b"}) {
    EXPECT_NE(why_not([&](std::string& why) {
                return parse_size_range(text, why);
              }).find("a number and a unit"),
              std::string::npos)
        << text;
  }
  for (const char* const text :
       {"18446744073709551616b", "18446744073709552k", "99999999999999999t", "16777216ti"}) {
    EXPECT_NE(why_not([&](std::string& why) { return parse_size_range(text, why); }).find("2^64"),
              std::string::npos)
        << text;
  }
  EXPECT_TRUE(size("16777215ti"));
}

TEST(FindLinks, AreAsForFind) {
  std::string why;
  EXPECT_EQ(parse_links("3", why)->least, 3U);
  EXPECT_EQ(parse_links("3", why)->most, 3U);
  EXPECT_EQ(parse_links("+3", why)->least, 4U);
  EXPECT_EQ(parse_links("-3", why)->most, 2U);
  EXPECT_EQ(parse_links("-3", why)->least, 0U);
  for (const char* const text : {"-0", "+18446744073709551615"}) {
    const auto none = parse_links(text, why);
    ASSERT_TRUE(none) << text;
    EXPECT_GT(none->least, none->most) << text;
  }
  for (const char* const text : {"", "+", "x", "3x", "++3", " 3", "18446744073709551616"}) {
    why_not([&](std::string& out) { return parse_links(text, out); });
  }
}

// --- moments
// ---------------------------------------------------------------------------------------

std::optional<Timestamp> moment(std::string_view text) {
  std::string why;
  return parse_moment(text, kNow, "--newer", why);
}

TEST(FindMoment, IsADurationBeforeNow) {
  const auto check = [](std::string_view text, std::int64_t seconds_ago) {
    EXPECT_EQ(moment(text), (Timestamp{kNow.seconds - seconds_ago, kNow.nanoseconds})) << text;
  };
  check("0s", 0);
  check("10s", 10);
  check("5sec", 5);
  check("35min", 35 * 60);
  check("5m", 300);
  check("10h", 36'000);
  check("1day", 86'400);
  check("2weeks", 14 * 86'400);
  check("1M", 2'630'016);
  check("1y", 31'557'600);
  check("500years", 500 * 31'557'600LL);
  check("1h 30m", 5400);
  check("1h30m", 5400);
  check(" 1 h  30 m ", 5400);
  EXPECT_EQ(moment("500ns"), (Timestamp{kNow.seconds, 0}));
  EXPECT_EQ(moment("501ns"), (Timestamp{kNow.seconds - 1, 999'999'999}));
  EXPECT_EQ(moment("1ms"), (Timestamp{kNow.seconds - 1, 999'000'500}));
  EXPECT_EQ(moment("1us"), (Timestamp{kNow.seconds - 1, 999'999'500}));
}

TEST(FindMoment, IsADate) {
  const testing::ScopedEnvironment zone({{"TZ", "UTC-2"}});
  EXPECT_EQ(moment("1970-01-01"), (Timestamp{-7200, 0}));
  EXPECT_EQ(moment("2018-10-27"), (Timestamp{1'540'591'200, 0}));
  EXPECT_EQ(moment("2018-10-27 10:00:00"), (Timestamp{1'540'627'200, 0}));
  EXPECT_EQ(moment("2018-10-27 10:00"), (Timestamp{1'540'627'200, 0}));
  EXPECT_EQ(moment("2018-10-27T10:00:00.25"), (Timestamp{1'540'627'200, 250'000'000}));
  EXPECT_EQ(moment("1969-12-31 23:59:59"), (Timestamp{-7201, 0}));
}

TEST(FindMoment, IsADateWithItsZone) {
  EXPECT_EQ(moment("2018-10-27T10:00:00Z"), (Timestamp{1'540'634'400, 0}));
  EXPECT_EQ(moment("2018-10-27 10:00:00z"), (Timestamp{1'540'634'400, 0}));
  EXPECT_EQ(moment("2018-10-27T10:00:00+02:00"), (Timestamp{1'540'627'200, 0}));
  EXPECT_EQ(moment("2018-10-27T10:00:00-0130"), (Timestamp{1'540'639'800, 0}));
  EXPECT_EQ(moment("2018-10-27T10:00:00.123456789123Z"), (Timestamp{1'540'634'400, 123'456'789}));
  EXPECT_EQ(moment("1970-01-01T00:00:00Z"), (Timestamp{0, 0}));
  EXPECT_EQ(moment("0000-01-01T00:00:00Z"), (Timestamp{-62'167'219'200, 0}));
  EXPECT_EQ(moment("9999-12-31T23:59:59Z"), (Timestamp{253'402'300'799, 0}));
  EXPECT_EQ(moment("2000-02-29T00:00:00Z"), (Timestamp{951'782'400, 0}));
  EXPECT_EQ(moment("2016-12-31T23:59:60Z"), (Timestamp{1'483'228'800, 0}));
}

TEST(FindMoment, IsSecondsSince1970) {
  EXPECT_EQ(moment("@1704067200"), (Timestamp{1'704'067'200, 0}));
  EXPECT_EQ(moment("@-1"), (Timestamp{-1, 0}));
  EXPECT_EQ(moment("@1.5"), (Timestamp{1, 500'000'000}));
  EXPECT_EQ(moment("@-0.25"), (Timestamp{-1, 750'000'000}));
  EXPECT_EQ(moment("@0.0000000019"), (Timestamp{0, 1}));
  EXPECT_EQ(moment("@-9223372036854775808"), (Timestamp{INT64_MIN, 0}));
}

TEST(FindMoment, RefusesWhatIsNone) {
  for (const char* const text : {"",
                                 " ",
                                 "10",
                                 "10x",
                                 "-5h",
                                 "1.5h",
                                 "5mon",
                                 "h",
                                 "1h 30",
                                 "1H",
                                 "2018-13-01",
                                 "2018-00-01",
                                 "2018-02-29",
                                 "1900-02-29",
                                 "2018-1-1",
                                 "2018-10-27 ",
                                 "2018-10-27 10",
                                 "2018-10-27 24:00:00",
                                 "2018-10-27 10:60:00",
                                 "2018-10-27 10:00:61",
                                 "2018-10-27 10:00:00.",
                                 "2018-10-27 10:00:00 Z",
                                 "2018-10-27T10:00:00+2:00",
                                 "2018-10-27T10:00:00+02:00x",
                                 "2018-10-27Z",
                                 "@",
                                 "@x",
                                 "@1x",
                                 "@1.",
                                 "@1.x",
                                 "@9223372036854775808",
                                 "@-9223372036854775808.5",
                                 "1704067200",
                                 "yesterday"}) {
    EXPECT_NE(why_not([&](std::string& why) {
                return parse_moment(text, kNow, "--newer", why);
              }).find("--newer"),
              std::string::npos)
        << text;
  }
  for (const char* const text :
       {"99999999999999999999s", "999999999999y", "9999999999999999999y 9999999999999999999y",
        "9223372036854775807s 9223372036854775807s"}) {
    EXPECT_NE(why_not([&](std::string& why) {
                return parse_moment(text, kNow, "--newer", why);
              }).find("too long ago"),
              std::string::npos)
        << text;
  }
}

TEST(FindMoment, IsNotAmongWhatIsLaterOrEarlier) {
  EXPECT_EQ(later_than({5, 7}).since, (Timestamp{5, 8}));
  EXPECT_EQ(later_than({5, 999'999'999}).since, (Timestamp{6, 0}));
  EXPECT_FALSE(later_than({5, 7}).until);
  EXPECT_EQ(earlier_than({5, 7}).until, (Timestamp{5, 6}));
  EXPECT_EQ(earlier_than({5, 0}).until, (Timestamp{4, 999'999'999}));
  EXPECT_FALSE(earlier_than({5, 7}).since);
  for (const TimeInterval& none :
       {later_than({INT64_MAX, 999'999'999}), earlier_than({INT64_MIN, 0})}) {
    EXPECT_GT(*none.since, *none.until);
  }
}

// --- owners, types, permissions
// --------------------------------------------------------------------

Answer judge(const Predicate& predicate, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
  Metadata metadata;
  metadata.valid = Fields::all;
  metadata.mode = mode;
  metadata.uid = uid;
  metadata.gid = gid;
  return Plan(predicate).judge({.name = "x", .type = metadata.type(), .metadata = &metadata});
}

TEST(FindOwner, IsAUserAndAGroup) {
  const auto yes = [](std::string_view text, std::uint32_t uid, std::uint32_t gid) {
    std::string why;
    const auto owner = parse_owner(text, why);
    EXPECT_TRUE(owner) << text;
    return owner && judge(*owner, 0100644, uid, gid) == Answer::yes;
  };
  EXPECT_TRUE(yes("root", 0, 5));
  EXPECT_FALSE(yes("root", 1, 0));
  EXPECT_TRUE(yes("root:root", 0, 0));
  EXPECT_FALSE(yes("root:root", 0, 1));
  EXPECT_TRUE(yes(":root", 7, 0));
  EXPECT_TRUE(yes("root:", 0, 7));
  EXPECT_TRUE(yes("!root", 7, 0));
  EXPECT_FALSE(yes("!root:0", 0, 0));
  EXPECT_TRUE(yes("!root:0", 1, 0));
  EXPECT_TRUE(yes("1234:!5678", 1234, 0));
  EXPECT_FALSE(yes("1234:!5678", 1234, 5678));
  EXPECT_TRUE(yes("4294967295", UINT32_MAX, 0));
  EXPECT_TRUE(yes("", 1, 2));
  EXPECT_TRUE(yes(":", 1, 2));
}

TEST(FindOwner, RefusesWhoIsNot) {
  const auto why = [](std::string_view text) {
    return why_not([&](std::string& out) { return parse_owner(text, out); });
  };
  EXPECT_NE(why("no such user").find("no user"), std::string::npos);
  EXPECT_NE(why(":no such group").find("no group"), std::string::npos);
  EXPECT_NE(why("a:b:c").find("one colon"), std::string::npos);
  EXPECT_NE(why("!").find("no user"), std::string::npos);
  EXPECT_NE(why("!:").find("no user"), std::string::npos);
  EXPECT_NE(why("4294967296").find("no user"), std::string::npos);
  EXPECT_NE(why(std::string_view("root\0x", 6)).find("no user"), std::string::npos);
}

TEST(FindType, HasShortAndLongWords) {
  std::string why;
  const auto type = [&why](std::string_view word) { return parse_type_word(word, why)->type; };
  for (const char* const word : {"f", "file"}) EXPECT_EQ(type(word), FileType::regular);
  for (const char* const word : {"d", "dir", "directory"})
    EXPECT_EQ(type(word), FileType::directory);
  for (const char* const word : {"l", "symlink"}) EXPECT_EQ(type(word), FileType::symlink);
  for (const char* const word : {"s", "socket"}) EXPECT_EQ(type(word), FileType::socket);
  for (const char* const word : {"p", "pipe"}) EXPECT_EQ(type(word), FileType::fifo);
  for (const char* const word : {"b", "block-device"})
    EXPECT_EQ(type(word), FileType::block_device);
  for (const char* const word : {"c", "char-device"})
    EXPECT_EQ(type(word), FileType::character_device);
  for (const char* const word : {"x", "executable"})
    EXPECT_TRUE(parse_type_word(word, why)->executable);
  for (const char* const word : {"e", "empty"}) EXPECT_TRUE(parse_type_word(word, why)->empty);
  for (const char* const word : {"", "F", "fi", "z"}) {
    EXPECT_NE(
        why_not([&](std::string& out) { return parse_type_word(word, out); }).find("d (directory)"),
        std::string::npos);
  }
}

// Each was also asked of GNU find 4.9, with 3,400 random ones.
TEST(FindPermissions, AreAsForFind) {
  constexpr std::uint32_t kFile = 0100000;
  constexpr std::uint32_t kDirectory = 0040000;
  const auto yes = [](std::string_view text, std::uint32_t mode) {
    std::string why;
    const auto permissions = parse_permissions(text, why);
    EXPECT_TRUE(permissions) << text;
    return permissions && judge(*permissions, mode, 0, 0) == Answer::yes;
  };
  EXPECT_TRUE(yes("644", kFile | 0644));
  EXPECT_FALSE(yes("644", kFile | 0645));
  EXPECT_TRUE(yes("-644", kFile | 0755));
  EXPECT_FALSE(yes("-022", kFile | 0755));
  EXPECT_TRUE(yes("/022", kFile | 0020));
  EXPECT_FALSE(yes("/022", kFile | 0755));
  EXPECT_TRUE(yes("/000", kFile));
  EXPECT_TRUE(yes("-4000", kFile | 04755));
  EXPECT_TRUE(yes("u=rw,go=r", kFile | 0644));
  EXPECT_TRUE(yes("-u+w,g+w", kFile | 0664));
  EXPECT_TRUE(yes("/a+x", kFile | 0001));
  EXPECT_TRUE(yes("+w", kFile | 0222));
  EXPECT_TRUE(yes("=644", kFile | 0644));
  EXPECT_TRUE(yes("u=rwx,g=u,o=g-w", kFile | 0775));
  EXPECT_TRUE(yes("u+s,+t", kFile | 05000));
  EXPECT_TRUE(yes("o+t", kFile | 01000));
  EXPECT_TRUE(yes("u+t", kFile));
  EXPECT_TRUE(yes("a=rX", kFile | 0444));
  EXPECT_TRUE(yes("a=rX", kDirectory | 0555));
  EXPECT_FALSE(yes("a=rX", kDirectory | 0444));
  EXPECT_TRUE(yes("u+x,a+X", kFile | 0111));
  EXPECT_TRUE(yes("u+s,u=r", kFile | 0400));
  EXPECT_TRUE(yes("u+s,u=r", kDirectory | 04400));
  for (const char* const text : {"", "-", "/", "8", "10000", "+644", "u", "rw", "u=gr", "u=r,", ",",
                                 "0x1", "64 4", "u=k", "ug644"}) {
    why_not([&](std::string& why) { return parse_permissions(text, why); });
  }
}

}  // namespace
}  // namespace trawl::cli
