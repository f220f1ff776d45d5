// SPDX-License-Identifier: Apache-2.0
//
// Figures as people read them, with the locale's decimal point and separators.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace trawl::cli {

// "1,234,567". Locales without a separator of their own get a comma, or a blank if that is their
// point.
std::string with_separators(std::uint64_t number);

// "1 file", "1,234 files".
std::string counted(std::uint64_t number, const char* one, const char* many);

// "0.42 ms", "57 ms", "3.42 s", "2 min 05 s", "1 h 02 min".
std::string duration_text(std::chrono::duration<double> duration);

// Entries per second.
std::string rate_text(std::uint64_t entries, std::chrono::duration<double> duration);

}  // namespace trawl::cli
