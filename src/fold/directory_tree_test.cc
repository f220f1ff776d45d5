// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <trawl/events.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::fresh_seed;
using testing::Oracle;
using testing::Random;
using testing::RandomTree;
using testing::walk_naively;
using Sums = DirectoryTree::Sums;

struct Known {
  Sums own;
  Sums total;
  int depth = 0;
  std::vector<std::string> children;
};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Each directory's sums, by adding each entry to all that are above it.
std::map<std::string, Known> sums_of(const Oracle& oracle) {
  std::map<std::string, Known> known;
  for (const auto& entry : oracle.entries) {
    const auto disk = static_cast<std::uint64_t>(entry.info->st_blocks) * 512;
    if (entry.descend) {
      known[entry.path].depth = entry.depth;
      known[entry.path].own.disk_usage += disk;
    }
    if (entry.depth == 0) continue;
    Known& parent = known[parent_of(entry.path)];
    if (entry.descend) {
      ++parent.own.directories;
      parent.children.push_back(entry.path);
    } else {
      ++parent.own.files;
      parent.own.bytes += static_cast<std::uint64_t>(entry.info->st_size);
      parent.own.disk_usage += disk;
    }
  }
  for (auto& [path, node] : known) std::sort(node.children.begin(), node.children.end());
  for (auto& [path, node] : known) {
    std::string above = path;
    for (int depth = node.depth; depth >= 0; --depth, above = parent_of(above)) {
      known[above].total += node.own;
    }
  }
  return known;
}

void expect_same(const DirectoryTree::Node& node, const Known& known) {
  EXPECT_EQ(static_cast<const Sums&>(node), known.own) << node.path;
  EXPECT_EQ(node.total, known.total) << node.path;
  EXPECT_EQ(node.depth, known.depth) << node.path;
  EXPECT_EQ(node.children, known.children) << node.path;
  EXPECT_TRUE(node.complete) << node.path;
  EXPECT_TRUE(node.metadata.is_directory()) << node.path;
}

void expect_same(const DirectoryTree& tree, const std::map<std::string, Known>& known) {
  EXPECT_EQ(tree.size(), known.size());
  for (const auto& [path, its] : known) {
    const auto node = tree.find(path);
    ASSERT_TRUE(node) << path;
    expect_same(*node, its);
  }
  std::vector<std::string> visited;
  tree.for_each([&](const DirectoryTree::Node& node) {
    expect_same(node, known.at(node.path));
    visited.push_back(node.path);
    return true;
  });
  std::vector<std::string> wanted;
  for (const auto& each : known)
    wanted.push_back(each.first + "/");  // names ascending at each level
  std::sort(wanted.begin(), wanted.end(), [](std::string a, std::string b) {
    std::replace(a.begin(), a.end(), '/', '\0');
    std::replace(b.begin(), b.end(), '/', '\0');
    return a < b;
  });
  for (auto& each : visited) each += '/';
  EXPECT_EQ(visited, wanted);
}

EventOptions basic(unsigned processors) {
  EventOptions options;
  options.walk.fields = Fields::basic;
  options.processors = processors;
  options.batch = 7;
  return options;
}

TEST(DirectoryTree, HasTheSumsOfTheOracle) {
  Random random(fresh_seed());
  for (int round = 0; round < testing::effort(20) && !HasFailure(); ++round) {
    const RandomTree files(random.next(), {.roots = random.between(1, 3), .directories = 80});
    const EventOptions options = basic(round % 2 == 0 ? 1 : 4);
    DirectoryTree tree;
    walk_events(files.roots(), options, [&](EventBatch& batch) {
      tree.add(batch.events());
      return true;
    });
    expect_same(tree, sums_of(walk_naively(files.roots(), options.walk)));
    EXPECT_EQ(tree.outside().directories, files.roots().size());
    std::vector<std::string> roots = files.roots();
    std::sort(roots.begin(), roots.end());
    EXPECT_EQ(tree.roots(), roots);
  }
}

TEST(DirectoryTree, TakesEventsInAnyOrderFromManyThreads) {
  Random random(fresh_seed());
  for (int round = 0; round < testing::effort(20) && !HasFailure(); ++round) {
    const RandomTree files(random.next(), {.directories = 100});
    std::vector<EventBatch> batches;
    walk_events(files.roots(), basic(1), [&](EventBatch& batch) {
      batches.push_back(std::move(batch));
      return true;
    });
    std::vector<WalkEvent> events;
    for (const EventBatch& batch : batches) events.insert(events.end(), batch.begin(), batch.end());
    for (std::size_t i = events.size(); i > 1; --i)
      std::swap(events[i - 1], events[random.below(i)]);
    DirectoryTree tree;
    {
      std::vector<std::jthread> adding;
      for (std::size_t part = 0; part < 4; ++part) {
        adding.emplace_back([&, part] {
          for (std::size_t i = part * 3; i < events.size(); i += 12) {
            tree.add(std::span(events).subspan(i, std::min<std::size_t>(3, events.size() - i)));
          }
        });
      }
      for (int i = 0; i < 20; ++i) tree.find(files.roots()[0]);  // meanwhile
    }
    expect_same(tree, sums_of(walk_naively(files.roots(), basic(1).walk)));
  }
}

TEST(DirectoryTree, ForEachLeavesOutWhatIsNotWanted) {
  const RandomTree files(fresh_seed(), {.directories = 60});
  DirectoryTree tree;
  walk_events(files.roots(), basic(1), [&](EventBatch& batch) {
    tree.add(batch.events());
    return true;
  });
  int visited = 0;
  tree.for_each([&](const DirectoryTree::Node& node) {
    EXPECT_LE(node.depth, 1);
    ++visited;
    return node.depth < 1;
  });
  EXPECT_EQ(visited, 1 + static_cast<int>(tree.find(files.roots()[0])->children.size()));
  EXPECT_FALSE(tree.find("nowhere"));
  EXPECT_FALSE(tree.find(""));
}

TEST(DirectoryTree, KeepsWhatIsOutside) {
  DirectoryTree tree;
  const Error failure{.operation = Operation::stat, .code = 2, .depth = 0, .path = "missing"};
  Metadata metadata;
  metadata.size = 7;
  const std::vector<WalkEvent> events{
      {.kind = WalkEvent::Kind::error, .name = "missing", .failure = &failure},
      {.kind = WalkEvent::Kind::file, .name = "file", .metadata = &metadata},
      {.kind = WalkEvent::Kind::enter_dir, .name = "/"},
      {.kind = WalkEvent::Kind::error,
       .state = State::unreadable,
       .depth = 1,
       .directory = "/",
       .name = "u",
       .failure = &failure},
      {.kind = WalkEvent::Kind::enter_dir, .depth = 1, .directory = "/", .name = "a"},
      {.kind = WalkEvent::Kind::error,
       .state = State::partially_read,
       .depth = 1,
       .directory = "/",
       .name = "a",
       .failure = &failure},
  };
  tree.add(events);
  EXPECT_EQ(tree.outside(), (Sums{.files = 1, .directories = 1, .errors = 1, .bytes = 7}));
  EXPECT_EQ(tree.find("/")->errors, 1U);
  EXPECT_EQ(tree.find("/")->total.errors, 2U);
  EXPECT_EQ(tree.find("/a")->errors, 1U);
  EXPECT_FALSE(tree.find("/a")->complete);
  EXPECT_EQ(tree.size(), 2U);
}

}  // namespace
}  // namespace trawl
