// SPDX-License-Identifier: Apache-2.0
//
// Death tests: each signal is raised in a process of its own.
#include "cli/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace trawl::cli {
namespace {

TEST(Interrupt, TheFirstSignalCancels) {
  const auto interrupted_by = [](int signal) {
    CancelToken token;
    const Interrupt interrupt(token);
    std::raise(signal);
    std::exit(token.cancelled() ? Interrupt::status() : 0);
  };
  EXPECT_EXIT(interrupted_by(SIGINT), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(interrupted_by(SIGTERM), ::testing::ExitedWithCode(143), "");
}

TEST(Interrupt, TheSecondKillsWhicheverItIs) {
  const auto interrupted_by = [](int first, int second) {
    CancelToken token;
    const Interrupt interrupt(token);
    std::raise(first);
    std::raise(second);
    std::exit(0);
  };
  EXPECT_EXIT(interrupted_by(SIGINT, SIGINT), ::testing::KilledBySignal(SIGINT), "");
  EXPECT_EXIT(interrupted_by(SIGINT, SIGTERM), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(Interrupt, LeavesNoHandlerBehind) {
  const auto interrupted_after = [] {
    CancelToken token;
    { const Interrupt interrupt(token); }
    std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(interrupted_after(), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Interrupt, RespectsThatASignalIsIgnored) {
  const auto ignoring = [] {
    std::signal(SIGINT, SIG_IGN);
    CancelToken token;
    {
      const Interrupt interrupt(token);
      std::raise(SIGINT);
    }
    std::raise(SIGINT);
    std::exit(token.cancelled() || Interrupt::status() != 0 ? 1 : 0);
  };
  EXPECT_EXIT(ignoring(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trawl::cli
