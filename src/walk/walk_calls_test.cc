// SPDX-License-Identifier: Apache-2.0
//
// How many system calls a walk makes. They are the cost: with a warm cache next to all of its time
// is the kernel's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/effort.h"
#include "support/fault_filesystem.h"
#include "support/temporary_directory.h"
#include "support/tree.h"
#include "sys/filesystem.h"
#include "walk/engine.h"

namespace trawl {
namespace {

using testing::in_memory;
using testing::TemporaryDirectory;

constexpr std::uint64_t kDirectories = 1 + 20 + 20 * 5;
constexpr std::uint64_t kFiles = 20 * 5 * 8;

// 121 directories, 800 files.
void fill(const TemporaryDirectory& directory) {
  for (int i = 0; i < 20; ++i) {
    const std::string outer = "outer" + std::to_string(i);
    directory.directory(outer);
    for (int j = 0; j < 5; ++j) {
      const std::string inner = outer + "/inner" + std::to_string(j);
      directory.directory(inner);
      for (int k = 0; k < 8; ++k) directory.file(inner + "/file" + std::to_string(k));
    }
  }
}

bool is_ext4(const std::string& path) {
  struct statfs info = {};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == 0xEF53;
}

Result walk_it(const std::string& path, const Options& options) {
  Visitor visitor;
  const std::vector<std::string> roots{path};
  return walk(roots, options, [&](unsigned) -> Visitor& { return visitor; });
}

class WalkCalls : public ::testing::TestWithParam<bool> {
 protected:
  WalkCalls() : directory_(GetParam() ? "" : in_memory()) {
    fill(directory_);
    reads_ = is_ext4(directory_.path()) ? 1 : 2;
  }
  TemporaryDirectory directory_;
  std::uint64_t reads_;  // of a directory: the second only says that there is no more
};

INSTANTIATE_TEST_SUITE_P(Places, WalkCalls, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "disk" : "memory"; });

// Four calls per directory, three on ext4.
TEST_P(WalkCalls, ForNames) {
  Options options;
  options.threads = 1;
  const Statistics statistics = walk_it(directory_.path(), options).statistics;
  EXPECT_EQ(statistics.entries, kDirectories + kFiles);
  EXPECT_EQ(statistics.directories, kDirectories);
  EXPECT_EQ(statistics.open_calls, kDirectories);
  EXPECT_EQ(statistics.close_calls, kDirectories);
  EXPECT_EQ(statistics.read_calls, reads_ * kDirectories);
  EXPECT_EQ(statistics.stat_calls, 1U) << "the root, which no listing tells the type of";
}

// And one statx for each entry: a directory's is that of its descriptor.
TEST_P(WalkCalls, ForMetadata) {
  Options options;
  options.threads = 1;
  options.fields = Fields::basic;
  const Statistics statistics = walk_it(directory_.path(), options).statistics;
  EXPECT_EQ(statistics.open_calls, kDirectories);
  EXPECT_EQ(statistics.close_calls, kDirectories);
  EXPECT_EQ(statistics.read_calls, reads_ * kDirectories);
  EXPECT_EQ(statistics.stat_calls, kDirectories + kFiles + 1) << "the root twice";
}

// Thieves find their own way to the root: once each time that they got something to do.
TEST_P(WalkCalls, OfManyWorkers) {
  for (const Fields fields : {Fields::none, Fields::basic}) {
    Options options;
    options.threads = 8;
    options.fields = fields;
    const Statistics statistics = walk_it(directory_.path(), options).statistics;
    // Who shares a listing, and who takes of it, opens the directory once more, and again after
    // something else came between.
    const std::uint64_t extra = 2 * (statistics.steals + statistics.splits) + statistics.workers;
    EXPECT_GE(statistics.open_calls, kDirectories);
    EXPECT_LE(statistics.open_calls, kDirectories + extra);
    EXPECT_EQ(statistics.close_calls, statistics.open_calls);
    EXPECT_EQ(statistics.read_calls, reads_ * kDirectories);
  }
}

// What the walk says of itself is what it does.
TEST_P(WalkCalls, AreCountedAsTheyAreMade) {
  for (const unsigned threads : {1U, 8U}) {
    for (const Fields fields : {Fields::none, Fields::basic}) {
      testing::FaultFileSystem counting(sys::linux_filesystem());
      Options options;
      options.threads = threads;
      options.fields = fields;
      Visitor visitor;
      const VisitorFactory factory = [&](unsigned) -> Visitor& { return visitor; };
      const std::vector<std::string> roots{directory_.path()};
      const Statistics statistics =
          engine::Engine(counting, roots, options, factory).run().statistics;
      using testing::Call;
      EXPECT_EQ(statistics.open_calls, counting.calls(Call::open));
      EXPECT_EQ(statistics.read_calls, counting.calls(Call::read));
      EXPECT_EQ(statistics.close_calls, counting.calls(Call::close));
      EXPECT_EQ(statistics.stat_calls,
                counting.calls(Call::stat_at) + counting.calls(Call::stat_handle));
    }
  }
}

// --- By strace
// -------------------------------------------------------------------------------------

constexpr const char* kBegin = "/trawl-walk-begins";
constexpr const char* kEnd = "/trawl-walk-ends";

// Not a test: what is traced, in a process of its own.
TEST(WalkCallsTraced, DISABLED_Walk) {
  const char* const path = std::getenv("TRAWL_TRACED_PATH");
  if (path == nullptr) GTEST_SKIP();
  Options options;
  options.threads = 1;
  options.fields = std::getenv("TRAWL_TRACED_METADATA") != nullptr ? Fields::basic : Fields::none;
  walk_it(path, options);  // so that all that is done once is done
  ::access(kBegin, F_OK);
  walk_it(path, options);
  ::access(kEnd, F_OK);
}

// Calls between the marks, by name.
std::map<std::string, std::uint64_t> traced_calls(const std::string& path, bool metadata) {
  TemporaryDirectory output;
  const std::string file = output.at("trace");
  std::array<char, 4096> self{};
  if (::readlink("/proc/self/exe", self.data(), self.size() - 1) <= 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TRAWL_TRACED_PATH", path.c_str(), 1);
    if (metadata) ::setenv("TRAWL_TRACED_METADATA", "1", 1);
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execlp("strace", "strace", "-f", "-o", file.c_str(), self.data(),
             "--gtest_also_run_disabled_tests", "--gtest_filter=WalkCallsTraced.DISABLED_Walk",
             nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::map<std::string, std::uint64_t> calls;
  std::ifstream lines(file);
  bool counting = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(kEnd) != std::string::npos) return calls;
    if (counting) {
      // "1234  close(3) = 0"
      const auto name = line.find_first_not_of("0123456789 ");
      const auto end = line.find('(');
      if (name != std::string::npos && end != std::string::npos && name < end) {
        ++calls[line.substr(name, end - name)];
      }
    }
    counting = counting || line.find(kBegin) != std::string::npos;
  }
  return {};
}

TEST_P(WalkCalls, AsStraceSeesThem) {
  if (testing::kAddressSanitizer || testing::kThreadSanitizer) GTEST_SKIP() << "calls of their own";
  for (const bool metadata : {false, true}) {
    auto calls = traced_calls(directory_.path(), metadata);
    if (calls.empty()) GTEST_SKIP() << "no strace, or it may not trace";
    EXPECT_EQ(calls["openat2"], kDirectories - 1);
    EXPECT_EQ(calls["openat"], 1U) << "the root";
    EXPECT_EQ(calls["getdents64"], reads_ * kDirectories);
    EXPECT_EQ(calls["close"], kDirectories);
    EXPECT_EQ(calls["statx"], metadata ? kDirectories + kFiles + 1 : 1);
    EXPECT_EQ(calls["fstatfs"], 1U) << "once per mount";
    for (const char* const known : {"openat2", "openat", "getdents64", "close", "statx", "fstatfs",
                                    "brk", "mmap", "munmap", "clock_gettime"}) {
      calls.erase(known);
    }
    for (const auto& [name, count] : calls) ADD_FAILURE() << count << " times " << name;
  }
}

}  // namespace
}  // namespace trawl
