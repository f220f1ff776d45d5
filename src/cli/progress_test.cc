// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "cli/terminal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace trawl::cli {
namespace {

TEST(ProgressText, SaysAsMuchAsFits) {
  const auto text = [](std::size_t columns) {
    return progress_text(1234567, std::chrono::milliseconds(2500), columns);
  };
  EXPECT_EQ(text(SIZE_MAX), "1,234,567 entries, 493,826 entries/s, 2.50 s");
  EXPECT_EQ(text(44), text(SIZE_MAX));
  EXPECT_EQ(text(43), "1,234,567 entries, 493,826 entries/s");
  EXPECT_EQ(text(35), "1,234,567 entries, 2.50 s");
  EXPECT_EQ(text(24), "1,234,567 entries");
  for (std::size_t columns = 0; columns < 50; ++columns) {
    EXPECT_LE(width_of(text(columns), false), columns);
  }
}

}  // namespace
}  // namespace trawl::cli
