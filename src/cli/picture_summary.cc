// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_summary.h"

#include "cli/figures.h"
#include "cli/size_format.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace trawl::cli {

namespace {

constexpr std::string_view kWarning = "01;31";

std::string size_text(const UsageSums& sums, Measure measure) {
  std::string out;
  append_size(out, measure == Measure::apparent_size ? sums.apparent_size : sums.disk_usage,
              SizeFormat::human());
  return out;
}

std::string total_text(const UsageTree& tree, Measure measure) {
  const UsageSums& total = tree.result.total;
  const std::string size = size_text(total, measure);
  const std::string number = counted(total.inodes, "file or directory", "files and directories");
  if (measure == Measure::inodes) {
    return number + ", " + size;
  }
  return size + (measure == Measure::apparent_size ? " (apparent size)" : "") + " in " + number;
}

// "3 directories", "2 directories and 1 other entry".
std::string what_failed(const Result& walk) {
  const std::uint64_t errors = walk.statistics.errors;
  if (walk.errors.size() < errors) {  // of those that were not kept nobody knows what they were
    return counted(errors, "entry", "entries");
  }
  const auto others = static_cast<std::uint64_t>(
      std::count_if(walk.errors.begin(), walk.errors.end(), [](const Error& error) {
        return error.operation == Operation::stat || error.operation == Operation::descend;
      }));
  if (others == errors) {
    return counted(errors, "entry", "entries");
  }
  return counted(errors - others, "directory", "directories") +
         (others == 0 ? "" : " and " + counted(others, "other entry", "other entries"));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether --errors would say more than is said without it.
bool has_more_to_list(const Result& walk, const PictureOptions& options) {
  return !options.list_errors && (walk.errors.size() < walk.statistics.errors ||
                                  std::any_of(walk.errors.begin(), walk.errors.end(),
                                              [](const Error& error) { return error.depth > 0; }));
}

void append_wrapped(std::vector<std::string>& out, std::string_view text, const Terminal& terminal,
                    std::string_view color) {
  std::string line;
  const auto flush = [&] { out.push_back(painted(line, color, terminal)); };
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty() && is_digit(word.back())) {  // a number stays with what it counts
      const std::string_view both = text.substr(0, text.find(' ', word.size() + 1));
      word = width_of(both, terminal.utf8) <= terminal.columns ? both : word;
    }
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() &&
        width_of(line, terminal.utf8) + 1 + width_of(word, terminal.utf8) > terminal.columns) {
      flush();
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  flush();
}

}  // namespace

std::vector<std::string> summarize(const UsageTree& tree, const PictureOptions& options,
                                   const Terminal& terminal,
                                   std::chrono::duration<double> elapsed) {
  const Result& walk = tree.result.walk;
  std::string text = total_text(tree, options.measure) + "; ";
  if (const std::uint64_t links = tree.result.repeated_links) {
    text += counted(links, "further hard link", "further hard links") + " not counted again; ";
  }
  if (walk.statistics.vanished > 0) {
    text += with_separators(walk.statistics.vanished) + " vanished meanwhile; ";
  }
  text += duration_text(elapsed) + ", " + rate_text(walk.statistics.entries, elapsed);
  std::vector<std::string> out;
  append_wrapped(out, text, terminal, {});
  const bool has_marks =
      !walk.complete() && std::any_of(tree.roots.begin(), tree.roots.end(),
                                      [](const UsageNode& root) { return !root.complete; });
  const std::string legend = has_marks ? " (! marks where)" : "";
  if (walk.statistics.errors > 0) {
    append_wrapped(
        out,
        what_failed(walk) + " could not be read" + legend + ", so the total is at least " +
            (options.measure == Measure::inodes ? with_separators(tree.result.total.inodes)
                                                : size_text(tree.result.total, options.measure)) +
            (!has_more_to_list(walk, options) ? ""
             : walk.statistics.errors == 1    ? ": `trawl --errors` lists it"
                                              : ": `trawl --errors` lists them"),
        terminal, kWarning);
  }
  if (walk.ending == Ending::timed_out) {
    append_wrapped(out, "stopped by --timeout: the figures are partial" + legend, terminal,
                   kWarning);
  } else if (walk.ending != Ending::complete) {
    append_wrapped(out, "interrupted: the figures are partial" + legend, terminal, kWarning);
  }
  return out;
}

}  // namespace trawl::cli
