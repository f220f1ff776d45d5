// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace trawl::cli {

// The usual three answers to --color and --progress.
enum class When : std::uint8_t { automatic, always, never };

}  // namespace trawl::cli
