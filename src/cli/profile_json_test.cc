// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_json.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "cli/profile_page.h"
#include "support/profiles.h"

namespace trawl::cli {
namespace {

Json document_of(const Profile& profile, const ProfileArguments& arguments) {
  const std::string text = to_document(profile, arguments, std::chrono::milliseconds(250));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  return Json::parse(text);
}

Json document_of(const Profile& profile) {
  ProfileArguments arguments;
  arguments.path = "/data";
  return document_of(profile, arguments);
}

TEST(ProfileJson, HasTheFigures) {
  const Json document = document_of(testing::profile_of_data());
  EXPECT_EQ(document["version"], 1);
  EXPECT_EQ(document["kind"], "trawl.profile");
  EXPECT_EQ(document["path"], "/data");
  EXPECT_EQ(document["summary"]["total_size_mb"], 5.72);
  EXPECT_EQ(document["summary"]["avg_files_per_folder"], 30.85);
  EXPECT_EQ(document["file_extensions"],
            Json::parse(R"({".jpg": 1000, "<no extension>": 200, ".\ufffd": 34})"));
  EXPECT_EQ(document["depth_distribution"], Json::parse(R"({"0": 1, "1": 9, "2": 20, "3": 10})"));
  EXPECT_EQ(document["size_histogram"].size(), 14U);
  EXPECT_EQ(document["size_histogram"][13],
            Json::parse(R"({"from": 4096, "to": 8191, "files": 1000, "bytes": 5850000})"));
  EXPECT_EQ(document["modified_histogram"][0]["from"], nullptr);
  EXPECT_EQ(document["modified_histogram"][10]["below"], nullptr);
  EXPECT_EQ(document["oldest_files"][0]["mtime"],
            Json::parse(R"({"seconds": -1, "nanoseconds": 999999999})"));
  EXPECT_EQ(document["approximate"],
            Json::parse(R"([{"table": "folder_names", "distinct": 70000, "files_error": 2}])"));
  EXPECT_EQ(document["now"], 1'800'000'000.5);
  EXPECT_EQ(document["elapsed_seconds"], 0.25);
  EXPECT_FALSE(document.contains("tree"));
}

TEST(ProfileJson, TheLargestSizeFits) {
  Profile profile = testing::profile_of_data();
  profile.sizes[64] = {1, UINT64_MAX};
  const Json last = document_of(profile)["size_histogram"].back();
  EXPECT_EQ(last["from"].get<std::uint64_t>(), std::uint64_t{1} << 63);
  EXPECT_EQ(last["to"].get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(last["bytes"].get<std::uint64_t>(), UINT64_MAX);
}

TEST(ProfileJson, NamesAreLossless) {
  const Json document = document_of(testing::profile_of_data());
  EXPECT_EQ(document["extensions"][2]["extension"], ".\ufffd");
  EXPECT_EQ(document["extensions"][2]["extension_base64"], "Lv8=");
  EXPECT_EQ(document["empty_folders"],
            Json::parse(R"(["/data/a", "/data/b\nc", "/data/\ufffd", "/data/z"])"));
  EXPECT_EQ(document["empty_folders_base64"], Json::parse(R"({"2": "L2RhdGEv/w=="})"));
  EXPECT_EQ(
      document["duplicates"]["candidates"][0]["paths"][1],
      Json::parse(R"({"path": "/data/\ufffd/a.jpg", "path_base64": "L2RhdGEv/i9hLmpwZw=="})"));
}

TEST(ProfileJson, TheTreeIsThereIfAskedFor) {
  ProfileArguments arguments;
  arguments.path = "/data";
  arguments.tree_folders = 4;
  Profile profile = testing::profile_of_data();
  const Json tree = document_of(profile, arguments)["tree"];
  EXPECT_EQ(tree["own_bytes"], 50'000);
  EXPECT_EQ(tree["children"][0]["children"][0]["name"], "<b>2024</b>");
  EXPECT_TRUE(tree["children"][1].contains("name_base64"));
}

TEST(ProfileJson, RoundsAsPythonDoes) {
  Profile profile;
  profile.folders = 200;
  profile.files = 1;  // 0.005, which is a little more as a double
  EXPECT_EQ(document_of(profile)["summary"]["avg_files_per_folder"], 0.01);
  profile.files = 25;  // 0.125: a tie
  EXPECT_EQ(document_of(profile)["summary"]["avg_files_per_folder"], 0.12);
  profile.folders = 0;
  EXPECT_EQ(document_of(profile)["summary"]["avg_files_per_folder"], 25);
}

TEST(ProfilePage, HoldsTheFiguresAsTheyAreShown) {
  ProfileArguments arguments;
  arguments.path = "/data";
  Profile profile = testing::profile_of_data();
  profile.walk.statistics.errors = 1;
  profile.walk.errors = {
      {.operation = Operation::open, .code = EACCES, .depth = 1, .path = "/data/\n"}};
  const Json data = page_data(profile, arguments, std::chrono::milliseconds(250));
  EXPECT_EQ(data["empty_folders"][2], "/data/\\xff");
  EXPECT_EQ(data["errors"][0]["path"], "/data/\\x0a");
  EXPECT_EQ(data["tree"]["children"][1]["name"], "\"quoted\" & \\xff\\x0a'x'");
  const std::string page = to_page(data);
  EXPECT_EQ(page.find("<b>2024"), page.npos);
  const std::size_t begin = page.find("{\"version\":1");
  const std::size_t end = page.find("</script>", begin);
  ASSERT_NE(end, page.npos);
  EXPECT_EQ(Json::parse(page.substr(begin, end - begin)), data);
  for (const char* part : {"<!DOCTYPE html>", "--cell-light", "squarify", "</html>"}) {
    EXPECT_NE(page.find(part), page.npos) << part;
  }
  for (const char* mark : {"/* profile_page.", "\"figures\": 0"}) {
    EXPECT_EQ(page.find(mark), page.npos) << mark;
  }
}

}  // namespace
}  // namespace trawl::cli
