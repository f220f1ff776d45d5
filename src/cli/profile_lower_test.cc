// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_lower.h"

#include <gtest/gtest.h>

namespace trawl::cli {
namespace {

// What Python's str.lower() says.
TEST(ProfileLower, IsThatOfUnicode) {
  EXPECT_EQ(lower_case(""), "");
  EXPECT_EQ(lower_case(".TXT"), ".txt");
  EXPECT_EQ(lower_case(".\u00c4\u00d6\u1e9e"), ".\u00e4\u00f6\u00df");
  EXPECT_EQ(lower_case(".\u0416\U00010400\u4e00"), ".\u0436\U00010428\u4e00");
  EXPECT_EQ(lower_case(".\u0130"), ".i\u0307");
}

TEST(ProfileLower, KnowsTheSigmaAtTheEndOfAWord) {
  EXPECT_EQ(lower_case(".\u03a3"), ".\u03c3");
  EXPECT_EQ(lower_case(".\u0391\u03a3"), ".\u03b1\u03c2");
  EXPECT_EQ(lower_case(".\u0391\u03a31"), ".\u03b1\u03c21");
  EXPECT_EQ(lower_case(".\u0391\u03a3'"), ".\u03b1\u03c2'");
  EXPECT_EQ(lower_case(".\u0391\u03a3\u0391"), ".\u03b1\u03c3\u03b1");
}

TEST(ProfileLower, LeavesOtherBytes) {
  EXPECT_EQ(lower_case(".A\xff\xc3(B"), ".a\xff\xc3(b");
  EXPECT_EQ(lower_case(".\xed\xa0\x80X"), ".\xed\xa0\x80x");  // a surrogate is no character
  EXPECT_EQ(lower_case(".\xc3"), ".\xc3");
}

}  // namespace
}  // namespace trawl::cli
