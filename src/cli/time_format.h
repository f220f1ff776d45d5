// SPDX-License-Identifier: Apache-2.0
//
// Times as `du --time` prints them: strftime's conversions, and GNU's %N and %:z.
#pragma once

#include <trawl/types.h>

#include <string>

namespace trawl::cli {

// Appends a local time. False if it can't be expressed in a calendar: then its seconds are appended.
bool append_time(std::string& out, const Timestamp& time, const std::string& format);

}  // namespace trawl::cli
