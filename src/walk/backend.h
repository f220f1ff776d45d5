// SPDX-License-Identifier: Apache-2.0
//
// Which implementation of the seam a walk goes through.
#pragma once

#include <trawl/walk.h>

#include "sys/filesystem.h"
#include "walk/tuning.h"

namespace trawl::engine {

inline sys::FileSystem& filesystem_of(Backend backend, const Tuning& tuning) {
  if (backend == Backend::posix) {
    return sys::posix_filesystem();
  }
  return tuning.dont_sync ? sys::linux_filesystem_unsynchronized() : sys::linux_filesystem();
}

}  // namespace trawl::engine
