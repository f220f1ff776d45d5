// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace trawl::cli {

// Appends the whole of a file; "-" is standard input. 0 or errno; what came before an error is there.
// ETIMEDOUT if the file's other end had not written all of it by the deadline.
int read_file(const char* name, std::string& out,
              std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt);

}  // namespace trawl::cli
