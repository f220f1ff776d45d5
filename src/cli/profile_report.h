// SPDX-License-Identifier: Apache-2.0
//
// A profile as a person reads it.
#pragma once

#include <trawl/profile.h>

#include <chrono>
#include <string>
#include <vector>

#include "cli/profile_options.h"
#include "cli/terminal.h"

namespace trawl::cli {

// Entries of a list in the report unless --top says otherwise.
inline constexpr std::size_t kReportTop = 10;

// What must be known about the figures: why they are lower bounds.
std::vector<std::string> warnings_of(const Profile& profile, const ProfileArguments& arguments);

// Ends with a newline. Local times: tzset() has been called.
std::string render_profile(const Profile& profile, const ProfileArguments& arguments,
                           const Terminal& terminal, std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
