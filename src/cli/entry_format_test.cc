// SPDX-License-Identifier: Apache-2.0
//
// The forms of an entry, without a filesystem; tests/differential/test_stat_output.py holds them
// against GNU stat and Python.
#include "cli/entry_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cli/entry_text.h"

namespace trawl::cli {
namespace {

using nlohmann::json;

constexpr std::uint32_t kNobodyHasThisId = 4'000'000'123;

Metadata sample() {
  Metadata data;
  data.device = 0x801;
  data.inode = 42;
  data.size = 5'000'000'000;
  data.blocks = 8;
  data.block_size = 4096;
  data.mode = 0100644;
  data.links = 1;
  data.uid = kNobodyHasThisId;
  data.gid = 0;
  data.atime = {0, 5};
  data.mtime = {1'700'000'000, 123'456'789};
  data.ctime = {-1, 500'000'000};
  data.btime = {253'402'300'800, 0};
  data.valid = Fields::all;
  return data;
}

std::string written(const EntryFormat& format, const EntryLine& line) {
  std::string out;
  format.append(line, out);
  return out;
}

class EntryFormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }

  std::string write(const std::unique_ptr<EntryFormat>& format) { return written(*format, line_); }

  Metadata data_ = sample();
  EntryLine line_{.path = "d/name",
                  .name = "name",
                  .depth = 1,
                  .type = FileType::regular,
                  .metadata = &data_,
                  .target = {}};
};

TEST_F(EntryFormatTest, PathsEndAsAsked) {
  EXPECT_EQ(write(make_path_format('\n')), "d/name\n");
  EXPECT_EQ(write(make_path_format('\0')), std::string("d/name\0", 7));
  EXPECT_EQ(make_path_format('\n')->fields(), Fields::none);
}

TEST_F(EntryFormatTest, LongLinesHaveAlignedColumns) {
  const auto format = make_long_format('\n');
  data_.uid = 0;
  EXPECT_EQ(written(*format, line_),
            "-rw-r--r--  1 root root 5000000000 2023-11-14 22:13 d/name\n");
  data_.size = 7;
  EXPECT_EQ(written(*format, line_),
            "-rw-r--r--  1 root root          7 2023-11-14 22:13 d/name\n");
  data_.links = 70'000;
  format->measure(line_);
  data_.links = 1;
  EXPECT_EQ(written(*format, line_),
            "-rw-r--r--     1 root root          7 2023-11-14 22:13 d/name\n");
}

TEST_F(EntryFormatTest, LongLinesShowDevicesLinksAndUnknownOwners) {
  data_.mode = 0020666;
  data_.device_major = 1;
  data_.device_minor = 3;
  line_.type = FileType::character_device;
  EXPECT_EQ(write(make_long_format('\n')),
            "crw-rw-rw-  1 4000000123 root      1, 3 2023-11-14 22:13 d/name\n");
  data_.mode = 0120777;
  line_.type = FileType::symlink;
  line_.target = "a b";
  EXPECT_EQ(write(make_long_format('\0', true)),
            "lrwxrwxrwx  1 4000000123 root 5000000000 2023-11-14 22:13 d/name -> 'a b'" +
                std::string(1, '\0'));
}

TEST_F(EntryFormatTest, WhatIsNotKnownIsAQuestionMark) {
  line_.metadata = nullptr;
  line_.type = FileType::directory;
  EXPECT_EQ(write(make_long_format('\n')),
            "d?????????  ? ?    ?            ?                ? d/name\n");
  EXPECT_EQ(write(make_field_format("{path}|{size}|{type}|{mtime}", '\n')), "d/name||directory|\n");
  EXPECT_EQ(write(make_csv_format(Fields::size | Fields::mtime)), "d/name,1,directory,,,,,\r\n");
  const json object = json::parse(write(make_json_format(Fields::size | Fields::mtime)));
  EXPECT_TRUE(object.at("size").is_null());
  EXPECT_TRUE(object.at("mtime").is_null());
}

TEST_F(EntryFormatTest, PermissionsShowSpecialBits) {
  const auto text = [](std::uint32_t mode) {
    std::string out;
    append_permissions(out, mode);
    return out;
  };
  EXPECT_EQ(text(0100000), "----------");
  EXPECT_EQ(text(0104755), "-rwsr-xr-x");
  EXPECT_EQ(text(0104644), "-rwSr--r--");
  EXPECT_EQ(text(0102755), "-rwxr-sr-x");
  EXPECT_EQ(text(0102644), "-rw-r-Sr--");
  EXPECT_EQ(text(0041777), "drwxrwxrwt");
  EXPECT_EQ(text(0041776), "drwxrwxrwT");
  EXPECT_EQ(text(0060660), "brw-rw----");
  EXPECT_EQ(text(0010000), "p---------");
  EXPECT_EQ(text(0140000), "s---------");
}

TEST_F(EntryFormatTest, FieldsByName) {
  const auto write_fields = [this](std::string_view text) {
    return write(make_field_format(text, '\n'));
  };
  EXPECT_EQ(write_fields("{path} {name} {dir} {depth} {type}"), "d/name name d 1 file\n");
  EXPECT_EQ(write_fields("{mode}{perm} {size} {blocks} {disk_usage} {block_size}"),
            "0644-rw-r--r-- 5000000000 8 4096 4096\n");
  EXPECT_EQ(write_fields("{uid} {gid} {user} {group} {device} {inode} {links} {rdev}"),
            "4000000123 0 4000000123 root 2049 42 1 0\n");
  EXPECT_EQ(write_fields("{atime} {ctime} {btime}"),
            "1970-01-01T00:00:00.000000005Z 1969-12-31T23:59:59.500000000Z "
            "+10000-01-01T00:00:00.000000000Z\n");
  EXPECT_EQ(write_fields("{mtime:%Y-%m-%d %s.%3N}"), "2023-11-14 1700000000.123\n");
  EXPECT_EQ(write_fields("{{}}{{size}}\\t\\\\\\n"), "{}{size}\t\\\n\n");
  EXPECT_EQ(write_fields("a\\0b"), std::string("a\0b\n", 4));
  EXPECT_EQ(make_field_format("{path}{type}{target}", '\n')->fields(), Fields::none);
  EXPECT_TRUE(make_field_format("{target}", '\n')->needs_target());
}

TEST_F(EntryFormatTest, UnknownWordsAreRefusedWithThoseThereAre) {
  const auto message = [](auto make) -> std::string {
    try {
      make();
    } catch (const UnknownWord& unknown) {
      return unknown.message;
    }
    return "none";
  };
  for (const char* format : {"{sise}", "{", "{path", "}", "a}b", "{}", "\\", "\\q", "{size:%Y}",
                             "{path}{PATH}", "{ size }"}) {
    const std::string text = message([&] { make_field_format(format, '\n'); });
    EXPECT_NE(text.find("{block_size}"), std::string::npos) << format << ": " << text;
  }
  EXPECT_NE(message([] { make_field_format("{sise}", '\n'); }).find("sise"), std::string::npos);
  for (const char* format :
       {"%q", "%H", "%Lx", "%5%", "%-", "%99999999999s", "%.99999999s", "%."}) {
    const std::string text = message([&] { make_stat_format(format, false); });
    EXPECT_NE(text.find("%Hd"), std::string::npos) << format << ": " << text;
  }
  for (const char* format : {"\\q", "\\", "\\xg"}) {
    EXPECT_NE(message([&] { make_stat_format(format, true); }), "none") << format;
    EXPECT_EQ(message([&] { make_stat_format(format, false); }), "none") << format;
  }
}

TEST_F(EntryFormatTest, JsonIsLosslessForAnyBytes) {
  const auto format = make_json_format(Fields::all);
  for (const std::string_view name :
       {"plain", "new\nline", "\x01\x1f\x7f\t\"\\/", "caf\xC3\xA9", "\xF0\x9F\x98\x80", ""}) {
    line_.path = name;
    const json object = json::parse(written(*format, line_));
    EXPECT_EQ(object.at("path").get<std::string>(), name);
    EXPECT_FALSE(object.contains("path_base64"));
  }
  for (const std::string_view name : {"\xFF",
                                      "a\xFF"
                                      "b",
                                      "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC0\xAF",
                                      "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\x80"}) {
    line_.path = name;
    const json object = json::parse(written(*format, line_));
    EXPECT_TRUE(object.contains("path_base64")) << name;
    EXPECT_NE(object.at("path").get<std::string>().find("\xEF\xBF\xBD"), std::string::npos);
  }
}

TEST_F(EntryFormatTest, JsonHasWhatWasAskedFor) {
  const json all = json::parse(write(make_json_format(Fields::all)));
  EXPECT_EQ(all.at("depth"), 1);
  EXPECT_EQ(all.at("type"), "file");
  EXPECT_EQ(all.at("mode"), "0644");
  EXPECT_TRUE(all.at("user").is_null());
  EXPECT_EQ(all.at("group"), "root");
  EXPECT_EQ(all.at("size"), 5'000'000'000);
  EXPECT_EQ(all.at("ctime"), (json{{"seconds", -1}, {"nanoseconds", 500'000'000}}));
  EXPECT_FALSE(all.contains("rdev_major"));
  EXPECT_EQ(write(make_json_format(Fields::none)),
            "{\"path\":\"d/name\",\"depth\":1,\"type\":\"file\"}\n");
  EXPECT_EQ(write(make_json_format(Fields::size, false)),
            "{\"path\":\"d/name\",\"type\":\"file\",\"size\":5000000000}\n");
  data_.valid = Fields::basic;
  EXPECT_TRUE(json::parse(write(make_json_format(Fields::all))).at("btime").is_null());
  line_ = {.path = "gone", .name = "gone", .target = {}, .error = ENOENT};
  const json failed = json::parse(write(make_json_format(Fields::all, false)));
  EXPECT_EQ(failed.at("error").at("errno"), ENOENT);
  EXPECT_EQ(failed.at("error").at("errno_name"), "ENOENT");
  EXPECT_EQ(failed.size(), 2U);
}

TEST_F(EntryFormatTest, CsvQuotesWhereNeeded) {
  const auto format = make_csv_format(Fields::none, false);
  EXPECT_EQ(format->header(), "path,type\r\n");
  for (const auto& [name, cell] :
       std::vector<std::pair<std::string_view, std::string>>{{"plain", "plain"},
                                                             {"a,b", "\"a,b\""},
                                                             {"a\"b", "\"a\"\"b\""},
                                                             {"a\nb", "\"a\nb\""},
                                                             {"a\rb", "\"a\rb\""},
                                                             {" a", " a"}}) {
    line_.path = name;
    EXPECT_EQ(written(*format, line_), cell + ",file\r\n");
  }
  const auto columns = [](const std::string& text) {
    return std::count(text.begin(), text.end(), ',');
  };
  line_.path = "p";
  for (std::uint32_t bits = 0; bits < 1U << 11; ++bits) {
    const auto some = make_csv_format(static_cast<Fields>(bits));
    ASSERT_EQ(columns(some->header()), columns(written(*some, line_))) << bits;
  }
}

TEST_F(EntryFormatTest, UtcTimesOfAllCenturies) {
  const auto text = [](std::int64_t seconds) {
    std::string out;
    append_utc(out, {seconds, 0});
    return out.substr(0, out.find('.'));
  };
  EXPECT_EQ(text(951'782'400), "2000-02-29T00:00:00");
  EXPECT_EQ(text(4'107'542'399), "2100-02-28T23:59:59");
  EXPECT_EQ(text(4'107'542'400), "2100-03-01T00:00:00");
  EXPECT_EQ(text(2'147'483'648), "2038-01-19T03:14:08");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59");
  EXPECT_EQ(text(-62'135'596'801), "0000-12-31T23:59:59");
  EXPECT_EQ(text(-62'167'219'201), "-0001-12-31T23:59:59");
  EXPECT_EQ(text(INT64_MAX), "+292277026596-12-04T15:30:07");
  EXPECT_EQ(text(INT64_MIN), "-292277022657-01-27T08:29:52");
  for (std::int64_t seconds = -30'000'000'000; seconds < 30'000'000'000; seconds += 40'000'003) {
    const std::time_t time = seconds;
    std::tm tm{};
    ASSERT_NE(::gmtime_r(&time, &tm), nullptr);
    char wanted[64];
    std::strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &tm);
    ASSERT_EQ(text(seconds), wanted);
  }
}

TEST_F(EntryFormatTest, LocalTimesAreRememberedByTheMinuteOnly) {
  ::setenv("TZ", "Europe/Berlin", 1);
  ::tzset();
  const auto text = [](std::int64_t seconds) {
    std::string out;
    EXPECT_TRUE(append_local_nanoseconds(out, {seconds, 7}));
    return out;
  };
  std::tm tm{};
  const std::time_t summer = 1'711'846'800;  // 2024-03-31 01:00 UTC
  ::localtime_r(&summer, &tm);
  if (tm.tm_isdst <= 0) {
    GTEST_SKIP() << "no zone data";
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(text(summer - 1), "2024-03-31 01:59:59.000000007 +0100");
    EXPECT_EQ(text(summer), "2024-03-31 03:00:00.000000007 +0200");
    EXPECT_EQ(text(summer + 512 * 60), "2024-03-31 11:32:00.000000007 +0200");  // the same place
    EXPECT_EQ(text(-1), "1970-01-01 00:59:59.000000007 +0100");
  }
}

// As where leap seconds count.
TEST_F(EntryFormatTest, LocalTimesOfZonesThatAreSecondsOffUtc) {
  ::setenv("TZ", "<+01>-1:02:03", 1);
  ::tzset();
  for (int i = 0; i < 2; ++i) {
    std::string out;
    EXPECT_TRUE(append_local_nanoseconds(out, {1'730'000'059, 7}));
    EXPECT_TRUE(append_local_minutes(out += '|', {1'730'000'059, 7}));
    EXPECT_EQ(out, "2024-10-27 04:36:22.000000007 +0102|2024-10-27 04:36");
  }
}

TEST_F(EntryFormatTest, PartsOfPaths) {
  const auto parts = [](std::string_view path) {
    return std::string(directory_of(path)) + "|" + std::string(name_of(path));
  };
  EXPECT_EQ(parts("a"), ".|a");
  EXPECT_EQ(parts("a/b"), "a|b");
  EXPECT_EQ(parts("a//b//"), "a|b");
  EXPECT_EQ(parts("/a"), "/|a");
  EXPECT_EQ(parts("//a/"), "/|a");
  EXPECT_EQ(parts("/"), "/|/");
  EXPECT_EQ(parts("///"), "/|/");
  EXPECT_EQ(parts(""), ".|");
  EXPECT_EQ(parts("a/."), "a|.");
}

TEST_F(EntryFormatTest, StatSecondsHaveGnusWidths) {
  const auto write_stat = [this](std::string_view text) {
    return write(make_stat_format(text, true));
  };
  data_.mtime = {-1, 250'000'000};
  EXPECT_EQ(write_stat("%Y|%.Y|%.1Y|%.3Y|%.12Y|%10.2Y|%-10.2Y|%010.2Y|%+Y"),
            "-1|-0.750000000|-0.7|-0.750|-0.750000000000|     -0.75|-0.75     |-000000.75|-1");
  data_.mtime = {-1, 999'999'999};
  EXPECT_EQ(write_stat("%.3Y"), "-1.000");
  data_.mtime = {7, 1};
  EXPECT_EQ(write_stat("%5.9Y|%'+08Y|% Y"), "7.000000001      |+0000007| 7");
}

TEST_F(EntryFormatTest, StatPrintfEscapes) {
  EXPECT_EQ(write(make_stat_format(R"(\a\b\e\f\n\r\t\v\"\\\101\1019\x41\x4a1%%)", true)),
            "\a\b\x1B\f\n\r\t\v\"\\AA9AJ1%");
  EXPECT_EQ(write(make_stat_format(R"(\n%%%)", false)), "\\n%%\n");
  EXPECT_EQ(write(make_stat_format("%n", false, '\0')), std::string("d/name\0", 7));
}

TEST_F(EntryFormatTest, ManyThreadsMayWrite) {
  const auto format = make_long_format('\n');
  std::vector<std::string> outs(4);
  {
    std::vector<std::jthread> threads;
    for (std::string& out : outs) {
      threads.emplace_back([&] {
        for (std::uint32_t id = 0; id < 500; ++id) {
          Metadata data = sample();
          data.uid = id % 50;
          data.mtime.seconds += id * 61;
          EntryLine line = line_;
          line.metadata = &data;
          format->measure(line);
          format->append(line, out);
        }
      });
    }
  }
  for (const std::string& out : outs) {
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 500);
  }
}

}  // namespace
}  // namespace trawl::cli
