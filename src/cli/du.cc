// SPDX-License-Identifier: Apache-2.0
//
// `trawl du`: options, the ordered usage fold, and the output. Lines and messages come from the fold
// in serial order; what was printed before a message is written out before it, so that both streams
// joined read as GNU's do.
#include "cli/du.h"

#include "cli/du_options.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/quote.h"
#include "cli/read_file.h"
#include "cli/statistics.h"
#include "cli/time_format.h"
#include "cli/trace_file.h"

#include <trawl/usage.h>

#include <libintl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::cli {
namespace {

// A name that can't be an operand, and what GNU du says when it gets there.
struct Refused {
  std::size_t before_root;  // index of the operand that follows it
  std::string message;
};

struct Operands {
  std::vector<std::string> roots;
  std::deque<Refused> refused;
  bool timed_out = false;  // while names were read
};

// As fts has them: of several slashes at the end one is left, but "//" is kept.
std::string trimmed(std::string name) {
  if (name.size() > 2 && name.back() == '/') {
    while (name.size() > 1 && name[name.size() - 2] == '/') {
      name.pop_back();
    }
  }
  return name;
}

// False if the names can't be had at all.
bool read_operands(const DuOptions& options, const std::string& program,
                   const Deadline& deadline, Operands& out) {
  if (!options.files0_from) {
    for (const std::string& file : options.files) {
      if (file.empty()) {
        out.refused.push_back({out.roots.size(), "invalid zero-length file name"});
      } else {
        out.roots.push_back(trimmed(file));
      }
    }
    if (options.files.empty()) {
      out.roots.emplace_back(".");
    }
    return true;
  }
  const std::string& from = *options.files0_from;
  std::string text;
  int error = read_file(from.c_str(), text, deadline);
  if (error == ETIMEDOUT) {
    out.timed_out = true;
    return true;
  }
  // Standard input is open as it is; a directory can be opened, but not read.
  if (error != 0 && error != EISDIR && from != "-") {
    std::fprintf(stderr, "%s: cannot open %s for reading: %s\n", program.c_str(),
                 quote_always(from).c_str(), std::strerror(error));
    return false;
  }
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = std::min(rest.find('\0'), rest.size());
    const std::string name(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
    ++number;
    if (name.empty()) {
      out.refused.push_back({out.roots.size(), quote_if_needed(from) + ":" +
                                                   std::to_string(number) +
                                                   ": invalid zero-length file name"});
    } else if (name == "-" && from == "-") {
      out.refused.push_back({out.roots.size(),
                             "when reading file names from stdin, no file name of " +
                                 quote_always(name) + " allowed"});
    } else {
      out.roots.push_back(trimmed(name));
    }
  }
  if (error != 0) {
    out.refused.push_back(
        {out.roots.size(), quote_if_needed(from) + ": read error: " + std::strerror(error)});
  }
  return true;
}

// As GNU du prints the word, where its catalogues are installed.
const char* translated(const char* word) {
  static const char* const directory = ::bindtextdomain("coreutils", "/usr/share/locale");
  return directory != nullptr ? ::dgettext("coreutils", word) : word;
}

// Prints lines, or a JSON document.
class Printer final : public UsageListener {
 public:
  Printer(const DuOptions& options, std::string program, std::deque<Refused> refused,
          const Deadline& deadline, Progress& progress)
      : options_(options),
        program_(std::move(program)),
        refused_(std::move(refused)),
        output_(STDOUT_FILENO, deadline, &progress),
        messages_(STDERR_FILENO, deadline, &progress) {
    if (options_.json) {
      output_.buffer() += "{\"version\":1,\"kind\":\"trawl.du\",\"entries\":[\n";
    }
  }

  void root(std::size_t index) override {
    while (!refused_.empty() && refused_.front().before_root <= index) {
      complain(refused_.front().message);
      refused_.pop_front();
    }
  }

  bool line(const UsageLine& line) override {
    const std::uint64_t figure = figure_of(line.sums);
    const std::int64_t threshold = options_.threshold;
    const bool wanted = threshold < 0 ? figure <= 0 - static_cast<std::uint64_t>(threshold)
                                      : figure >= static_cast<std::uint64_t>(threshold);
    if (wanted && options_.json) {
      print_json(line);
    } else if (wanted) {
      // With -L GNU du takes a slash at the end of an operand away if nothing is in the directory.
      const bool cut = options_.follow == Follow::all && line.depth == 0 && line.complete &&
                       line.type == FileType::directory && line.entries == 0 &&
                       line.path.ends_with('/');
      print(line.sums, line.path.substr(0, line.path.size() - (cut ? 1 : 0)));
    }
    return true;
  }

  void error(const UsageError& error) override {
    std::string message;
    switch (error.kind) {
      case UsageError::Kind::access: message = "cannot access " + quote_always(error.path); break;
      case UsageError::Kind::read:
        message = "cannot read directory " + quote_always(error.path);
        break;
      case UsageError::Kind::partial: message = quote_if_needed(error.path); break;
    }
    // GNU du gives no reason where a link leads nowhere.
    complain(error.code == 0 ? message : message + ": " + error_text(error.code));
  }

  void pause() override { output_.pause(); }

  void print(const UsageSums& sums, std::string_view path) {
    std::string& out = output_.buffer();
    const std::uint64_t figure = figure_of(sums);
    if (figure == UINT64_MAX) {
      out += translated("Infinity");
    } else {
      append_size(out, figure, options_.size_format);
    }
    if (options_.time != UsageTime::none) {
      out += '\t';
      std::string time;
      if (!append_time(time, sums.newest, options_.time_format)) {
        say("time " + quote_word(time) + " is out of range");  // GNU du does not call that a failure
      }
      out += time;
    }
    out += '\t';
    out += path;
    out += options_.null_terminated ? '\0' : '\n';
    output_.added();
  }

  // Everything behind the lines.
  void finish(const UsageResult& result) {
    root(SIZE_MAX);
    if (options_.json) {
      Json end;
      end["total"] = to_json(result.total);
      end["repeated_links"] = result.repeated_links;
      end["complete"] = result.walk.complete() && !failed_;
      end["ending"] = to_word(result.walk.ending);
      end["statistics"] = to_json(result.walk.statistics);
      Json& errors = end["errors"] = Json::array();
      for (const Error& error : result.walk.errors) {
        errors.push_back(to_json(error));
      }
      // The rest of the object that was begun with the entries.
      output_.buffer() +=
          pending_ + (pending_.empty() ? "]," : "\n],") + end.dump().substr(1) + "\n";
    } else if (options_.grand_total) {
      UsageSums total = result.total;
      total.newest = std::max(total.newest, Timestamp{});  // as GNU's, which starts at the epoch
      print(total, translated("total"));
    }
    output_.flush();
  }

  void complain(const std::string& message) {
    say(message);
    failed_ = true;
  }

  // As it is, on standard error.
  void report(const std::string& text) {
    messages_.buffer() = text;
    messages_.flush();
  }

  const Output& output() const { return output_; }
  bool failed() const { return failed_; }

 private:
  void say(const std::string& message) {
    output_.flush();
    report(program_ + ": " + message + '\n');
  }

  std::uint64_t figure_of(const UsageSums& sums) const {
    return options_.inodes          ? sums.inodes
           : options_.apparent_size ? sums.apparent_size
                                    : sums.disk_usage;
  }

  void print_json(const UsageLine& line) {
    Json object;
    add_name(object, "path", line.path);
    object["depth"] = line.depth;
    object["type"] = to_word(line.type);
    object.update(to_json(line.sums));
    if (options_.time != UsageTime::none) {
      object["time"] = {{"seconds", line.sums.newest.seconds},
                        {"nanoseconds", line.sums.newest.nanoseconds}};
    }
    object["complete"] = line.complete;
    if (!pending_.empty()) {
      output_.buffer() += pending_ + ",\n";
      output_.added();
    }
    pending_ = object.dump();
  }

  const DuOptions& options_;
  const std::string program_;
  std::deque<Refused> refused_;
  Output output_;
  Output messages_;
  bool failed_ = false;
  std::string pending_;  // the last JSON object: whether a comma follows is not known yet
};

int run(const DuOptions& options, const std::string& program) {
  const auto begin = std::chrono::steady_clock::now();
  CancelToken token;
  UsageOptions usage;
  usage.walk.stall_timeout = options.stall_timeout.value_or(std::chrono::nanoseconds(0));
  TraceFile trace;
  if (options.trace && !trace.open(*options.trace)) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), trace.error().c_str());
    return 1;
  }
  if (options.timeout) {
    usage.walk.deadline = begin + *options.timeout;
  }
  Operands operands;
  if (!read_operands(options, program, usage.walk.deadline, operands)) {
    return 1;
  }
  usage.walk.threads = options.threads;
  usage.walk.follow = options.follow;
  usage.walk.one_file_system = options.one_file_system;
  usage.walk.private_descriptors = true;  // the printer writes to descriptors 1 and 2 only
  usage.walk.cancel = &token;
  usage.walk.trace = trace.document();
  usage.time = options.time;
  usage.count_links = options.count_links;
  usage.once_despite_mounts = options.files0_from || options.files.size() > 1;
  usage.separate_directories = options.separate_directories;
  usage.all = options.all;
  usage.max_depth = static_cast<int>(std::min<std::uint64_t>(options.max_depth, INT_MAX));
  const std::unique_ptr<PathFilter> filter = options.filter.make();
  usage.walk.filter = filter.get();

  const Interrupt interrupt(token);
  Progress progress(options.progress);
  usage.walk.progress_entries = progress.entries();
  Printer printer(options, program, std::move(operands.refused), usage.walk.deadline, progress);
  UsageResult result = list_usage(operands.roots, usage, printer);
  if (operands.timed_out) {
    result.walk.ending = Ending::timed_out;
  }
  progress.stop();
  printer.finish(result);
  for (const std::string& message : messages_of(filter.get())) {
    printer.complain(message);
  }
  if (result.walk.ending == Ending::timed_out) {
    printer.complain("stopped by --timeout: the figures are partial");
  } else if (result.walk.ending == Ending::cancelled) {
    printer.complain("interrupted: the figures are partial");
  }
  if (options.stats != StatsFormat::none) {
    printer.report(
        describe(result.walk, std::chrono::steady_clock::now() - begin, options.stats));
  }
  if (!trace.write(usage.walk.deadline)) {
    printer.complain(trace.error());
  }
  if (const int error = printer.output().error()) {
    // GNU du flushes each line, and has forgotten the reason in the end; but closing fails once more
    // where there is nothing to close.
    const bool forgotten = !options.json && error != EBADF && error != Output::kGivenUp;
    printer.complain(forgotten ? "write error" : "write error: " + printer.output().reason());
  }
  if (Interrupt::status() != 0) {
    return Interrupt::status();
  }
  return printer.failed() ? 1 : 0;
}

}  // namespace

int du_main(int argc, char** argv) {
  const DuCommand command = parse_du_options(argc, argv);
  if (!command.status) {
    return run(command.options, argv[0]);
  }
  return print_and_exit_status(command.out, argv[0], *command.status);
}

}  // namespace trawl::cli
