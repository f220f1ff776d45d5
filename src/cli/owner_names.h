// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace trawl::cli {

// Names of users and groups; null for who has none. Each is looked up once in the life of the
// process: others who want it meanwhile wait. Thread-safe; what is returned stays.
const std::string* user_name(std::uint32_t id);
const std::string* group_name(std::uint32_t id);

}  // namespace trawl::cli
