// SPDX-License-Identifier: Apache-2.0
#include "cli/statistics.h"

#include <cinttypes>
#include <cstdio>

namespace trawl::cli {

std::string describe(const Statistics& s, std::chrono::duration<double> elapsed) {
  char text[1024];
  const double seconds = elapsed.count();
  std::snprintf(text, sizeof text,
                "%" PRIu64 " entries, %" PRIu64 " directories in %.3f s, %.0f entries/s\n"
                "%u workers; %" PRIu64 " steals of %" PRIu64 " directories, %" PRIu64
                " slices of huge directories, parked %" PRIu64 " times\n"
                "system calls: %" PRIu64 " open, %" PRIu64 " read, %" PRIu64 " stat, %" PRIu64
                " close\n"
                "%" PRIu64 " errors, %" PRIu64 " vanished\n",
                s.entries, s.directories, seconds,
                seconds > 0 ? static_cast<double>(s.entries) / seconds : 0.0, s.workers, s.steals,
                s.stolen_tasks, s.splits, s.parks, s.open_calls, s.read_calls, s.stat_calls,
                s.close_calls, s.errors, s.vanished);
  return text;
}

}  // namespace trawl::cli
