// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C and SIGTERM end a walk in good order: the first signal cancels, the second one kills.
// Signals that are ignored stay ignored.
#pragma once

#include <trawl/walk.h>

namespace trawl::cli {

// While it lives, SIGINT and SIGTERM cancel the token. One at a time.
class Interrupt {
 public:
  explicit Interrupt(CancelToken& token);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The exit status for who was interrupted: 128 and the signal's number. 0 if there was none.
  static int status();
};

}  // namespace trawl::cli
