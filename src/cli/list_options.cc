// SPDX-License-Identifier: Apache-2.0
#include "cli/list_options.h"

#include <getopt.h>
#include <trawl/version.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "cli/number.h"
#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;

enum LongOption : int {
  kCsv = 256,
  kFollow,
  kFormat,
  kJson,
  kLong,
  kMaxDepth,
  kMinDepth,
  kOrder,
  kProgress,
  kRelative,
  kSafeLinks,
  kStallTimeout,
  kStat,
  kStats,
  kThreads,
  kTimeout,
  kType,
  kVersion,
};

const option kLongOptions[] = {
    {"csv", no_argument, nullptr, kCsv},
    {"dereference", no_argument, nullptr, 'L'},
    {"follow", optional_argument, nullptr, kFollow},
    {"format", required_argument, nullptr, kFormat},
    {"help", no_argument, nullptr, 'h'},
    {"json", no_argument, nullptr, kJson},
    {"long", no_argument, nullptr, kLong},
    {"max-depth", required_argument, nullptr, kMaxDepth},
    {"min-depth", required_argument, nullptr, kMinDepth},
    {"null", no_argument, nullptr, '0'},
    {"one-file-system", no_argument, nullptr, 'x'},
    {"order", required_argument, nullptr, kOrder},
    {"progress", optional_argument, nullptr, kProgress},
    {"relative", no_argument, nullptr, kRelative},
    {"safe-links", no_argument, nullptr, kSafeLinks},
    {"stall-timeout", required_argument, nullptr, kStallTimeout},
    {"stat", required_argument, nullptr, kStat},
    {"stats", optional_argument, nullptr, kStats},
    {"threads", required_argument, nullptr, kThreads},
    {"timeout", required_argument, nullptr, kTimeout},
    {"type", required_argument, nullptr, kType},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

constexpr char kHelp[] =
    R"(Usage: trawl list [OPTION]... [PATH]...

Lists each PATH (the current directory, if there is none) and all that is below it, a line for each
entry, while the walk goes on.

  -0, --null             end each line with NUL instead of newline
      --long             lines like those of ls -l
      --format=FORMAT    lines made of FORMAT, in which {NAME} is a field: {path}, {size}, {mtime};
                         a NAME that does not exist tells those that do
      --json             an object a line
      --csv              comma-separated values, names of the columns first
      --stat=WHAT        metadata to ask for: none, basic or all (default: what is printed; for
                         --json and --csv, basic)
      --relative         paths without PATH: it is itself a dot, what is in it a name
      --order=ORDER      unordered (as found, fastest), component (depth first, names ascending),
                         bytes (whole paths ascending), rsync or rsync28 (as rsync lists them, with
                         protocol 29 and later, and before)
      --type=TYPES       only these, separated by commas: f file, d directory, l symbolic link,
                         s socket, p fifo, b block device, c character device
      --min-depth=N      nothing less than N levels below PATH
      --max-depth=N      nothing more than N levels below PATH
      --follow[=WHICH]   follow symbolic links: never (the default), roots (those that are a PATH)
                         or all (so also without WHICH); each directory is entered once
  -L, --dereference      the same as --follow=all
  -x, --one-file-system  stay on the file system of each PATH
      --safe-links       leave out symbolic links that rsync --safe-links leaves out: absolute ones,
                         and those that lead out of PATH
      --threads=N        number of workers (default: as many as help)
      --timeout=DURATION stop after e.g. 30, 500ms, 5m, 1h
      --stall-timeout=DURATION
                         give up on what a dead server holds up for so long,
                         with an error, and go on with the rest
      --progress[=WHEN]  a line on standard error while it runs: auto, always or never
      --stats[=FORMAT]   what the engine did, on standard error: text or json
  -h, --help             show this
      --version          show the version

Exit status: 0 complete, 1 partial (standard error says why), 2 wrong usage, 130 interrupted.
)";

class Parser : private OptionReader {
 public:
  Parser() : OptionReader("trawl list") {}
  ListCommand parse(int argc, char** argv);

 private:
  enum class Form : std::uint8_t { paths, long_lines, fields, json, csv };

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
    return say("only one of --long, --format, --json and --csv can be had");
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
    case 'x':
      arguments_.one_file_system = true;
      return true;
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
    case kProgress:
      return set_when(arguments_.progress, "--progress", argument);
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
    case kStats:
      return set_stats(arguments_.stats, argument);
    case kThreads:
      return set_threads(arguments_.threads, argument);
    case kTimeout:
      return set_duration(arguments_.timeout, "--timeout", argument);
    case kStallTimeout:
      return set_duration(arguments_.stall_timeout, "--stall-timeout", argument);
    case kType:
      return set_types(argument);
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

// What can be judged only when all options are known.
bool Parser::finish() {
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
  arguments_.fields = stat_.value_or(arguments_.format->fields());
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
  }
}

ListCommand Parser::parse(int argc, char** argv) {
  optind = 0;
  for (;;) {
    const int option = getopt_long(argc, argv, "0hLx", kLongOptions, nullptr);
    if (option == -1) {
      break;
    }
    if (!set(option, optarg)) {
      command_.status = command_.status.value_or(kUsage);
      return std::move(command_);
    }
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

ListCommand parse_list_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
