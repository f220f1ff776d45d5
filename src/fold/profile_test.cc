// SPDX-License-Identifier: Apache-2.0
//
// profile() against the oracle, every figure, on random trees.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/path_filter.h>
#include <trawl/profile.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/environment.h"
#include "support/profile_oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::cut_tables;
using testing::effort;
using testing::fresh_seed;
using testing::in_memory;
using testing::mostly_in_memory;
using testing::passes_in_child;
using testing::profile_naively;
using testing::Random;
using testing::RandomTree;
using testing::TemporaryDirectory;
using testing::text_of;

using LeftOut = std::function<bool(const std::string&)>;

constexpr Timestamp kNow{1'600'000'000, 500'000'000};

ProfileOptions options_now() {
  ProfileOptions options;
  options.now = kNow;
  options.top = 5;
  options.top_folders = 4;
  return options;
}

// `forced`: how work is shared, 0 to 2.
void expect_oracle(const std::string& root, ProfileOptions options, const LeftOut& left_out = {},
                   std::size_t forced = 0) {
  Profile expected = profile_naively(root, options, left_out);
  cut_tables(expected, options.top);
  FilterOptions filter_options;
  if (left_out) filter_options.custom = [&left_out](const char* path) { return left_out(path); };
  const PathFilter filter(filter_options);
  if (left_out) options.walk.filter = &filter;
  // Trees as small as these are walked before a second worker starts, if nobody waits for it.
  static constexpr std::array<const char*, 3> kTunings = {"", "piece=1,share", "split=1,share"};
  const testing::ScopedEnvironment tuning({{"TRAWL_TUNING", kTunings[forced]}});
  const Profile found = profile(root, options);
  ASSERT_EQ(text_of(found), text_of(expected))
      << "threads " << options.walk.threads << " max_depth " << options.walk.max_depth << " follow "
      << static_cast<int>(options.walk.follow) << " visit_once " << options.walk.visit_once;
  EXPECT_EQ(found.walk.statistics.errors, expected.walk.statistics.errors);
  EXPECT_EQ(found.walk.ending, Ending::complete);
}

// Names that are alike, so that there is something to count; sizes, too.
void add_likenesses(const RandomTree& tree, Random& random) {
  static const std::vector<std::string> kNames = {"a.TXT",      "d.AZ@[",    "a.txt", ".bashrc",
                                                  "b.",         "c.tar.gz",  "..x",   "same",
                                                  "x.\xc3\x84", "y.\xc3\xa4"};
  for (const std::string& directory : tree.directories()) {
    for (const std::string& name : kNames) {
      const std::string path = directory + "/" + name;
      if (random.one_in(2)) continue;
      if (random.one_in(6)) {
        ::mkdir(path.c_str(), 0755);
        continue;
      }
      std::FILE* const file = std::fopen(path.c_str(), "wx");
      if (file == nullptr) continue;
      const std::string content(random.below(3) * 100, 'x');
      std::fwrite(content.data(), 1, content.size(), file);
      std::fclose(file);
      const auto seconds = kNow.seconds - static_cast<std::int64_t>(random.below(5)) * 43'200;
      const std::array<timespec, 2> times{timespec{seconds, 500'000'000},
                                          timespec{seconds, 500'000'001}};
      ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
    }
  }
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (std::size_t at = 0; (at = lowered.find("\xc3\x84", at)) != std::string::npos;) {
    lowered.replace(at, 2, "\xc3\xa4");
  }
  return lowered;
}

ProfileOptions random_options(Random& random, Backend backend) {
  ProfileOptions options = options_now();
  static constexpr std::array<unsigned, 4> kThreads = {1, 2, 16, 64};
  options.walk.threads = kThreads[random.below(kThreads.size())];
  options.walk.backend = backend;
  options.walk.max_depth = random.one_in(2) ? INT32_MAX : random.between(0, 4);
  options.walk.follow = static_cast<Follow>(random.below(3));
  options.walk.visit_once = random.below(4) != 0;
  if (options.walk.follow == Follow::all && !options.walk.visit_once) {
    options.walk.max_depth = 2;  // every path of a tree whose links lead everywhere
  }
  options.walk.one_file_system = random.one_in(2);
  options.top = random.one_in(2) ? 1 + random.below(8) : 10'000;
  options.top_folders = 1 + random.below(12);
  options.tree_folders = random.one_in(2) ? random.below(20) : 10'000;
  options.max_empty_folders = random.one_in(2) ? random.below(6) : 100'000;
  options.exact = random.one_in(3);
  if (random.one_in(2)) options.lower_case = lower;
  return options;
}

class ProfileOracle : public ::testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, ProfileOracle,
                         ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(ProfileOracle, EveryNumberOfWorkers) {
  Random random(fresh_seed());
  const RandomTree tree(random.next(), {.directories = 60, .entries = 12});
  add_likenesses(tree, random);
  for (const unsigned threads : {1U, 2U, 16U, 64U}) {
    for (const int max_depth : {INT32_MAX, 0, 1, 2, 3, 4}) {
      ProfileOptions options = options_now();
      options.walk.threads = threads;
      options.walk.backend = GetParam();
      options.walk.max_depth = max_depth;
      options.tree_folders = 7;
      for (const std::size_t forced : {0U, 1U, 2U}) {
        expect_oracle(tree.roots()[0], options, {}, forced);
      }
    }
  }
}

TEST_P(ProfileOracle, RandomTrees) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(40) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(),
                          {.directories = random.between(1, 100),
                           .depth = random.between(1, 12),
                           .entries = random.between(0, 16)},
                          mostly_in_memory(random));
    add_likenesses(tree, random);
    for (int i = 0; i < 10 && !HasFailure(); ++i) {
      const std::string root = tree.roots()[0] + (random.one_in(4) ? "/" : "");
      const std::uint64_t salt = random.next();
      LeftOut left_out;
      if (random.one_in(2)) {
        left_out = [salt, root](const std::string& path) {
          return path != root && Random(std::hash<std::string>()(path) ^ salt).one_in(6);
        };
      }
      expect_oracle(root, random_options(random, GetParam()), left_out, random.below(3));
    }
  }
}

TEST_P(ProfileOracle, UnreadableDirectories) {
  const std::uint64_t seed = fresh_seed();
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_TRUE(::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0));
    Random random(seed);
    for (int round = 0; round < effort(20) && !HasFailure(); ++round) {
      const RandomTree tree(random.next(), {.directories = 60, .depth = 8, .unreadable = true},
                            mostly_in_memory(random));
      for (int i = 0; i < 10 && !HasFailure(); ++i) {
        ProfileOptions options = random_options(random, GetParam());
        if (options.walk.follow == Follow::all) options.walk.follow = Follow::never;
        expect_oracle(tree.roots()[0], options);
      }
    }
  }));
}

// Workers on one directory at a time, and so many that it matters what each of them had.
TEST_P(ProfileOracle, HugeDirectories) {
  const TemporaryDirectory directory(in_memory());
  for (int i = 0; i < 3000; ++i) directory.file("f" + std::to_string(i % 2999) + ".x", "12");
  for (int i = 0; i < 300; ++i) directory.directory("d" + std::to_string(i));
  for (const unsigned threads : {1U, 2U, 16U, 64U}) {
    for (const std::size_t forced : {0U, 1U, 2U}) {
      ProfileOptions options = options_now();
      options.walk.threads = threads;
      options.walk.backend = GetParam();
      options.tree_folders = 10;
      options.max_empty_folders = 7;
      expect_oracle(directory.path(), options, {}, forced);
    }
  }
}

// Tables that are full: what they state holds; the rest, duplicates included, is as ever.
TEST_P(ProfileOracle, TinyCapacity) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(20) && !HasFailure(); ++round) {
    const RandomTree tree(random.next(), {.directories = 80, .entries = 12});
    add_likenesses(tree, random);
    for (const unsigned threads : {1U, 2U, 16U}) {
      ProfileOptions options = options_now();
      options.walk.threads = threads;
      options.walk.backend = GetParam();
      options.top = options.capacity = 1 + random.below(30);
      if (random.one_in(2)) options.lower_case = lower;
      const Profile expected = profile_naively(tree.roots()[0], options);
      const testing::ScopedEnvironment tuning({{"TRAWL_TUNING", "piece=1,share"}});
      const Profile found = profile(tree.roots()[0], options);
      ASSERT_EQ(text_of(found, false), text_of(expected, false));
      const auto expect_guarantee = [&options](const auto& table, const auto& truth) {
        std::map<decltype(table.items[0].key), std::uint64_t> stated;
        for (const auto& item : table.items) stated[item.key] = item.files;
        EXPECT_EQ(stated.size(), table.items.size());
        if (table.files_error == 0) {
          EXPECT_EQ(table.distinct, truth.items.size());
        }
        EXPECT_LE(table.distinct, truth.items.size());
        // What is not among the first `top` is not there for want of files.
        const std::uint64_t least =
            table.items.size() == options.top ? table.items.back().files : 0;
        for (const auto& item : truth.items) {
          const auto its = stated.find(item.key);
          if (its == stated.end()) {
            EXPECT_LE(item.files, table.files_error + least);
            continue;
          }
          EXPECT_LE(its->second, item.files);
          EXPECT_LE(item.files, its->second + table.files_error);
          stated.erase(its);
        }
        EXPECT_TRUE(stated.empty());
      };
      expect_guarantee(found.extensions, expected.extensions);
      expect_guarantee(found.folder_names, expected.folder_names);
      expect_guarantee(found.owners, expected.owners);
      expect_guarantee(found.groups, expected.groups);
    }
  }
}

// Devices that are not entered are no folders.
TEST_P(ProfileOracle, OneFileSystem) {
  ProfileOptions options = options_now();
  options.walk.backend = GetParam();
  options.walk.one_file_system = true;
  expect_oracle("/dev", options);
  options.walk.max_depth = 0;
  expect_oracle("/dev", options);
}

TEST(Profile, SumsOfHugeFilesSaturate) {
  const TemporaryDirectory directory(in_memory());
  for (const char* const name : {"a", "b", "c"}) {
    directory.directory(name);
    const std::string path = directory.file(std::string(name) + "/huge.img");
    if (::truncate(path.c_str(), INT64_MAX) != 0) GTEST_SKIP() << "no files of that size here";
  }
  for (const unsigned threads : {1U, 4U}) {
    ProfileOptions options = options_now();
    options.walk.threads = threads;
    options.tree_folders = 10;
    expect_oracle(directory.path(), options, {}, 1);
    const Profile found = profile(directory.path(), options);
    EXPECT_EQ(found.bytes, UINT64_MAX);
    EXPECT_EQ(found.sizes[63].bytes, UINT64_MAX);
    EXPECT_EQ(found.duplicate_wasted, UINT64_MAX - 1);
    EXPECT_EQ(found.tree->bytes, UINT64_MAX);
  }
}

TEST(Profile, RootThatIsNoDirectory) {
  const TemporaryDirectory directory(in_memory());
  directory.file("file", "content");
  directory.link("link", ".");
  directory.link("nowhere", "nothing");
  const auto expect_error = [&](const std::string& path, Follow follow, int code) {
    ProfileOptions options = options_now();
    options.walk.follow = follow;
    const Profile found = profile(path, options);
    EXPECT_EQ(text_of(found), text_of([&options] {
                Profile nothing;
                nothing.now = *options.now;
                return nothing;
              }()))
        << path;
    EXPECT_FALSE(found.walk.complete());
    EXPECT_EQ(found.walk.statistics.errors, 1U);
    ASSERT_EQ(found.walk.errors.size(), 1U);
    EXPECT_EQ(found.walk.errors[0].code, code) << path;
    EXPECT_EQ(found.walk.errors[0].path, path);
    EXPECT_EQ(found.walk.errors[0].depth, 0);
    options.walk.max_errors = 0;
    EXPECT_FALSE(profile(path, options).walk.complete());
  };
  for (const Follow follow : {Follow::never, Follow::roots, Follow::all}) {
    expect_error(directory.at("missing"), follow, ENOENT);
    expect_error(directory.at("file"), follow, ENOTDIR);
    expect_error(directory.at("nowhere"), follow, follow == Follow::never ? ENOTDIR : ENOENT);
    expect_error(directory.at("file/below"), follow, ENOTDIR);
    expect_error("", follow, ENOENT);
    expect_error(directory.path() + std::string("/\0x", 3), follow, EINVAL);
  }
  expect_error(directory.at("link"), Follow::never, ENOTDIR);
  ProfileOptions options = options_now();
  options.walk.follow = Follow::roots;
  EXPECT_EQ(profile(directory.at("link"), options).files, 1U);
}

TEST(Profile, RefusesOptionsOutOfRange) {
  const auto expect_refused = [](auto change) {
    ProfileOptions options;
    change(options);
    EXPECT_THROW(profile("/dev", options), std::invalid_argument);
  };
  expect_refused([](ProfileOptions& options) { options.walk.max_depth = -1; });
  expect_refused([](ProfileOptions& options) { options.top = 0; });
  expect_refused([](ProfileOptions& options) { options.top_folders = 0; });
  expect_refused([](ProfileOptions& options) { options.capacity = options.top - 1; });
  // Where there is no limit, it does not matter.
  const TemporaryDirectory directory(in_memory());
  ProfileOptions options;
  options.exact = true;
  options.capacity = 0;
  options.top = SIZE_MAX;
  options.max_empty_folders = 0;
  EXPECT_EQ(profile(directory.path(), options).empty_folder_paths.size(), 1U);
}

// An empty directory is one without any entry, whatever is left out of it.
TEST(Profile, EmptyFolders) {
  const TemporaryDirectory directory(in_memory());
  ProfileOptions options = options_now();
  EXPECT_EQ(profile(directory.path(), options).empty_folder_paths,
            std::vector<std::string>{directory.path()});
  directory.directory("a");
  directory.directory("b");
  directory.file("b/.hidden");
  directory.directory("c");
  directory.directory("c/below");
  const PathFilter filter(FilterOptions{.hidden = true, .exclude = {"below"}});
  options.walk.filter = &filter;
  Profile found = profile(directory.path(), options);
  EXPECT_EQ(found.empty_folder_paths, std::vector<std::string>{directory.at("a")});
  EXPECT_EQ(found.files, 0U);
  EXPECT_EQ(found.folders, 4U);
  options.walk.filter = nullptr;
  options.walk.max_depth = 1;  // "below" is not counted, but there
  found = profile(directory.path(), options);
  EXPECT_EQ(found.empty_folder_paths, std::vector<std::string>{directory.at("a")});
  EXPECT_EQ(found.types[static_cast<std::size_t>(FileType::directory)], 4U);
}

TEST(Profile, EndsWhenItIsCancelled) {
  const RandomTree tree(fresh_seed(), {.directories = 100});
  CancelToken token;
  token.cancel();
  ProfileOptions options = options_now();
  options.walk.cancel = &token;
  options.tree_folders = 10;
  EXPECT_EQ(profile(tree.roots()[0], options).walk.ending, Ending::cancelled);
  options.walk.cancel = nullptr;
  options.walk.deadline = std::chrono::steady_clock::now();
  const Profile found = profile(tree.roots()[0], options);
  EXPECT_EQ(found.walk.ending, Ending::timed_out);
  EXPECT_FALSE(found.walk.complete());
}

TEST(Profile, TellsItsProgress) {
  const RandomTree tree(fresh_seed(), {.directories = 30});
  std::atomic<std::uint64_t> entries = 0;
  ProfileOptions options = options_now();
  options.walk.progress_entries = &entries;
  EXPECT_EQ(entries, profile(tree.roots()[0], options).walk.statistics.entries);
  EXPECT_GT(entries, 0U);
}

}  // namespace
}  // namespace trawl
