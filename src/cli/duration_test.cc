// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.h"

#include <gtest/gtest.h>

#include <chrono>

namespace trawl::cli {
namespace {

using std::chrono::milliseconds;

TEST(ParseDuration, TakesNumbersWithAndWithoutAUnit) {
  EXPECT_EQ(parse_duration("10"), milliseconds(10'000));
  EXPECT_EQ(parse_duration("1.5m"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration(".5s"), milliseconds(500));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("1d"), milliseconds(86'400'000));
}

TEST(ParseDuration, TakesExponentsAsMinShareDoes) {
  EXPECT_EQ(parse_duration("1e3"), milliseconds(1'000'000));
  EXPECT_EQ(parse_duration("2e-1s"), milliseconds(200));
  EXPECT_EQ(parse_duration("1E3ms"), milliseconds(1000));
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"", "s", "0", "-1", "+1", " 1", "1 s", "1x", "1e", "1sm", "inf", "nan",
                           "1e99", "1e-99", "1e9999", "0x10", "1,5"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace trawl::cli
