// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_options.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/filter_options.h"
#include "cli/number.h"
#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum PictureId : int {
  kColor = kFirstId,
  kMinShare,
  kApparentSize,
  kCount,
  kSort,
  kJson,
  kErrors,
};

enum SectionId : std::uint8_t { kCounted, kShown, kRunning };
constexpr Section kSections[] = {{"What is counted"}, {"What is shown"}, {"How it runs"}};

constexpr Option kOptions[] = {
    {.id = kApparentSize,
     .names = {"apparent-size"},
     .help = "sizes as files have them, not the space that they take",
     .manual =
         "Sizes as files have them (the number of bytes that can be read), not the space that "
         "they take.",
     .section = kCounted,
     .conflicts = "count"},
    {.id = kCount,
     .names = {"count"},
     .help = "count files and directories instead of sizes",
     .manual = "Count files, directories and everything else instead of sizes.",
     .section = kCounted},
    {.id = 'd',
     .names = {"depth"},
     .argument = Argument::required,
     .word = "N",
     .help = "show no more than N levels",
     .manual = "Show no more than N levels below each PATH. What is deeper still counts.",
     .section = kShown},
    {.id = 'n',
     .names = {"top"},
     .argument = Argument::required,
     .word = "N",
     .help = "show the N biggest, whatever the height of the terminal",
     .manual = "Show the N biggest, whatever the height of the terminal. With `--json`, the number "
               "of nodes in the document (default: 100 and the paths).",
     .section = kShown},
    {.id = kMinShare,
     .names = {"min-share"},
     .argument = Argument::required,
     .word = "P",
     .help = "show nothing smaller than P per cent of the whole",
     .manual = "Show nothing smaller than P per cent of the whole; fractions such as 0.5 are "
               "allowed.",
     .section = kShown},
    {.id = kSort,
     .names = {"sort"},
     .argument = Argument::required,
     .word = "KEY",
     .help = "order by size, count or name",
     .brief = "order",
     .manual = "Order what is in one directory by `size` (the default, the biggest first), `count` "
               "of files and directories, or `name`. The biggest are shown in any case.",
     .section = kShown,
     .completion = Completion::words,
     .words = "size count name"},
    {.id = 'r',
     .names = {"reverse"},
     .help = "the other way round",
     .manual = "Order it the other way round.",
     .section = kShown},
    {.id = 'x',
     .names = {"one-file-system"},
     .help = "stay on the file system of each PATH",
     .section = kCounted},
    {.id = 'L',
     .names = {"dereference"},
     .help = "follow symbolic links; each directory is entered once",
     .manual = "Follow all symbolic links. Each directory is entered once, by whatever name it is "
               "met, so that loops do no harm.",
     .section = kCounted},
    exclude_option(kCounted),
    exclude_from_option(kCounted),
    ignore_file_option(kCounted),
    respect_ignore_option(kCounted),
    exclude_caches_option(kCounted),
    {.id = kJson,
     .names = {"json"},
     .help = "one JSON document instead of the picture",
     .manual = "Print one JSON document instead of the picture; see `JSON DOCUMENT`.",
     .section = kShown},
    {.id = kErrors,
     .names = {"errors"},
     .help = "list everything that could not be read",
     .manual = "List everything that could not be read on standard error. Without it the summary "
               "says how much that was; errors of a PATH itself are always listed.",
     .section = kShown},
    {.id = kColor,
     .names = {"color"},
     .argument = Argument::optional,
     .word = "WHEN",
     .help = "auto, always or never; LS_COLORS says which, and NO_COLOR and CLICOLOR_FORCE count "
             "where it is auto",
     .brief = "use colors",
     .manual =
         "Use colors: `always` (also if WHEN is left out), `never` or `auto` (the default: if "
         "standard output is a terminal). See `ENVIRONMENT`.",
     .section = kShown,
     .completion = Completion::words,
     .words = "auto always never"},
    progress_option(kRunning),
    threads_option(kRunning),
    counting_timeout_option(kRunning),
    stall_timeout_option(kRunning),
    stats_option(kRunning),
    trace_option(kRunning),
    help_option(kRunning),
    version_option(kRunning),
};

// "  or:  trawl list [OPTION]... [PATH]...     every entry below a path"
std::string usage_of_others() {
  std::vector<std::string> lines;
  std::size_t width = 0;
  for (const CommandEntry& each : subcommands()) {
    const std::string_view usage = each.table->usage;
    lines.push_back("  or:  " + std::string(each.table->program) + ' ' +
                    std::string(usage.substr(0, usage.find('\n'))));
    width = std::max(width, lines.back().size());
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    lines[i].resize(width + 2, ' ');
    text += lines[i] + subcommands()[i].table->brief + '\n';
  }
  return text;
}

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kPictureCommand) {}
  PictureCommand parse(int argc, char** argv);

 private:
  bool set(int option, const char* argument);

  PictureCommand command_;
  PictureOptions& options_ = command_.options;
};

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case kApparentSize:
      options_.measure = Measure::apparent_size;
      return true;
    case kCount:
      options_.measure = Measure::inodes;
      return true;
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
    case 'r':
      options_.reverse = true;
      return true;
    case 'x':
      options_.one_file_system = true;
      return true;
    case 'L':
      options_.follow = true;
      return true;
    case kExclude:
    case kRulesFile:
    case kRespectIgnore:
    case kExcludeCaches:
      set_filter(option, argument, options_.filter);
      return true;
    case 'X':
      return set_exclude_from(options_.filter, argument);
    case kJson:
      options_.json = true;
      return true;
    case kErrors:
      options_.list_errors = true;
      return true;
    case kColor:
      return set_when(options_.color, "--color", argument);
    case 'h':
      command_.out = help_text(kPictureCommand, kPictureCommand.program, usage_of_others());
      command_.status = 0;
      return false;
    default:
      return set_common(option, argument, options_, command_);
  }
}

PictureCommand Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kOptions>,
            [this](int option, const char* argument) { return set(option, argument); })) {
    command_.status = command_.status.value_or(kUsage);
    return std::move(command_);
  }
  options_.paths.assign(argv + optind, argv + argc);
  if (options_.paths.empty()) {
    options_.paths.emplace_back(".");
  }
  return std::move(command_);
}

}  // namespace

constexpr Command kPictureCommand = {
    .program = "trawl",
    .brief = "what takes the space below each path",
    .usage = "[OPTION]... [PATH]...",
    .before = R"(
Shows what takes the space below each PATH (the current directory, if there is none): the biggest
directories and files, as a tree that fits the terminal. `trawl help COMMAND` tells more of the
other commands.
)",
    .after = R"(
Exit status: 0 complete, 1 partial (the summary says why), 2 wrong usage, 130 interrupted.
)",
    .sections = kSections,
    .options = kOptions,
    .columns = 80,
};

PictureCommand parse_picture_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
