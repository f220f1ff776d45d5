// SPDX-License-Identifier: Apache-2.0
//
// What the readers of our commands' options have in common: how they complain, and the options that
// each command has.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "cli/statistics.h"
#include "cli/when.h"

namespace trawl::cli {

// Each function but the constructor returns whether the option could be set; if not, it has said
// why on standard error.
class OptionReader {
 protected:
  explicit OptionReader(const char* program) : program_(program) {}

  bool say(const std::string& message) const;  // always false
  bool refuse(std::string_view option, const char* argument, std::string_view wanted) const;
  bool set_when(When& out, std::string_view option, const char* argument) const;
  bool set_threads(unsigned& out, const char* argument) const;
  bool set_duration(std::optional<std::chrono::nanoseconds>& out, std::string_view option,
                    const char* argument) const;
  bool set_stats(StatsFormat& out, const char* argument) const;

 private:
  const char* program_;
};

}  // namespace trawl::cli
