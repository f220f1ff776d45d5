// SPDX-License-Identifier: Apache-2.0
//
// Tables chunk by chunk: nothing is lost, and the walk ends when nobody wants the rest.
#include <gtest/gtest.h>
#include <trawl/entry_table.h>
#include <trawl/path_filter.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;
using testing::fresh_seed;
using testing::Random;
using testing::RandomTree;
using testing::TemporaryDirectory;

std::vector<std::string> paths_of(const EntryChunk& chunk) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < chunk.rows(); ++i) out.emplace_back(chunk.path(i));
  return out;
}

void append(std::vector<std::string>& to, const EntryChunk& chunk) {
  const std::vector<std::string> paths = paths_of(chunk);
  to.insert(to.end(), paths.begin(), paths.end());
}

std::vector<std::string> expected(const std::vector<std::string>& roots) {
  std::vector<std::string> out;
  for (const auto& entry : testing::walk_naively(roots, {}).entries) out.push_back(entry.path);
  std::sort(out.begin(), out.end());
  return out;
}

TableOptions options_with(unsigned threads, std::size_t rows, std::size_t capacity,
                          Fields fields = Fields::none) {
  TableOptions options;
  options.walk.threads = threads;
  options.walk.fields = fields;
  options.chunk_rows = rows;
  options.capacity = capacity;
  return options;
}

TEST(EntryTableStream, GivesEachEntryOnce) {
  Random random(fresh_seed());
  const RandomTree tree(random.next(), {.roots = 2, .directories = 150});
  const std::vector<std::string> wanted = expected(tree.roots());
  for (const unsigned threads : {1U, 2U, 16U, 64U}) {
    for (const std::size_t rows : {1U, 7U, 65'536U}) {
      for (const std::size_t capacity : {1U, 50U, 262'144U}) {
        const Fields fields = random.one_in(2) ? Fields::none : Fields::basic;
        EntryTableStream stream(tree.roots(), options_with(threads, rows, capacity, fields));
        std::vector<std::string> found;
        while (const std::optional<EntryChunk> chunk = stream.next()) {
          EXPECT_FALSE(stream.finished());
          EXPECT_GT(chunk->rows(), 0U);
          EXPECT_LE(chunk->rows(), rows);
          append(found, *chunk);
        }
        EXPECT_TRUE(stream.finished());
        EXPECT_FALSE(stream.next());
        EXPECT_TRUE(stream.result().complete());
        std::sort(found.begin(), found.end());
        ASSERT_EQ(found, wanted);
      }
    }
  }
}

TEST(EntryTableStream, MayBePulledByMany) {
  const RandomTree tree(fresh_seed(), {.directories = 300});
  const std::vector<std::string> wanted = expected(tree.roots());
  for (int round = 0; round < testing::effort(20); ++round) {
    EntryTableStream stream(tree.roots(), options_with(4, 16, 64));
    std::vector<std::string> found;
    std::mutex mutex;
    std::vector<std::thread> readers;
    for (int i = 0; i < 5; ++i) {
      readers.emplace_back([&] {
        while (const std::optional<EntryChunk> chunk = stream.next()) {
          const std::lock_guard lock(mutex);
          append(found, *chunk);
        }
      });
    }
    for (std::thread& each : readers) each.join();
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, wanted);
  }
}

TEST(EntryTableStream, MayBeLeftAnyTime) {
  const RandomTree tree(fresh_seed(), {.directories = 300});
  for (const unsigned threads : {1U, 4U, 16U}) {
    for (const int pulls : {0, 1, 5}) {
      EntryTableStream stream(tree.roots(), options_with(threads, 4, 8));
      for (int i = 0; i < pulls; ++i) EXPECT_TRUE(stream.next());
    }
  }
}

// Chunks outlive the stream.
TEST(EntryTableStream, GivesChunksAway) {
  const RandomTree tree(fresh_seed());
  std::optional<EntryChunk> chunk;
  {
    EntryTableStream stream(tree.roots(), options_with(2, 100, 1000));
    chunk = stream.next();
  }
  ASSERT_TRUE(chunk);
  EXPECT_TRUE(chunk->path(0).starts_with(tree.path()));
}

TEST(EntryTableStream, HoldsTheWalkBack) {
  const TemporaryDirectory top(testing::in_memory());
  for (int i = 0; i < 60; ++i) {
    const std::string name = "directory" + std::to_string(i);
    top.directory(name);
    for (int k = 0; k < 50; ++k) top.file(name + "/" + std::to_string(k));
  }
  TableOptions options = options_with(2, 10, 100);
  std::atomic<std::uint64_t> seen{0};
  options.walk.progress_entries = &seen;
  EntryTableStream stream({top.path()}, options);
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(seen.load(), 700U);  // the channel, a chunk and a batch of each worker
  std::size_t rows = 0;
  while (const std::optional<EntryChunk> chunk = stream.next()) {
    rows += chunk->rows();
    std::this_thread::sleep_for(100us);
  }
  EXPECT_EQ(rows, 3061U);
}

// A filter that holds the walk in a certain place.
class Gate {
 public:
  explicit Gate(std::string name)
      : filter_([this, held = std::move(name)] {
          FilterOptions options;
          options.custom = [this, held](const char* path) {
            if (std::string_view(path).ends_with(held)) {
              while (!open_.load()) std::this_thread::sleep_for(1ms);
            }
            return false;
          };
          return options;
        }()) {}
  ~Gate() { open(); }
  void open() { open_.store(true); }
  const PathFilter* filter() const { return &filter_; }

 private:
  std::atomic<bool> open_{false};
  PathFilter filter_;
};

// What was found is given to who waits, though the walk goes on and no chunk is full.
TEST(EntryTableStream, KeepsNothingFromWhoWaits) {
  const TemporaryDirectory top(testing::in_memory());
  top.directory("a");
  top.file("a/held");
  Gate gate("held");
  TableOptions options = options_with(1, 1000, 1000, Fields::basic);
  options.walk.filter = gate.filter();
  EntryTableStream stream({top.path()}, options);
  std::vector<std::string> found;
  while (found.size() < 2) {
    const std::optional<EntryChunk> chunk = stream.next(10s);
    ASSERT_TRUE(chunk);
    append(found, *chunk);
  }
  EXPECT_EQ(found, (std::vector{top.path(), top.at("a")}));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(stream.next(30ms));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 30ms);
  EXPECT_FALSE(stream.finished());
  EXPECT_FALSE(stream.next(0ns));
  EXPECT_FALSE(stream.finished());
  gate.open();
  const std::optional<EntryChunk> last = stream.next();
  ASSERT_TRUE(last);
  EXPECT_EQ(paths_of(*last), std::vector{top.at("a/held")});
  EXPECT_FALSE(stream.next());
  EXPECT_TRUE(stream.finished());
}

TEST(EntryTableStream, MayBeAskedForFullChunksOnly) {
  const RandomTree tree(fresh_seed(), {.directories = 200});
  const std::vector<std::string> wanted = expected(tree.roots());
  for (const unsigned threads : {1U, 4U}) {
    TableOptions options = options_with(threads, 64, 1000);
    options.prompt = false;
    EntryTableStream stream(tree.roots(), options);
    std::vector<std::string> found;
    unsigned short_ones = 0;
    while (!stream.finished()) {
      if (const std::optional<EntryChunk> chunk = stream.next(1ms)) {
        append(found, *chunk);
        short_ones += chunk->rows() < 64 ? 1 : 0;
      }
    }
    EXPECT_LE(short_ones, threads);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, wanted);
  }
}

TEST(EntryTableStream, CanBeCancelledWhileSomebodyWaits) {
  const TemporaryDirectory top(testing::in_memory());
  top.file("held");
  Gate gate("held");
  TableOptions options = options_with(1, 1000, 1000);
  options.walk.filter = gate.filter();
  EntryTableStream stream({top.path()}, options);
  ASSERT_TRUE(stream.next());  // the root
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    stream.cancel();
  });
  EXPECT_FALSE(stream.next());  // though the walk is held still
  EXPECT_TRUE(stream.finished());
  other.join();
  gate.open();
  EXPECT_EQ(stream.result().ending, Ending::cancelled);
  EXPECT_FALSE(stream.result().complete());
}

TEST(EntryTableStream, CancelDropsWhatIsThere) {
  const RandomTree tree(fresh_seed());
  for (int round = 0; round < testing::effort(20); ++round) {
    EntryTableStream stream(tree.roots(), options_with(2, 4, 100'000));
    if (round % 2 == 0) std::this_thread::sleep_for(20ms);  // all is in the channel
    stream.cancel();
    EXPECT_FALSE(stream.next());
    EXPECT_EQ(stream.result().ending, Ending::cancelled);
  }
  EntryTableStream read(tree.roots(), options_with(2, 4, 100'000));
  while (read.next()) {
  }
  read.cancel();  // of no effect
  EXPECT_TRUE(read.result().complete());
}

TEST(EntryTableStream, HeedsTheCallersToken) {
  const RandomTree tree(fresh_seed(), {.directories = 300});
  CancelToken token;
  TableOptions options = options_with(2, 4, 8);
  options.walk.cancel = &token;
  EntryTableStream stream(tree.roots(), options);
  ASSERT_TRUE(stream.next());
  token.cancel();
  while (stream.next()) {
  }
  EXPECT_EQ(stream.result().ending, Ending::cancelled);
}

TEST(EntryTableStream, HeedsTheDeadlineThoughNobodyReads) {
  const RandomTree tree(fresh_seed(), {.directories = 300});
  TableOptions options = options_with(2, 4, 8);
  options.walk.deadline = std::chrono::steady_clock::now() + 50ms;
  EntryTableStream stream(tree.roots(), options);
  EXPECT_EQ(stream.result().ending, Ending::timed_out);  // waits for the end
}

TEST(EntryTableStream, ThrowsWhatTheWalkThrewAfterTheRest) {
  const TemporaryDirectory top(testing::in_memory());
  top.file("x");
  FilterOptions filter_options;
  filter_options.custom = [](const char* path) -> bool {
    if (std::string_view(path).ends_with("x")) throw std::runtime_error("custom");
    return false;
  };
  const PathFilter filter(filter_options);
  TableOptions options = options_with(1, 1000, 1000, Fields::basic);
  options.walk.filter = &filter;
  EntryTableStream stream({top.path()}, options);
  const std::optional<EntryChunk> root = stream.next();
  ASSERT_TRUE(root);
  EXPECT_EQ(paths_of(*root), std::vector{top.path()});
  for (int i = 0; i < 2; ++i) EXPECT_THROW(stream.next(), std::runtime_error);
  EXPECT_TRUE(stream.finished());
  EXPECT_THROW(stream.result(), std::runtime_error);
  EXPECT_THROW(scan_table(std::vector{top.path()}, options), std::runtime_error);
}

TEST(EntryTableStream, OfRootsThatAreNone) {
  EntryTableStream none({}, {});
  EXPECT_FALSE(none.next());
  EXPECT_TRUE(none.result().complete());
  EntryTableStream missing({"/no/such/file"}, {});
  const std::optional<EntryChunk> row = missing.next();
  ASSERT_TRUE(row);
  EXPECT_EQ(row->error(0), ENOENT);
  EXPECT_FALSE(missing.next());
  EXPECT_FALSE(missing.result().complete());
}

}  // namespace
}  // namespace trawl
