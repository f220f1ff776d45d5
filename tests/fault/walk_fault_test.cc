// SPDX-License-Identifier: Apache-2.0
//
// Every system call that the engine makes, made to fail in every way that it can, at every place.
// The walk has to end; each entry is reported, or it or a directory above it has an error or is
// counted as vanished; what is counted is what is said; and nothing stays open.
#include <gtest/gtest.h>
#include <trawl/walk.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/recorder.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"

namespace trawl {
namespace {

using testing::Call;
using testing::compare;
using testing::describe;
using testing::effort;
using testing::FaultFileSystem;
using testing::fresh_seed;
using testing::kNone;
using testing::Left;
using testing::Oracle;
using testing::passes_in_child;
using testing::Random;
using testing::record;
using testing::Recording;
using testing::Reported;
using testing::Request;
using testing::TemporaryDirectory;
using testing::walk_naively;

// What each call may answer: the manual pages' lists, and what network filesystems and FUSE servers
// make of them.
const std::map<Call, std::vector<int>>& errors_of_calls() {
  static const std::map<Call, std::vector<int>> errors = {
      {Call::open, {ENOENT,    EACCES, EPERM,  ELOOP,  ENOTDIR,  EXDEV,     ENOMEM,
                    EINTR,     EIO,    ESTALE, EAGAIN, EMFILE,   ENFILE,    ENAMETOOLONG,
                    EOVERFLOW, ENODEV, ENXIO,  EBADF,  ENOTCONN, ETIMEDOUT, EINVAL}},
      {Call::read,
       {ENOENT, EIO, EACCES, EBADF, EINVAL, ENOTDIR, EINTR, ESTALE, ENOMEM, ENOTCONN, EOVERFLOW}},
      {Call::stat_handle, {ENOENT, EIO, EACCES, ENOMEM, EINTR, ESTALE, EBADF, ENOTCONN, EINVAL}},
      {Call::stat_at,
       {ENOENT, EACCES, ELOOP, ENOTDIR, ENOMEM, EINTR, EIO, ESTALE, ENAMETOOLONG, EOVERFLOW,
        ENOTCONN, EBADF, EINVAL}},
  };
  return errors;
}

// Small, with something of everything: files, links, empty and nested directories, and names so
// long that paths are cut into several pieces.
class FaultTree {
 public:
  FaultTree() : directory_(testing::in_memory()) {
    for (const char* const path : {"root", "root/a", "root/a/b", "root/a/b/c", "root/empty",
                                   "root/d", "root/d/e", "other"}) {
      directory_.directory(path);
    }
    for (const char* const path :
         {"root/file", "root/a/file", "root/a/b/c/file", "root/d/e/f1", "root/d/e/f2", "other/f"}) {
      directory_.file(path);
    }
    directory_.link("root/a/to_other", directory_.at("other"));
    directory_.link("root/a/b/dangling", "nothing");
    directory_.link("root/d/up", "..");
    std::string deep = "root/deep";
    directory_.directory(deep);
    for (int i = 0; i < 5; ++i) {
      deep += "/" + std::string(200, static_cast<char>('p' + i));
      directory_.directory(deep);
      directory_.file(deep + "/f");
    }
    roots_ = {directory_.at("root"), directory_.at("root/file"), directory_.at("other")};
  }
  const std::vector<std::string>& roots() const { return roots_; }

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> roots_;
};

struct Setting {
  const char* name;
  Fields fields;
  Follow follow;
  bool one_file_system;
  bool hide_types;
  Backend backend;
};

const Setting kSettings[] = {
    {"names", Fields::none, Follow::never, false, false, Backend::linux_raw},
    {"metadata", Fields::basic, Follow::never, false, false, Backend::linux_raw},
    {"names_without_types", Fields::none, Follow::roots, false, true, Backend::linux_raw},
    {"links_followed", Fields::basic, Follow::all, false, false, Backend::linux_raw},
    {"links_followed_without_types", Fields::basic, Follow::all, true, true, Backend::linux_raw},
    {"one_file_system", Fields::none, Follow::never, true, false, Backend::linux_raw},
    {"posix", Fields::basic, Follow::never, false, false, Backend::posix},
};

sys::FileSystem& real(const Setting& setting) {
  return setting.backend == Backend::posix ? sys::posix_filesystem() : sys::linux_filesystem();
}

class WalkFault : public ::testing::TestWithParam<Setting> {
 protected:
  WalkFault() {
    options_.fields = GetParam().fields;
    options_.follow = GetParam().follow;
    options_.one_file_system = GetParam().one_file_system;
    options_.threads = 1;
    oracle_ = walk_naively(tree_.roots(), options_);
    for (const auto& entry : oracle_.entries) expected_.emplace(entry.path, &entry);
  }

  void set_up(FaultFileSystem& fs) const {
    if (GetParam().hide_types) fs.hide_types();
    // So small a tree would be done before a second worker starts.
    if (options_.threads > 1) fs.delay(Call::read, std::chrono::microseconds(100));
  }

  // Every place where the walk makes a call, without faults and with one worker.
  std::vector<testing::Place> places() const {
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    record(fs, tree_.roots(), options_);
    return fs.trace();
  }

  // The walk must have kept its promises, and what it did not report must be accounted for.
  void expect_accounted(const Recording& recording, const FaultFileSystem& fs) const {
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::complete);
    EXPECT_EQ(fs.open_handles(), 0);

    std::uint64_t errors = 0;
    std::uint64_t vanished = 0;
    std::set<std::string> blamed;  // paths with an error, or that vanished
    std::set<std::string> found;
    for (const Reported& entry : recording.entries) {
      found.insert(entry.path);
      EXPECT_TRUE(expected_.count(entry.path) != 0 || options_.follow == Follow::all)
          << entry.path << " should not be there";
      if (entry.error == 0) continue;
      blamed.insert(entry.path);
      if (entry.metadata) continue;  // a link that leads nowhere, which may be so
      ++(entry.error == ENOENT && entry.depth > 0 ? vanished : errors);
    }
    for (const Left& directory : recording.directories) {
      if (directory.error == 0) continue;
      blamed.insert(directory.path);
      ++(directory.state == State::vanished ? vanished : errors);
    }
    const Statistics& statistics = recording.result.statistics;
    EXPECT_EQ(statistics.errors, errors);
    EXPECT_EQ(recording.result.errors.size(), errors);
    EXPECT_GE(statistics.vanished, vanished);
    for (const Error& error : recording.result.errors) {
      EXPECT_EQ(blamed.count(error.path), 1U) << error.message();
      EXPECT_NE(error.code, 0);
    }

    // A directory that was removed while it was read: what was left of it is gone, and counted.
    const bool partly_vanished = statistics.vanished > vanished;
    for (const auto& [path, entry] : expected_) {
      if (found.count(path) != 0 || partly_vanished) continue;
      bool accounted = false;
      for (auto slash = path.rfind('/'); !accounted && slash != std::string::npos && slash > 0;
           slash = path.rfind('/', slash - 1)) {
        accounted = blamed.count(path.substr(0, slash)) != 0;
      }
      // By another path, perhaps.
      accounted =
          accounted || (options_.follow == Follow::all && (!blamed.empty() || visited(recording)));
      EXPECT_TRUE(accounted) << path << " is lost";
    }
  }
  static bool visited(const Recording& recording) {
    return std::any_of(recording.directories.begin(), recording.directories.end(),
                       [](const Left& left) { return left.state == State::visited; });
  }

  FaultTree tree_;
  Options options_;
  Oracle oracle_;
  std::map<std::string, const testing::OracleEntry*> expected_;
};

INSTANTIATE_TEST_SUITE_P(Settings, WalkFault, ::testing::ValuesIn(kSettings),
                         [](const auto& test) { return test.param.name; });

TEST_P(WalkFault, NoneIsTheOracle) {
  for (const unsigned threads : {1U, 2U, 16U}) {
    options_.threads = threads;
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    const Recording recording = record(fs, tree_.roots(), options_);
    EXPECT_EQ(compare(recording, oracle_, options_), "") << describe(options_);
    EXPECT_EQ(recording.result.statistics.workers > 1, threads > 1);
    expect_accounted(recording, fs);
  }
}

TEST_P(WalkFault, OfEachCallAtEachPlace) {
  for (const testing::Place& place : places()) {
    const auto errors = errors_of_calls().find(place.call);
    if (errors == errors_of_calls().end()) continue;
    for (const int error : errors->second) {
      SCOPED_TRACE(std::string("call ") + std::to_string(static_cast<int>(place.call)) +
                   " number " + std::to_string(place.ordinal) + " '" + place.path +
                   "': " + std::strerror(error));
      FaultFileSystem fs(real(GetParam()));
      set_up(fs);
      fs.fail(place.call, place.ordinal, error);
      const Recording recording = record(fs, tree_.roots(), options_);
      expect_accounted(recording, fs);
      const bool is_repaired =
          error == EINTR || (place.call == Call::open && (error == EMFILE || error == ENFILE));
      if (is_repaired) {
        EXPECT_EQ(compare(recording, oracle_, options_), "");
      }
      ASSERT_FALSE(HasFailure());
    }
  }
}

// Which place has which number is by chance now.
TEST_P(WalkFault, OfEachCallWithManyWorkers) {
  Random random(fresh_seed());
  const std::vector<testing::Place> all = places();
  for (int round = 0; round < effort(300); ++round) {
    const testing::Place& place = all[random.below(all.size())];
    const auto errors = errors_of_calls().find(place.call);
    if (errors == errors_of_calls().end()) continue;
    const int error = errors->second[random.below(errors->second.size())];
    options_.threads = random.one_in(2) ? 2 : 16;
    SCOPED_TRACE(describe(options_) + ", call " + std::to_string(static_cast<int>(place.call)) +
                 " number " + std::to_string(place.ordinal) + ": " + std::strerror(error));
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    fs.fail(place.call, place.ordinal, error);
    expect_accounted(record(fs, tree_.roots(), options_), fs);
    ASSERT_FALSE(HasFailure());
  }
}

// From some call on nothing works any more.
TEST_P(WalkFault, ThatStay) {
  Random random(fresh_seed());
  for (const auto& [call, errors] : errors_of_calls()) {
    for (const int error : errors) {
      if (error == EINTR) continue;  // would be repeated for ever, as it should be
      for (const unsigned threads : {1U, 16U}) {
        options_.threads = threads;
        const std::uint64_t first = random.below(12);
        SCOPED_TRACE(describe(options_) + ", call " + std::to_string(static_cast<int>(call)) +
                     " from " + std::to_string(first) + ": " + std::strerror(error));
        FaultFileSystem fs(real(GetParam()));
        set_up(fs);
        fs.fail_when([=, call = call](const Request& request) {
          return request.call == call && request.ordinal >= first ? error : 0;
        });
        expect_accounted(record(fs, tree_.roots(), options_), fs);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

// Any call may fail in any way.
TEST_P(WalkFault, AtRandom) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(200); ++round) {
    options_.threads = round % 3 == 0 ? 1 : round % 3 == 1 ? 2 : 16;
    const std::uint64_t seed = random.next();
    const std::uint64_t rarity = 2 + random.below(30);
    SCOPED_TRACE(describe(options_) + ", round " + std::to_string(round));
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    fs.fail_when([=](const Request& request) {
      const auto errors = errors_of_calls().find(request.call);
      Random mine(seed ^ (request.ordinal * 8 + static_cast<std::uint64_t>(request.call)));
      if (errors == errors_of_calls().end() || !mine.one_in(rarity)) return 0;
      return errors->second[mine.below(errors->second.size())];
    });
    expect_accounted(record(fs, tree_.roots(), options_), fs);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_P(WalkFault, InterruptionsChangeNothing) {
  for (const unsigned threads : {1U, 2U, 16U}) {
    options_.threads = threads;
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    fs.interrupt();
    const Recording recording = record(fs, tree_.roots(), options_);
    EXPECT_EQ(compare(recording, oracle_, options_), "") << describe(options_);
    EXPECT_GT(fs.interrupted(), 0U);
    expect_accounted(recording, fs);
  }
}

TEST_P(WalkFault, FewEntriesAtATimeChangeNothing) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    for (const unsigned threads : {1U, 16U}) {
      options_.threads = threads;
      FaultFileSystem fs(real(GetParam()));
      set_up(fs);
      fs.limit_records(most);
      const Recording recording = record(fs, tree_.roots(), options_);
      EXPECT_EQ(compare(recording, oracle_, options_), "") << describe(options_);
    }
  }
}

TEST_P(WalkFault, ListingsWithoutDotsChangeNothing) {
  FaultFileSystem fs(real(GetParam()));
  set_up(fs);
  fs.edit_records([](sys::Dirent& entry) { return !sys::is_dot_or_dotdot(entry.name); });
  const Recording recording = record(fs, tree_.roots(), options_);
  EXPECT_EQ(compare(recording, oracle_, options_), "");
}

// Inode numbers of listings that are not those of stat (overlay, FUSE).
TEST_P(WalkFault, OtherInodesInListingsChangeNothing) {
  for (const unsigned threads : {1U, 16U}) {
    options_.threads = threads;
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    fs.inodes_are_exact = false;
    fs.lie_about_inodes();
    const Recording recording = record(fs, tree_.roots(), options_);
    expect_accounted(recording, fs);
    if (options_.follow != Follow::all) {
      EXPECT_EQ(recording.entries.size(), oracle_.entries.size());
    }
    EXPECT_EQ(recording.result.statistics.vanished, 0U);
    EXPECT_EQ(recording.result.statistics.errors, 0U);
  }
}

// The same from a filesystem that is known to tell the truth: then another directory is in the
// place.
TEST_P(WalkFault, WrongInodesOnExactFilesystemsAreOtherDirectories) {
  FaultFileSystem fs(real(GetParam()));
  set_up(fs);
  fs.inodes_are_exact = true;
  fs.lie_about_inodes();
  const Recording recording = record(fs, tree_.roots(), options_);
  expect_accounted(recording, fs);
  const bool is_noticed = options_.fields != Fields::none || options_.one_file_system;
  EXPECT_EQ(recording.result.statistics.vanished > 0, is_noticed);
}

// A record that claims to be longer than the listing.
TEST_P(WalkFault, GarbledListingsAreErrors) {
  std::uint64_t reads = 0;
  for (const testing::Place& place : places()) reads += place.call == Call::read ? 1U : 0U;
  for (std::uint64_t ordinal = 0; ordinal < reads; ++ordinal) {
    for (const unsigned threads : {1U, 16U}) {
      options_.threads = threads;
      FaultFileSystem fs(real(GetParam()));
      set_up(fs);
      fs.garble(ordinal);
      const Recording recording = record(fs, tree_.roots(), options_);
      expect_accounted(recording, fs);
      for (const Error& error : recording.result.errors) {
        EXPECT_EQ(error.code, EIO);
        EXPECT_EQ(error.operation, Operation::read);
      }
    }
  }
}

// Where a descriptor table of its own is not to be had, a worker goes on without.
TEST_P(WalkFault, NoPrivateDescriptors) {
  EXPECT_TRUE(passes_in_child([&] {
    options_.threads = 8;
    options_.private_descriptors = true;
    FaultFileSystem fs(real(GetParam()));
    set_up(fs);
    fs.fail_always(Call::make_private, EPERM);
    fs.delay(Call::read, std::chrono::microseconds(100));
    const Recording recording = record(fs, tree_.roots(), options_);
    EXPECT_EQ(compare(recording, oracle_, options_), "");
    expect_accounted(recording, fs);
  }));
}

}  // namespace
}  // namespace trawl
