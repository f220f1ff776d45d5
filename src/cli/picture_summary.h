// SPDX-License-Identifier: Apache-2.0
//
// What stands below the picture: totals, speed, and what must be known about them.
#pragma once

#include "cli/picture_options.h"
#include "cli/terminal.h"

#include <trawl/usage.h>

#include <chrono>
#include <string>
#include <vector>

namespace trawl::cli {

// Lines no wider than the terminal, as far as words allow.
std::vector<std::string> summarize(const UsageTree& tree, const PictureOptions& options,
                                   const Terminal& terminal, std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
