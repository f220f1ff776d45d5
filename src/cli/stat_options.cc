// SPDX-License-Identifier: Apache-2.0
#include "cli/stat_options.h"

#include <string_view>
#include <utility>

#include "cli/common_options.h"
#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum StatId : int {
  kPrintf = kFirstId,
  kFields,
  kLong,
  kJson,
  kCsv,
  kFilesFrom,
};

enum SectionId : std::uint8_t { kPaths, kForm, kRunning };
constexpr Section kSections[] = {
    {.title = "Which paths"},
    {.title = "Form of the output",
     .help_title = "Form of the output (default: --long)",
     .manual = "One of these; given several times, it counts as it is given last."},
    {.title = "How it runs", .help_title = "How it runs"},
};

constexpr Option kOptions[] = {
    {.id = kFilesFrom,
     .names = {"files-from"},
     .argument = Argument::required,
     .word = "FILE",
     .help = "take the paths from FILE, one a line; - is standard input",
     .manual =
         "Take the paths from FILE, one a line; `-` is standard input. The last line needs no "
         "newline. An empty line is a path that does not exist.",
     .section = kPaths,
     .completion = Completion::files},
    {.id = '0',
     .names = {"null"},
     .help = "end paths in FILE, and each line of output, with NUL",
     .manual = "Paths in _FILE_ end with NUL, and so do lines of output but those of `--json`, "
               "`--csv` and `--printf`. A list that ends without a NUL was cut off: its last item "
               "is an error.",
     .section = kPaths},
    {.id = 'L',
     .names = {"follow", "dereference"},
     .help = "of what symbolic links lead to, not of the links",
     .manual = "Show what symbolic links lead to, not the links.",
     .section = kPaths},
    {.id = kLong,
     .names = {"long"},
     .help = "a line as ls -l has it",
     .manual = "Lines as ls(1) has them in its long form, which is the default: type and "
               "permissions, number of links, user, group, size (of a device its numbers), time of "
               "the last change of contents, path, and where a symbolic link leads. At a terminal, "
               "names are quoted where a shell needs it. Columns are as wide as the entries so far "
               "need.",
     .section = kForm,
     .conflicts = "format printf fields json csv"},
    {.id = 'c',
     .names = {"format"},
     .argument = Argument::required,
     .word = "FORMAT",
     .help = "a line in FORMAT, with the directives of GNU stat: %n %s %Y ...",
     .manual = "A line in FORMAT, with the directives of GNU stat(1); see `DIRECTIVES`.",
     .section = kForm,
     .conflicts = "printf fields json csv"},
    {.id = kPrintf,
     .names = {"printf"},
     .argument = Argument::required,
     .word = "FORMAT",
     .help = "the same with backslash escapes, and no newline behind it",
     .brief = "as --format, with escapes and without newlines",
     .manual =
         "The same, with backslash escapes, and with nothing behind it that is not in FORMAT.",
     .section = kForm,
     .conflicts = "fields json csv"},
    {.id = kFields,
     .names = {"fields"},
     .argument = Argument::required,
     .word = "FORMAT",
     .help = "a line in FORMAT, with named fields: {path} {size} {mtime} ...",
     .manual =
         "A line in FORMAT, with named fields in braces; see `FIELDS`. (The same as `--format` "
         "of trawl-list(1).)",
     .section = kForm,
     .conflicts = "json csv"},
    {.id = kJson,
     .names = {"json"},
     .help = "a JSON object a line, also for a path that fails",
     .manual = "A JSON object a line, for each path: also for one that fails, with `error` in it. "
               "_docs/list.schema.json_ describes it.",
     .section = kForm,
     .conflicts = "csv"},
    {.id = kCsv,
     .names = {"csv"},
     .help = "comma-separated values",
     .manual = "Comma-separated values as RFC 4180 has them, with a first line of names.",
     .section = kForm},
    threads_option(kRunning),
    timeout_option(kRunning),
    stall_timeout_option(kRunning,
                         "Give up on a path after DURATION, as when a server is dead. That "
                         "is an error; the rest is done."),
    progress_option(kRunning),
    stats_option(kRunning, "what was done, on standard error: text or json",
                 "How many paths there were, and how long reading the list, asking, formatting and "
                 "writing were at work, on standard error, as `text` or `json`. The four go on at "
                 "once."),
    help_option(kRunning),
    version_option(kRunning),
};

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kStatCommand) {}
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
    default:
      return set_common(option, argument, options_, command_);
  }
}

StatCommand Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kOptions>,
            [this](int option, const char* argument) { return set(option, argument); })) {
    command_.status = command_.status.value_or(kUsage);
    return std::move(command_);
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

constexpr Command kStatCommand = {
    .program = "trawl stat",
    .brief = "metadata of given paths",
    .usage = "[OPTION]... PATH...\n[OPTION]... --files-from=FILE",
    .before = R"(
Shows the metadata of each PATH, or of each path in a list; many at once, in the order given.
)",
    .after = R"(
Exit status: 0 complete, 1 something failed, 2 wrong usage, 130 interrupted.
)",
    .sections = kSections,
    .options = kOptions,
};

StatCommand parse_stat_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
