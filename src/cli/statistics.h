// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/walk.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace trawl::cli {

// --stats[=FORMAT]
enum class StatsFormat : std::uint8_t { none, text, json };

// False: no format has this name. Null is the option without its argument.
bool set_stats_format(StatsFormat& out, const char* word);

// What the engine did: a few lines of text, or a line of JSON (docs/stats.schema.json).
std::string describe(const Result& result, std::chrono::duration<double> elapsed,
                     StatsFormat format);

}  // namespace trawl::cli
