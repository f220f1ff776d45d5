// SPDX-License-Identifier: Apache-2.0
#include "cli/stat_options.h"

#include <getopt.h>
#include <trawl/version.h>

#include <string_view>
#include <utility>

#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum LongOption : int {
  kPrintf = 256,
  kFields,
  kLong,
  kJson,
  kCsv,
  kFilesFrom,
  kThreads,
  kTimeout,
  kStallTimeout,
  kProgress,
  kStats,
  kVersion,
};

const option kLongOptions[] = {
    {"csv", no_argument, nullptr, kCsv},
    {"dereference", no_argument, nullptr, 'L'},
    {"fields", required_argument, nullptr, kFields},
    {"files-from", required_argument, nullptr, kFilesFrom},
    {"follow", no_argument, nullptr, 'L'},
    {"format", required_argument, nullptr, 'c'},
    {"help", no_argument, nullptr, 'h'},
    {"json", no_argument, nullptr, kJson},
    {"long", no_argument, nullptr, kLong},
    {"null", no_argument, nullptr, '0'},
    {"printf", required_argument, nullptr, kPrintf},
    {"progress", optional_argument, nullptr, kProgress},
    {"stall-timeout", required_argument, nullptr, kStallTimeout},
    {"stats", optional_argument, nullptr, kStats},
    {"threads", required_argument, nullptr, kThreads},
    {"timeout", required_argument, nullptr, kTimeout},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

constexpr char kHelp[] =
    R"(Usage: trawl stat [OPTION]... PATH...
  or:  trawl stat [OPTION]... --files-from=FILE

Shows the metadata of each PATH, or of each path in a list; many at once, in the order given.

      --files-from=FILE  take the paths from FILE, one a line; - is standard input
  -0, --null             end paths in FILE, and each line of output, with NUL
  -L, --follow, --dereference
                         of what symbolic links lead to, not of the links

Form of the output (default: --long):
      --long             a line as ls -l has it
  -c, --format=FORMAT    a line in FORMAT, with the directives of GNU stat: %n %s %Y ...
      --printf=FORMAT    the same with backslash escapes, and no newline behind it
      --fields=FORMAT    a line in FORMAT, with named fields: {path} {size} {mtime} ...
      --json             a JSON object a line, also for a path that fails
      --csv              comma-separated values

How it runs:
      --threads=N        number of workers (default: as many as help)
      --timeout=DURATION stop after e.g. 30, 500ms, 5m, 1h
      --stall-timeout=DURATION
                         give up on what a dead server holds up for so long,
                         with an error, and go on with the rest
      --progress[=WHEN]  a line on standard error while it runs
      --stats[=FORMAT]   what was done, on standard error: text or json
  -h, --help             show this
      --version          show the version

Exit status: 0 complete, 1 something failed, 2 wrong usage, 130 interrupted.
)";

class Parser : private OptionReader {
 public:
  Parser() : OptionReader("trawl stat") {}
  StatCommand parse(int argc, char** argv);

 private:
  bool set(int option, const char* argument);
  bool set_form(StatForm form, const char* name, const char* format = "");

  StatCommand command_;
  StatCommandOptions& options_ = command_.options;
  const char* form_name_ = nullptr;  // of the option that chose the form
};

// Given again, an option counts for the last time.
bool Parser::set_form(StatForm form, const char* name, const char* format) {
  if (form_name_ != nullptr && options_.form != form) {
    return say(std::string(form_name_) + " and " + name + " cannot be combined");
  }
  form_name_ = name;
  options_.form = form;
  options_.format = format;
  return true;
}

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case '0':
      options_.null_terminated = true;
      return true;
    case 'L':
      options_.follow = true;
      return true;
    case 'c':
      return set_form(StatForm::gnu, "--format", argument);
    case kPrintf:
      return set_form(StatForm::gnu_printf, "--printf", argument);
    case kFields:
      return set_form(StatForm::fields, "--fields", argument);
    case kLong:
      return set_form(StatForm::long_lines, "--long");
    case kJson:
      return set_form(StatForm::json, "--json");
    case kCsv:
      return set_form(StatForm::csv, "--csv");
    case kFilesFrom:
      options_.files_from = argument;
      return true;
    case kThreads:
      return set_threads(options_.threads, argument);
    case kTimeout:
      return set_duration(options_.timeout, "--timeout", argument);
    case kStallTimeout:
      return set_duration(options_.stall_timeout, "--stall-timeout", argument);
    case kProgress:
      return set_when(options_.progress, "--progress", argument);
    case kStats:
      return set_stats(options_.stats, argument);
    case 'h':
      command_.out = kHelp;
      command_.status = 0;
      return false;
    case kVersion:
      command_.out = "trawl " + std::string(version()) + "\n";
      command_.status = 0;
      return false;
    default:
      return false;  // getopt_long has said why
  }
}

StatCommand Parser::parse(int argc, char** argv) {
  optind = 0;
  for (;;) {
    const int option = getopt_long(argc, argv, "0c:hL", kLongOptions, nullptr);
    if (option == -1) {
      break;
    }
    if (!set(option, optarg)) {
      command_.status = command_.status.value_or(kUsage);
      return std::move(command_);
    }
  }
  options_.paths.assign(argv + optind, argv + argc);
  if (options_.files_from && !options_.paths.empty()) {
    say("paths and --files-from cannot be combined: " + quote_always(options_.paths[0]));
    command_.status = kUsage;
  } else if (!options_.files_from && options_.paths.empty()) {
    say("no paths: give some, or a list of them with --files-from");
    command_.status = kUsage;
  }
  return std::move(command_);
}

}  // namespace

StatCommand parse_stat_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
