// SPDX-License-Identifier: Apache-2.0
#include "cli/figures.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace trawl::cli {
namespace {

using std::chrono::duration;

TEST(Figures, SeparatesThousands) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Figures, CountsOneOrMany) {
  EXPECT_EQ(counted(0, "file", "files"), "0 files");
  EXPECT_EQ(counted(1, "file", "files"), "1 file");
  EXPECT_EQ(counted(1234, "file", "files"), "1,234 files");
}

TEST(Figures, ChoosesUnitsOfTime) {
  const auto text = [](double seconds) { return duration_text(duration<double>(seconds)); };
  EXPECT_EQ(text(0), "0.00 ms");
  EXPECT_EQ(text(0.000421), "0.42 ms");
  EXPECT_EQ(text(0.0574), "57 ms");
  EXPECT_EQ(text(0.9996), "1.00 s");
  EXPECT_EQ(text(3.4191), "3.42 s");
  EXPECT_EQ(text(59.996), "1 min 00 s");
  EXPECT_EQ(text(125.4), "2 min 05 s");
  EXPECT_EQ(text(3725), "1 h 02 min");
}

TEST(Figures, RatesOfNoTimeAreFinite) {
  EXPECT_EQ(rate_text(1000, duration<double>(0.5)), "2,000 entries/s");
  EXPECT_EQ(rate_text(1, duration<double>(0)), "1,000,000 entries/s");
}

}  // namespace
}  // namespace trawl::cli
