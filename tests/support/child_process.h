// SPDX-License-Identifier: Apache-2.0
//
// Runs a part of a test in a process of its own: for what changes a process for good (descriptor
// tables, seccomp filters, users, mounts, limits).
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>

namespace trawl::testing {

// True if `body` ended in time and no expectation failed in it; what failed is printed there.
inline ::testing::AssertionResult passes_in_child(const std::function<void()>& body,
                                                  unsigned seconds = 60) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return ::testing::AssertionFailure() << "fork failed";
  if (child == 0) {
    ::alarm(seconds);
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (status == 0) return ::testing::AssertionSuccess();
  if (WIFSIGNALED(status)) {
    return ::testing::AssertionFailure() << "child was ended by signal " << WTERMSIG(status);
  }
  return ::testing::AssertionFailure() << "child failed, status " << WEXITSTATUS(status);
}

}  // namespace trawl::testing
