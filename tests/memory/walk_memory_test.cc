// SPDX-License-Identifier: Apache-2.0
//
// What a walk holds in memory, at its peak, on trees of a million directories that exist only as
// arithmetic. docs/architecture.md states the bounds; this file is an executable of its own,
// because every allocation in it is counted.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <trawl/walk.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/effort.h"
#include "sys/dirent.h"
#include "sys/filesystem.h"
#include "walk/engine.h"

namespace {

std::atomic<std::int64_t> bytes_held = 0;
std::atomic<std::int64_t> most_bytes_held = 0;

void raise_to(std::atomic<std::int64_t>& most, std::int64_t value) {
  for (auto seen = most.load(std::memory_order_relaxed);
       value > seen && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed);) {
  }
}

void* allocate(std::size_t size, std::size_t alignment) {
  void* const memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size == 0 ? 1 : size)
          : std::aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
  if (memory == nullptr) throw std::bad_alloc();
  const auto usable = static_cast<std::int64_t>(::malloc_usable_size(memory));
  raise_to(most_bytes_held, bytes_held.fetch_add(usable, std::memory_order_relaxed) + usable);
  return memory;
}

void release(void* memory) {
  bytes_held.fetch_sub(static_cast<std::int64_t>(::malloc_usable_size(memory)),
                       std::memory_order_relaxed);
  std::free(memory);
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
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace trawl {
namespace {

// Directories are numbers, the root is 0. Directory d has subdirectories(d) ones called d0, d1, …,
// of which the i-th is child(d, i), and behind them files(d) files called f0, f1, ….
struct Shape {
  std::function<std::int32_t(std::int32_t)> subdirectories;
  std::function<std::int32_t(std::int32_t, std::int32_t)> child;
  std::function<std::int32_t(std::int32_t)> files = [](std::int32_t) { return 0; };
};

// A filesystem that computes its answers. A descriptor is the directory's number, a handle's stream
// how much was listed; so it holds nothing. Like ext4's, its listings can be split.
class ModelFileSystem final : public sys::FileSystem {
 public:
  explicit ModelFileSystem(const Shape& shape) : shape_(shape) {}

  bool stays_on_mount() const override { return true; }
  int open_directory(int base, const char* path, sys::OpenHow, sys::DirectoryHandle& out) override {
    out = {};
    return find(base, path, out.fd) ? 0 : ENOENT;
  }
  int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    const std::int32_t directories = shape_.subdirectories(handle.fd);
    const std::int32_t count = directories + shape_.files(handle.fd);
    auto next = static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(handle.stream));
    size = 0;
    for (; next < count; ++next) {
      const bool is_file = next >= directories;
      std::array<char, 16> name{is_file ? 'f' : 'd'};
      const char* const name_end =
          std::to_chars(&name[1], name.end(), is_file ? next - directories : next).ptr;
      if (!sys::append_dirent(
              buffer, size,
              {.inode = is_file ? kFileInode : inode_of(shape_.child(handle.fd, next)),
               .offset = next + 1,
               .type = is_file ? FileType::regular : FileType::directory,
               .name = {name.data(), static_cast<std::size_t>(name_end - name.data())}})) {
        break;
      }
    }
    handle.stream = reinterpret_cast<void*>(static_cast<std::intptr_t>(next));
    end = next >= count;
    return 0;
  }
  int seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) override {
    if (offset > INT32_MAX) return EINVAL;
    handle.stream = reinterpret_cast<void*>(static_cast<std::intptr_t>(offset));
    return 0;
  }
  int stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) override {
    out = {};
    out.device = 1;
    out.inode = inode_of(handle.fd);
    out.mode = 0040755;
    out.links = 2;
    out.valid = fields | Fields::type | Fields::identity;
    return 0;
  }
  int stat_at(int base, const char* path, Fields fields, bool, Metadata& out) override {
    sys::DirectoryHandle handle;
    if (find(base, path, handle.fd)) return stat_handle(handle, fields, out);
    out = {};
    out.device = 1;
    out.inode = kFileInode;
    out.mode = 0100644;
    out.links = 1;
    out.valid = fields | Fields::type | Fields::identity;
    return 0;
  }
  void close(sys::DirectoryHandle& handle) override { handle = {}; }
  bool make_descriptors_private() override { return false; }
  bool listed_inodes_are_exact(const sys::DirectoryHandle&) override { return true; }
  bool inode_order_helps(const sys::DirectoryHandle&) override { return false; }
  bool offsets_ascend(const sys::DirectoryHandle&) override { return true; }

 private:
  static constexpr std::uint64_t kFileInode = UINT32_MAX;
  static std::uint64_t inode_of(std::int32_t directory) {
    return static_cast<std::uint64_t>(directory) + 1;
  }

  // False for a file. The root is known by any name.
  bool find(int base, std::string_view path, int& directory) const {
    directory = base == sys::kWorkingDirectory ? 0 : base;
    if (base == sys::kWorkingDirectory || path == ".") return true;
    for (const char *at = path.data(), *const end = at + path.size(); at < end; ++at) {
      std::int32_t index = 0;
      if (*at != 'd') return false;
      at = std::from_chars(at + 1, end, index).ptr;
      directory = shape_.child(directory, index);
    }
    return true;
  }

  const Shape& shape_;
};

// Counts what is live: entered and not left.
class Census final : public Visitor {
 public:
  Census(std::atomic<std::int64_t>& live, std::atomic<std::int64_t>& most_live)
      : live_(live), most_live_(most_live) {}
  Verdict enter(Directory&) override {
    raise_to(most_live_, live_.fetch_add(1) + 1);
    return Verdict::proceed;
  }
  Verdict entries(Directory&, std::span<Entry> batch) override {
    count += static_cast<std::int64_t>(batch.size());
    return Verdict::proceed;
  }
  void leave(Directory& directory) override {
    live_.fetch_sub(1);
    complete += directory.state() == State::complete ? 1 : 0;
  }

  std::int64_t count = 0;
  std::int64_t complete = 0;

 private:
  std::atomic<std::int64_t>& live_;
  std::atomic<std::int64_t>& most_live_;
};

struct Peak {
  std::int64_t entries = 0;      // without the root
  std::int64_t directories = 0;  // below the root
  std::int64_t live = 0;         // without origin and root
  std::int64_t bytes = 0;
};

Peak walk_model(const Shape& shape, unsigned workers, Fields fields = Fields::none) {
  ModelFileSystem filesystem(shape);
  Options options;
  options.threads = workers;
  options.fields = fields;
  const std::vector<std::string> roots{"model"};
  std::atomic<std::int64_t> live = 0;
  std::atomic<std::int64_t> most_live = 0;
  std::vector<Census> visitors(workers, Census(live, most_live));
  const VisitorFactory factory = [&](unsigned worker) -> Visitor& { return visitors[worker]; };
  const std::int64_t before = bytes_held.load();
  most_bytes_held.store(before);
  const Result result = engine::Engine(filesystem, roots, options, factory).run();
  Peak peak{
      .entries = -1, .directories = -2, .live = most_live - 2, .bytes = most_bytes_held - before};
  for (const Census& visitor : visitors) {
    peak.entries += visitor.count;
    peak.directories += visitor.complete;
  }
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(live, 0);
  // A node is there from a little before its directory is entered to a little after it was left.
  EXPECT_LE(result.statistics.most_live_directories,
            static_cast<std::uint64_t>(most_live) + workers);
  return peak;
}

// --- the bounds, as docs/architecture.md states them

constexpr std::int64_t kPerWorker = std::int64_t{256} << 10;
constexpr std::int64_t kPerLiveDirectory = 1536;
constexpr std::int64_t kPerSlice = std::int64_t{80} << 10;

// `waiting`: subdirectories of live directories, done or not, whose names have `name` bytes;
// `slices`: of the listings that workers are at.
void expect_bounded(const Peak& peak, unsigned workers, std::int64_t most_live,
                    std::int64_t waiting, std::int64_t name, std::int64_t slices = 0) {
  SCOPED_TRACE(std::to_string(workers) + " workers");
  const std::int64_t bound = static_cast<std::int64_t>(workers) * kPerWorker +
                             (most_live + 2) * kPerLiveDirectory + 3 * waiting * (24 + name) +
                             slices * kPerSlice;
  EXPECT_LE(peak.live, most_live);
  EXPECT_LE(peak.bytes, bound);
  std::printf("%2u workers: %lld live directories (bound %lld), %.2f MB (bound %.2f MB)\n", workers,
              static_cast<long long>(peak.live), static_cast<long long>(most_live),
              static_cast<double>(peak.bytes) / 1e6, static_cast<double>(bound) / 1e6);
}

std::int32_t scaled(std::int32_t count) {
  return testing::kThreadSanitizer ? count / 50 : testing::kAddressSanitizer ? count / 10 : count;
}

class WalkMemory : public ::testing::TestWithParam<unsigned> {
 protected:
  const unsigned workers_ = GetParam();
};
INSTANTIATE_TEST_SUITE_P(Workers, WalkMemory, ::testing::Values(1U, 2U, 16U));

TEST_P(WalkMemory, OfAMillionEmptyDirectoriesInOne) {
  const std::int32_t count = scaled(1'000'000);
  const Shape shape{.subdirectories = [=](std::int32_t at) { return at == 0 ? count : 0; },
                    .child = [](std::int32_t, std::int32_t i) { return 1 + i; }};
  const Peak peak = walk_model(shape, workers_);
  EXPECT_EQ(peak.entries, count);
  EXPECT_EQ(peak.directories, count);
  expect_bounded(peak, workers_, workers_, count, 7);
}

TEST_P(WalkMemory, OfFiftyInEachOfFiftyThousand) {
  const std::int32_t count = scaled(50'000);
  const Shape shape{
      .subdirectories = [=](std::int32_t at) { return at == 0        ? count
                                                      : at % 51 == 1 ? 50
                                                                     : 0; },
      .child = [](std::int32_t at, std::int32_t i) { return at == 0 ? 1 + 51 * i : at + 1 + i; }};
  const Peak peak = walk_model(shape, workers_);
  EXPECT_EQ(peak.directories, count * 51);
  const auto workers = static_cast<std::int64_t>(workers_);
  expect_bounded(peak, workers_, 2 * workers, count + 50 * workers, 6);
}

// Not a frame per level, either: half the stack of a worker's thread is enough.
TEST_P(WalkMemory, OfAHundredThousandLevels) {
  struct Walk {
    unsigned workers;
    std::int32_t levels;
    Peak peak;
  } walk{workers_, scaled(100'000), {}};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{128} << 10);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  Walk& self = *static_cast<Walk*>(argument);
                  const Shape shape{
                      .subdirectories = [&](std::int32_t at) { return at < self.levels ? 1 : 0; },
                      .child = [](std::int32_t at, std::int32_t) { return at + 1; }};
                  self.peak = walk_model(shape, self.workers);
                  return nullptr;
                },
                &walk),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(walk.peak.directories, walk.levels);
  EXPECT_EQ(walk.peak.live, walk.levels);
  expect_bounded(walk.peak, workers_, walk.levels, walk.levels, 2);
}

// The worst that depth first can meet: the first of each level's many is the one that goes on.
TEST_P(WalkMemory, OfManyLevelsOfMany) {
  const std::int32_t side = testing::kThreadSanitizer    ? 100
                            : testing::kAddressSanitizer ? 300
                                                         : 700;
  const Shape shape{
      .subdirectories =
          [=](std::int32_t at) { return at % side == 0 && at < side * side ? side : 0; },
      .child = [=](std::int32_t at, std::int32_t i) { return at + (i == 0 ? side : i); }};
  const Peak peak = walk_model(shape, workers_);
  EXPECT_EQ(peak.directories, side * side);
  expect_bounded(peak, workers_, side + static_cast<std::int64_t>(workers_), side * side, 4);
}

// Beside each level something that is wide, and done before the next level begins: what it needed
// is not to be held on to.
TEST_P(WalkMemory, OfLevelsWithWideNeighbours) {
  constexpr std::int32_t kWide = 128;
  const std::int32_t levels = scaled(1'500);
  const Shape shape{.subdirectories =
                        [=](std::int32_t at) {
                          const std::int32_t part = at % (kWide + 2);
                          return part == 0 ? (at / (kWide + 2) < levels ? 2 : 0)
                                           : (part == 1 ? kWide : 0);
                        },
                    .child =
                        [](std::int32_t at, std::int32_t i) {
                          return at % (kWide + 2) == 1 ? at + 1 + i : at + (i == 0 ? 1 : kWide + 2);
                        }};
  const Peak peak = walk_model(shape, workers_);
  EXPECT_EQ(peak.directories, levels * (kWide + 2));
  const auto workers = static_cast<std::int64_t>(workers_);
  expect_bounded(peak, workers_, levels + 2 * workers, 2 * levels + kWide * workers, 4);
}

// Nothing per file: of a listing, only the pieces that others are to take.
TEST_P(WalkMemory, OfAMillionFilesInOne) {
  const std::int32_t count = scaled(1'000'000);
  const Shape shape{.subdirectories = [](std::int32_t) { return 0; },
                    .child = [](std::int32_t, std::int32_t) { return 0; },
                    .files = [=](std::int32_t) { return count; }};
  for (const Fields fields : {Fields::none, Fields::basic}) {
    const Peak peak = walk_model(shape, workers_, fields);
    EXPECT_EQ(peak.entries, count);
    expect_bounded(peak, workers_, 0, 0, 0, 3 * workers_);
  }
}

// Many that are listed at once.
TEST_P(WalkMemory, OfFilesInManyHugeDirectories) {
  const std::int32_t count = scaled(50'000);
  const Shape shape{.subdirectories = [](std::int32_t at) { return at == 0 ? 40 : 0; },
                    .child = [](std::int32_t, std::int32_t i) { return 1 + i; },
                    .files = [=](std::int32_t at) { return at == 0 ? 0 : count; }};
  const Peak peak = walk_model(shape, workers_, Fields::basic);
  EXPECT_EQ(peak.entries, 40 + 40 * count);
  expect_bounded(peak, workers_, workers_, 40, 3, 3 * workers_ * std::min(workers_, 40U));
}

}  // namespace
}  // namespace trawl
