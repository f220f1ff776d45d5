// SPDX-License-Identifier: Apache-2.0
#include "cli/list_options.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "cli/arrow_file.h"
#include "cli/common_options.h"
#include "cli/filter_options.h"
#include "cli/number.h"
#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum ListId : int {
  kArrow = kFirstId,
  kCsv,
  kFollow,
  kFormat,
  kJson,
  kLong,
  kMaxDepth,
  kMinDepth,
  kOrder,
  kRelative,
  kSafeLinks,
  kStat,
  kType,
};

enum SectionId : std::uint8_t { kLine, kOrdering, kEntries, kRunning };
constexpr Section kSections[] = {{"What a line is"}, {"Order"}, {"Which entries"}, {"How it runs"}};

constexpr Option kOptions[] = {
    {.id = '0',
     .names = {"null"},
     .help = "end each line with NUL instead of newline",
     .manual =
         "End each line with NUL instead of newline. Not with `--json`, `--csv` or `--arrow`.",
     .section = kLine},
    {.id = kLong,
     .names = {"long"},
     .help = "lines like those of ls -l",
     .manual = "Lines in the form of ls(1)'s long listing.",
     .section = kLine,
     .conflicts = "format json csv arrow"},
    {.id = kFormat,
     .names = {"format"},
     .argument = Argument::required,
     .word = "FORMAT",
     .help =
         "lines made of FORMAT, in which {NAME} is a field: {path}, {size}, {mtime}; a NAME that "
         "does not exist tells those that do",
     .brief = "lines made of fields",
     .manual = "Lines made of FORMAT, in which a name in braces is a field, as in _{size} {path}_. "
               "A name that does not exist ends the command with a list of those that do.",
     .section = kLine,
     .conflicts = "json csv arrow"},
    {.id = kJson,
     .names = {"json"},
     .help = "an object a line",
     .section = kLine,
     .conflicts = "csv arrow"},
    {.id = kCsv,
     .names = {"csv"},
     .help = "comma-separated values, names of the columns first",
     .manual = "Comma-separated values; the first line names them.",
     .section = kLine,
     .conflicts = "arrow"},
    {.id = kArrow,
     .names = {"arrow"},
     .argument = Argument::required,
     .word = "FILE",
     .help =
         "no lines, but a table of the entries in FILE, in Arrow's IPC format; with -, on standard "
         "output in its streaming form",
     .brief = "a table of the entries, in Arrow's format",
     .manual =
         "Print no lines, but write a table of the entries to FILE, whose content goes at once, in "
         "the IPC format of Apache Arrow, also known as Feather: pandas, Polars, DuckDB, R and "
         "others read "
         "it. If FILE is `-`, it goes to standard output in the streaming form of that format. The "
         "columns are\n"
         ".RS\n"
         ".TP\n"
         ".BR path \", \" path_bytes\n"
         "as text, in which bytes that are not UTF-8 are replaced, and as the bytes they are\n"
         ".TP\n"
         ".BR type \", \" depth\n"
         "file, directory, symlink, block_device, character_device, fifo, socket or unknown; the "
         "level below the PATH\n"
         ".TP\n"
         ".BR size \", \" disk_usage\n"
         "in bytes\n"
         ".TP\n"
         ".BR mtime \", \" atime \", \" ctime \", \" btime\n"
         "to the nanosecond, in UTC; null before 1678 and after 2261\n"
         ".TP\n"
         ".BR mode \", \" links \", \" uid \", \" gid \", \" device \", \" inode\n"
         "as stat(2) has them, but that mode has only the permissions\n"
         ".TP\n"
         ".BR target \", \" error\n"
         "what a symbolic link leads to; the number of the error if an entry's metadata could not "
         "be had, which then is null. In an order, and with `--relative` or `--safe-links`, such "
         "an "
         "entry is left out.\n"
         ".RE\n"
         ".IP\n"
         "Those after depth as `--stat` says: by default all but btime. The table is written while "
         "the walk goes on. No reader takes a FILE that is not whole for a table, but one that is "
         "whole may lack what the exit status tells.\n"
         ".IP\n"
         "There is no option for Parquet: Debian has no library that writes it. In Python, "
         "pyarrow.parquet.write_table(pyarrow.feather.read_table(_FILE_), _OTHER_) makes "
         "it of this.",
     .section = kLine,
     .completion = Completion::files},
    {.id = kStat,
     .names = {"stat"},
     .argument = Argument::required,
     .word = "WHAT",
     .help = "metadata to ask for: none, basic or all (default: what is printed; for --json, "
             "--csv and --arrow, basic)",
     .manual =
         "The metadata that is asked for: `none`, `basic` (what stat(2) tells) or `all` (with "
         "the time of birth). By default it is what the lines need; those of `--json` and "
         "`--csv`, and tables, have what is basic. An entry whose metadata can't be had is an "
         "error, and "
         "not listed in lines.",
     .section = kLine,
     .completion = Completion::words,
     .words = "none basic all"},
    {.id = kRelative,
     .names = {"relative"},
     .help = "paths without PATH: it is itself a dot, what is in it a name",
     .manual = "Paths begin below PATH: it is itself a dot, and what is in it has only its name. A "
               "PATH that is no directory is its last name. That is how rsync(1) names what it "
               "transfers from _PATH/_.",
     .section = kLine},
    {.id = kOrder,
     .names = {"order"},
     .argument = Argument::required,
     .word = "ORDER",
     .help =
         "unordered (as found, fastest), component (depth first, names ascending), bytes (whole "
         "paths ascending), rsync or rsync28 (as rsync lists them, with protocol 29 and later, "
         "and before)",
     .brief = "order of the entries",
     .manual =
         ".RS\n"
         ".TP\n"
         ".B unordered\n"
         "As found, which is the fastest and the default. A directory comes before what is in it.\n"
         ".TP\n"
         ".B component\n"
         "Depth first: a directory, then everything that is in it; names in each directory "
         "ascend.\n"
         ".TP\n"
         ".B bytes\n"
         "By the bytes of the whole path, slashes among them: what is in _a_ comes behind _a-b_ "
         "and "
         "before _a0_.\n"
         ".TP\n"
         ".B rsync\n"
         "As rsync(1) lists files with protocol 29 and later: in each directory first what is no "
         "directory, then its directories, as if their names ended in a slash, each with "
         "everything "
         "in it.\n"
         ".TP\n"
         ".B rsync28\n"
         "As it does with protocol 28 and earlier: as `bytes`, but that the PATH itself counts as "
         "a "
         "dot.\n"
         ".PP\n"
         "Bytes compare as unsigned numbers. Every order but the first is the same for any number "
         "of workers, and is printed directory by directory while the walk goes on.\n"
         ".RE",
     .section = kOrdering,
     .completion = Completion::words,
     .words = "unordered component bytes rsync rsync28"},
    {.id = kType,
     .names = {"type"},
     .argument = Argument::required,
     .word = "TYPES",
     .help = "only these, separated by commas: f file, d directory, l symbolic link, s socket, p "
             "fifo, b block device, c character device",
     .brief = "only these types",
     .manual =
         "Only entries of these types, letters with commas between: `f` file, `d` directory, "
         "`l` symbolic link, `s` socket, `p` fifo, `b` block device, `c` character device. May "
         "be given several times.",
     .section = kEntries,
     .completion = Completion::words,
     .words = "f d l s p b c",
     .comma_list = true,
     .repeatable = true},
    {.id = kMinDepth,
     .names = {"min-depth"},
     .argument = Argument::required,
     .word = "N",
     .help = "nothing less than N levels below PATH",
     .manual = "Nothing that is less than N levels below PATH.",
     .section = kEntries},
    {.id = kMaxDepth,
     .names = {"max-depth"},
     .argument = Argument::required,
     .word = "N",
     .help = "nothing more than N levels below PATH",
     .manual = "Nothing that is more than N levels below PATH; with 0, only the PATH itself.",
     .section = kEntries},
    {.id = kFollow,
     .names = {"follow"},
     .argument = Argument::optional,
     .word = "WHICH",
     .help = "follow symbolic links: never (the default), roots (those that are a PATH) or all (so "
             "also without WHICH); each directory is entered once",
     .manual =
         "Symbolic links to follow: `never` any, which is the default; only the `roots` that "
         "are given as PATH; or `all`, which is also what is meant without WHICH. Each "
         "directory is entered once for each PATH, by the name that comes first in the order; "
         "for that one worker walks. Unordered it is once for all of them, by whichever name "
         "was found first. So loops do no harm. What is listed of a followed link is its "
         "target's, under its own name.",
     .section = kEntries,
     .completion = Completion::words,
     .words = "never roots all",
     .conflicts = "dereference"},
    {.id = 'L',
     .names = {"dereference"},
     .help = "the same as --follow=all",
     .brief = "follow all symbolic links",
     .section = kEntries},
    {.id = 'x',
     .names = {"one-file-system"},
     .help = "stay on the file system of each PATH",
     .section = kEntries},
    {.id = kSafeLinks,
     .names = {"safe-links"},
     .help =
         "leave out symbolic links that rsync --safe-links leaves out: absolute ones, and those "
         "that lead out of PATH",
     .brief = "leave out symbolic links that lead out of PATH",
     .manual = "Leave out the symbolic links that `rsync --safe-links` leaves out: those that are "
               "absolute, and those that lead out of PATH, or may, as a _.._ behind a name does.",
     .section = kEntries},
    exclude_option(kEntries),
    exclude_from_option(kEntries),
    ignore_file_option(kEntries),
    respect_ignore_option(kEntries),
    exclude_caches_option(kEntries),
    threads_option(kRunning),
    timeout_option(kRunning),
    stall_timeout_option(kRunning),
    progress_option(kRunning),
    stats_option(kRunning),
    help_option(kRunning),
    version_option(kRunning),
};

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kListCommand) {}
  ListCommand parse(int argc, char** argv);

 private:
  enum class Form : std::uint8_t { paths, long_lines, fields, json, csv, arrow };

  bool set(int option, const char* argument);
  bool set_form(Form form);
  bool set_types(const char* argument);
  bool set_order(const char* argument);
  bool set_follow(const char* argument);
  bool finish();
  void make_format();

  ListCommand command_;
  ListArguments& arguments_ = command_.arguments;
  Form form_ = Form::paths;
  std::string field_format_;
  bool null_ = false;
  std::optional<Fields> stat_;
};

bool Parser::set_form(Form form) {
  if (form_ != Form::paths && form_ != form) {
    return say("only one of --long, --format, --json, --csv and --arrow can be had");
  }
  form_ = form;
  return true;
}

bool Parser::set_types(const char* argument) {
  constexpr std::pair<char, FileType> kTypes[] = {
      {'f', FileType::regular},         {'d', FileType::directory}, {'l', FileType::symlink},
      {'s', FileType::socket},          {'p', FileType::fifo},      {'b', FileType::block_device},
      {'c', FileType::character_device}};
  unsigned types = arguments_.types == UINT_MAX ? 0 : arguments_.types;
  for (std::string_view rest = argument;; rest.remove_prefix(2)) {
    bool known = false;
    for (const auto& [letter, type] : kTypes) {
      if (!rest.empty() && rest[0] == letter) {
        types |= 1U << static_cast<unsigned>(type);
        known = true;
      }
    }
    if (!known || (rest.size() > 1 && rest[1] != ',')) {
      return refuse("--type", argument,
                    "letters from f, d, l, s, p, b and c, with commas between,");
    }
    if (rest.size() == 1) {
      break;
    }
  }
  arguments_.types = types;
  return true;
}

bool Parser::set_order(const char* argument) {
  constexpr std::pair<std::string_view, Order> kOrders[] = {{"unordered", Order::unordered},
                                                            {"component", Order::component},
                                                            {"bytes", Order::bytes},
                                                            {"rsync", Order::rsync},
                                                            {"rsync28", Order::rsync28}};
  for (const auto& [word, order] : kOrders) {
    if (word == argument) {
      arguments_.order = order;
      return true;
    }
  }
  return refuse("--order", argument, "unordered, component, bytes, rsync or rsync28");
}

bool Parser::set_follow(const char* argument) {
  const std::string_view word = argument == nullptr ? "all" : argument;
  if (word != "never" && word != "roots" && word != "all") {
    return refuse("--follow", argument, "never, roots or all");
  }
  arguments_.follow = word == "never"   ? Follow::never
                      : word == "roots" ? Follow::roots
                                        : Follow::all;
  return true;
}

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case '0':
      null_ = true;
      return true;
    case 'L':
      arguments_.follow = Follow::all;
      return true;
    case 'X':
      return set_exclude_from(arguments_.filter, argument);
    case kExclude:
    case kRulesFile:
    case kRespectIgnore:
    case kExcludeCaches:
      set_filter(option, argument, arguments_.filter);
      return true;
    case 'x':
      arguments_.one_file_system = true;
      return true;
    case kArrow:
      if (!can_write_arrow()) {
        return say("--arrow is not in this build, which was made without FlatBuffers");
      }
      arguments_.arrow = argument;
      return set_form(Form::arrow);
    case kCsv:
      return set_form(Form::csv);
    case kFollow:
      return set_follow(argument);
    case kFormat:
      field_format_ = argument;
      return set_form(Form::fields);
    case kJson:
      return set_form(Form::json);
    case kLong:
      return set_form(Form::long_lines);
    case kMaxDepth:
    case kMinDepth: {
      const bool is_max = option == kMaxDepth;
      if (const auto depth = parse_in_range(argument, 0, INT_MAX)) {
        (is_max ? arguments_.max_depth : arguments_.min_depth) = *depth;
        return true;
      }
      return refuse(is_max ? "--max-depth" : "--min-depth", argument, "a number of levels");
    }
    case kOrder:
      return set_order(argument);
    case kRelative:
      arguments_.relative = true;
      return true;
    case kSafeLinks:
      arguments_.safe_links = true;
      return true;
    case kStat: {
      const std::string_view word = argument;
      if (word != "none" && word != "basic" && word != "all") {
        return refuse("--stat", argument, "none, basic or all");
      }
      stat_ = word == "none" ? Fields::none : word == "basic" ? Fields::basic : Fields::all;
      return true;
    }
    case kType:
      return set_types(argument);
    default:
      return set_common(option, argument, arguments_, command_);
  }
}

// What can be judged only when all options are known.
bool Parser::finish() {
  if (null_ && form_ == Form::arrow) {
    return say("--null does not go with --arrow, which has no lines");
  }
  if (null_ && (form_ == Form::json || form_ == Form::csv)) {
    return say(std::string("--null does not go with ") +
               (form_ == Form::json ? "--json" : "--csv") + ", whose lines end with a newline");
  }
  if (arguments_.safe_links && arguments_.follow == Follow::all) {
    return say("--safe-links does not go with --follow=all, which leaves no links to judge");
  }
  try {
    make_format();
  } catch (const UnknownWord& unknown) {
    return say(unknown.message);
  }
  arguments_.fields =
      stat_.value_or(form_ == Form::arrow ? Fields::basic : arguments_.format->fields());
  return true;
}

void Parser::make_format() {
  const char end = null_ ? '\0' : '\n';
  const Fields fields = stat_.value_or(Fields::basic);
  switch (form_) {
    case Form::paths:
      arguments_.format = make_path_format(end);
      arguments_.path_end = end;
      return;
    case Form::long_lines:
      arguments_.format = make_long_format(end, !null_ && ::isatty(STDOUT_FILENO) == 1);
      return;
    case Form::fields:
      arguments_.format = make_field_format(field_format_, end);
      return;
    case Form::json:
      arguments_.format = make_json_format(fields);
      return;
    case Form::csv:
      arguments_.format = make_csv_format(fields);
      return;
    case Form::arrow:
      return;
  }
}

ListCommand Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kOptions>,
            [this](int option, const char* argument) { return set(option, argument); })) {
    command_.status = command_.status.value_or(kUsage);
    return std::move(command_);
  }
  arguments_.paths.assign(argv + optind, argv + argc);
  if (arguments_.paths.empty()) {
    arguments_.paths.emplace_back(".");
  }
  if (!finish()) {
    command_.status = kUsage;
  }
  return std::move(command_);
}

}  // namespace

constexpr Command kListCommand = {
    .program = "trawl list",
    .brief = "every entry below a path",
    .usage = "[OPTION]... [PATH]...",
    .before = R"(
Lists each PATH (the current directory, if there is none) and all that is below it, a line for each
entry, while the walk goes on.
)",
    .after = R"(
Exit status: 0 complete, 1 partial (standard error says why), 2 wrong usage, 130 interrupted.
)",
    .sections = kSections,
    .options = kOptions,
};

ListCommand parse_list_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
