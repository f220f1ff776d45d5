// SPDX-License-Identifier: Apache-2.0
//
// Child processes of `trawl find -x` and -X. They inherit standard input, output and error, or
// pipes in their place, and no other descriptor (all of ours are close-on-exec), the signal mask
// that we were started with, and the signals that were ignored then; the rest is at its default.
#pragma once

#include <functional>
#include <string_view>

#include "cli/find_command.h"

namespace trawl::cli {

struct ChildResult {
  int error = 0;   // errno: it was not started
  int status = 0;  // of waitpid(2)
  bool succeeded() const { return error == 0 && status == 0; }
};

// With our own input, output and error.
ChildResult run_child(const Arguments& arguments);

enum class Stream : bool { output, error };

// With no input. What it writes goes to `take`, as it comes, until it has ended.
ChildResult run_child(const Arguments& arguments,
                      const std::function<void(Stream, std::string_view)>& take);

}  // namespace trawl::cli
