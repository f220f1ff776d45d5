// SPDX-License-Identifier: Apache-2.0
//
// What a profile must be, found out in the simplest way: one thread, recursion, lstat, a map for
// each question. Shares nothing with the fold but the words of its public header.
#pragma once

#include <trawl/profile.h>

#include <functional>
#include <string>

namespace trawl::testing {

// `left_out` stands for options.walk.filter. Of the tables it has all, whatever `capacity` and
// `top` say; duplicates are as the capacity leaves them. Profile::walk has the number of errors
// only.
Profile profile_naively(const std::string& root, const ProfileOptions& options,
                        const std::function<bool(const std::string& path)>& left_out = {});

// All of a profile but Profile::walk, a line for each figure. `tables`: with extensions, names and
// owners.
std::string text_of(const Profile& profile, bool tables = true);

// Cuts the tables to their first `top`.
void cut_tables(Profile& profile, std::size_t top);

}  // namespace trawl::testing
