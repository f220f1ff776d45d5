// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_options.h"

#include "cli/number.h"
#include "cli/option_reader.h"
#include "cli/quote.h"
#include "cli/trace_file.h"

#include <trawl/version.h>

#include <getopt.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum LongOption : int {
  kColor = 256,
  kMinShare,
  kApparentSize,
  kCount,
  kSort,
  kJson,
  kErrors,
  kThreads,
  kTimeout,
  kStallTimeout,
  kProgress,
  kStats,
  kTrace,
  kExclude,
  kVersion,
};

const option kLongOptions[] = {
    {"apparent-size", no_argument, nullptr, kApparentSize},
    {"color", optional_argument, nullptr, kColor},
    {"count", no_argument, nullptr, kCount},
    {"depth", required_argument, nullptr, 'd'},
    {"dereference", no_argument, nullptr, 'L'},
    {"errors", no_argument, nullptr, kErrors},
    {"exclude", required_argument, nullptr, kExclude},
    {"exclude-from", required_argument, nullptr, 'X'},
    {"help", no_argument, nullptr, 'h'},
    {"json", no_argument, nullptr, kJson},
    {"min-share", required_argument, nullptr, kMinShare},
    {"one-file-system", no_argument, nullptr, 'x'},
    {"progress", optional_argument, nullptr, kProgress},
    {"reverse", no_argument, nullptr, 'r'},
    {"sort", required_argument, nullptr, kSort},
    {"stall-timeout", required_argument, nullptr, kStallTimeout},
    {"stats", optional_argument, nullptr, kStats},
    {"threads", required_argument, nullptr, kThreads},
    {"timeout", required_argument, nullptr, kTimeout},
    {"top", required_argument, nullptr, 'n'},
    {"trace", required_argument, nullptr, kTrace},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

constexpr char kHelp[] =
    R"(Usage: trawl [OPTION]... [PATH]...
  or:  trawl du [OPTION]... [FILE]...       (GNU du; see trawl du --help)
  or:  trawl list [OPTION]... [PATH]...     (everything below; see trawl list --help)
  or:  trawl stat [OPTION]... [PATH]...     (metadata of these; see trawl stat --help)

Shows what takes the space below each PATH (the current directory, if there is none): the biggest
directories and files, as a tree that fits the terminal.

      --apparent-size    sizes as files have them, not the space that they take
      --count            count files and directories instead of sizes
  -d, --depth=N          show no more than N levels
  -n, --top=N            show the N biggest, whatever the height of the terminal
      --min-share=P      show nothing smaller than P per cent of the whole
      --sort=KEY         order by size, count or name
  -r, --reverse          the other way round
  -x, --one-file-system  stay on the file system of each PATH
  -L, --dereference      follow symbolic links; each directory is entered once
      --exclude=PATTERN  leave out what matches PATTERN
  -X, --exclude-from=FILE
                         leave out what matches a pattern in FILE
      --json             one JSON document instead of the picture
      --errors           list everything that could not be read
      --color[=WHEN]     auto, always or never; LS_COLORS says which, and
                         NO_COLOR and CLICOLOR_FORCE count where it is auto
      --progress[=WHEN]  a line on standard error while it runs
      --threads=N        number of workers (default: as many as help)
      --timeout=DURATION stop after e.g. 30, 500ms, 5m, 1h and show what was
                         counted so far
      --stall-timeout=DURATION
                         give up on what a dead server holds up for so long,
                         with an error, and go on with the rest
      --stats[=FORMAT]   what the engine did, on standard error: text or json
      --trace=FILE       write a timeline for Perfetto or chrome://tracing to FILE
  -h, --help             show this
      --version          show the version

Exit status: 0 complete, 1 partial (the summary says why), 2 wrong usage, 130 interrupted.
)";

class Parser : private OptionReader {
 public:
  Parser() : OptionReader("trawl") {}
  PictureCommand parse(int argc, char** argv);

 private:
  bool set(int option, const char* argument);

  PictureCommand command_;
  PictureOptions& options_ = command_.options;
};

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case kApparentSize: options_.measure = Measure::apparent_size; return true;
    case kCount: options_.measure = Measure::inodes; return true;
    case 'd':
      if (const auto depth = parse_in_range(argument, 0, INT_MAX)) {
        options_.depth = *depth;
        return true;
      }
      return refuse("--depth", argument, "a number of levels");
    case 'n':
      options_.top = parse_in_range<std::size_t>(argument, 1, 1'000'000);
      return options_.top || refuse("--top", argument, "a number from 1 to 1000000");
    case kMinShare:
      if (const auto share = parse_in_range(argument, 0.0, 100.0)) {
        options_.min_share = *share;
        return true;
      }
      return refuse("--min-share", argument, "a percentage from 0 to 100");
    case kSort: {
      const std::string_view key = argument;
      if (key != "size" && key != "count" && key != "name") {
        return refuse("--sort", argument, "size, count or name");
      }
      options_.sort = key == "size" ? SortBy::size : key == "count" ? SortBy::count : SortBy::name;
      return true;
    }
    case 'r': options_.reverse = true; return true;
    case 'x': options_.one_file_system = true; return true;
    case 'L': options_.follow = true; return true;
    case kExclude: options_.excludes.add(argument); return true;
    case 'X':
      if (const int error = options_.excludes.add_file(argument)) {
        std::fprintf(stderr, "trawl: cannot read %s: %s\n", quote_always(argument).c_str(),
                     std::strerror(error));
        return false;
      }
      return true;
    case kJson: options_.json = true; return true;
    case kErrors: options_.list_errors = true; return true;
    case kStats:
      return set_stats(options_.stats, argument);
    case kTrace:
      options_.trace = argument;
      if (!can_trace()) {
        std::fprintf(stderr, "trawl: %s\n", TraceFile::kNotBuiltIn);
      }
      return can_trace();
    case kColor: return set_when(options_.color, "--color", argument);
    case kProgress: return set_when(options_.progress, "--progress", argument);
    case kThreads:
      return set_threads(options_.threads, argument);
    case kTimeout:
      return set_duration(options_.timeout, "--timeout", argument);
    case kStallTimeout:
      return set_duration(options_.stall_timeout, "--stall-timeout", argument);
    case 'h':
      command_.out = kHelp;
      command_.status = 0;
      return false;
    case kVersion:
      command_.out = "trawl " + std::string(version()) + "\n";
      command_.status = 0;
      return false;
    default: return false;  // getopt_long has said why
  }
}

PictureCommand Parser::parse(int argc, char** argv) {
  optind = 0;
  for (;;) {
    const int option = getopt_long(argc, argv, "d:hLn:rxX:", kLongOptions, nullptr);
    if (option == -1) {
      break;
    }
    if (!set(option, optarg)) {
      if (!command_.status) {
        command_.status = kUsage;
      }
      return std::move(command_);
    }
  }
  options_.paths.assign(argv + optind, argv + argc);
  if (options_.paths.empty()) {
    options_.paths.emplace_back(".");
  }
  return std::move(command_);
}

}  // namespace

PictureCommand parse_picture_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
