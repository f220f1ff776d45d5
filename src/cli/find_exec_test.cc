// SPDX-License-Identifier: Apache-2.0
#include "cli/find_exec.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <sstream>

#include "support/temporary_directory.h"

namespace trawl::cli {
namespace {

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(FindCommand, AddsThePathWhereNoPlaceholderIs) {
  EXPECT_EQ(CommandTemplate({"wc", "-l"}, "/").for_path("a b"), (Arguments{"wc", "-l", "a b"}));
  EXPECT_EQ(CommandTemplate({"mv", "{}", "{.}.o"}, "/").for_path("./-x.c"),
            (Arguments{"mv", "./-x.c", "./-x.o"}));
  EXPECT_EQ(CommandTemplate({"{}", "{{}}"}, "/").for_path("run"), (Arguments{"run", "{}"}));
  EXPECT_FALSE(CommandTemplate({"{}"}, "/").has_fixed_program());
  EXPECT_EQ(CommandTemplate({"echo", "{}{/}", "{.}"}, "/").placeholder_words(), 2U);
}

TEST(FindCommand, BatchesUpToItsLimits) {
  const CommandTemplate command({"echo", "<{/}>", "end"}, "/");
  // echo and end take 5 + 4 bytes and two pointers; each <xx> takes 5 and one.
  const std::size_t pointer = sizeof(char*);
  CommandBatch batch(command, 0, {.all = 9 + 2 * pointer + 2 * (5 + pointer), .one = 8});
  std::size_t added = 0;
  for (const char* path : {"a/12", "a/34", "a/56"}) {
    const std::string argument = batch.argument_of(path);
    if (batch.room_for(argument) == CommandBatch::Room::enough) {
      batch.add(argument);
      ++added;
    }
  }
  EXPECT_EQ(added, 2U);
  EXPECT_EQ(batch.room_for("123456"), CommandBatch::Room::none_left);
  EXPECT_EQ(batch.room_for("12345678"), CommandBatch::Room::never);
  EXPECT_EQ(batch.command_for(batch.take()), (Arguments{"echo", "<12>", "<34>", "end"}));
  EXPECT_EQ(batch.room_for("<78>"), CommandBatch::Room::enough);

  CommandBatch pairs(command, 2, ArgumentLimits::of_system());
  pairs.add("1");
  EXPECT_EQ(pairs.room_for("2"), CommandBatch::Room::enough);
  pairs.add("2");
  EXPECT_EQ(pairs.room_for("3"), CommandBatch::Room::none_left);
}

TEST(FindCommand, AsksTheSystemForLimits) {
  const ArgumentLimits limits = ArgumentLimits::of_system();
  EXPECT_GE(limits.all, std::size_t{64} << 10);
  EXPECT_LE(limits.all, std::size_t{6} << 20);
  // What is said to fit does.
  const Arguments longest = {"true", std::string(limits.one - 1, 'x')};
  EXPECT_TRUE(run_child(longest).succeeded());
  const Arguments too_long = {"true", std::string(limits.one, 'x')};
  EXPECT_EQ(run_child(too_long).error, E2BIG);
  Arguments most = {"true"};
  for (std::size_t used = 5 + sizeof(char*); used + 100 + sizeof(char*) <= limits.all;
       used += 100 + sizeof(char*)) {
    most.emplace_back(99, 'x');
  }
  EXPECT_TRUE(run_child(most).succeeded());
}

TEST(FindProcess, TakesBothStreams) {
  std::string out, err;
  const ChildResult result = run_child({"sh", "-c", "cat; echo out; echo err >&2; exit 3"},
                                       [&](Stream stream, std::string_view text) {
                                         (stream == Stream::output ? out : err) += text;
                                       });
  EXPECT_EQ(out, "out\n");
  EXPECT_EQ(err, "err\n");
  EXPECT_FALSE(result.succeeded());
  EXPECT_EQ(WEXITSTATUS(result.status), 3);
  EXPECT_EQ(run_child({"/nonexistent/command"}).error, ENOENT);
}

// Those that whoever runs the test gives to all.
std::ptrdiff_t inherited_descriptors() {
  std::ptrdiff_t count = 0;
  for (int i = 0; i < 1000; ++i) {
    const int flags = ::fcntl(i, F_GETFD);
    count += flags >= 0 && (flags & FD_CLOEXEC) == 0 ? 1 : 0;
  }
  return count;
}

TEST(FindProcess, LeavesNoDescriptorOpen) {
  std::string out;
  run_child({"ls", "/proc/self/fd"}, [&](Stream, std::string_view text) { out += text; });
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), inherited_descriptors() + 1) << out;
}

class ExecutorTest : public ::testing::Test {
 protected:
  std::string log() const { return directory_.path() + "/log"; }
  CommandTemplate logging(const std::string& script) const {
    return CommandTemplate({"sh", "-c", "{ " + script + "; } >> " + log(), "sh"}, "/");
  }
  bool run(const ExecSettings& settings, int paths) {
    Progress progress(When::never);
    Executor executor(settings, {}, progress);
    for (int i = 0; i < paths; ++i) {
      added_ += executor.add("p" + std::to_string(i)) ? 1 : 0;
    }
    executor.finish(false);
    return executor.succeeded();
  }

  trawl::testing::TemporaryDirectory directory_;
  int added_ = 0;
};

TEST_F(ExecutorTest, RunsCommandsOfAPathInTurnUntilOneFails) {
  ExecSettings settings;
  settings.commands = {logging("echo one $1"), logging("echo two $1; test $1 != p1"),
                       logging("echo three $1")};
  EXPECT_FALSE(run(settings, 3));
  EXPECT_EQ(contents(log()),
            "one p0\ntwo p0\nthree p0\none p1\ntwo p1\none p2\ntwo p2\nthree p2\n");
}

TEST_F(ExecutorTest, RunsSeveralAtOnce) {
  ExecSettings settings;
  settings.jobs = 4;
  // Each waits until all four run.
  settings.commands = {logging(
      "touch " + log() +
      ".$1; for i in $(seq 500); do"
      " test $(ls " +
      directory_.path() + " | grep -c log.p) = 4 && echo met && exit; sleep 0.01; done; exit 1")};
  EXPECT_TRUE(run(settings, 4));
  EXPECT_EQ(contents(log()), "met\nmet\nmet\nmet\n");
}

TEST_F(ExecutorTest, BatchesPaths) {
  ExecSettings settings;
  settings.batches = true;
  settings.most = 2;
  settings.commands = {logging("echo $@"), CommandTemplate({"false"}, "/")};
  EXPECT_FALSE(run(settings, 5));
  EXPECT_EQ(contents(log()), "p0 p1\np2 p3\np4\n");
}

TEST_F(ExecutorTest, RunsNothingForNothing) {
  ExecSettings settings;
  settings.batches = true;
  settings.commands = {logging("echo run")};
  EXPECT_TRUE(run(settings, 0));
  EXPECT_EQ(contents(log()), "");
}

TEST_F(ExecutorTest, GivesUpACommandThatDoesNotExist) {
  ExecSettings settings;
  settings.commands = {CommandTemplate({"/nonexistent/command"}, "/")};
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(run(settings, 5000));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "trawl find: command not found: '/nonexistent/command'\n");
  EXPECT_LT(added_, 5000);
}

TEST_F(ExecutorTest, SaysWhatWasKilled) {
  ExecSettings settings;
  settings.commands = {CommandTemplate({"sh", "-c", "kill -9 $$"}, "/")};
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(run(settings, 1));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "trawl find: 'sh' was killed: Killed\n");
}

}  // namespace
}  // namespace trawl::cli
