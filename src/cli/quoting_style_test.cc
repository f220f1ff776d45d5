// SPDX-License-Identifier: Apache-2.0
#include "cli/quoting_style.h"

#include <gtest/gtest.h>

namespace trawl::cli {
namespace {

TEST(QuotingStyle, NamesMayBeAbbreviated) {
  EXPECT_EQ(parse_quoting_style("shell"), QuotingStyle::shell);
  EXPECT_EQ(parse_quoting_style("c"), QuotingStyle::c);
  EXPECT_EQ(parse_quoting_style("lit"), QuotingStyle::literal);
  EXPECT_EQ(parse_quoting_style("shell-escape"), QuotingStyle::shell_escape);
  EXPECT_EQ(parse_quoting_style("shell-escape-"), QuotingStyle::shell_escape_always);
  EXPECT_EQ(parse_quoting_style("she"), std::nullopt);
  EXPECT_EQ(parse_quoting_style(""), std::nullopt);
  EXPECT_EQ(parse_quoting_style("foo"), std::nullopt);
}

TEST(QuotingStyle, EachHasItsWay) {
  const std::string_view name = "a 'b'\n\"\\";
  EXPECT_EQ(quoted(name, QuotingStyle::literal), name);
  EXPECT_EQ(quoted(name, QuotingStyle::shell), "'a '\\''b'\\''\n\"\\'");
  EXPECT_EQ(quoted(name, QuotingStyle::shell_escape), "'a '\\''b'\\'''$'\\n''\"\\'");
  EXPECT_EQ(quoted(name, QuotingStyle::c), "\"a 'b'\\n\\\"\\\\\"");
  EXPECT_EQ(quoted(name, QuotingStyle::escape), "a 'b'\\n\"\\\\");
  EXPECT_EQ(quoted("x:y", QuotingStyle::shell_escape), "x:y");
  EXPECT_EQ(quoted("x\\y", QuotingStyle::c_maybe), "x\\y");
  EXPECT_EQ(quoted("plain", QuotingStyle::shell_always), "'plain'");
}

}  // namespace
}  // namespace trawl::cli
