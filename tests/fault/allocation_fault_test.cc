// SPDX-License-Identifier: Apache-2.0
//
// Memory that runs out, at any allocation, once or for good: the walk ends, and std::bad_alloc
// comes out of it; nothing is terminated, no descriptor stays open. Memory itself may leak then
// (what is live can't be left in order any more), so these walks are done in child processes, which
// end without a look at leaks.
#include <dirent.h>
#include <gtest/gtest.h>
#include <trawl/usage.h>
#include <trawl/walk.h>

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/random.h"
#include "support/tree.h"

namespace {

// Allocations that still succeed; negative: all do.
std::atomic<std::int64_t> allocations_left = -1;
std::atomic<bool> fails_for_good = false;
std::atomic<std::uint64_t> failures = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left.load(std::memory_order_relaxed) >= 0) {
    const std::int64_t left = allocations_left.fetch_sub(1);
    if (left == 0 || (left < 0 && fails_for_good)) {
      ++failures;
      if (fails_for_good) allocations_left = 0;
      throw std::bad_alloc();
    }
  }
  void* const memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size == 0 ? 1 : size)
          : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 0); }
void* operator new[](std::size_t size) { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
// The library's own would call those above, but a sanitizer's would not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size, 0);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return ::operator new(size, tag);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace trawl {
namespace {

using testing::passes_in_child;
using testing::RandomTree;

std::size_t open_descriptors() {
  DIR* const stream = ::opendir("/proc/self/fd");
  std::size_t count = 0;
  while (::readdir(stream) != nullptr) ++count;
  ::closedir(stream);
  return count;
}

// Runs `work` with the first allocation failing, the second, and so on, until it gets through. A
// step above 1 leaves some out. It has to give std::bad_alloc or, where there is a way without that
// memory (std::stable_sort has one), its result.
void fail_each(const std::function<std::uint64_t()>& work, bool for_good, std::int64_t step) {
  const std::uint64_t expected = work();
  const std::size_t before = open_descriptors();
  for (std::int64_t ordinal = 0;; ordinal += step) {
    SCOPED_TRACE("at allocation " + std::to_string(ordinal));
    bool caught = false;
    std::uint64_t result = expected;
    failures = 0;
    fails_for_good = for_good;
    allocations_left = ordinal;
    try {
      result = work();
    } catch (const std::bad_alloc&) {
      caught = true;
    }
    allocations_left = -1;
    ASSERT_EQ(result, expected);
    ASSERT_TRUE(failures > 0 || !caught);
    ASSERT_EQ(open_descriptors(), before);
    if (failures == 0) {
      EXPECT_GT(ordinal, 10);
      return;
    }
  }
}

class AllocationFault : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Failures, AllocationFault, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "ForGood" : "Once"; });

TEST_P(AllocationFault, EndsAWalk) {
  const RandomTree tree(testing::fresh_seed(), {.directories = 60, .entries = 20});
  for (const unsigned threads : {1U, 4U}) {
    for (const Follow follow : {Follow::never, Follow::all}) {
      EXPECT_TRUE(passes_in_child([&] {
        Options options;
        options.threads = threads;
        options.fields = Fields::basic;
        options.follow = follow;
        Visitor visitor;
        const VisitorFactory factory = [&](unsigned) -> Visitor& { return visitor; };
        fail_each([&] { return walk(tree.roots(), options, factory).statistics.entries; },
                  GetParam(), 1);
      }));
    }
  }
}

class NullListener final : public UsageListener {
 public:
  bool line(const UsageLine&) override { return true; }
  void error(const UsageError&) override {}
};

TEST_P(AllocationFault, EndsUsage) {
  const RandomTree tree(testing::fresh_seed(), {.roots = 2, .directories = 40, .entries = 20});
  std::vector<std::string> roots = tree.roots();
  roots.push_back(tree.directories().back());
  for (const unsigned threads : {1U, 4U}) {
    for (const int max_depth : {INT32_MAX, 0}) {
      EXPECT_TRUE(passes_in_child([&] {
        UsageOptions options;
        options.walk.threads = threads;
        options.max_depth = max_depth;
        options.all = max_depth != 0;
        NullListener listener;
        fail_each([&] { return list_usage(roots, options, listener).total.inodes; }, GetParam(),
                  testing::kThreadSanitizer ? 7 : 1);
      }));
    }
  }
}

TEST_P(AllocationFault, EndsMeasuring) {
  const RandomTree tree(testing::fresh_seed(), {.directories = 40, .entries = 20});
  for (const unsigned threads : {1U, 4U}) {
    EXPECT_TRUE(passes_in_child([&] {
      UsageTreeOptions options;
      options.usage.walk.threads = threads;
      options.max_nodes = 10;
      fail_each([&] { return measure_usage(tree.roots(), options).result.total.inodes; },
                GetParam(), testing::kThreadSanitizer ? 7 : 1);
    }));
  }
}

}  // namespace
}  // namespace trawl
