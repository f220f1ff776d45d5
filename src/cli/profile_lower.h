// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace trawl::cli {

// Lower case as Unicode has it without regard to a language, and so as Python's str.lower(): of all
// letters that are UTF-8; other bytes stay.
std::string lower_case(std::string_view bytes);

}  // namespace trawl::cli
