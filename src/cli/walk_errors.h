// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trawl/walk.h>

#include <string>
#include <vector>

namespace trawl::cli {

// What a walk could not read, a message each, by path; names quoted. Sorts the result's errors.
std::vector<std::string> messages_of(Result& result);

}  // namespace trawl::cli
