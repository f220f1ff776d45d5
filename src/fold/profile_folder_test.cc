// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fold/profile_top.h"
#include "support/effort.h"
#include "support/random.h"

namespace trawl::fold {
namespace {

using testing::effort;
using testing::fresh_seed;
using testing::Random;

struct Place {
  FolderRef folder;
  std::string name;
  std::string path;
};

int sign(int value) { return value < 0 ? -1 : value > 0 ? 1 : 0; }

// Names before and after a slash, in each other, and twice in one place.
std::vector<Place> random_places(Random& random, int count) {
  static const std::vector<std::string> kNames = {"a",    "a-", "a0", "ab", "b",
                                                  "\xff", "\n", "-",  " "};
  const std::string root = random.one_in(2) ? "/" : "root";
  std::vector<FolderRef> folders = {FolderRef::make({}, root)};
  std::vector<Place> places = {{{}, root, root}};
  for (int i = 0; i < count; ++i) {
    // Often the last, so that it is deep in places.
    const FolderRef at =
        folders[random.one_in(2) ? folders.size() - 1 : random.below(folders.size())];
    const std::string& name = kNames[random.below(kNames.size())];
    if (random.one_in(2)) folders.push_back(FolderRef::make(at, name));
    std::string path;
    at->append_path(path);
    places.push_back({at, name, path + (path.ends_with('/') ? "" : "/") + name});
  }
  return places;
}

TEST(ProfileFolder, OrderIsThatOfPaths) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(20); ++round) {
    const std::vector<Place> places = random_places(random, 200);
    for (const Place& a : places) {
      ASSERT_EQ(path_of(a.folder.get(), a.name), a.path);
      for (const Place& b : places) {
        ASSERT_EQ(sign(compare_paths(a.folder.get(), a.name, b.folder.get(), b.name)),
                  sign(a.path.compare(b.path)))
            << a.path << " and " << b.path;
      }
    }
  }
}

TEST(ProfileFolder, OfAnyDepth) {
  std::vector<FolderRef> chain = {FolderRef::make({}, "r")};
  std::string path = "r";
  for (int depth = 1; depth <= 100'000; ++depth) {
    chain.push_back(FolderRef::make(chain.back(), "d"));
    path += "/d";
  }
  std::string found;
  chain.back()->append_path(found);
  EXPECT_EQ(found, path);
  for (const std::uint32_t depth : {0U, 1U, 7U, 65'535U, 99'999U, 100'000U}) {
    EXPECT_EQ(chain.back()->at_depth(depth), chain[depth].get());
  }
  // Each with the deepest, in a time that does not grow with the depth.
  for (const FolderRef& each : chain) {
    EXPECT_LT(compare_paths(each.get(), "a", chain.back().get(), "e"), 0);
    EXPECT_GT(compare_paths(each.get(), "e", chain.back().get(), "a"), 0);
  }
  // The last one lets go of all.
  const FolderRef last = chain.back();
  chain.clear();
  EXPECT_EQ(last->depth(), 100'000U);
}

TEST(ProfileFolder, LivesAsLongAsAnybodyNeedsIt) {
  FolderRef leaf;
  {
    const FolderRef root = FolderRef::make({}, "root");
    leaf = FolderRef::make(FolderRef::make(root, "a"), "b");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([folder = FolderRef(root)] {
        for (int each = 0; each < 1000; ++each) {
          const FolderRef child = FolderRef::make(folder, "child");
          EXPECT_EQ(path_of(child.get(), "x"), "root/child/x");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(path_of(leaf.get(), "c"), "root/a/b/c");
}

struct IsMore {
  bool operator()(int a, int b) const { return a > b; }
};

TEST(ProfileTop, IsTheSameHoweverItIsOffered) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(50); ++round) {
    std::vector<Place> places = random_places(random, 100);
    // Two of one path can't be told apart.
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.path < b.path; });
    places.erase(std::unique(places.begin(), places.end(),
                             [](const Place& a, const Place& b) { return a.path == b.path; }),
                 places.end());
    std::vector<std::pair<int, std::string>> expected;
    const std::size_t limit = random.below(30);
    std::vector<TopList<int, IsMore>> lists(1 + random.below(4), TopList<int, IsMore>(limit));
    for (const Place& place : places) {
      const int figure = random.between(0, 3);
      expected.emplace_back(-figure, place.path);
      lists[random.below(lists.size())].offer(figure, place.folder, place.name);
    }
    while (lists.size() > 1) {
      lists.front().merge(std::move(lists.back()));
      lists.pop_back();
    }
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min(expected.size(), limit));
    std::vector<std::pair<int, std::string>> found;
    for (const auto& item : lists.front().take()) {
      found.emplace_back(-item.figures, path_of(item.folder.get(), item.name));
    }
    ASSERT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace trawl::fold
