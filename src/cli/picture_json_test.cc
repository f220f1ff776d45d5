// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_json.h"

#include "cli/json.h"
#include "support/usage_trees.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

namespace trawl::cli {
namespace {

using testing::directory;
using testing::file;
using testing::usage_tree;

Json document_of(const UsageTree& tree, const PictureOptions& options = {}) {
  const std::string text = to_document(tree, options, std::chrono::milliseconds(250));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  return Json::parse(text);
}

TEST(PictureJson, HasTheTree) {
  const Json document = document_of(
      usage_tree({directory("/r", 100, {directory("a", 60), file("b", 30)}, 5), file("f", 1)}));
  EXPECT_EQ(document["version"], 1);
  EXPECT_EQ(document["kind"], "trawl.usage");
  EXPECT_EQ(document["measure"], "disk_usage");
  EXPECT_EQ(document["elapsed_seconds"], 0.25);
  EXPECT_EQ(document["total"]["disk_usage"], 101);
  ASSERT_EQ(document["roots"].size(), 2U);
  const Json& root = document["roots"][0];
  EXPECT_EQ(root["name"], "/r");
  EXPECT_EQ(root["type"], "directory");
  EXPECT_EQ(root["children"][0]["name"], "a");
  EXPECT_EQ(root["children"][1]["name"], "b");
  EXPECT_EQ(root["omitted"]["entries"], 5);
  EXPECT_EQ(root["omitted"]["disk_usage"], 10);
  EXPECT_FALSE(document["roots"][1].contains("children"));
}

TEST(PictureJson, FiguresAreExact) {
  const Json document = document_of(usage_tree({file("f", UINT64_MAX)}));
  EXPECT_EQ(document["total"]["disk_usage"].get<std::uint64_t>(), UINT64_MAX);
}

TEST(PictureJson, LeavesOutSmallShares) {
  PictureOptions options;
  options.min_share = 31;
  const Json root = document_of(
      usage_tree({directory("r", 100, {directory("a", 60), file("b", 30)}, 5)}), options)["roots"][0];
  EXPECT_EQ(root["children"].size(), 1U);
  EXPECT_EQ(root["omitted"]["entries"], 6);
  EXPECT_EQ(root["omitted"]["disk_usage"], 40);
  EXPECT_EQ(root["omitted"]["inodes"], 6);
}

TEST(PictureJson, Sorts) {
  PictureOptions options;
  options.sort = SortBy::name;
  options.reverse = true;
  const Json root =
      document_of(usage_tree({directory("r", 100, {directory("a", 60), file("b", 30)})}),
                  options)["roots"][0];
  EXPECT_EQ(root["children"][0]["name"], "b");
}

TEST(PictureJson, NamesAreLossless) {
  const Json roots = document_of(usage_tree({file("bad\xff", 2), file("gut\xc3\xa4\n", 1)}))["roots"];
  EXPECT_EQ(roots[0]["name"], "bad\ufffd");
  EXPECT_EQ(roots[0]["name_base64"], "YmFk/w==");
  EXPECT_EQ(roots[1]["name"], "gut\u00e4\n");
  EXPECT_FALSE(roots[1].contains("name_base64"));
}

TEST(PictureJson, SaysWhatFailed) {
  UsageTree tree = usage_tree({directory("r", 1)});
  tree.result.walk.ending = Ending::timed_out;
  tree.result.walk.statistics.errors = 1;
  tree.result.walk.errors.push_back(
      {.operation = Operation::open, .code = EACCES, .depth = 1, .path = "r/\xfe"});
  const Json document = document_of(tree);
  EXPECT_EQ(document["complete"], false);
  EXPECT_EQ(document["ending"], "timed_out");
  const Json& error = document["errors"][0];
  EXPECT_EQ(error["operation"], "open");
  EXPECT_EQ(error["path_base64"], "ci/+");
  EXPECT_EQ(error["depth"], 1);
  EXPECT_EQ(error["errno"], EACCES);
  EXPECT_EQ(error["errno_name"], "EACCES");
  EXPECT_EQ(error["message"], "Permission denied");
}

}  // namespace
}  // namespace trawl::cli
