// SPDX-License-Identifier: Apache-2.0
#include "cli/option_reader.h"

#include <trawl/version.h>

#include <cstdio>
#include <cstring>

#include "cli/duration.h"
#include "cli/number.h"
#include "cli/quote.h"
#include "cli/trace_file.h"

namespace trawl::cli {

bool OptionReader::say(const std::string& message) const {
  std::fprintf(stderr, "%s: %s\n", program_, message.c_str());
  return false;
}

bool OptionReader::refuse(std::string_view option, const char* argument,
                          std::string_view wanted) const {
  return say("invalid " + std::string(option) + " argument " + quote_word(argument) + ": " +
             std::string(wanted) + " is wanted");
}

bool OptionReader::set_when(When& out, std::string_view option, const char* argument) const {
  const std::string_view word = argument == nullptr ? "always" : argument;
  if (word == "always") {
    out = When::always;
  } else if (word == "auto") {
    out = When::automatic;
  } else if (word == "never") {
    out = When::never;
  } else {
    return refuse(option, argument, "auto, always or never");
  }
  return true;
}

bool OptionReader::set_exclude_from(FilterArguments& out, const char* file) const {
  const int error = out.excludes.add_file(file);
  return error == 0 || say("cannot read " + quote_always(file) + ": " + std::strerror(error));
}

bool OptionReader::set_duration(std::optional<std::chrono::nanoseconds>& out,
                                std::string_view option, const char* argument) const {
  out = parse_duration(argument);
  return out || refuse(option, argument, "a duration such as 30, 500ms or 5m");
}

bool OptionReader::set_common(int id, const char* argument, RunArguments& out,
                              ParsedCommand& parsed) const {
  switch (id) {
    case kThreads:
      if (const auto threads = parse_in_range(argument, 1U, kMaxThreads)) {
        out.threads = *threads;
        return true;
      }
      return refuse("--threads", argument, "a number from 1 to " + std::to_string(kMaxThreads));
    case kTimeout:
      return set_duration(out.timeout, "--timeout", argument);
    case kStallTimeout:
      return set_duration(out.stall_timeout, "--stall-timeout", argument);
    case kProgress:
      return set_when(out.progress, "--progress", argument);
    case kStats:
      return set_stats_format(out.stats, argument) || refuse("--stats", argument, "text or json");
    case kTrace:
      out.trace = argument;
      return can_trace() || say(TraceFile::kNotBuiltIn);
    case 'h':
    case kHelp:
      parsed.out = help_text(command_, program_);
      parsed.status = 0;
      return false;
    case kVersion:
      parsed.out = "trawl " + std::string(version()) + "\n";
      parsed.status = 0;
      return false;
    default:
      return false;  // getopt_long has said why
  }
}

}  // namespace trawl::cli
