// SPDX-License-Identifier: Apache-2.0
//
// Listings that several workers read, each a range of offsets: of a made-up filesystem whose
// offsets behave in every way that they can, and of real directories, also while they change.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "sys/dirent.h"
#include "sys/filesystem.h"
#include "walk/tuning.h"

namespace trawl {
namespace {

using testing::effort;
using testing::fresh_seed;
using testing::kNone;
using testing::Random;
using testing::record;
using testing::Recording;
using testing::with_threads;

// One directory, of regular files: each has an offset, at which a listing may begin. Its directory
// stream is a real one's with a cookie per name.
class OneDirectory final : public sys::FileSystem {
 public:
  struct File {
    std::int64_t at;
    std::string name;
    std::uint64_t inode;
  };

  explicit OneDirectory(std::vector<File> files) : files_(std::move(files)) {}

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const File& file : files_) names.push_back(file.name);
    return names;
  }

  // Called, under lock, before a stream that a worker lists from is moved to an offset.
  std::function<void(std::vector<File>&, std::int64_t offset)> before_listing;
  // The offset of a seek becomes another.
  std::function<std::int64_t(std::int64_t)> seek_to = [](std::int64_t offset) { return offset; };
  int seek_error = 0;
  // Offsets that were looked at to find where a range may begin.
  std::set<std::int64_t> probed;
  std::atomic<unsigned> replaced = 0;  // from so many openings on it is another directory
  std::atomic<unsigned> openings = 0;

  int open_directory(int, const char* path, sys::OpenHow, sys::DirectoryHandle& out) override {
    out = {.fd = next_fd_++};
    out.stream = new Stream{.is_probe = path == std::string(".")};
    if (path != std::string(".")) ++openings;
    return 0;
  }
  int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override {
    const std::lock_guard lock(mutex_);
    Stream& stream = *static_cast<Stream*>(handle.stream);
    size = 0;
    end = false;
    auto file = std::find_if(files_.begin(), files_.end(),
                             [&](const File& f) { return f.at >= stream.at; });
    unsigned skip = stream.skip;
    for (; file != files_.end() && skip > 0 && file->at == stream.at; ++file) --skip;
    for (; file != files_.end(); ++file) {
      const auto next = file + 1;
      const std::int64_t goes_on = next != files_.end() ? next->at : INT64_MAX;
      const sys::Dirent entry{
          .inode = file->inode, .offset = goes_on, .type = FileType::regular, .name = file->name};
      if (!sys::append_dirent(buffer, size, entry)) return size == 0 ? EINVAL : 0;
      stream.skip = goes_on == file->at ? stream.skip + 1 : 0;
      stream.at = goes_on;
    }
    return 0;
  }
  int seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) override {
    const std::lock_guard lock(mutex_);
    Stream& stream = *static_cast<Stream*>(handle.stream);
    if (seek_error != 0) return seek_error;
    if (stream.is_probe) {
      probed.insert(offset);
    } else if (before_listing) {
      before_listing(files_, offset);
    }
    stream.at = seek_to(offset);
    stream.skip = 0;
    return 0;
  }
  int stat_handle(const sys::DirectoryHandle&, Fields fields, Metadata& out) override {
    return stat_at(0, "", fields, false, out);
  }
  int stat_at(int, const char*, Fields, bool, Metadata& out) override {
    out = {};
    out.mode = 0040755;
    out.device = 1;
    out.inode = replaced != 0 && openings >= replaced ? 3 : 2;
    out.links = 2;
    out.valid = Fields::basic;
    return 0;
  }
  void close(sys::DirectoryHandle& handle) override {
    delete static_cast<Stream*>(handle.stream);
    handle = {};
  }
  bool make_descriptors_private() override { return false; }
  bool listed_inodes_are_exact(const sys::DirectoryHandle&) override { return false; }
  bool inode_order_helps(const sys::DirectoryHandle&) override { return true; }
  bool offsets_ascend(const sys::DirectoryHandle&) override { return true; }

 private:
  struct Stream {
    std::int64_t at = 0;
    unsigned skip = 0;  // of the files at that offset
    bool is_probe = false;
  };

  std::mutex mutex_;
  std::vector<File> files_;
  std::atomic<int> next_fd_{100};
};

std::vector<OneDirectory::File> files_at(const std::vector<std::int64_t>& offsets) {
  std::vector<OneDirectory::File> files;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    files.push_back({offsets[i], "file " + std::to_string(i), i + 1});
  }
  return files;
}

// As filesystems give them: counted, places in bytes, hashes, hashes of which some are equal, and
// such that are crowded at an end.
std::vector<std::int64_t> offsets(int kind, std::size_t count, Random& random) {
  std::vector<std::int64_t> offsets;
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    switch (kind) {
      case 0:
        offsets.push_back(n + 1);
        break;
      case 1:
        offsets.push_back(1 + 24 * n);
        break;
      case 2:
        offsets.push_back(static_cast<std::int64_t>(random.next() >> 1) | 1);
        break;
      case 3:
        offsets.push_back(static_cast<std::int64_t>(random.below(count / 4) << 40) + 1);
        break;
      case 4:
        offsets.push_back(INT64_MAX - 1 - 3 * n);
        break;
      default:
        offsets.push_back(n == 0 ? 1 : INT64_MAX - 1 - 2 * n);
        break;
    }
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

const std::vector<std::string> kRoot = {"root"};

std::vector<std::string> names_in_order(const Recording& recording) {
  std::map<std::uint64_t, std::string> names;
  for (const testing::Reported& entry : recording.entries) {
    if (entry.depth == 1) {
      EXPECT_TRUE(names.emplace(entry.position, entry.path.substr(5)).second) << entry.position;
    }
  }
  std::vector<std::string> result;
  for (const auto& [position, name] : names) result.push_back(name);
  return result;
}

constexpr engine::Tuning kSplit{
    .share_always = true, .listing_buffer = 400, .read_before_split = 1};

class WalkSplit : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Workers, WalkSplit, ::testing::Values(1U, 2U, 16U));

TEST_P(WalkSplit, ListsAllOnceAndKnowsTheirPlaces) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(60); ++round) {
    const int kind = round % 6;
    const std::size_t count = 1 + random.below(round % 2 == 0 ? 30 : 2000);
    OneDirectory directory(files_at(offsets(kind, 4 + count, random)));
    Options options = with_threads(GetParam(), Fields::none);
    options.fts_order = random.one_in(2);
    const Recording recording = record(directory, kRoot, options, {}, kSplit);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_TRUE(recording.result.complete());
    EXPECT_EQ(names_in_order(recording), directory.names()) << "kind " << kind;
    EXPECT_EQ(recording.directories.at(0).entry_count, 4 + count);
    if (count > 1000) {
      EXPECT_GT(recording.result.statistics.range_splits, 1U) << "kind " << kind;
    }
  }
}

// Those that the filesystem does not find again do not begin a range.
TEST_P(WalkSplit, StaysWholeWhereOffsetsMeanNothing) {
  Random random(fresh_seed());
  for (int kind = 0; kind < 6; ++kind) {
    OneDirectory directory(files_at(offsets(kind, 500, random)));
    directory.seek_to = [](std::int64_t) { return std::int64_t{0}; };  // as if it ignored them
    const Recording recording =
        record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.statistics.range_splits, 0U) << "kind " << kind;
    EXPECT_EQ(names_in_order(recording), directory.names()) << "kind " << kind;

    directory.seek_to = [](std::int64_t at) { return at + 1; };  // or missed a little
    EXPECT_EQ(names_in_order(
                  record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit)),
              directory.names());

    directory.seek_error = EINVAL;
    EXPECT_EQ(names_in_order(
                  record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit)),
              directory.names());
  }
}

// Offsets that do not ascend, although the filesystem is one of those: nothing is lost silently.
TEST_P(WalkSplit, SaysSoIfOffsetsDoNotAscend) {
  Random random(fresh_seed());
  bool split = false;
  for (int round = 0; round < effort(8); ++round) {
    std::vector<OneDirectory::File> files = files_at(offsets(1, 600, random));
    const std::size_t from = 450 + random.below(50);
    std::swap(files[from].at, files[from + 1 + random.below(90)].at);
    OneDirectory directory(files);
    const Recording recording =
        record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit);
    if (recording.result.complete()) {
      EXPECT_EQ(recording.entries.size(), 601U);
    } else {
      EXPECT_EQ(recording.directories.at(0).state, State::partially_read);
      EXPECT_EQ(recording.directories.at(0).error, EIO);
    }
    split = split || recording.result.statistics.range_splits > 0;
  }
  EXPECT_TRUE(split);
}

// What a range held is removed before it is listed, and the next range's first file must not be
// taken for its own.
TEST_P(WalkSplit, RangeThatWasEmptied) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(30); ++round) {
    OneDirectory directory(files_at(offsets(round % 3, 300, random)));
    directory.before_listing = [&](std::vector<OneDirectory::File>& files, std::int64_t begin) {
      auto end = directory.probed.upper_bound(begin);
      while (
          end != directory.probed.end() &&
          std::none_of(files.begin(), files.end(), [&](const auto& f) { return f.at == *end; })) {
        ++end;
      }
      if (end == directory.probed.end() || !random.one_in(2)) return;
      std::erase_if(files, [&](const auto& file) { return file.at >= begin && file.at < *end; });
    };
    const Recording recording =
        record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit);
    EXPECT_EQ(recording.violations, kNone);
    std::map<std::string, int> times;
    for (const testing::Reported& entry : recording.entries) ++times[entry.path];
    for (const std::string& name : directory.names()) EXPECT_EQ(times["root/" + name], 1) << name;
  }
}

// Another directory has its name when a worker wants to list a range of it.
TEST_P(WalkSplit, DirectoryThatWasReplaced) {
  Random random(fresh_seed());
  OneDirectory directory(files_at(offsets(1, 500, random)));
  directory.replaced = 2;
  const Recording recording =
      record(directory, kRoot, with_threads(GetParam(), Fields::none), {}, kSplit);
  EXPECT_FALSE(recording.result.complete());
  EXPECT_EQ(recording.directories.at(0).state, State::partially_read);
  EXPECT_EQ(recording.directories.at(0).error, ENOENT);
}

// On the filesystem that tests run on; sandboxed ones are tried by the tests of `trawl du`.
TEST_P(WalkSplit, RealDirectoryWhileItChanges) {
  constexpr int kStable = 3000;
  const testing::TemporaryDirectory place;
  const std::string root = place.directory("root");
  for (int i = 0; i < kStable; ++i) place.file("root/stable " + std::to_string(i));
  std::atomic<bool> done = false;
  std::thread changer([&] {
    for (unsigned i = 0; !done; ++i) {
      const std::string name = root + "/passing " + std::to_string(i % 700);
      if (i / 700 % 2 == 0) {
        std::fclose(std::fopen(name.c_str(), "w"));
      } else {
        std::remove(name.c_str());
      }
    }
  });
  const std::vector<std::string> roots = {root};
  for (int round = 0; round < effort(8); ++round) {
    const Recording recording =
        record(sys::linux_filesystem(), roots, with_threads(GetParam(), Fields::none), {}, kSplit);
    EXPECT_EQ(recording.violations, kNone);
    std::map<std::string, int> times;
    for (const testing::Reported& entry : recording.entries) {
      if (entry.path.find("stable") != std::string::npos) ++times[entry.path];
    }
    EXPECT_EQ(times.size(), static_cast<std::size_t>(kStable));
    for (const auto& [path, count] : times) EXPECT_EQ(count, 1) << path;
  }
  done = true;
  changer.join();
}

}  // namespace
}  // namespace trawl
