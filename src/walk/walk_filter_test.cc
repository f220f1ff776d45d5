// SPDX-License-Identifier: Apache-2.0
//
// Options::filter, Entry::no_metadata and Entry::tag: what is left out costs nothing, and the same
// is left out whatever the workers and wherever the listing is cut.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/path_filter.h>
#include <trawl/walk.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/environment.h"
#include "support/fault_filesystem.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"
#include "sys/stall_guard.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::Call;
using testing::FaultFileSystem;
using testing::RandomTree;
using testing::Recording;
using testing::TemporaryDirectory;
using testing::with_threads;
using Paths = std::set<std::string>;

// Without the configuration of whoever runs the tests.
class WalkFilter : public ::testing::Test {
 protected:
  void make_repository(const std::string& directory) const {
    std::filesystem::create_directories(place_.at(directory + "/.git/objects"));
    std::filesystem::create_directories(place_.at(directory + "/.git/refs"));
    std::filesystem::create_directories(place_.at(directory + "/.git/info"));
    place_.file(directory + "/.git/HEAD", "ref: refs/heads/main\n");
  }
  // Below `name`, but for what is in .git.
  Paths paths(const Recording& recording, const std::string& name = "t") const {
    Paths out;
    const std::string root = place_.at(name) + "/";
    for (const auto& entry : recording.entries) {
      if (entry.path.starts_with(root) && entry.path.find("/.git/") == std::string::npos) {
        out.insert(entry.path.substr(root.size()));
      }
    }
    EXPECT_EQ(recording.violations, testing::kNone);
    return out;
  }
  Recording walk(const FilterOptions& options, unsigned threads = 1, Fields fields = Fields::none,
                 const std::string& name = "t") const {
    const PathFilter filter(options);
    Options walk = with_threads(threads, fields);
    walk.filter = &filter;
    return testing::record(std::vector{place_.at(name)}, walk);
  }
  Paths listed(const FilterOptions& options, unsigned threads = 1,
               Fields fields = Fields::none) const {
    return paths(walk(options, threads, fields));
  }

  testing::ScopedEnvironment environment_{{"GIT_CONFIG_GLOBAL", "/dev/null"},
                                          {"GIT_CONFIG_NOSYSTEM", "1"},
                                          {"XDG_CONFIG_HOME", "/nonexistent"}};
  TemporaryDirectory place_{testing::in_memory()};
  std::string root_ = place_.directory("t");
};

TEST_F(WalkFilter, WhatIsIgnoredCostsNothing) {
  place_.file("t/.gitignore", "target/\n*.o\n");
  place_.directory("t/target");
  place_.file("t/target/inside");
  place_.directory("t/src");
  place_.file("t/src/a.o");
  place_.file("t/src/a.c");
  FaultFileSystem fs(sys::linux_filesystem());
  std::vector<std::string> stated;
  std::vector<std::string> read;
  fs.fail_when([&](const testing::Request& request) {
    if (request.call == Call::stat_at) stated.emplace_back(request.path);
    if (request.call == Call::read_file) read.emplace_back(request.path);
    return 0;
  });
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1);
  options.filter = &filter;
  const Recording recording = testing::record(fs, std::vector{root_}, options);
  EXPECT_EQ(paths(recording), (Paths{".gitignore", "src", "src/a.c"}));
  EXPECT_EQ(fs.calls(Call::open), 2U);
  // In src there is none, and so it is not looked for.
  EXPECT_EQ(read, (std::vector<std::string>{"/nonexistent/git/ignore", ".gitignore"}));
  EXPECT_EQ(std::count(stated.begin(), stated.end(), "a.o"), 0);
  EXPECT_EQ(std::count(stated.begin(), stated.end(), "a.c"), 1);
}

TEST_F(WalkFilter, DeeperFilesComeFirstAndNothingReturnsBelowWhatIsIgnored) {
  place_.file("t/.gitignore", "*.log\n/build\n!keep.log\n");
  place_.file("t/a.log");
  place_.file("t/keep.log");
  place_.directory("t/build");
  place_.file("t/build/.gitignore", "!x\n");
  place_.file("t/build/x");
  place_.directory("t/d");
  place_.file("t/d/.gitignore", "!a.log\nkeep.log\n/only\n");
  place_.file("t/d/a.log");
  place_.file("t/d/keep.log");
  place_.file("t/d/only");
  place_.directory("t/d/build");
  place_.directory("t/d/e");
  place_.file("t/d/e/only");
  EXPECT_EQ(listed({.git = true}), (Paths{".gitignore", "keep.log", "d", "d/.gitignore", "d/a.log",
                                          "d/build", "d/e", "d/e/only"}));
}

TEST_F(WalkFilter, KindsHaveTheirPrecedence) {
  make_repository("t");
  const std::string global = place_.file("global", "g*\n!g_info\n!g_git\n!g_dot\n!g_named\n");
  const testing::ScopedEnvironment home(
      {{"GIT_CONFIG_GLOBAL",
        place_.file("config", "[core]\n\texcludesFile = \"" + global + "\"\n").c_str()}});
  place_.file("t/.git/info/exclude", "g_info\ni*\n!i_git\n");
  place_.file("t/.gitignore", "i_git\n!g_git\n!d_dot\n");
  place_.file("t/.ignore", "d_dot\n!i_x\n!e_x\n");
  place_.file("t/.named", "!d_dot\nd_other\n");
  for (const char* name : {"g_none", "g_info", "g_git", "i_none", "i_git", "i_x", "d_dot",
                           "d_other", "e_x", "f_x", "f_y"}) {
    place_.file(std::string("t/") + name);
  }
  const std::string first = place_.file("first", "f_*\n");
  const std::string second = place_.file("second", "!f_y\n");
  EXPECT_EQ(listed({.git = true,
                    .names = {".ignore", ".named"},
                    .files = {first, second},
                    .exclude = {"e_x"}}),
            (Paths{".git", ".gitignore", ".ignore", ".named", "g_git", "i_x", "d_dot", "f_y"}));
}

TEST_F(WalkFilter, ARepositoryInsideHasItsOwnRules) {
  make_repository("t");
  place_.file("t/.gitignore", "*.o\n/inner/skipped\n");
  place_.file("t/.ignore", "*.tmp\n");
  make_repository("t/inner");
  place_.file("t/inner/.git/info/exclude", "*.a\n");
  for (const char* name :
       {"x.o", "x.tmp", "inner/x.o", "inner/x.a", "inner/x.tmp", "inner/skipped"}) {
    place_.file(std::string("t/") + name);
  }
  std::filesystem::create_directory(place_.at("t/no_repository"));
  std::filesystem::create_directory(place_.at("t/no_repository/.git"));
  place_.file("t/no_repository/x.o");
  EXPECT_EQ(listed({.git = true, .names = {".ignore"}}),
            (Paths{".git", ".gitignore", ".ignore", "inner", "inner/.git", "inner/x.o",
                   "inner/skipped", "no_repository", "no_repository/.git"}));
}

TEST_F(WalkFilter, AWorkTreesRepositoryIsElsewhere) {
  make_repository("t");
  place_.file("t/.git/info/exclude", "*.a\n");
  std::filesystem::create_directories(place_.at("t/.git/worktrees/w"));
  place_.file("t/.git/worktrees/w/HEAD", "ref: refs/heads/w\n");
  place_.file("t/.git/worktrees/w/commondir", "../..\n");
  place_.directory("w");
  place_.file("w/.git", "gitdir: " + place_.at("t/.git/worktrees/w") + "\n");
  place_.file("w/x.a");
  place_.file("w/x.b");
  EXPECT_EQ(paths(walk({.git = true}, 1, Fields::none, "w"), "w"), (Paths{".git", "x.b"}));
  // Its path in messages is where it is.
  const std::string exclude = place_.at("t/.git/info/exclude");
  std::filesystem::remove(exclude);
  place_.link("t/.git/info/exclude", "exclude");
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  testing::record(std::vector{place_.at("w")}, options);
  ASSERT_EQ(filter.errors().size(), 1U);
  EXPECT_EQ(filter.errors()[0].path, exclude);
  EXPECT_EQ(filter.errors()[0].code, ELOOP);
}

TEST_F(WalkFilter, RulesOfDirectoriesAboveCount) {
  place_.file("t/.gitignore", "above\n");
  make_repository("t/r");
  place_.file("t/r/.gitignore", "*.o\n/d/e/anchored\n");
  place_.file("t/.ignore", "dotted\n");
  std::filesystem::create_directories(place_.at("t/r/d/e"));
  for (const char* name : {"x.o", "anchored", "above", "dotted", "kept"}) {
    place_.file(std::string("t/r/d/e/") + name);
  }
  const auto below = [&](const FilterOptions& options) {
    return paths(walk(options, 1, Fields::none, "t/r/d/e"), "t/r/d/e");
  };
  EXPECT_EQ(below({.git = true, .names = {".ignore"}}), (Paths{"above", "kept"}));
  EXPECT_EQ(below({.git = true, .names = {".ignore"}, .parents = false}),
            (Paths{"x.o", "anchored", "above", "dotted", "kept"}));
}

TEST_F(WalkFilter, GitsRulesMayNeedARepository) {
  place_.file("t/.gitignore", "x\n");
  place_.file("t/x");
  EXPECT_EQ(listed({.git = true, .require_git = true}), (Paths{".gitignore", "x"}));
  make_repository("t");
  EXPECT_EQ(listed({.git = true, .require_git = true}), (Paths{".git", ".gitignore"}));
}

TEST_F(WalkFilter, HiddenNamesMayBeTakenIn) {
  place_.file("t/.ignore", "!.kept\n");
  place_.file("t/.kept");
  place_.file("t/.lost");
  place_.directory("t/.d");
  place_.file("t/.d/x");
  EXPECT_EQ(listed({.hidden = true, .names = {".ignore"}}), (Paths{".kept"}));
}

TEST_F(WalkFilter, CachesAreLeftOutByTheirTag) {
  const std::string tag = "Signature: 8a477f597d28d172789f06886806bc55\n# by a test\n";
  place_.directory("t/cache");
  place_.file("t/cache/CACHEDIR.TAG", tag);
  place_.file("t/cache/x");
  place_.directory("t/cache/d");
  place_.directory("t/other");
  place_.file("t/other/CACHEDIR.TAG", tag.substr(0, 42));
  place_.file("t/other/x");
  EXPECT_EQ(listed({.caches = true}),
            (Paths{"cache", "cache/CACHEDIR.TAG", "other", "other/CACHEDIR.TAG", "other/x"}));
}

TEST_F(WalkFilter, TheCallersTestSeesPathsAsReported) {
  place_.directory("t/d");
  place_.file("t/d/x");
  place_.file("t/d/y");
  std::mutex mutex;
  Paths asked;
  FilterOptions options;
  options.custom = [&](const char* path) {
    const std::lock_guard lock(mutex);
    asked.insert(path);
    return std::string_view(path).ends_with("/y");
  };
  EXPECT_EQ(listed(options), (Paths{"d", "d/x"}));
  EXPECT_EQ(asked, (Paths{root_, root_ + "/d", root_ + "/d/x", root_ + "/d/y"}));
  options.custom = [&](const char* path) { return path == root_; };
  EXPECT_EQ(walk(options).entries.size(), 0U);  // roots, too
}

// And nothing is left behind of what was live.
TEST_F(WalkFilter, WhatCustomThrowsEndsTheWalk) {
  place_.directory("t/d");
  place_.directory("t/d/e");
  place_.file("t/d/e/x");
  for (const char* at : {"t", "d", "e", "x"}) {
    FilterOptions options;
    options.custom = [&](const char* path) -> bool {
      if (std::string_view(path).ends_with(std::string("/") + at)) {
        throw std::runtime_error("custom");
      }
      return false;
    };
    EXPECT_THROW(walk(options), std::runtime_error) << at;
  }
}

TEST_F(WalkFilter, CustomIsAskedNothingMoreOnceTheWalkIsToEnd) {
  for (int i = 0; i < 100; ++i) {
    place_.file("t/" + std::to_string(i));
  }
  CancelToken token;
  int calls = 0;
  FilterOptions rules;
  rules.custom = [&](const char*) {
    if (++calls == 3) token.cancel();
    return false;
  };
  const PathFilter filter(rules);
  Options options = with_threads(1);
  options.filter = &filter;
  options.cancel = &token;
  const auto record = testing::record(sys::linux_filesystem(), std::vector{root_}, options, {}, {});
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(record.result.ending, Ending::cancelled);
}

// The ignore file is the last that is listed, far behind the first buffer.
TEST_F(WalkFilter, AHugeDirectorysIgnoreFileIsFoundFirst) {
  Paths expected{".gitignore"};
  for (int i = 0; i < 5000; ++i) {
    const std::string name =
        "a_longer_name_of_a_file_" + std::to_string(i) + (i % 2 == 0 ? ".o" : ".c");
    place_.file("t/" + name);
    if (i % 2 != 0) expected.insert(name);
  }
  place_.file("t/.gitignore", "*.o\n");
  for (const unsigned threads : {1U, 4U}) {
    for (const std::size_t buffer : {std::size_t{1024}, std::size_t{64} << 10}) {
      const PathFilter filter(FilterOptions{.git = true, .parents = false});
      Options options = with_threads(threads);
      options.filter = &filter;
      engine::Tuning tuning;
      tuning.share_always = threads > 1;
      tuning.listing_buffer = buffer;
      tuning.read_before_split = 1;
      EXPECT_EQ(
          paths(testing::record(sys::linux_filesystem(), std::vector{root_}, options, {}, tuning)),
          expected);
    }
  }
}

// Ranges of it, which several workers read, are under the rules that its first reader found.
TEST_F(WalkFilter, ADirectoryThatIsSplitIsBegunOnce) {
  TemporaryDirectory disk;  // where offsets ascend
  disk.directory("t");
  disk.file("t/.gitignore", "*.a\n");
  disk.directory("t/d");
  disk.file("t/d/.gitignore", "*.o\n");
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string name = "d/" + std::to_string(i) + std::array{".o", ".c", ".a"}[i % 3];
    disk.file("t/" + name);
  }
  for (const std::string& root : {disk.at("t"), disk.at("t/d")}) {  // the same for a root
    const bool is_top = root == disk.at("t");
    FaultFileSystem fs(sys::linux_filesystem());
    std::atomic<int> reads = 0;
    fs.fail_when([&](const testing::Request& request) {
      const bool is_it =
          request.call == Call::read_file && request.path == std::string(".gitignore");
      reads += is_it ? 1 : 0;
      return 0;
    });
    const PathFilter filter(FilterOptions{.git = true, .parents = false});
    Options options = with_threads(4);
    options.filter = &filter;
    engine::Tuning tuning;
    tuning.share_always = true;
    tuning.piece = 1;
    tuning.listing_buffer = 1024;
    tuning.read_before_split = 1;
    const Recording recording = testing::record(fs, std::vector{root}, options, {}, tuning);
    if (recording.result.statistics.range_splits == 0) {
      GTEST_SKIP() << "no directory is split here";
    }
    EXPECT_EQ(reads, is_top ? 2 : 1);
    EXPECT_EQ(recording.violations, testing::kNone);
    std::size_t stayed = 0;
    for (const auto& entry : recording.entries) {
      stayed += entry.path.ends_with(".c") ? 1U : 0U;
      EXPECT_FALSE(entry.path.ends_with(".o")) << entry.path;
      EXPECT_EQ(is_top && entry.path.ends_with(".a"), false) << entry.path;
    }
    EXPECT_EQ(stayed, 1000U);
  }
}

TEST_F(WalkFilter, RulesForDirectoriesAloneNeedTheType) {
  place_.file("t/.gitignore", "d/\nboth\n!f/\n");
  place_.directory("t/d");
  place_.file("t/d/x");
  place_.directory("t/both");
  place_.directory("t/e");
  place_.file("t/e/d");
  place_.link("t/e/both", "../d");
  place_.link("t/link_d", "e");
  FaultFileSystem hidden(sys::linux_filesystem());
  hidden.hide_types();
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  const Paths expected{".gitignore", "e", "e/d", "link_d"};
  EXPECT_EQ(paths(testing::record(hidden, std::vector{root_}, options)), expected);
  EXPECT_EQ(paths(testing::record(sys::posix_filesystem(), std::vector{root_}, options)), expected);
}

// A link that is followed is what it leads to, for rules as for all else.
TEST_F(WalkFilter, FollowedLinksAreJudgedAsDirectories) {
  place_.file("t/.gitignore", "link/\n");
  place_.directory("elsewhere");
  place_.file("elsewhere/x");
  place_.link("t/link", "../elsewhere");
  place_.directory("t/d");
  place_.file("t/d/link");
  Options options = with_threads(1, Fields::none);
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  options.filter = &filter;
  EXPECT_EQ(paths(testing::record(std::vector{root_}, options)),
            (Paths{".gitignore", "link", "d", "d/link"}));
  options.follow = Follow::all;
  EXPECT_EQ(paths(testing::record(std::vector{root_}, options)),
            (Paths{".gitignore", "d", "d/link"}));
}

TEST_F(WalkFilter, LinksThatLeadNowhereAreNoDirectories) {
  place_.file("t/.gitignore", "x*\n!x*/\n");
  place_.link("t/x_nowhere", "none");
  place_.link("t/x_link", "d");
  place_.directory("t/d");
  Options options = with_threads(1, Fields::none);
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  options.filter = &filter;
  options.follow = Follow::all;
  EXPECT_EQ(paths(testing::record(std::vector{root_}, options)),
            (Paths{".gitignore", "d", "x_link"}));
}

TEST_F(WalkFilter, WhatIsNoIgnoreFileIsLeftAlone) {
  ASSERT_EQ(::mkfifo(place_.at("t/.gitignore").c_str(), 0600), 0);
  place_.directory("t/d");
  place_.directory("t/d/.gitignore");
  place_.directory("t/e");
  place_.link("t/e/.gitignore", "rules");
  place_.file("t/e/rules", "x\n");
  place_.file("t/e/x");
  place_.link("t/e/.ignore", "named");
  place_.file("t/e/named", "y\n");
  place_.file("t/e/y");
  const PathFilter filter(FilterOptions{.git = true, .names = {".ignore"}, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  const Paths found = paths(testing::record(std::vector{root_}, options));
  EXPECT_TRUE(found.contains("e/x"));  // git follows no link there
  EXPECT_FALSE(found.contains("e/y"));
  ASSERT_EQ(filter.errors().size(), 1U);
  EXPECT_EQ(filter.errors()[0].path, root_ + "/e/.gitignore");
  EXPECT_EQ(filter.errors()[0].code, ELOOP);
}

TEST_F(WalkFilter, WhatCantBeReadIsNoted) {
  place_.file("t/.gitignore", "x\n");
  place_.file("t/x");
  FaultFileSystem fs(sys::linux_filesystem());
  fs.fail_when([](const testing::Request& request) {
    const bool is_it = request.call == Call::read_file && request.path == std::string(".gitignore");
    return is_it ? EACCES : 0;
  });
  const PathFilter filter(
      FilterOptions{.git = true, .parents = false, .files = {place_.at("none")}});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  EXPECT_EQ(paths(testing::record(fs, std::vector{root_}, options)), (Paths{".gitignore", "x"}));
  ASSERT_EQ(filter.errors().size(), 2U);
  EXPECT_EQ(filter.errors()[0].path, place_.at("none"));
  EXPECT_EQ(filter.errors()[0].code, ENOENT);
  EXPECT_EQ(filter.errors()[1].path, root_ + "/.gitignore");
  EXPECT_EQ(filter.errors()[1].code, EACCES);
}

TEST_F(WalkFilter, AConfigurationThatCantBeReadIsNoted) {
  make_repository("t");
  place_.file("t/.git/config", "[core]\n\texcludesFile = /nonexistent\n");
  FaultFileSystem fs(sys::linux_filesystem());
  fs.fail_when([](const testing::Request& request) {
    const bool is_it =
        request.call == Call::read_file && request.path == std::string(".git/config");
    return is_it ? EACCES : 0;
  });
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  testing::record(fs, std::vector{root_}, options);
  ASSERT_EQ(filter.errors().size(), 1U);
  EXPECT_EQ(filter.errors()[0].path, root_ + "/.git/config");
  EXPECT_EQ(filter.errors()[0].code, EACCES);
}

TEST_F(WalkFilter, FilesBeyondGitsLimitAreNotRead) {
  place_.file("t/.gitignore", "x\n");
  std::filesystem::resize_file(place_.at("t/.gitignore"), (std::uint64_t{100} << 20) + 1);
  place_.file("t/x");
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  EXPECT_EQ(paths(testing::record(std::vector{root_}, options)), (Paths{".gitignore", "x"}));
  ASSERT_EQ(filter.errors().size(), 1U);
  EXPECT_EQ(filter.errors()[0].code, EFBIG);
}

TEST_F(WalkFilter, WorksThroughTheStallGuard) {
  place_.file("t/.gitignore", std::string(200'000, '#') + "\nx\n");
  place_.file("t/x");
  place_.file("t/y");
  sys::StallGuard guard(sys::linux_filesystem(), std::chrono::seconds(20),
                        sys::StallGuard::Trust::nobody);
  const PathFilter filter(FilterOptions{.git = true});
  Options options = with_threads(2);
  options.filter = &filter;
  EXPECT_EQ(paths(testing::record(guard, std::vector{root_}, options)), (Paths{".gitignore", "y"}));
}

// A listing that fails behind its first part: that is reported, and its error.
TEST_F(WalkFilter, ErrorsBehindTheFirstReadAreNotLost) {
  place_.file("t/x");
  place_.file("t/y");
  FaultFileSystem fs(sys::linux_filesystem());
  fs.fail(Call::read, 1, EIO);
  const PathFilter filter(FilterOptions{.git = true, .parents = false});
  Options options = with_threads(1, Fields::none);
  options.filter = &filter;
  const Recording recording = testing::record(fs, std::vector{root_}, options);
  EXPECT_EQ(paths(recording), (Paths{"x", "y"}));
  EXPECT_EQ(recording.result.statistics.errors, 1U);
  ASSERT_EQ(recording.directories.size(), 1U);
  EXPECT_EQ(recording.directories[0].state, State::partially_read);
}

// match() and the walk say the same of every entry, for any workers, pieces and buffers.
TEST_F(WalkFilter, TheWalkAgreesWithMatchOnRandomTrees) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    testing::Random random(seed);
    const RandomTree tree(seed);
    for (const std::string& directory : tree.directories()) {
      if (random.below(3) != 0) continue;
      std::string rules;
      for (std::uint64_t i = random.below(6); i > 0; --i) {
        const std::string& path =
            tree.files().empty() ? directory : tree.files()[random.below(tree.files().size())];
        std::string name = path.substr(path.rfind('/') + 1);
        for (char& c : name) {
          if (random.below(4) == 0) c = "*?/!"[random.below(4)];
        }
        rules += (random.below(3) == 0 ? "!" : "") + name + (random.below(4) == 0 ? "/\n" : "\n");
      }
      const std::string path = directory + (random.below(2) == 0 ? "/.gitignore" : "/.ignore");
      std::filesystem::remove_all(path);
      if (FILE* file = std::fopen(path.c_str(), "w")) {
        std::fwrite(rules.data(), 1, rules.size(), file);
        std::fclose(file);
      }
    }
    const std::string& root = tree.roots()[0];
    const FilterOptions rules{
        .hidden = seed % 2 == 0, .git = true, .names = {".ignore"}, .parents = seed % 3 == 0};
    Paths expected;
    {
      const PathFilter filter(rules, root);
      const Recording all = testing::record(std::vector{root}, with_threads(1));
      for (const auto& entry : all.entries) {
        if (entry.depth > 0 &&
            !filter.match(entry.path.substr(root.size() + 1), entry.type == FileType::directory)
                 .ignored()) {
          expected.insert(entry.path);
        }
      }
    }
    for (const unsigned threads : {1U, 2U, 16U}) {
      const PathFilter filter(rules);
      Options options = with_threads(threads, seed % 2 == 0 ? Fields::none : Fields::basic);
      options.filter = &filter;
      engine::Tuning tuning;
      tuning.piece = 1;
      tuning.share_always = threads > 1;
      tuning.listing_buffer = seed % 5 == 0 ? 600 : 0;
      const Recording recording =
          testing::record(sys::linux_filesystem(), std::vector{root}, options, {}, tuning);
      EXPECT_EQ(recording.violations, testing::kNone);
      Paths found;
      for (const auto& entry : recording.entries) {
        if (entry.depth > 0) found.insert(entry.path);
      }
      EXPECT_EQ(found, expected) << "seed " << seed << ", " << threads << " threads";
    }
  }
}

TEST_F(WalkFilter, MatchNamesTheRule) {
  make_repository("t");
  place_.file("t/.gitignore", "# comment\n*.o\n");
  place_.directory("t/d");
  place_.file("t/d/.gitignore", "!a.o  \nsub/\n");
  place_.file("t/.git/info/exclude", "private\n");
  std::filesystem::create_directories(place_.at("t/d/deeper"));
  const PathFilter filter = PathFilter::from_git_root(place_.at("t/d/deeper"));
  EXPECT_EQ(filter.root(), std::filesystem::canonical(root_));
  const auto expect = [&](std::string_view path, bool is_directory, FilterMatch::Verdict verdict,
                          std::string_view source, std::uint64_t line, std::string_view pattern) {
    const FilterMatch match = filter.match(path, is_directory);
    EXPECT_EQ(match.verdict, verdict) << path;
    EXPECT_EQ(match.source, source) << path;
    EXPECT_EQ(match.line, line) << path;
    EXPECT_EQ(match.pattern, pattern) << path;
  };
  using Verdict = FilterMatch::Verdict;
  expect("x.o", false, Verdict::ignored, ".gitignore", 2, "*.o");
  expect("d/a.o", false, Verdict::included, "d/.gitignore", 1, "!a.o");
  expect("d/sub/x/y", false, Verdict::ignored, "d/.gitignore", 2, "sub/");
  expect("d/sub", false, Verdict::none, "", 0, "");
  expect("d/private", true, Verdict::ignored, ".git/info/exclude", 1, "private");
  expect("x", false, Verdict::none, "", 0, "");
}

TEST_F(WalkFilter, MatchWithPatternsAlone) {
  const PathFilter filter = PathFilter::from_patterns({"*.pyc", "/build/", "!keep.pyc"}, root_);
  EXPECT_TRUE(filter.match("a/b.pyc", false).ignored());
  EXPECT_TRUE(filter.match("build/x", false).ignored());
  EXPECT_FALSE(filter.match("a/build/x", false).ignored());
  EXPECT_EQ(filter.match("keep.pyc", false).verdict, FilterMatch::Verdict::included);
}

TEST_F(WalkFilter, SelectMayDoWithoutMetadata) {
  place_.file("t/a");
  place_.file("t/b");
  place_.directory("t/d");
  testing::Answers answers;
  answers.select = [](Directory& directory, std::span<Entry> batch) {
    for (Entry& entry : batch) {
      entry.no_metadata = !directory.is_origin() && entry.name != "a";
      entry.tag = entry.name == "b" ? 7 : 0;
    }
  };
  answers.entries = [](Directory&, std::span<Entry> batch) {
    for (const Entry& entry : batch) {
      EXPECT_EQ(entry.tag, entry.name == "b" ? 7U : 0U);
    }
    return Verdict::proceed;
  };
  Options options = with_threads(1);
  options.directory_metadata_in_batch = true;
  const Recording recording = testing::record(std::vector{root_}, options, answers);
  EXPECT_EQ(recording.entries.size(), 4U);
  for (const auto& entry : recording.entries) {
    EXPECT_EQ(entry.metadata.has_value(), entry.depth == 0 || entry.path.ends_with("/a"))
        << entry.path;
  }
  EXPECT_EQ(recording.directories.size(), 2U);  // d was entered all the same
}

}  // namespace
}  // namespace trawl
