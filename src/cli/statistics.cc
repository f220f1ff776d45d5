// SPDX-License-Identifier: Apache-2.0
#include "cli/statistics.h"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "cli/figures.h"
#include "cli/json.h"

namespace trawl::cli {

namespace {

constexpr std::size_t kShownChanges = 12;

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double percent(std::chrono::nanoseconds part, std::chrono::nanoseconds whole) {
  return whole.count() > 0 ? 100.0 * seconds(part) / seconds(whole) : 0.0;
}

[[gnu::format(printf, 2, 3)]] void append(std::string& out, const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out += text;
}

std::string text_of(const Result& result, std::chrono::duration<double> elapsed) {
  const Statistics& s = result.statistics;
  std::string out = with_separators(s.entries) + " entries, " + with_separators(s.directories) +
                    " directories in " + duration_text(elapsed) + ", " +
                    rate_text(s.entries, elapsed) + "\n";
  append(out,
         "%u workers, %.0f%% of their time on a processor; %" PRIu64 " steals of %" PRIu64
         " units, %" PRIu64 " listings shared, %" PRIu64 " split, parked %" PRIu64 " times\n",
         s.workers, percent(s.cpu_time, s.run_time), s.steals, s.stolen_tasks, s.splits,
         s.range_splits, s.parks);
  append(out,
         "system calls: %" PRIu64 " open, %" PRIu64 " read, %" PRIu64 " stat, %" PRIu64 " close\n",
         s.open_calls, s.read_calls, s.stat_calls, s.close_calls);
  append(out, "%" PRIu64 " errors, %" PRIu64 " vanished\n", s.errors, s.vanished);
  if (s.most_live_directories > 0) {
    append(out, "%" PRIu64 " directories were live at once, at the most seen\n",
           s.most_live_directories);
  }
  const auto& changes = result.concurrency;
  for (std::size_t i = 0; i < std::min(changes.size(), kShownChanges); ++i) {
    append(out, "after %.1f ms: %u workers at most (%.0f calls/s, %.0f%% on a processor before)\n",
           1e3 * seconds(changes[i].at), changes[i].workers, changes[i].calls_per_second,
           100 * changes[i].cpu_share);
  }
  if (changes.size() > kShownChanges) {
    append(out, "and %zu more changes\n", changes.size() - kShownChanges);
  }
  return out;
}

std::string json_of(const Result& result, std::chrono::duration<double> elapsed) {
  Json document = {{"version", 1},
                   {"kind", "trawl.stats"},
                   {"seconds", elapsed.count()},
                   {"ending", to_word(result.ending)},
                   {"total", to_json(result.statistics)},
                   {"workers", Json::array()},
                   {"concurrency", Json::array()}};
  for (const Statistics& worker : result.workers) {
    document["workers"].push_back(to_json(worker));
  }
  for (const ConcurrencyChange& change : result.concurrency) {
    document["concurrency"].push_back({{"seconds", seconds(change.at)},
                                       {"workers", change.workers},
                                       {"calls_per_second", change.calls_per_second},
                                       {"cpu_share", change.cpu_share}});
  }
  return document.dump() + '\n';
}

}  // namespace

bool set_stats_format(StatsFormat& out, const char* word) {
  const std::string_view name = word != nullptr ? word : "text";
  out = name == "json" ? StatsFormat::json : StatsFormat::text;
  return name == "json" || name == "text";
}

std::string describe(const Result& result, std::chrono::duration<double> elapsed,
                     StatsFormat format) {
  return format == StatsFormat::json ? json_of(result, elapsed) : text_of(result, elapsed);
}

}  // namespace trawl::cli
