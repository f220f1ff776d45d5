// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/walk.h>

#include <chrono>
#include <string>

namespace trawl::cli {

// What the engine did, for --stats: a few lines of text.
std::string describe(const Statistics& statistics, std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
