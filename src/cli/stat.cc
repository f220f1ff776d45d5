// SPDX-License-Identifier: Apache-2.0
//
// `trawl stat`: metadata for paths that are given, in their order. Messages stand where the lines
// of their paths would: what was printed before a message is written out before it.
#include "cli/stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "cli/entry_format.h"
#include "cli/figures.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/path_list.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/stat_options.h"
#include "cli/stat_pipeline.h"
#include "cli/statistics.h"

namespace trawl::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kUsage = 2;
constexpr unsigned kMostFormatters = 8;

std::unique_ptr<EntryFormat> make_format(const StatCommandOptions& options) {
  const char end = options.null_terminated ? '\0' : '\n';
  switch (options.form) {
    case StatForm::long_lines:
      return make_long_format(end, ::isatty(STDOUT_FILENO) == 1 && end == '\n');
    case StatForm::json:
      return make_json_format(Fields::all, false);
    case StatForm::csv:
      return make_csv_format(Fields::all, false);
    case StatForm::fields:
      return make_field_format(options.format, end);
    case StatForm::gnu:
      return make_stat_format(options.format, false, end);
    case StatForm::gnu_printf:
      return make_stat_format(options.format, true);
  }
  return nullptr;
}

class Run {
 public:
  Run(const StatCommandOptions& options, const EntryFormat& format, Clock::time_point begin)
      : options_(options),
        format_(format),
        begin_(begin),
        deadline_(options.timeout ? Deadline(begin + *options.timeout) : std::nullopt),
        progress_(options.progress),
        output_(STDOUT_FILENO, deadline_, &progress_),
        messages_(STDERR_FILENO, deadline_, &progress_) {}

  int run() {
    const Interrupt interrupt(token_);
    int list = -1;
    if (options_.files_from) {
      const bool standard = *options_.files_from == "-";
      // Not waiting, so that a FIFO that nobody writes to does not hold back a signal or the
      // timeout.
      constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
      list = standard ? STDIN_FILENO : ::open(options_.files_from->c_str(), kFlags);
      if (list < 0) {
        complain("cannot open " + quote_always(*options_.files_from) +
                 " for reading: " + std::strerror(errno));
        return Interrupt::status() != 0 ? Interrupt::status() : 1;
      }
    }
    process(list);
    if (list > STDIN_FILENO) {
      ::close(list);
    }
    return status();
  }

 private:
  void process(int descriptor) {
    StatPipelineOptions pipeline;
    pipeline.stat.fields = format_.fields();
    pipeline.stat.follow = options_.follow;
    pipeline.stat.threads = options_.threads;
    pipeline.stat.cancel = &token_;
    pipeline.stat.stall_timeout = options_.stall_timeout.value_or(std::chrono::nanoseconds(0));
    pipeline.formatters = std::clamp(std::thread::hardware_concurrency(), 1U, kMostFormatters);
    if (options_.threads != 0) {
      pipeline.formatters = std::min(pipeline.formatters, options_.threads);
    }
    pipeline.lines_of_errors = options_.form == StatForm::json;
    pipeline.progress = progress_.entries();

    output_.buffer() = format_.header();
    PathList list(descriptor, options_.null_terminated ? '\0' : '\n', token_);
    std::size_t given = 0;
    const auto source = [&](PathChunk& chunk) {
      return descriptor < 0 ? take_operands(given, chunk) : list.read(chunk);
    };
    times_ = run_stat_pipeline(pipeline, format_, token_, source,
                               [this](StatChunk* chunk) { sink(chunk); });
    output_.flush();
    progress_.stop();
    if (list.error() != 0) {
      complain(quote_if_needed(*options_.files_from) +
               ": read error: " + std::strerror(list.error()));
    }
    if (timed_out_) {
      complain("stopped by --timeout: not all paths were looked at");
    } else if (Interrupt::status() != 0) {
      complain("interrupted: not all paths were looked at");
    }
    if (options_.stats != StatsFormat::none) {
      report(describe());
    }
    if (output_.error() != 0) {
      complain("write error: " + output_.reason());
    }
  }

  bool take_operands(std::size_t& given, PathChunk& chunk) const {
    chunk.first = given + 1;
    const std::size_t count = std::min(PathList::kMostPaths, options_.paths.size() - given);
    const auto begin = options_.paths.begin() + static_cast<std::ptrdiff_t>(given);
    chunk.paths.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    given += count;
    return count > 0 && !token_.cancelled();
  }

  // Null: nothing came for a while.
  void sink(StatChunk* chunk) {
    if (deadline_ && Clock::now() >= *deadline_ && !timed_out_) {
      timed_out_ = true;
      token_.cancel();
    }
    if (chunk == nullptr) {
      return;
    }
    paths_ += chunk->results.size() - chunk->unanswered;
    for (StatChunk::Part& part : chunk->parts) {
      write(*chunk, part);
    }
    output_.flush();
    if (output_.error() != 0) {
      token_.cancel();
    }
  }

  void write(const StatChunk& chunk, StatChunk::Part& part) {
    if (part.failures.empty() && output_.buffer().empty()) {
      output_.buffer().swap(part.text);
      output_.added();
      return;
    }
    std::size_t done = 0;
    for (const StatChunk::Failure& failure : part.failures) {
      output_.buffer().append(part.text, done, failure.text_size - done);
      done = failure.text_size;
      ++errors_;
      complain(message_of(chunk, failure.index));
    }
    output_.buffer().append(part.text, done);
    output_.added();
  }

  static std::string message_of(const StatChunk& chunk, std::size_t index) {
    const std::string item = " (item " + std::to_string(chunk.list.first + index) + ')';
    std::string_view name = chunk.list.paths[index];
    for (const PathChunk::Refused& refused : chunk.list.refused) {
      if (refused.index == index && refused.cut_off) {
        return quote_always(refused.name) + item + ": the list ends in it, without a NUL";
      }
      if (refused.index == index) {
        name = refused.name;
      }
    }
    return "cannot stat " + quote_always(name) + item + ": " +
           error_text(chunk.results[index].error);
  }

  void complain(const std::string& message) {
    output_.flush();
    report("trawl stat: " + message + '\n');
    failed_ = true;
  }

  void report(const std::string& text) {
    messages_.buffer() = text;
    messages_.flush();
  }

  int status() const {
    if (Interrupt::status() != 0) {
      return Interrupt::status();
    }
    return failed_ ? 1 : 0;
  }

  std::string describe() const {
    const std::chrono::duration<double> elapsed = Clock::now() - begin_;
    const auto seconds = [](std::chrono::nanoseconds time) {
      return std::chrono::duration<double>(time).count();
    };
    if (options_.stats == StatsFormat::json) {
      const char* ending = timed_out_                 ? "timed_out"
                           : Interrupt::status() != 0 ? "cancelled"
                                                      : "complete";
      return Json{{"version", 1},
                  {"kind", "trawl.stat.stats"},
                  {"seconds", elapsed.count()},
                  {"ending", ending},
                  {"paths", paths_},
                  {"errors", errors_},
                  {"read_seconds", seconds(times_.read)},
                  {"stat_seconds", seconds(times_.stat)},
                  {"format_seconds", seconds(times_.format)},
                  {"write_seconds", seconds(times_.write)}}
                 .dump() +
             '\n';
    }
    return counted(paths_, "path", "paths") + ", " + counted(errors_, "error", "errors") + " in " +
           duration_text(elapsed) + ", " + rate_text(paths_, elapsed) + "\nat once: reading " +
           duration_text(times_.read) + ", asking " + duration_text(times_.stat) + ", formatting " +
           duration_text(times_.format) + ", writing " + duration_text(times_.write) + '\n';
  }

  const StatCommandOptions& options_;
  const EntryFormat& format_;
  const Clock::time_point begin_;
  const Deadline deadline_;
  CancelToken token_;
  Progress progress_;
  Output output_;
  Output messages_;
  StatTimes times_;
  std::uint64_t paths_ = 0;
  std::uint64_t errors_ = 0;
  bool failed_ = false;
  bool timed_out_ = false;
};

}  // namespace

int stat_main(int argc, char** argv) {
  const auto begin = Clock::now();
  const StatCommand command = parse_stat_options(argc, argv);
  if (command.status) {
    return print_and_exit_status(command.out, argv[0], *command.status);
  }
  std::unique_ptr<EntryFormat> format;
  try {
    format = make_format(command.options);
  } catch (const UnknownWord& unknown) {
    std::fprintf(stderr, "trawl stat: %s\n", unknown.message.c_str());
    return kUsage;
  }
  return Run(command.options, *format, begin).run();
}

}  // namespace trawl::cli
