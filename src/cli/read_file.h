// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace trawl::cli {

// Appends the whole of a file; "-" is standard input. 0 or errno; what came before an error is there.
int read_file(const char* name, std::string& out);

}  // namespace trawl::cli
