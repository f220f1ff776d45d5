// SPDX-License-Identifier: Apache-2.0
#include "walk/git_repository.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "support/environment.h"
#include "support/temporary_directory.h"

namespace trawl::engine {
namespace {

using testing::ScopedEnvironment;
using testing::TemporaryDirectory;

std::optional<std::string> excludes_file(std::string_view text) {
  GitConfig config;
  config.read(text);
  return config.excludes_file;
}

std::optional<bool> ignore_case(std::string_view text) {
  GitConfig config;
  config.read(text);
  return config.ignore_case;
}

TEST(GitConfig, ValuesAreReadAsGitWritesThem) {
  EXPECT_EQ(excludes_file("[core]\n\texcludesFile = /a b \n"), "/a b");
  EXPECT_EQ(excludes_file("[core]\nexcludesfile=/a\n"), "/a");
  EXPECT_EQ(excludes_file("[CORE]\n  EXCLUDESFILE  =  /a"), "/a");
  EXPECT_EQ(excludes_file("[core] excludesFile = /a\n"), "/a");
  EXPECT_EQ(excludes_file("\xEF\xBB\xBF[core]\nexcludesFile = /a\n"), "/a");
  EXPECT_EQ(excludes_file("[core]\r\nexcludesFile = /a\r\n"), "/a");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile =\n"), "");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a\nexcludesFile = /b\n"), "/b");
}

TEST(GitConfig, QuotesKeepWhatIsInThem) {
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = \"/a # b \" ; c\n"), "/a # b ");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a\" b\"c\n"), "/a bc");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = \"/a\\\"\\\\\\t\\n\"\n"), "/a\"\\\t\n");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a \"\" \n"), "/a ");
}

TEST(GitConfig, CommentsEndAValue) {
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a # b\n"), "/a");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a;b\n"), "/a");
  EXPECT_EQ(excludes_file("# [core]\n; x = y\n[core] # z\nexcludesFile = /a\n"), "/a");
  EXPECT_EQ(excludes_file("[core]\n#excludesFile = /a\n"), std::nullopt);
}

TEST(GitConfig, ABackslashGoesOnInTheNextLine) {
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a\\\nb\n"), "/ab");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = \"/a \\\r\n b\"\n"), "/a  b");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a\\"), "/a\\");
}

TEST(GitConfig, OtherSectionsHaveOtherKeys) {
  EXPECT_EQ(excludes_file("[core \"x\"]\nexcludesFile = /a\n"), std::nullopt);
  EXPECT_EQ(excludes_file("[core.x]\nexcludesFile = /a\n"), std::nullopt);
  EXPECT_EQ(excludes_file("[branch \"a]\\\"b\"]\nx = y\n[core]\nexcludesFile = /a\n"), "/a");
  EXPECT_EQ(excludes_file("excludesFile = /a\n"), std::nullopt);
}

TEST(GitConfig, WhatIsBrokenEndsIt) {
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = /a\n[cut\nexcludesFile = /b\n"), "/a");
  EXPECT_EQ(excludes_file("[core]\n= x\nexcludesFile = /a\n"), std::nullopt);
  EXPECT_EQ(excludes_file("[core"), std::nullopt);
  EXPECT_EQ(excludes_file("[core \"x\\"), std::nullopt);
}

TEST(GitConfig, TruthHasMoreNamesThanOne) {
  for (const char* value : {"", " = true", " = Yes", " = ON", " = 1", " = 1k", " = -1", " = 0x1",
                            " = 12", " = \"true\""}) {
    EXPECT_EQ(ignore_case("[core]\nignoreCase" + std::string(value) + "\n"), true) << value;
  }
  for (const char* value : {" =", " = false", " = no", " = off", " = 0", " = 00", " = \"\""}) {
    EXPECT_EQ(ignore_case("[core]\nignoreCase" + std::string(value) + "\n"), false) << value;
  }
  EXPECT_EQ(ignore_case("[core]\n"), std::nullopt);
}

TEST(GitConfig, TheHomeDirectoryIsATilde) {
  const ScopedEnvironment home({{"HOME", "/home/ada"}});
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = ~/x\n"), "/home/ada/x");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = x~\n"), "x~");
  EXPECT_EQ(excludes_file("[core]\nexcludesFile = ~bob/x\n"), std::nullopt);
}

TEST(GitConfig, TheUsersComesFromSeveralFiles) {
  const TemporaryDirectory place;
  const std::string system = place.file("system", "[core]\nexcludesFile = /s\nignoreCase = true\n");
  const std::string global = place.file("global", "[core]\nexcludesFile = /g\n");
  place.directory("xdg");
  place.directory("xdg/git");
  place.file("xdg/git/config", "[core]\nexcludesFile = /x\n");
  const std::string xdg = place.at("xdg");
  sys::FileSystem& filesystem = sys::linux_filesystem();
  const ScopedEnvironment files({{"GIT_CONFIG_SYSTEM", system.c_str()},
                                 {"GIT_CONFIG_NOSYSTEM", nullptr},
                                 {"GIT_CONFIG_GLOBAL", nullptr},
                                 {"XDG_CONFIG_HOME", xdg.c_str()},
                                 {"HOME", place.path().c_str()}});
  EXPECT_EQ(GitConfig::of_user(filesystem).excludes_file, "/x");
  EXPECT_EQ(GitConfig::of_user(filesystem).ignore_case, true);
  place.file(".gitconfig", "[core]\nexcludesFile = /h\n");
  EXPECT_EQ(GitConfig::of_user(filesystem).excludes_file, "/h");
  {
    const ScopedEnvironment one({{"GIT_CONFIG_GLOBAL", global.c_str()}});
    EXPECT_EQ(GitConfig::of_user(filesystem).excludes_file, "/g");
  }
  {
    const ScopedEnvironment none({{"GIT_CONFIG_GLOBAL", ""}, {"GIT_CONFIG_NOSYSTEM", "1"}});
    const GitConfig config = GitConfig::of_user(filesystem);
    EXPECT_EQ(config.excludes_file, std::nullopt);
    EXPECT_EQ(config.global_excludes(), xdg + "/git/ignore");
  }
  const ScopedEnvironment home({{"XDG_CONFIG_HOME", nullptr}});
  EXPECT_EQ(GitConfig().global_excludes(), place.path() + "/.config/git/ignore");
}

class GitRepositoryTest : public ::testing::Test {
 protected:
  GitRepositoryTest() { make(".git"); }
  void make(const std::string& at) const {
    std::filesystem::create_directories(place_.at(at + "/objects"));
    std::filesystem::create_directories(place_.at(at + "/refs"));
    place_.file(at + "/HEAD", "ref: refs/heads/main\n");
  }
  std::optional<GitRepository> open(const std::string& dot_git = ".git") const {
    return GitRepository::open(sys::linux_filesystem(), sys::kWorkingDirectory, place_.at(dot_git));
  }
  std::string where(const std::string& dot_git = ".git") const {
    const auto repository = open(dot_git);
    return repository ? repository->info_exclude() : "none";
  }
  TemporaryDirectory place_;
};

TEST_F(GitRepositoryTest, ADirectoryWithHeadObjectsAndRefs) {
  EXPECT_EQ(where(), place_.at(".git/info/exclude"));
  EXPECT_EQ(where("nothing"), "none");
  std::filesystem::remove(place_.at(".git/refs"));
  EXPECT_EQ(where(), "none");
  make(".git");
  std::filesystem::remove(place_.at(".git/objects"));
  place_.file(".git/objects", "");
  EXPECT_EQ(where(), "none");
}

TEST_F(GitRepositoryTest, HeadNamesABranchOrACommit) {
  const std::string commit(40, 'a');
  for (const char* head : {"ref: refs/heads/x\n", "ref:refs/x", "ref:\trefs/heads/x\n"}) {
    place_.file(".git/HEAD", head);
    EXPECT_TRUE(open()) << head;
  }
  for (const std::string& head : {commit, commit + "\n", std::string(64, '0')}) {
    place_.file(".git/HEAD", head);
    EXPECT_TRUE(open()) << head;
  }
  for (const std::string& head :
       {std::string(), std::string("ref: heads/x\n"), std::string("refs/heads/x\n"),
        commit.substr(1), std::string(40, 'g')}) {
    place_.file(".git/HEAD", head);
    EXPECT_FALSE(open()) << head;
  }
  std::filesystem::remove(place_.at(".git/HEAD"));
  EXPECT_FALSE(open());
  std::filesystem::create_symlink("refs/heads/unborn", place_.at(".git/HEAD"));
  EXPECT_TRUE(open());
  std::filesystem::remove(place_.at(".git/HEAD"));
  std::filesystem::create_symlink("nowhere", place_.at(".git/HEAD"));
  EXPECT_FALSE(open());
}

TEST_F(GitRepositoryTest, AFileSaysWhereItIs) {
  make("else where ");
  place_.directory("tree");
  const std::string real = place_.at("else where /info/exclude");
  for (const std::string& text :
       {"gitdir: " + place_.at("else where ") + "\n", std::string("gitdir: ../else where \n"),
        std::string("gitdir: ../else where \r\n\n"),
        std::string("gitdir: ../tree/.././else where ")}) {
    place_.file("tree/.git", text);
    EXPECT_EQ(where("tree/.git"),
              std::filesystem::canonical(place_.path()).string() + "/else where /info/exclude")
        << text;
  }
  for (const char* text : {"", "gitdir:", "gitdir: \n", "gitdir: ../nowhere\n", "../else where \n",
                           "gitdir:../else where \n"}) {
    place_.file("tree/.git", text);
    EXPECT_EQ(where("tree/.git"), "none") << text;
  }
}

TEST_F(GitRepositoryTest, WorkTreesShareWhatIsCommon) {
  std::filesystem::create_directories(place_.at(".git/worktrees/x"));
  place_.file(".git/worktrees/x/HEAD", "ref: refs/heads/x\n");
  place_.file(".git/worktrees/x/commondir", "../..\n");
  place_.directory("tree");
  place_.file("tree/.git", "gitdir: " + place_.at(".git/worktrees/x") + "\n");
  const std::string top = std::filesystem::canonical(place_.path()).string();
  const auto repository = open("tree/.git");
  ASSERT_TRUE(repository);
  EXPECT_EQ(repository->git_directory, top + "/.git/worktrees/x");
  EXPECT_EQ(repository->common_directory, top + "/.git");

  // A configuration of its own, if that is switched on.
  place_.file(".git/config", "[core]\nexcludesFile = /all\nignoreCase = true\n");
  place_.file(".git/worktrees/x/config.worktree", "[core]\nexcludesFile = /own\n");
  const auto config = [&] {
    GitConfig out;
    out.excludes_file = "/user";
    repository->read_config(sys::linux_filesystem(), sys::kWorkingDirectory, out);
    return out;
  };
  EXPECT_EQ(config().excludes_file, "/all");
  place_.file(".git/config", "[extensions]\nworktreeConfig = true\n[core]\nexcludesFile = /all\n");
  EXPECT_EQ(config().excludes_file, "/own");
  std::filesystem::remove(place_.at(".git/config"));
  EXPECT_EQ(config().excludes_file, "/user");
}

}  // namespace
}  // namespace trawl::engine
