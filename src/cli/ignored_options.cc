// SPDX-License-Identifier: Apache-2.0
#include "cli/ignored_options.h"

#include <utility>

#include "cli/common_options.h"

namespace trawl::cli {

namespace {

enum IgnoredId : int { kIgnoreFile = kFirstId, kIgnoreName, kNoIndex, kStdin };

enum SectionId : std::uint8_t { kAsked, kPrinted, kOther };
constexpr Section kSections[] = {
    {.title = "What is asked"}, {.title = "What is printed"}, {.title = "Other"}};

constexpr Option kOptions[] = {
    {.id = kStdin,
     .names = {"stdin"},
     .help = "take the paths from standard input, one a line",
     .manual = "Take the paths from standard input, one a line; lines that begin with a double "
               "quote are quoted as git quotes. Each answer is written before the next path is "
               "waited for.",
     .section = kAsked},
    {.id = 'z',
     .help = "with --stdin: paths end with NUL, and so does each field of the output",
     .section = kAsked},
    {.id = kNoIndex,
     .names = {"no-index"},
     .help = "also of tracked paths, which rules do not concern otherwise",
     .manual = "Do not look at the repository's index. Without this, what is tracked, or has "
               "something tracked in it, is not ignored.",
     .section = kAsked},
    {.id = kIgnoreFile,
     .names = {"ignore-file"},
     .argument = Argument::required,
     .word = "FILE",
     .help = "heed the rules in FILE, too; all others come before them",
     .section = kAsked,
     .completion = Completion::files,
     .repeatable = true},
    {.id = kIgnoreName,
     .names = {"ignore-name"},
     .argument = Argument::required,
     .word = "NAME",
     .help = "heed files of this name in each directory, too, as .ignore; they come first",
     .section = kAsked,
     .repeatable = true},
    {.id = 'q',
     .names = {"quiet"},
     .help = "print nothing; of one PATH, the status tells",
     .section = kPrinted,
     .conflicts = "verbose v"},
    {.id = 'v',
     .names = {"verbose"},
     .help = "also which rule decided: FILE:LINE:RULE, a tab, PATH",
     .manual = "Also print which rule decided: the file that it is in, its line, the rule and, "
               "behind a tab, the path; rules with `!` as well, which do not ignore.",
     .section = kPrinted},
    {.id = 'n',
     .names = {"non-matching"},
     .help = "with -v: also paths that no rule matches",
     .section = kPrinted},
    help_option(kOther),
    version_option(kOther),
};

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kIgnoredCommand) {}
  IgnoredCommand parse(int argc, char** argv);

 private:
  bool set(int option, const char* argument);
  bool finish();

  IgnoredCommand command_;
  IgnoredOptions& options_ = command_.options;
};

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case 'n':
      options_.non_matching = true;
      return true;
    case 'q':
      options_.quiet = true;
      return true;
    case 'v':
      options_.verbose = true;
      return true;
    case 'z':
      options_.null_terminated = true;
      return true;
    case kIgnoreFile:
      options_.ignore_files.emplace_back(argument);
      return true;
    case kIgnoreName:
      options_.ignore_names.emplace_back(argument);
      if (options_.ignore_names.back().empty() ||
          options_.ignore_names.back().find('/') != std::string::npos) {
        return refuse("--ignore-name", argument, "a file's name, without a slash,");
      }
      return true;
    case kNoIndex:
      options_.no_index = true;
      return true;
    case kStdin:
      options_.from_input = true;
      return true;
    default: {
      RunArguments none;
      return set_common(option, argument, none, command_);
    }
  }
}

bool Parser::finish() {
  if (options_.from_input && !options_.paths.empty()) {
    return say("paths and --stdin cannot be combined");
  }
  if (!options_.from_input && options_.null_terminated) {
    return say("-z is about the paths of --stdin");
  }
  if (!options_.from_input && options_.paths.empty()) {
    return say("no path");
  }
  if (options_.quiet && options_.paths.size() > 1) {
    return say("--quiet is for a single path");
  }
  if (options_.quiet && options_.verbose) {
    return say("--quiet and --verbose cannot be combined");
  }
  if (options_.non_matching && !options_.verbose) {
    return say("--non-matching needs --verbose");
  }
  return true;
}

IgnoredCommand Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kOptions>,
            [this](int option, const char* argument) { return set(option, argument); })) {
    command_.status = command_.status.value_or(kIgnoredFatal);
    return std::move(command_);
  }
  options_.paths.assign(argv + optind, argv + argc);
  if (!finish()) {
    command_.status = kIgnoredFatal;
  }
  return std::move(command_);
}

}  // namespace

constexpr Command kIgnoredCommand = {
    .program = "trawl ignored",
    .brief = "which paths git's rules ignore, and which rule",
    .usage = "[OPTION]... PATH...\n[OPTION]... --stdin",
    .before = R"(
Prints those PATHs that the ignore rules of their git repository leave out, and with -v which rule
of which file says so. Paths need not exist. Options, output and exit status are those of git
check-ignore.
)",
    .after = R"(
Exit status: 0 a rule matches a path, 1 none does, 128 something is wrong.
)",
    .sections = kSections,
    .options = kOptions,
};

IgnoredCommand parse_ignored_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
