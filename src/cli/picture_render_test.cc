// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_render.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "support/usage_trees.h"

namespace trawl::cli {
namespace {

using testing::directory;
using testing::file;
using testing::kGi;
using testing::kKi;
using testing::kMi;
using testing::usage_tree;

UsageTree home() {
  UsageTree tree = usage_tree(
      {directory("/home/ada", 10 * kGi,
                 {directory("videos", 6 * kGi,
                            {file("holiday in the mountains, second part, uncut.mkv", 4 * kGi),
                             file("宽宽宽宽宽宽宽宽.mp4", 1 * kGi)},
                            30),
                  directory("work", 2 * kGi,
                            {directory("build", 1990 * kMi, {directory("release", 1980 * kMi)})}),
                  directory("photos", 1 * kGi, {}, 4000), file("notes.txt", 40 * kKi)},
                 9)});
  tree.result.walk.statistics.entries = 4044;
  tree.result.walk.statistics.directories = 12;
  return tree;
}

std::string rendered(const UsageTree& tree, const Terminal& terminal,
                     const PictureOptions& options = {}) {
  return '\n' + render_picture(tree, options, terminal, LsColors("di=01;34:*.mkv=35"),
                               std::chrono::milliseconds(50));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text.substr(1));
  std::vector<std::string> out;
  for (std::string line; std::getline(stream, line);) {
    out.push_back(line);
  }
  return out;
}

TEST(PictureRender, Golden80) {
  EXPECT_EQ(rendered(home(), {.columns = 80, .rows = 24, .utf8 = true}), R"(
 10G 100%  /home/ada/                                 ██████████████████████████
6.0G  60%  ├─ videos/                                 ███████████████▋
4.0G  40%  │  ├─ holiday in the mo…d part, uncut.mkv  ██████████▍░░░░░
1.0G  10%  │  ├─ 宽宽宽宽宽宽宽宽.mp4                 ██▋░░░░░░░░░░░░░
1.0G  10%  │  └─ … 30 more                            ██▋░░░░░░░░░░░░░
2.0G  20%  ├─ work/build/release/                     █████▎
1.0G  10%  ├─ photos/                                 ██▋
 40K  <1%  ├─ notes.txt
1.0G  10%  └─ … 9 more                                ██▋
10G in 4,048 files and directories; 50 ms, 80,880 entries/s
)");
}

TEST(PictureRender, Golden40) {
  EXPECT_EQ(rendered(home(), {.columns = 40, .rows = 24, .utf8 = true}), R"(
 10G 100%  /home/ada/
6.0G  60%  ├ videos/
4.0G  40%  │ ├ holiday in t…t, uncut.mkv
1.0G  10%  │ ├ 宽宽宽宽宽宽宽宽.mp4
1.0G  10%  │ └ … 30 more
2.0G  20%  ├ work/build/release/
1.0G  10%  ├ photos/
 40K  <1%  ├ notes.txt
1.0G  10%  └ … 9 more
10G in 4,048 files and directories;
50 ms, 80,880 entries/s
)");
}

TEST(PictureRender, Golden120) {
  EXPECT_EQ(rendered(home(), {.columns = 120, .rows = 24, .utf8 = true}), R"(
 10G 100%  /home/ada/                                              █████████████████████████████████████████████████████
6.0G  60%  ├─ videos/                                              ███████████████████████████████▊
4.0G  40%  │  ├─ holiday in the mountains, second part, uncut.mkv  █████████████████████▎░░░░░░░░░░
1.0G  10%  │  ├─ 宽宽宽宽宽宽宽宽.mp4                              █████▎░░░░░░░░░░░░░░░░░░░░░░░░░░
1.0G  10%  │  └─ … 30 more                                         █████▎░░░░░░░░░░░░░░░░░░░░░░░░░░
2.0G  20%  ├─ work/build/release/                                  ██████████▋
1.0G  10%  ├─ photos/                                              █████▎
 40K  <1%  ├─ notes.txt
1.0G  10%  └─ … 9 more                                             █████▎
10G in 4,048 files and directories; 50 ms, 80,880 entries/s
)");
}

TEST(PictureRender, GoldenAscii) {
  EXPECT_EQ(rendered(home(), {.columns = 80, .rows = 24, .utf8 = false}), R"(
 10G 100%  /home/ada/                                 ##########################
6.0G  60%  |- videos/                                 ################
4.0G  40%  |  |- holiday in the mo.. part, uncut.mkv  ##########......
1.0G  10%  |  |- \xe5\xae\xbd\xe5\..\xe5\xae\xbd.mp4  ###.............
1.0G  10%  |  `- ... 30 more                          ###.............
2.0G  20%  |- work/build/release/                     #####
1.0G  10%  |- photos/                                 ###
 40K  <1%  |- notes.txt
1.0G  10%  `- ... 9 more                              ###
10G in 4,048 files and directories; 50 ms, 80,880 entries/s
)");
}

TEST(PictureRender, GoldenCount) {
  PictureOptions options;
  options.measure = Measure::inodes;
  EXPECT_EQ(rendered(home(), {.columns = 60, .rows = 10, .utf8 = true}, options), R"(
4,048 100%  /home/ada/                  ████████████████████
4,001  99%  ├─ photos/                  ███████████████████▊
   33   1%  ├─ videos/                  ▏
    1  <1%  │  ├─ holiday in…uncut.mkv
   31   1%  │  └─ … 31 more             ▏
    3  <1%  ├─ work/
    2  <1%  │  └─ build/
   10  <1%  └─ … 10 more
4,048 files and directories, 10G; 50 ms, 80,880 entries/s
)");
}

TEST(PictureRender, GoldenColor) {
  PictureOptions options;
  options.top = 3;
  EXPECT_EQ(rendered(home(), {.columns = 60, .rows = 24, .color = true, .utf8 = true}, options),
            "\n"
            " \x1b[1m10G\x1b[0m \x1b[2m100%\x1b[0m  \x1b[01;34m/home/ada\x1b[0m                    "
            "\x1b[36m████████████████████\x1b[0m\n"
            "\x1b[1m6.0G\x1b[0m \x1b[2m 60%\x1b[0m  \x1b[2m└─ \x1b[0m\x1b[01;34mvideos\x1b[0m      "
            "              \x1b[36m████████████\x1b[0m\n"
            "\x1b[1m4.0G\x1b[0m \x1b[2m 40%\x1b[0m  \x1b[2m   └─ \x1b[0m\x1b[35mholiday in… "
            "uncut.mkv\x1b[0m  \x1b[36m████████\x1b[0m\x1b[2m░░░░\x1b[0m\n"
            "10G in 4,048 files and directories; 50 ms, 80,880 entries/s\n");
}

TEST(PictureRender, GoldenPartial) {
  UsageTree tree = home();
  tree.roots[0].complete = tree.roots[0].children[0].complete = false;
  Result& walk = tree.result.walk;
  walk.statistics.errors = 3;
  walk.errors = {{.operation = Operation::open, .code = EACCES, .depth = 2, .path = "a"},
                 {.operation = Operation::read, .code = EIO, .depth = 2, .path = "b"},
                 {.operation = Operation::stat, .code = EACCES, .depth = 2, .path = "c"}};
  walk.ending = Ending::cancelled;
  walk.statistics.vanished = 2;
  tree.result.repeated_links = 1234;
  PictureOptions options;
  options.top = 2;
  EXPECT_EQ(rendered(tree, {.columns = 80, .rows = 24, .utf8 = true}, options), R"(
 10G 100%  /home/ada/ !  ███████████████████████████████████████████████████████
6.0G  60%  └─ videos/ !  █████████████████████████████████
10G in 4,048 files and directories; 1,234 further hard links not counted again;
2 vanished meanwhile; 50 ms, 80,880 entries/s
2 directories and 1 other entry could not be read (! marks where), so the total
is at least 10G: `trawl --errors` lists them
interrupted: the figures are partial (! marks where)
)");
}

TEST(PictureRender, EveryLineFits) {
  UsageTree tree = home();
  UsageNode* node = &tree.roots[0].children[0];  // 40 levels, none practically all of the last
  for (std::uint64_t size = 5 * kGi; size > 5 * kMi; size -= size / 6) {
    node->children.push_back(directory("宽" + std::to_string(size), size));
    node = &node->children.back();
  }
  tree.roots[0].complete = node->complete = false;
  tree.result.walk.statistics.errors = 1;
  for (const bool utf8 : {true, false}) {
    for (std::size_t columns = 20; columns < 250; ++columns) {
      for (const std::size_t rows : {5U, 10U, 24U, 100U}) {
        const auto lines =
            lines_of(rendered(tree, {.columns = columns, .rows = rows, .utf8 = utf8}));
        EXPECT_LE(lines.size(), std::max<std::size_t>(rows - 1, 5 + (columns < 30 ? 9 : 7)));
        for (const std::string& line : lines) {
          EXPECT_LE(width_of(line, utf8), columns) << line;
        }
      }
    }
  }
}

// A chain of directories with names of one letter and a file beside each.
UsageTree stairs(std::size_t levels) {
  UsageNode node = directory("z", 10 * kMi);
  for (std::size_t i = 1; i < levels; ++i) {
    node = directory("d", node.sums.disk_usage * 2, {node, file("f", node.sums.disk_usage)});
  }
  return usage_tree({node});
}

TEST(PictureRender, IsATreeOnNarrowTerminals) {
  EXPECT_EQ(rendered(stairs(4), {.columns = 20, .rows = 12, .utf8 = true}), R"(
80M 100%  d/
40M  50%  ├ d/
20M  25%  │ ├ d/
10M  13%  │ │ ├ z/
10M  13%  │ │ └ f
20M  25%  │ └ f
40M  50%  └ f
80M in 7 files and
directories; 50 ms,
140 entries/s
)");
  const auto lines = lines_of(rendered(home(), {.columns = 20, .rows = 24, .utf8 = true}));
  EXPECT_EQ(lines[1], "6.0G  60%  ├ videos/");
  EXPECT_EQ(lines[2], "4.0G  40%  │ ├ ho…kv");
}

TEST(PictureRender, IsAsDeepAsNamesAllow) {
  const std::string text = rendered(stairs(14), {.columns = 80, .rows = 40, .utf8 = true});
  EXPECT_NE(text.find(" z/"), std::string::npos) << text;
}

TEST(PictureRender, UsesTheWholeWidthAndHeight) {
  const auto lines = lines_of(rendered(home(), {.columns = 100, .rows = 11, .utf8 = true}));
  EXPECT_EQ(width_of(lines[0], true), 100U);
  EXPECT_EQ(lines.size(), 10U);
}

TEST(PictureRender, MarksNothingThatOnlyVanished) {
  UsageTree tree = home();
  tree.roots[0].complete = false;
  tree.result.walk.statistics.vanished = 1;
  const std::string text = rendered(tree, {.columns = 80, .rows = 24, .utf8 = true});
  EXPECT_EQ(text.find('!'), std::string::npos);
  EXPECT_NE(text.find("1 vanished meanwhile"), std::string::npos);
}

TEST(PictureRender, OfNothing) {
  UsageTree tree;
  tree.result.walk.ending = Ending::timed_out;
  EXPECT_NE(rendered(tree, {}).find("stopped by --timeout"), std::string::npos);
  const auto lines = lines_of(rendered(usage_tree({file("empty", 0)}), {.columns = 60}));
  EXPECT_EQ(lines[0], "0   0%  empty");
}

TEST(PictureRender, AsksForMoreNodesThanItHasLines) {
  PictureOptions options;
  options.paths = {"a", "b"};
  EXPECT_GT(nodes_for_picture(options, {.rows = 30}), 32U);
  options.top = 1000;
  EXPECT_GT(nodes_for_picture(options, {.rows = 30}), 1000U);
}

}  // namespace
}  // namespace trawl::cli
