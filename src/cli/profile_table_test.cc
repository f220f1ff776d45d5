// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trawl::cli {
namespace {

using Kind = TableColumn::Kind;

std::string shown(const Terminal& terminal, const std::string& heading = "Heading") {
  return '\n' + table_text(heading, heading.size(),
                           {{Kind::name}, {Kind::right, "files"}, {Kind::share}, {Kind::bar}},
                           {{{"a long name of something"}, {"1,000"}, {"75%"}, {.share = 0.75}},
                            {{"b", "31"}, {"3"}, {"<1%", "2"}, {.share = 0.004}},
                            {{""}, {"0"}, {""}, {.share = 0}}},
                           terminal);
}

TEST(ProfileTable, Golden) {
  EXPECT_EQ(shown({.columns = 60, .utf8 = true}), R"(
Heading                     files
  a long name of something  1,000  75%  ███████████████
  b                             3  <1%  ▏
                                0
)");
}

TEST(ProfileTable, BarsHaveALimit) {
  EXPECT_EQ(shown({.columns = 200}), R"(
Heading                     files
  a long name of something  1,000  75%  ########################
  b                             3  <1%
                                0
)");
}

TEST(ProfileTable, NamesGiveWayThenBarsThenShares) {
  EXPECT_EQ(shown({.columns = 40, .utf8 = true}), R"(
Heading             files
  a long n…mething  1,000  75%  ██████
  b                     3  <1%
                        0
)");
  EXPECT_EQ(shown({.columns = 30, .utf8 = true}), R"(
Heading             files
  a long n…mething  1,000  75%
  b                     3  <1%
                        0
)");
  EXPECT_EQ(shown({.columns = 22, .utf8 = true}), R"(
Heading          files
  a long…ething  1,000
  b                  3
                     0
)");
  EXPECT_EQ(shown({.columns = 20, .utf8 = true}), R"(
Heading        files
  a lon…thing  1,000
  b                3
                   0
)");
}

TEST(ProfileTable, AHeadingThatIsInTheWayHasItsOwnLine) {
  EXPECT_EQ(shown({.columns = 30}, "Heading  of many things"), R"(
Heading  of many things
                    files
  a long ..mething  1,000  75%
  b                     3  <1%
                        0
)");
}

TEST(ProfileTable, IsPainted) {
  const std::string text = shown({.columns = 60, .color = true});
  EXPECT_NE(text.find("Heading                     \033[2mfiles\033[0m\n"), text.npos);
  EXPECT_NE(text.find("  \033[31mb\033[0m                             3  \033[2m<1%\033[0m\n"),
            text.npos);
  EXPECT_NE(text.find("75%  \033[36m###############\033[0m\n"), text.npos);
}

TEST(ProfileTable, GridsFitTheWidth) {
  const std::vector<TablePair> pairs = {
      {"files", "1,234"}, {"size", "5M"}, {"links", "7"}, {"folders", "40"}};
  EXPECT_EQ('\n' + grid_text(pairs, {.columns = 60}), R"(
  files    1,234    size  5M    links  7
  folders     40
)");
  EXPECT_EQ('\n' + grid_text(pairs, {.columns = 38}), R"(
  files  1,234    size     5M
  links      7    folders  40
)");
  EXPECT_EQ('\n' + grid_text(pairs, {.columns = 20}), R"(
  files    1,234
  size        5M
  links        7
  folders     40
)");
  EXPECT_EQ(grid_text({}, {.columns = 20}), "");
}

}  // namespace
}  // namespace trawl::cli
