// SPDX-License-Identifier: Apache-2.0
//
// Reading is in two steps: what the options say, and, when all are known, what that means.
#include "cli/find_options.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/find_option_table.h"
#include "cli/find_patterns.h"
#include "cli/find_tests.h"
#include "cli/number.h"
#include "cli/quote.h"
#include "cli/terminal.h"

namespace trawl::cli {

extern constexpr Command kFindCommand = {
    .program = "trawl find",
    .brief = "what matches a pattern",
    .usage = "[OPTION]... [PATTERN [PATH]...]",
    .before = R"(
Finds what is below each PATH (the current directory, if there is none) and whose name matches
PATTERN, a regular expression; without one, everything. What is hidden, and what ignore files such
as .gitignore leave out, is not searched. Upper and lower case are the same unless PATTERN has upper
case.
)",
    .after = R"(
In COMMAND and TEMPLATE {} is the path, {/} its last name, {//} the directory it is in, {.} the path
and {/.} the name without extension, {{ and }} are braces. Without any COMMAND gets the path at its end.

Exit status: 0 complete, 1 partial, a command failed, or (--quiet) nothing was found, 2 wrong usage,
130 interrupted.
)",
    .sections = kFindSections,
    .options = kFindOptions,
    .first_operand = "PATTERN",
    .operand = "PATH",
    .operands = Completion::directories,
};

namespace {

constexpr int kFailure = 1;  // where fd has it
constexpr int kUsage = 2;

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kFindCommand) {}
  FindCommandLine parse(int argc, char** argv);

 private:
  bool set(int id, const char* argument, int argc, char** argv);
  bool set_search(int id, const char* argument);
  bool set_shown(int id, const char* argument);
  bool set_depth(std::optional<int>& out, std::string_view option, const char* argument) const;
  bool add_exclude(const char* argument);
  bool set_count(std::uint64_t& out, std::string_view option, const char* argument) const;
  bool set_rank(RankBy& out, std::string_view option, const char* argument) const;
  bool set_some_when(When& out, std::string_view option, const char* argument) const;
  bool add_command(std::vector<std::vector<std::string>>& out, const char* first, int argc,
                   char** argv) const;

  bool finish(int argc, char** argv);
  bool check() const;
  bool finish_roots(int argc, char** argv);
  void finish_filter();
  bool finish_plan();
  bool finish_commands();
  void finish_lines();
  // False, with another status.
  bool fail(const std::string& message);

  FindCommandLine command_;
  FindArguments& arguments_ = command_.arguments;
  bool hidden_ = false, unrestricted_ = false, ignore_ = true, ignore_vcs_ = true,
       ignore_parent_ = true, ignore_global_ = true, require_git_ = true;
  std::vector<std::string> ignore_files_, search_paths_;
  std::optional<std::string> base_directory_;
  std::optional<int> max_depth_, min_depth_, exact_depth_;
  PatternMode mode_;
  std::vector<std::string> patterns_;  // --and, then PATTERN
  FindTests tests_;
  bool absolute_ = false, null_ = false, details_ = false, json_ = false;
  std::optional<std::string> template_;
  RankBy sort_ = RankBy::nothing, by_ = RankBy::nothing;
  std::optional<std::uint64_t> top_;
  When color_ = When::automatic, hyperlink_ = When::never, strip_ = When::automatic;
  bool strip_set_ = false;
  std::string separator_ = "/";
  std::vector<std::vector<std::string>> exec_, exec_batch_;
  std::optional<std::uint64_t> batch_size_;
};

bool Parser::fail(const std::string& message) {
  command_.status = kFailure;
  return say(message);
}

bool Parser::set_depth(std::optional<int>& out, std::string_view option,
                       const char* argument) const {
  out = parse_in_range(argument, 0, INT_MAX);
  return out || refuse(option, argument, "a number of levels");
}

bool Parser::add_exclude(const char* argument) {
  try {
    for (std::string& rule : exclude_rules(argument)) {
      arguments_.filter.exclude.push_back(std::move(rule));
    }
  } catch (const PatternError& error) {
    return fail(with_caret(error, {.glob = true}));
  }
  return true;
}

bool Parser::set_count(std::uint64_t& out, std::string_view option, const char* argument) const {
  if (const auto count = parse_in_range<std::uint64_t>(argument, 0, UINT64_MAX)) {
    out = *count;
    return true;
  }
  return refuse(option, argument, "a number");
}

bool Parser::set_rank(RankBy& out, std::string_view option, const char* argument) const {
  constexpr std::pair<std::string_view, RankBy> kSorts[] = {{"name", RankBy::name},
                                                            {"path", RankBy::path},
                                                            {"size", RankBy::size},
                                                            {"mtime", RankBy::mtime}};
  constexpr std::pair<std::string_view, RankBy> kBys[] = {
      {"size", RankBy::size}, {"mtime", RankBy::mtime}, {"ctime", RankBy::ctime}};
  const bool sorts = option == "--sort";
  for (const auto& [word, by] :
       sorts ? std::span<const std::pair<std::string_view, RankBy>>(kSorts) : kBys) {
    if (word == argument) {
      out = by;
      return true;
    }
  }
  return refuse(option, argument, sorts ? "name, path, size or mtime" : "size, mtime or ctime");
}

// Of an option that means `auto` if it has no argument.
bool Parser::set_some_when(When& out, std::string_view option, const char* argument) const {
  return argument == nullptr ? (out = When::automatic, true) : set_when(out, option, argument);
}

// getopt_long has taken the first word. Those that follow are not for it; unless the first is the
// option's own, as in -xtrue: then it is all.
bool Parser::add_command(std::vector<std::vector<std::string>>& out, const char* first, int argc,
                         char** argv) const {
  const bool is_all = first != argv[optind - 1];
  std::vector<std::string> words;
  for (const char* word = first; word != nullptr && std::strcmp(word, ";") != 0;
       word = !is_all && optind < argc ? argv[optind++] : nullptr) {
    words.emplace_back(word);
  }
  if (words.empty()) {
    return say("a command is wanted after --exec and --exec-batch");
  }
  out.push_back(std::move(words));
  return true;
}

bool Parser::set(int id, const char* argument, int argc, char** argv) {
  switch (id) {
    case 'x':
      return add_command(exec_, argument, argc, argv);
    case 'X':
      return add_command(exec_batch_, argument, argc, argv);
    case kBatchSize:
      return set_count(batch_size_.emplace(), "--batch-size", argument);
    case 'j':
      return set_common(kThreads, argument, arguments_.run, command_);
    case 'V':
      return set_common(kVersion, argument, arguments_.run, command_);
    case kExplain:
      arguments_.explain = true;
      return true;
    case 's':
      mode_.letters = Case::sensitive;
      return true;
    case 'i':
      mode_.letters = Case::ignored;
      return true;
    case 'g':
      mode_.glob = true;
      return true;
    case kRegex:
      mode_.glob = false;
      return true;
    case 'F':
      mode_.fixed = true;
      return true;
    case kExact:
      mode_.exact = true;
      return true;
    case 'p':
      mode_.full_path = true;
      return true;
    case kAnd:
      patterns_.emplace_back(argument);
      return true;
    case 't':
      return tests_.add_type(argument) || say(tests_.complaint());
    case 'e':
      tests_.add_extension(argument);
      return true;
    case 'S':
      return tests_.add_size(argument) || say(tests_.complaint());
    case kChangedWithin:
      tests_.changed_within = argument;
      return true;
    case kChangedBefore:
      tests_.changed_before = argument;
      return true;
    case kNewerThan:
      tests_.newer_than = argument;
      return true;
    case 'o':
      return tests_.set_owner(argument) || say(tests_.complaint());
    case kPerm:
      return tests_.set_permissions(argument) || say(tests_.complaint());
    case kLinks:
      return tests_.set_links(argument) || say(tests_.complaint());
    default:
      return set_search(id, argument);
  }
}

bool Parser::set_search(int id, const char* argument) {
  switch (id) {
    case 'H':
      hidden_ = true;
      return true;
    case kNoHidden:
      hidden_ = unrestricted_ = false;
      return true;
    case 'I':
      ignore_ = false;
      return true;
    case kIgnore:
      ignore_ = true;
      unrestricted_ = false;
      return true;
    case 'u':
      unrestricted_ = true;
      return true;
    case kNoIgnoreVcs:
      ignore_vcs_ = false;
      return true;
    case kIgnoreVcs:
      ignore_vcs_ = true;
      return true;
    case kNoIgnoreParent:
      ignore_parent_ = false;
      return true;
    case kIgnoreParent:
      ignore_parent_ = true;
      return true;
    case kNoGlobalIgnoreFile:
      ignore_global_ = false;
      return true;
    case kNoRequireGit:
      require_git_ = false;
      return true;
    case kRequireGit:
      require_git_ = true;
      return true;
    case kIgnoreFile:
      ignore_files_.emplace_back(argument);
      return true;
    case kIgnoreContain:
      arguments_.ignore_contain.emplace_back(argument);
      return true;
    case 'E':
      return add_exclude(argument);
    case 'L':
      arguments_.follow = Follow::all;
      return true;
    case kNoFollow:
      arguments_.follow = Follow::roots;
      return true;
    case 'd':
      return set_depth(max_depth_, "--max-depth", argument);
    case kMinDepth:
      return set_depth(min_depth_, "--min-depth", argument);
    case kExactDepth:
      return set_depth(exact_depth_, "--exact-depth", argument);
    case kPrune:
      arguments_.prune = true;
      return true;
    case kOneFileSystem:
      arguments_.one_file_system = true;
      return true;
    case 'C':
      base_directory_ = argument;
      return true;
    case kSearchPath:
      search_paths_.emplace_back(argument);
      return true;
    default:
      return set_shown(id, argument);
  }
}

bool Parser::set_shown(int id, const char* argument) {
  switch (id) {
    case 'a':
      absolute_ = true;
      return true;
    case kRelativePath:
      absolute_ = false;
      return true;
    case 'l':
      details_ = true;
      return true;
    case kFormat:
      template_ = argument;
      return true;
    case kJson:
      json_ = true;
      return true;
    case '0':
      null_ = true;
      return true;
    case kSort:
      return set_rank(sort_, "--sort", argument);
    case kTop:
      return set_count(top_.emplace(), "--top", argument);
    case kBy:
      return set_rank(by_, "--by", argument);
    case kMaxResults:
      if (!set_count(arguments_.max_results, "--max-results", argument)) {
        return false;
      }
      arguments_.max_results -= arguments_.max_results == 0 ? 1 : 0;  // no limit
      return true;
    case '1':
      arguments_.max_results = 1;
      return true;
    case 'q':
      arguments_.quiet = true;
      return true;
    case 'c':
      return set_when(color_, "--color", argument);
    case kHyperlink:
      return set_some_when(hyperlink_, "--hyperlink", argument);
    case kPathSeparator:
      separator_ = argument;
      return true;
    case kStripCwdPrefix:
      strip_set_ = true;
      return set_when(strip_, "--strip-cwd-prefix", argument);
    case kShowErrors:
      return true;  // always
    default:
      return set_common(id, argument, arguments_.run, command_);
  }
}

// What does not go together.
bool Parser::check() const {
  const auto both = [this](const char* one, const char* other) {
    return say(std::string(one) + " does not go with " + other);
  };
  const bool executes = !exec_.empty() || !exec_batch_.empty();
  if (mode_.glob + mode_.fixed + mode_.exact > 1) {
    return say("only one of --glob, --fixed-strings and --exact can be had");
  }
  if (exact_depth_ && (max_depth_ || min_depth_)) {
    return both("--exact-depth", max_depth_ ? "--max-depth" : "--min-depth");
  }
  if (max_depth_ && min_depth_ && *min_depth_ > *max_depth_) {
    return say("--min-depth is more than --max-depth: nothing is as deep");
  }
  if (!exec_.empty() && !exec_batch_.empty()) {
    return both("--exec", "--exec-batch");
  }
  if (details_ + json_ + template_.has_value() + executes > 1) {
    return say("only one of --list-details, --format, --json and commands can be had");
  }
  if (null_ && json_) {
    return both("--print0", "--json, whose lines end with a newline");
  }
  if (arguments_.quiet && (executes || details_)) {
    return both("--quiet", executes ? "commands" : "--list-details");
  }
  if (batch_size_ && exec_batch_.empty()) {
    return say("--batch-size goes with --exec-batch only");
  }
  if (top_ && sort_ != RankBy::nothing) {
    return both("--top", "--sort");
  }
  return by_ == RankBy::nothing || top_ || say("--by goes with --top only");
}

bool Parser::finish_roots(int argc, char** argv) {
  if (base_directory_ && ::chdir(base_directory_->c_str()) != 0) {
    const int error = errno;
    return fail("cannot change to " + quote_always(*base_directory_) + ": " + std::strerror(error));
  }
  std::vector<std::string>& roots = arguments_.roots;
  if (optind < argc) {
    if (const std::string_view pattern = argv[optind++]; !pattern.empty()) {
      patterns_.emplace_back(pattern);
    }
  }
  roots.assign(argv + optind, argv + argc);
  const bool is_here = roots.empty() && search_paths_.empty();
  if (!roots.empty() && !search_paths_.empty()) {
    return say("--search-path does not go with PATH behind the pattern");
  }
  if (!is_here && strip_set_) {
    return say("--strip-cwd-prefix does not go with a PATH");
  }
  if (roots.empty()) {
    roots = search_paths_;
  }
  if (is_here) {
    roots.emplace_back(".");
  }
  std::erase_if(roots, [this](const std::string& path) {
    struct stat status {};
    int error = ::stat(path.c_str(), &status) != 0 ? errno : 0;
    if (error == ENAMETOOLONG || (error == 0 && S_ISDIR(status.st_mode))) {
      return false;  // the walk knows how to enter a long one
    }
    error = error == 0 ? ENOTDIR : error;
    say("search path " + quote_always(path) + ": " + std::strerror(error));
    return arguments_.lacks_roots = true;
  });
  if (roots.empty()) {
    command_.status = kFailure;
    return false;
  }
  if (absolute_) {
    for (std::string& root : roots) {
      std::error_code error;
      const std::filesystem::path path = std::filesystem::canonical(root, error);
      if (error) {
        return fail("cannot make " + quote_always(root) + " absolute: " + error.message());
      }
      root = path.string();
    }
  }
  const bool executes = !exec_.empty() || !exec_batch_.empty();
  const bool strips = strip_ == When::automatic ? !null_ && !executes : strip_ == When::always;
  arguments_.paths = {.strip = is_here && strips, .guard = null_ || executes};
  return true;
}

void Parser::finish_filter() {
  FilterOptions& filter = arguments_.filter;
  filter.hidden = !hidden_ && !unrestricted_;
  const bool ignores = ignore_ && !unrestricted_;
  filter.git = ignores && ignore_vcs_;
  filter.require_git = require_git_;
  filter.parents = ignore_parent_;
  if (ignores) {
    filter.names = {".ignore", ".fdignore"};
  }
  if (ignores && ignore_global_) {
    filter.files = global_ignore_files();
  }
  filter.files.insert(filter.files.end(), ignore_files_.begin(), ignore_files_.end());
}

bool Parser::finish_plan() {
  arguments_.min_depth = exact_depth_.value_or(min_depth_.value_or(0));
  arguments_.max_depth = exact_depth_.value_or(max_depth_.value_or(INT_MAX));
  if (!patterns_.empty() && !mode_.full_path) {
    const std::string& pattern = patterns_.back();
    if (pattern.find('/') != std::string::npos &&
        (mode_.is_text() || mode_.glob || is_directory(pattern))) {
      return fail("pattern " + quote_always(pattern) +
                  " has a slash, and no name has: use --full-path to match whole paths" +
                  (is_directory(pattern)
                       ? ", or `trawl find . " + quote_if_needed(pattern) + "` to search there"
                       : ""));
    }
  }
  try {
    std::vector<Predicate> all;
    if (auto patterns = compile(patterns_, mode_)) {
      all.push_back(*patterns);
    }
    if (arguments_.filter.hidden && !mode_.full_path &&
        std::any_of(patterns_.begin(), patterns_.end(), [this](const std::string& pattern) {
          return only_finds_hidden(pattern, mode_);
        })) {
      return fail("the pattern finds hidden files only, and these are left out: use --hidden");
    }
    if (!tests_.add_to(all)) {
      return fail(tests_.complaint());
    }
    if (!all.empty()) {
      Predicate whole = all.front();
      for (std::size_t i = 1; i < all.size(); ++i) {
        whole = whole && all[i];
      }
      arguments_.plan.emplace(whole);
    }
  } catch (const PatternError& error) {
    return fail(with_caret(error, mode_));
  }
  return true;
}

bool Parser::finish_commands() {
  ExecSettings& exec = arguments_.exec;
  exec.batches = !exec_batch_.empty();
  exec.most = batch_size_.value_or(0);
  exec.jobs = arguments_.run.threads != 0
                  ? arguments_.run.threads
                  : std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
  for (const std::vector<std::string>& words : exec.batches ? exec_batch_ : exec_) {
    const CommandTemplate& command = exec.commands.emplace_back(words, separator_);
    if (exec.batches && !command.has_fixed_program()) {
      return say("the first word of --exec-batch is the program, and can't be a placeholder");
    }
    if (exec.batches && command.placeholder_words() > 1) {
      return say("only one word of --exec-batch can have placeholders");
    }
  }
  return true;
}

void Parser::finish_lines() {
  LineStyle& lines = arguments_.lines;
  lines.end = null_ ? '\0' : '\n';
  lines.separator = separator_;
  const bool color = look_at_terminal(color_).color;
  if (color) {
    lines.colors = LsColors::from_environment();
  }
  if (hyperlink_ == When::always || (hyperlink_ == When::automatic && color)) {
    lines.url = file_url();
    lines.base = std::filesystem::current_path().string() + '/';
  }
  if (template_) {
    lines.text.emplace(*template_);
  } else if (details_) {
    lines.format = make_long_format(lines.end, !null_ && !color && ::isatty(STDOUT_FILENO) == 1);
  } else if (json_) {
    lines.format = make_json_format(Fields::basic);
  }
  Ranking& ranking = arguments_.ranking;
  ranking.by = top_ ? (by_ == RankBy::nothing ? RankBy::size : by_) : sort_;
  if (ranking.by == RankBy::nothing && details_) {
    ranking.by = RankBy::path;
  }
  if (arguments_.quiet) {
    ranking.by = RankBy::nothing;
    arguments_.max_results = 1;
  }
  if (ranking.by != RankBy::nothing) {
    ranking.most =
        std::min(std::exchange(arguments_.max_results, UINT64_MAX), top_.value_or(UINT64_MAX));
  }
}

bool Parser::finish(int argc, char** argv) {
  if (!check() || !finish_roots(argc, argv)) {
    return false;
  }
  finish_filter();
  if (!finish_plan() || !finish_commands()) {
    return false;
  }
  finish_lines();
  return true;
}

FindCommandLine Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kFindOptions>,
            [&](int id, const char* argument) { return set(id, argument, argc, argv); }) ||
      !finish(argc, argv)) {
    command_.status = command_.status.value_or(kUsage);
  }
  return std::move(command_);
}

}  // namespace

FindCommandLine parse_find_options(int argc, char** argv) { return Parser().parse(argc, argv); }

}  // namespace trawl::cli
