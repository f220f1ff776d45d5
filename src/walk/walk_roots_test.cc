// SPDX-License-Identifier: Apache-2.0
//
// Roots of every kind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <trawl/walk.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
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
#include "sys/stall_guard.h"
#include "walk/tuning.h"

namespace trawl {
namespace {

using testing::compare;
using testing::describe;
using testing::effort;
using testing::fresh_seed;
using testing::kNone;
using testing::passes_in_child;
using testing::Random;
using testing::record;
using testing::Recording;
using testing::Reported;
using testing::TemporaryDirectory;
using testing::walk_naively;

class WalkRoots : public ::testing::TestWithParam<Backend> {
 protected:
  WalkRoots() {
    directory_.directory("tree");
    directory_.directory("tree/sub");
    directory_.file("tree/sub/file", "content");
    directory_.file("tree/file");
    directory_.file("file", "content");
    directory_.link("to_tree", "tree");
    directory_.link("to_file", "file");
    directory_.link("to_nothing", "nothing");
    directory_.link("to_itself", "to_itself");
  }

  std::vector<Options> option_sets() const {
    std::vector<Options> all;
    for (const unsigned threads : {1U, 4U}) {
      for (const Fields fields : {Fields::none, Fields::basic}) {
        for (const Follow follow : {Follow::never, Follow::roots, Follow::all}) {
          Options options;
          options.threads = threads;
          options.fields = fields;
          options.follow = follow;
          options.backend = GetParam();
          all.push_back(options);
        }
      }
    }
    return all;
  }
  void expect_oracle(const std::vector<std::string>& roots) {
    for (const Options& options : option_sets()) {
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    }
  }
  std::string at(const std::string& name) const { return directory_.at(name); }

  TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Backends, WalkRoots, ::testing::Values(Backend::linux_raw, Backend::posix),
                         [](const auto& test) {
                           return test.param == Backend::posix ? "posix" : "linux";
                         });

TEST_P(WalkRoots, None) {
  for (const Options& options : option_sets()) {
    const Recording recording = record({}, options);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_TRUE(recording.entries.empty());
    EXPECT_TRUE(recording.result.complete());
    ASSERT_TRUE(recording.origin);
    EXPECT_EQ(recording.origin->state, State::complete);
  }
}

TEST_P(WalkRoots, File) { expect_oracle({at("file")}); }
TEST_P(WalkRoots, Directory) { expect_oracle({at("tree")}); }
TEST_P(WalkRoots, SeveralOfAllKinds) {
  expect_oracle({at("tree"), at("file"), at("tree/sub"), at("to_file"), at("to_nothing")});
}
TEST_P(WalkRoots, LinkToDirectory) { expect_oracle({at("to_tree")}); }
TEST_P(WalkRoots, LinkToDirectoryWithSlash) { expect_oracle({at("to_tree/")}); }
TEST_P(WalkRoots, TrailingSlashes) {
  expect_oracle({at("tree/")});
  expect_oracle({at("tree///")});
  expect_oracle({at("tree/.")});
  expect_oracle({at("tree/sub/..")});
}
TEST_P(WalkRoots, FileWithSlash) { expect_oracle({at("file/")}); }

TEST_P(WalkRoots, PathsKeepTheOperandAsWritten) {
  const std::vector<std::string> roots{at("tree//")};
  Options options;
  options.backend = GetParam();
  const Recording recording = record(roots, options);
  bool found = false;
  for (const Reported& entry : recording.entries) found |= entry.path == at("tree//sub/file");
  EXPECT_TRUE(found);
}

TEST_P(WalkRoots, SameOneTwice) {
  for (Options options : option_sets()) {
    if (options.follow == Follow::all) continue;
    const std::vector<std::string> roots{at("tree"), at("tree")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.entries.size(), 8U);
  }
}

// Following all links, each directory is entered once, whichever root leads to it.
TEST_P(WalkRoots, SameOneTwiceIsEnteredOnceWhenLinksAreFollowed) {
  for (Options options : option_sets()) {
    if (options.follow != Follow::all) continue;
    const std::vector<std::string> roots{at("tree"), at("to_tree"), at("tree/sub")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(recording.violations, kNone);
    int entered = 0;
    int visited = 0;
    for (const auto& left : recording.directories) {
      entered += left.entered ? 1 : 0;
      visited += left.state == State::visited ? 1 : 0;
    }
    EXPECT_EQ(entered, 2);
    EXPECT_EQ(visited, 2);
  }
}

TEST_P(WalkRoots, Missing) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{at("missing"), at("tree"), at("file/x"), ""};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.result.statistics.errors, 3U);
    EXPECT_EQ(recording.result.statistics.vanished, 0U);
    EXPECT_FALSE(recording.result.complete());
    ASSERT_EQ(recording.result.errors.size(), 3U);
    EXPECT_EQ(recording.result.errors[0].path, at("missing"));
    EXPECT_EQ(recording.result.errors[0].code, ENOENT);
    EXPECT_EQ(recording.result.errors[0].depth, 0);
    EXPECT_EQ(recording.result.errors[0].operation, Operation::stat);
    EXPECT_EQ(recording.result.errors[0].message(),
              "cannot access '" + at("missing") + "': No such file or directory");
  }
}

// A link that leads nowhere is reported as what it is, with the error of what it is not.
TEST_P(WalkRoots, LinksThatLeadNowhere) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{at("to_nothing"), at("to_itself")};
    const Recording recording = record(roots, options);
    ASSERT_EQ(recording.entries.size(), 2U);
    const bool follow = options.follow != Follow::never;
    for (const Reported& entry : recording.entries) {
      EXPECT_EQ(entry.type, FileType::symlink);
      ASSERT_TRUE(entry.metadata);
      EXPECT_EQ(entry.metadata->type(), FileType::symlink);
    }
    EXPECT_EQ(recording.entries[0].error, follow ? ENOENT : 0);
    EXPECT_EQ(recording.entries[1].error, follow ? ELOOP : 0);
  }
}

TEST_P(WalkRoots, TooLong) {
  for (const Options& options : option_sets()) {
    const std::vector<std::string> roots{std::string(5000, 'x'), at(std::string(300, 'x')),
                                         at("file")};
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(recording.result.statistics.errors, 2U);
  }
}

TEST_P(WalkRoots, MoreThanABatch) {
  std::vector<std::string> roots;
  for (int i = 0; i < 1000; ++i) roots.push_back(i % 3 == 0 ? at("tree/sub") : at("file"));
  for (Options options : option_sets()) {
    if (options.follow == Follow::all) continue;
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
  }
}

TEST_P(WalkRoots, Slash) {
  for (const std::string root : {"/", "//", "/."}) {
    for (const unsigned threads : {1U, 4U}) {
      Options options;
      options.threads = threads;
      options.max_depth = 0;
      options.backend = GetParam();
      const std::vector<std::string> roots{root};
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "");
      for (const Reported& entry : recording.entries) {
        EXPECT_TRUE(entry.depth == 0 || entry.path.rfind('/') >= root.size() - 1) << entry.path;
      }
    }
  }
}

// In a process of its own, as it changes the working directory.
TEST_P(WalkRoots, RelativeToTheWorkingDirectory) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_EQ(::chdir(directory_.path().c_str()), 0);
    expect_oracle({"tree"});
    expect_oracle({"."});
    expect_oracle({"./tree/", "to_tree", "file"});
    ASSERT_EQ(::chdir("tree/sub"), 0);
    expect_oracle({".."});
    expect_oracle({"../.."});
  }));
}

TEST_P(WalkRoots, Unreadable) {
  EXPECT_TRUE(passes_in_child([&] {
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0755), 0);
    ASSERT_EQ(::chmod(at("tree").c_str(), 0), 0);
    ASSERT_TRUE(::geteuid() != 0 || ::setuid(65534) == 0);
    for (const Options& options : option_sets()) {
      const std::vector<std::string> roots{at("tree"), at("tree/sub"), at("file")};
      const Recording recording = record(roots, options);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
      EXPECT_EQ(recording.result.statistics.errors, 2U);
    }
  }));
  ::chmod(at("tree").c_str(), 0755);
}

testing::Answers reporting(std::function<Verdict(Directory&, std::span<Entry>)> entries) {
  testing::Answers answers;
  answers.entries = std::move(entries);
  return answers;
}

// Roots of every kind in a list that several workers share.
class ManyRoots : public ::testing::Test {
 protected:
  // `directories`: so many roots are directories, which are walked.
  std::vector<std::string> make(std::size_t count, std::size_t directories,
                                std::uint64_t seed) const {
    Random random(seed);
    const std::vector<std::string> some{at("file"), at("link"), at("missing"), at("tree/file")};
    std::vector<std::string> roots;
    for (std::size_t i = 0; i < count; ++i) roots.push_back(some[random.below(some.size())]);
    for (std::size_t i = 0; i < count / 100; ++i) roots[random.below(count)] = at("file/x");
    for (std::size_t i = 0; i < directories; ++i) {
      roots[random.below(count)] = random.one_in(3) ? at("to_tree") : at("tree");
    }
    return roots;
  }
  ManyRoots() {
    directory_.directory("tree");
    directory_.directory("tree/sub");
    directory_.file("tree/sub/file");
    directory_.file("tree/file");
    directory_.file("file", "content");
    directory_.link("link", "file");
    directory_.link("to_tree", "tree");
  }
  std::string at(const std::string& name) const { return directory_.at(name); }

  TemporaryDirectory directory_;
};

TEST_F(ManyRoots, SameAnswerForAnyNumberOfWorkers) {
  const std::vector<std::string> roots =
      make(static_cast<std::size_t>(effort(100'000)), 500, fresh_seed());
  for (const unsigned threads : {0U, 1U, 2U, 16U, 64U}) {
    Options options = testing::with_threads(threads);
    options.follow = threads == 2 ? Follow::roots : Follow::never;
    const Recording recording = record(roots, options);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    ASSERT_TRUE(recording.origin);
    EXPECT_EQ(recording.origin->entry_count, roots.size());
  }
}

TEST_F(ManyRoots, ForcedSplitsChangeNothing) {
  Random random(fresh_seed());
  for (int round = 0; round < effort(20); ++round) {
    const std::vector<std::string> roots = make(2000, 50, random.next());
    Options options =
        testing::with_threads(round % 2 == 0 ? 0 : 1 + static_cast<unsigned>(random.below(64)));
    options.follow = round % 3 == 0 ? Follow::roots : Follow::never;
    const engine::Tuning tuning{.piece = 1 + static_cast<std::uint32_t>(random.below(4)),
                                .share_always = true,
                                .limits_seed = random.next() | 1,
                                .inode_order = random.one_in(2)};
    testing::FaultFileSystem fs(sys::linux_filesystem());
    fs.fail_when([](const testing::Request& request) {
      if (request.ordinal % 64 == 5) std::this_thread::sleep_for(std::chrono::microseconds(200));
      return 0;
    });
    const Recording recording = record(fs, roots, options, {}, tuning);
    EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "") << describe(options);
    EXPECT_EQ(fs.open_handles(), 0);
  }
}

// Each waits a while for the others, until all are there.
TEST_F(ManyRoots, AllWorkersReportThem) {
  constexpr std::size_t kWorkers = 16;
  const std::vector<std::string> roots = make(2000, 0, fresh_seed());
  testing::FaultFileSystem fs(sys::linux_filesystem());
  fs.delay(testing::Call::stat_at, std::chrono::microseconds(200));
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::thread::id> workers;
  const auto meet = [&](Directory&, std::span<Entry> batch) {
    std::unique_lock lock(mutex);
    workers.insert(std::this_thread::get_id());
    changed.notify_all();
    if (batch.front().position != 0) {  // with which the first worker is alone
      changed.wait_for(lock, std::chrono::milliseconds(100),
                       [&] { return workers.size() == kWorkers; });
    }
    return Verdict::proceed;
  };
  record(fs, roots, testing::with_threads(kWorkers), reporting(meet));
  EXPECT_EQ(workers.size(), kWorkers);
}

// One worker reports and walks them in their order, however they are cut.
TEST_F(ManyRoots, OneWorkerKeepsTheirOrder) {
  const std::vector<std::string> roots = make(3000, 300, fresh_seed());
  for (const engine::Tuning& tuning :
       {engine::Tuning{}, engine::Tuning{.piece = 3, .share_always = true}}) {
    const Recording recording =
        record(sys::linux_filesystem(), roots, testing::with_threads(1), {}, tuning);
    std::uint64_t next = 0;
    for (const Reported& entry : recording.entries) {
      if (entry.depth == 0) {
        ASSERT_EQ(entry.position, next++);
      }
    }
    EXPECT_EQ(next, roots.size());
    std::vector<std::string> walked;
    std::vector<std::string> expected;
    for (const auto& left : recording.directories) {
      if (left.depth == 0) walked.push_back(left.path);
    }
    for (const std::string& root : roots) {
      if (root == at("tree")) expected.push_back(root);
    }
    EXPECT_EQ(walked, expected);
  }
}

TEST_F(ManyRoots, CancelledInTheMiddle) {
  const std::vector<std::string> roots = make(20'000, 20, fresh_seed());
  for (const unsigned threads : {1U, 2U, 16U}) {
    for (const bool forced : {false, true}) {
      CancelToken cancel;
      Options options = testing::with_threads(threads);
      options.cancel = &cancel;
      std::atomic<int> reported{0};
      const engine::Tuning tuning{.piece = forced ? 1U : 0U, .share_always = forced};
      const Recording recording = record(sys::linux_filesystem(), roots, options,
                                         reporting([&](Directory&, std::span<Entry> batch) {
                                           if ((reported += static_cast<int>(batch.size())) > 5000)
                                             cancel.cancel();
                                           return Verdict::proceed;
                                         }),
                                         tuning);
      EXPECT_EQ(recording.violations, kNone);
      EXPECT_EQ(recording.result.ending, Ending::cancelled);
      EXPECT_GT(recording.entries.size(), 5000U);
      EXPECT_LT(recording.entries.size(), roots.size());
      ASSERT_TRUE(recording.origin);
      EXPECT_EQ(recording.origin->state, State::cancelled);
      std::set<std::uint64_t> positions;
      for (const Reported& entry : recording.entries) {
        EXPECT_TRUE(positions.insert(entry.position).second);
      }
    }
  }
}

TEST_F(ManyRoots, OutOfTimeInTheMiddle) {
  const std::vector<std::string> roots = make(20'000, 20, fresh_seed());
  for (const unsigned threads : {0U, 1U, 16U}) {
    testing::FaultFileSystem fs(sys::linux_filesystem());
    fs.delay(testing::Call::stat_at, std::chrono::milliseconds(1));
    Options options = testing::with_threads(threads);
    options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    const Recording recording = record(fs, roots, options);
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.result.ending, Ending::timed_out);
    EXPECT_LT(recording.entries.size(), roots.size());
  }
}

// Errors of calls, not only of what is missing.
TEST_F(ManyRoots, ErrorsInTheMiddle) {
  const std::vector<std::string> roots(5000, at("file"));
  for (const unsigned threads : {1U, 4U}) {
    testing::FaultFileSystem fs(sys::linux_filesystem());
    fs.fail_when([](const testing::Request& request) {
      return request.call == testing::Call::stat_at && request.ordinal % 10 == 3 ? EIO : 0;
    });
    fs.interrupt();
    const Recording recording = record(fs, roots, testing::with_threads(threads));
    EXPECT_EQ(recording.violations, kNone);
    EXPECT_EQ(recording.entries.size(), roots.size());
    EXPECT_EQ(recording.result.statistics.errors, 500U);
    EXPECT_EQ(recording.result.ending, Ending::complete);
  }
}

TEST_F(ManyRoots, AVisitorThatThrows) {
  const std::vector<std::string> roots = make(5000, 20, fresh_seed());
  std::atomic<int> batches{0};
  EXPECT_THROW(record(sys::linux_filesystem(), roots, testing::with_threads(8),
                      reporting([&](Directory&, std::span<Entry>) -> Verdict {
                        if (++batches == 20) throw std::runtime_error("enough");
                        return Verdict::proceed;
                      }),
                      {.piece = 4, .share_always = true}),
               std::runtime_error);
}

// ---- Options::base_descriptor

class BasedRoots : public ManyRoots {
 protected:
  BasedRoots() : base_(::open(directory_.path().c_str(), O_PATH | O_DIRECTORY)) {}
  ~BasedRoots() override { ::close(base_); }
  const int base_;
};

TEST_F(BasedRoots, RelativeAndAbsolute) {
  // Deep enough for anchors below the root.
  std::string deep = at("tree/sub");
  for (int i = 0; i < 30; ++i) {
    deep += "/" + std::string(100, 'x');
    ASSERT_EQ(::mkdir(deep.c_str(), 0755), 0);
  }
  const std::vector<std::string> relative{"tree",     "file",     "missing",  "./tree/sub",
                                          "tree/..",  "to_tree",  "link/",    "",
                                          at("tree"), at("file"), "tree/sub/"};
  for (const Backend backend : {Backend::linux_raw, Backend::posix}) {
    for (const Follow follow : {Follow::never, Follow::roots}) {
      for (const unsigned threads : {0U, 1U, 8U}) {
        Options options = testing::with_threads(threads);
        options.follow = follow;
        options.backend = backend;
        options.base_descriptor = base_;
        const Recording recording = record(relative, options);
        // The oracle knows of no base.
        EXPECT_TRUE(passes_in_child([&] {
          ASSERT_EQ(::fchdir(base_), 0);
          EXPECT_EQ(compare(recording, walk_naively(relative, options), options), "")
              << describe(options);
        }));
      }
    }
  }
}

TEST_F(BasedRoots, WithStallTimeout) {
  const std::vector<std::string> roots{"tree", "to_tree", "file", "tree/sub/file"};
  for (const auto trust : {sys::StallGuard::Trust::local, sys::StallGuard::Trust::nobody}) {
    Options options = testing::with_threads(2);
    options.follow = Follow::roots;
    options.base_descriptor = base_;
    sys::StallGuard guard(sys::linux_filesystem(), std::chrono::seconds(60), trust, base_);
    const Recording recording = record(guard, roots, options);
    EXPECT_TRUE(passes_in_child([&] {
      ASSERT_EQ(::fchdir(base_), 0);
      EXPECT_EQ(compare(recording, walk_naively(roots, options), options), "");
    }));
  }
}

// The guard does not trust the caller's directory, which may be a dead server's.
TEST_F(BasedRoots, AreAskedForByProxies) {
  class InAnotherProcess final : public sys::FileSystem {
   public:
    int open_directory(int base, const char* path, sys::OpenHow how,
                       sys::DirectoryHandle& out) override {
      return sys::linux_filesystem().open_directory(base, path, how, out);
    }
    int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                       bool& end) override {
      return sys::linux_filesystem().read_directory(handle, buffer, size, end);
    }
    int stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) override {
      return sys::linux_filesystem().stat_handle(handle, fields, out);
    }
    int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override {
      return ::getpid() == process_
                 ? EDOM
                 : sys::linux_filesystem().stat_at(base, path, fields, follow, out);
    }
    void close(sys::DirectoryHandle& handle) override { sys::linux_filesystem().close(handle); }
    bool make_descriptors_private() override { return false; }
    bool listed_inodes_are_exact(const sys::DirectoryHandle&) override { return false; }
    bool inode_order_helps(const sys::DirectoryHandle&) override { return false; }

   private:
    const pid_t process_ = ::getpid();
  } elsewhere;
  sys::StallGuard guard(elsewhere, std::chrono::seconds(60), sys::StallGuard::Trust::local, base_);
  Options options = testing::with_threads(1);
  options.base_descriptor = base_;
  options.max_depth = -1;
  const std::vector<std::string> roots{"file", "tree"};
  EXPECT_TRUE(record(guard, roots, options).result.complete());
}

TEST_F(BasedRoots, NotWithPrivateDescriptors) {
  Options options;
  options.base_descriptor = base_;
  options.private_descriptors = true;
  const std::vector<std::string> roots{"tree"};
  EXPECT_THROW(record(roots, options), std::invalid_argument);
}

TEST_F(BasedRoots, BadDescriptor) {
  Options options = testing::with_threads(1);
  options.base_descriptor = -1;
  const std::vector<std::string> roots{"tree", at("file")};
  const Recording recording = record(roots, options);
  ASSERT_EQ(recording.entries.size(), 2U);
  EXPECT_EQ(recording.entries[0].error, EBADF);
  EXPECT_EQ(recording.entries[1].error, 0);
}

TEST(WalkRootWithNul, IsNoOther) {
  const testing::TemporaryDirectory place;
  const std::vector<std::string> roots = {place.directory("a") + std::string("\0b", 2)};
  Visitor visitor;
  for (const Backend backend : {Backend::linux_raw, Backend::posix}) {
    Options options;
    options.backend = backend;
    const Result result = walk(roots, options, [&](unsigned) -> Visitor& { return visitor; });
    ASSERT_EQ(result.errors.size(), 1U);
    EXPECT_EQ(result.errors[0].code, EINVAL);
    EXPECT_EQ(result.statistics.directories, 0U);
  }
}

}  // namespace
}  // namespace trawl
