// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace trawl::sys {

// The bytes of a small file, of /proc say; none if it can't be read whole.
std::string read_file(const std::string& path);

}  // namespace trawl::sys
