// SPDX-License-Identifier: Apache-2.0
//
// The version of this library. These macros are its only source: CMake, the package files and the
// command read them from here.

#pragma once

#include <string_view>

#define TRAWL_VERSION_MAJOR 0
#define TRAWL_VERSION_MINOR 1
#define TRAWL_VERSION_PATCH 0
#define TRAWL_VERSION_STRING "0.1.0"

namespace trawl {

/// The version of the headers that the caller was compiled with, as "major.minor.patch".
constexpr std::string_view version() noexcept { return TRAWL_VERSION_STRING; }

}  // namespace trawl
