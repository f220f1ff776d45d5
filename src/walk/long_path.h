// SPDX-License-Identifier: Apache-2.0
//
// Paths that the kernel takes in pieces only.
#pragma once

#include <trawl/types.h>

#include <cstddef>
#include <string_view>

#include "sys/filesystem.h"

namespace trawl::engine {

// A path of this length or more does not fit into one system call, its NUL included (PATH_MAX).
inline constexpr std::size_t kLongPath = 4096;

// Both: 0 or errno. The directories on the way are opened by steps, one at a time, through links as
// in any path; the last step ends as stat(2) and open(2) end it. Short paths are the one last step.
int stat_in_steps(sys::FileSystem& filesystem, int base, std::string_view path, Fields fields,
                  bool follow, Metadata& out);
int open_in_steps(sys::FileSystem& filesystem, int base, std::string_view path, sys::OpenHow how,
                  sys::DirectoryHandle& out);

}  // namespace trawl::engine
