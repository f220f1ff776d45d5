// SPDX-License-Identifier: Apache-2.0
//
// profile() against the oracle, every figure, on random trees.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/path_filter.h>
#include <trawl/profile.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
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

void expect_oracle(const std::string& root, ProfileOptions options, const LeftOut& left_out = {}) {
  Profile expected = profile_naively(root, options, left_out);
  cut_tables(expected, options.top);
  FilterOptions filter_options;
  if (left_out) filter_options.custom = [&left_out](const char* path) { return left_out(path); };
  const PathFilter filter(filter_options);
  if (left_out) options.walk.filter = &filter;
  const Profile found = profile(root, options);
  ASSERT_EQ(text_of(found), text_of(expected))
      << "threads " << options.walk.threads << " max_depth " << options.walk.max_depth << " follow "
      << static_cast<int>(options.walk.follow) << " visit_once " << options.walk.visit_once;
  EXPECT_EQ(found.walk.statistics.errors, expected.walk.statistics.errors);
  EXPECT_EQ(found.walk.ending, Ending::complete);
}

// Names that are alike, so that there is something to count; sizes, too.
void add_likenesses(const RandomTree& tree, Random& random) {
  static const std::vector<std::string> kNames = {
      "a.TXT", "a.txt", ".bashrc", "b.", "c.tar.gz", "..x", "same", "x.\xc3\x84", "y.\xc3\xa4"};
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
      expect_oracle(tree.roots()[0], options);
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
      expect_oracle(root, random_options(random, GetParam()), left_out);
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

}  // namespace
}  // namespace trawl
