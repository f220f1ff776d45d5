// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/types.h>

#include <string>
#include <string_view>

namespace trawl::cli {

// Where the filesystem of a path is mounted, as `stat -c %m` and df have it: the last directory on
// the way up that is on the same device. `metadata` is that of the path. "?" if it can't be told.
// Thread-safe.
std::string mount_point_of(std::string_view path, const Metadata& metadata);

}  // namespace trawl::cli
