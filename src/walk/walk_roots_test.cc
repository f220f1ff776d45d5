// SPDX-License-Identifier: Apache-2.0
//
// Roots of every kind.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::compare;
using testing::describe;
using testing::kNone;
using testing::passes_in_child;
using testing::record;
using testing::Recording;
using testing::Reported;
using testing::TemporaryDirectory;
using testing::walk_naively;

class WalkRoots : public ::testing::TestWithParam<Backend> {
 protected:
  WalkRoots() {
    directory_.directory("tree");
    directory_.directory("tree/sub");
    directory_.file("tree/sub/file", "content");
    directory_.file("tree/file");
    directory_.file("file", "content");
    directory_.link("to_tree", "tree");
    directory_.link("to_file", "file");
    directory_.link("to_nothing", "nothing");
    directory_.link("to_itself", "to_itself");
  }

  std::vector<Options> option_sets() const {
    std::vector<Options> all;
    for (const unsigned threads : {1U, 4U}) {
      for (const Fields fields : {Fields::none, Fields::basic}) {
        for (const Follow follow : {Follow::never, Follow::roots, Follow::all}) {
          Options options;
          options.threads = threads;
          options.fields = fields;
          options.follow = follow;
          options.backend = GetParam();
          all.push_back(options);
        }
      }
    }
    return all;
  }
  void expect_oracle(const std::vector<std::string>& roots) {
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }
  std::string at(const std::string& name) const { return directory_.at(name); }

  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Backends, WalkRoots, ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkRoots, None) {
  for (const Options& options : option_sets()) {
    const Recording recording = record({}, options);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_TRUE(recording.entries.empty());
    EXPECT_TRUE(recording.result.complete());
    ASSERT_TRUE(recording.origin);
    EXPECT_EQ(recording.origin->state, State::complete);
  }
}

TEST_P(WalkRoots, File) { expect_oracle({at("file")}); }
TEST_P(WalkRoots, Directory) { expect_oracle({at("tree")}); }
TEST_P(WalkRoots, SeveralOfAllKinds) {
  expect_oracle({at("tree"), at("file"), at("tree/sub"), at("to_file"), at("to_nothing")});
}
TEST_P(WalkRoots, LinkToDirectory) { expect_oracle({at("to_tree")}); }
TEST_P(WalkRoots, LinkToDirectoryWithSlash) { expect_oracle({at("to_tree/")}); }
TEST_P(WalkRoots, TrailingSlashes) {
  expect_oracle({at("tree/")});
  expect_oracle({at("tree///")});
  expect_oracle({at("tree/.")});
  expect_oracle({at("tree/sub/..")});
}
TEST_P(WalkRoots, FileWithSlash) { expect_oracle({at("file/")}); }

TEST_P(WalkRoots, PathsKeepTheOperandAsWritten) {
  const std::vector<std::string> roots{at("tree//")};
  Options options;
  options.backend = GetParam();
  const Recording recording = record(roots, options);
  bool found = false;
  for (const Reported& entry : recording.entries) found |= entry.path == at("tree//sub/file");
  EXPECT_TRUE(found);
}

TEST_P(WalkRoots, SameOneTwice) {
  for (Options options : option_sets()) {
    if (options.follow == Follow::all) continue;
    const std::vector<std::string> roots{at("tree"), at("tree")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.entries.size(), 8U);
  }
}

// Following all links, each directory is entered once, whichever root leads to it.
TEST_P(WalkRoots, SameOneTwiceIsEnteredOnceWhenLinksAreFollowed) {
  for (Options options : option_sets()) {
    if (options.follow != Follow::all) continue;
    const std::vector<std::string> roots{at("tree"), at("to_tree"), at("tree/sub")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(recording.violations, kNone);
    int entered = 0;
    int visited = 0;
    for (const auto& left : recording.directories) {
      entered += left.entered ? 1 : 0;
      visited += left.state == State::visited ? 1 : 0;
    }
    EXPECT_EQ(entered, 2);
    EXPECT_EQ(visited, 2);
  }
}

TEST_P(WalkRoots, Missing) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{at("missing"), at("tree"), at("file/x"), ""};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.result.statistics.errors, 3U);
    EXPECT_EQ(recording.result.statistics.vanished, 0U);
    EXPECT_FALSE(recording.result.complete());
    ASSERT_EQ(recording.result.errors.size(), 3U);
    EXPECT_EQ(recording.result.errors[0].path, at("missing"));
    EXPECT_EQ(recording.result.errors[0].code, ENOENT);
    EXPECT_EQ(recording.result.errors[0].depth, 0);
    EXPECT_EQ(recording.result.errors[0].operation, Operation::stat);
    EXPECT_EQ(recording.result.errors[0].message(),
              "cannot access '" + at("missing") + "': No such file or directory");
  }
}

// A link that leads nowhere is reported as what it is, with the error of what it is not.
TEST_P(WalkRoots, LinksThatLeadNowhere) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{at("to_nothing"), at("to_itself")};
    const Recording recording = record(roots, options);
    ASSERT_EQ(recording.entries.size(), 2U);
    const bool follow = options.follow != Follow::never;
    for (const Reported& entry : recording.entries) {
      EXPECT_EQ(entry.type, FileType::symlink);
      ASSERT_TRUE(entry.metadata);
      EXPECT_EQ(entry.metadata->type(), FileType::symlink);
    }
    EXPECT_EQ(recording.entries[0].error, follow ? ENOENT : 0);
    EXPECT_EQ(recording.entries[1].error, follow ? ELOOP : 0);
  }
}

TEST_P(WalkRoots, TooLong) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{std::string(5000, 'x'), at(std::string(300, 'x')),
                                         at("file")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.result.statistics.errors, 2U);
  }
}

TEST_P(WalkRoots, MoreThanABatch) {
  std::vector<std::string> roots;
  for (int i = 0; i < 1000; ++i) roots.push_back(i % 3 == 0 ? at("tree/sub") : at("file"));
  for (Options options : option_sets()) {
    if (options.follow == Follow::all) continue;
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
  }
}

TEST_P(WalkRoots, Slash) {
  for (const std::string root : {"/", "//", "/."}) {
    for (const unsigned threads : {1U, 4U}) {
      Options options;
      options.threads = threads;
      options.max_depth = 0;
      options.backend = GetParam();
      const std::vector<std::string> roots{root};
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "");
      for (const Reported& entry : recording.entries) {
        EXPECT_TRUE(entry.depth == 0 || entry.path.rfind('/') >= root.size() - 1) << entry.path;
      }
    }
  }
}

// In a process of its own, as it changes the working directory.
TEST_P(WalkRoots, RelativeToTheWorkingDirectory) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_EQ(::chdir(directory_.path().c_str()), 0);
    expect_oracle({"tree"});
    expect_oracle({"."});
    expect_oracle({"./tree/", "to_tree", "file"});
    ASSERT_EQ(::chdir("tree/sub"), 0);
    expect_oracle({".."});
    expect_oracle({"../.."});
  }));
}

TEST_P(WalkRoots, Unreadable) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(at("tree").c_str(), 0), 0);
    ASSERT_TRUE(::geteuid() != 0 || ::setuid(65534) == 0);
    for (const Options& options : option_sets()) {
      const std::vector<std::string> roots{at("tree"), at("tree/sub"), at("file")};
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
      EXPECT_EQ(recording.result.statistics.errors, 2U);
    }
  }));
  ::chmod(at("tree").c_str(), 0755);
}

}  // namespace
}  // namespace trawl
