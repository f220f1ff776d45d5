// SPDX-License-Identifier: Apache-2.0
//
// A profile as JSON: the document of `trawl profile --json`, and what its page is made of.
#pragma once

#include <trawl/profile.h>

#include <chrono>
#include <string>

#include "cli/json.h"
#include "cli/profile_options.h"

namespace trawl::cli {

// The document that docs/profile.schema.json describes, with a newline.
std::string to_document(const Profile& profile, const ProfileArguments& arguments,
                        std::chrono::duration<double> elapsed);

// The same for the page: names are as a person is shown them, and only what the page shows is
// there.
Json page_data(const Profile& profile, const ProfileArguments& arguments,
               std::chrono::duration<double> elapsed);

}  // namespace trawl::cli
