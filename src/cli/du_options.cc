// SPDX-License-Identifier: Apache-2.0
#include "cli/du_options.h"

#include <getopt.h>
#include <trawl/version.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "cli/du_option_table.h"
#include "cli/filter_options.h"
#include "cli/number.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kFailure = 1;

class Parser : private OptionReader {
 public:
  Parser(int argc, char** argv)
      : OptionReader(kDuCommand, argv[0]), name_(argv[0]), argv_(argv, argv + argc) {}

  DuCommand parse();

 private:
  // Each returns false once the command is to end.
  bool take_our_options();
  bool set_our_option(const Option& option, const char* argument);
  bool set(int option, int long_index, const char* argument);
  bool set_size(int option, int long_index, const char* argument);
  bool set_time_format();
  bool check();

  bool fail(const std::string& message);            // one line, status 1
  bool fail_with_hint(const std::string& message);  // and where help is to be had
  bool fail_number(NumberError error, int option, int long_index, const char* argument);
  bool fail_word(std::string_view context, const char* argument, bool ambiguous,
                 std::span<const std::string_view> valid);
  // Written at once, to stay in order with getopt_long's own messages.
  void say(const std::string& text) { std::fputs(text.c_str(), stderr); }
  void warn(const std::string& message) { say(name_ + ": " + message + '\n'); }
  void hint() { say("Try '" + name_ + " --help' for more information.\n"); }

  std::string name_;
  std::vector<char*> argv_;
  DuCommand command_;
  DuOptions& options_ = command_.options;
  bool ok_ = true;
  bool summarize_ = false;
  bool has_max_depth_ = false;
  const char* time_style_ = nullptr;
};

// How many of GNU's long options a word stands for: 1 also if it is one of them exactly, whatever
// else it begins. `found` is one of them.
std::size_t gnu_matches(std::string_view word, const option*& found) {
  std::size_t count = 0;
  for (const option* entry = kGnu.names; entry->name != nullptr; ++entry) {
    if (word == entry->name) {
      found = entry;
      return 1;
    }
    if (std::string_view(entry->name).starts_with(word)) {
      found = entry;
      ++count;
    }
  }
  return count;
}

bool Parser::fail(const std::string& message) {
  warn(message);
  command_.status = kFailure;
  return false;
}

bool Parser::fail_with_hint(const std::string& message) {
  fail(message);
  hint();
  return false;
}

// Takes our options out of the arguments, so that getopt_long sees what GNU du knows.
bool Parser::take_our_options() {
  const bool in_order = std::getenv("POSIXLY_CORRECT") != nullptr;
  std::vector<char*> rest{argv_[0]};
  std::size_t at = 1;
  for (; at < argv_.size(); ++at) {
    const std::string_view word = argv_[at];
    rest.push_back(argv_[at]);
    if (word == "--" || (in_order && (word.size() < 2 || word[0] != '-'))) {
      ++at;
      break;
    }
    if (word.size() < 2 || word[0] != '-') {
      continue;
    }
    bool takes_next = false;  // its argument is the next word, whatever that looks like
    if (word[1] != '-') {
      for (std::size_t i = 1; i < word.size(); ++i) {
        const char* known = word[i] == ':' ? nullptr : std::strchr(kGnu.letters, word[i]);
        if (known != nullptr && known[1] == ':') {
          takes_next = i + 1 == word.size();
          break;
        }
      }
    } else {
      const std::size_t equals = word.find('=');
      const std::string_view name = word.substr(2, equals == word.npos ? equals : equals - 2);
      const option* gnu = nullptr;
      if (gnu_matches(name, gnu) > 0) {
        takes_next = gnu->has_arg == required_argument && equals == word.npos;
      } else {
        const Option* ours = nullptr;
        std::size_t count = 0;
        for (const Option& each : kOurOptions) {
          if (std::string_view(each.names[0]).starts_with(name)) {
            ours = &each;
            ++count;
          }
        }
        if (count == 1) {
          rest.pop_back();
          const char* argument = equals == word.npos ? nullptr : argv_[at] + equals + 1;
          if (argument != nullptr && ours->argument == Argument::none) {
            return fail_with_hint("option '--" + std::string(ours->names[0]) +
                                  "' doesn't allow an argument");
          }
          if (argument == nullptr && ours->argument == Argument::required) {
            if (++at == argv_.size()) {
              return fail_with_hint("option '--" + std::string(ours->names[0]) +
                                    "' requires an argument");
            }
            argument = argv_[at];
          }
          if (!set_our_option(*ours, argument)) {
            return false;
          }
        }
      }
    }
    if (takes_next && at + 1 < argv_.size()) {
      rest.push_back(argv_[++at]);
    }
  }
  rest.insert(rest.end(), argv_.begin() + static_cast<std::ptrdiff_t>(std::min(at, argv_.size())),
              argv_.end());
  argv_ = std::move(rest);
  return true;
}

bool Parser::set_our_option(const Option& option, const char* argument) {
  switch (option.id) {
    case kJson:
      options_.json = true;
      return true;
    case kRulesFile:
    case kRespectIgnore:
    case kExcludeCaches:
      set_filter(option.id, argument, options_.filter);
      return true;
    default:
      if (set_common(option.id, argument, options_, command_)) {
        return true;
      }
      command_.status = kFailure;
      return false;
  }
}

bool Parser::fail_number(NumberError error, int option, int long_index, const char* argument) {
  const std::string name = long_index >= 0 ? std::string("--") + kGnu.names[long_index].name
                                           : std::string("-") + static_cast<char>(option);
  // GNU has plain quotes here, whatever the locale and the argument.
  const std::string quoted = std::string("'") + argument + "'";
  switch (error) {
    case NumberError::none:
      break;
    case NumberError::invalid:
      return fail("invalid " + name + " argument " + quoted);
    case NumberError::invalid_suffix:
      return fail("invalid suffix in " + name + " argument " + quoted);
    case NumberError::overflow:
      return fail(name + " argument " + quoted + " too large");
  }
  return true;
}

bool Parser::fail_word(std::string_view context, const char* argument, bool ambiguous,
                       std::span<const std::string_view> valid) {
  fail(std::string(ambiguous ? "ambiguous" : "invalid") + " argument " + quote_word(argument) +
       " for " + quote_word(context));
  std::string list = "Valid arguments are:\n";
  for (const std::string_view line : valid) {  // synonyms on one line, separated by blanks
    list += "  - ";
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      list += at > 0 ? ", " : "";
      list += quote_word(line.substr(at, end - at));
      at = end + 1;
    }
    list += '\n';
  }
  say(list);
  hint();
  return false;
}

bool Parser::set_size(int option, int long_index, const char* argument) {
  return fail_number(parse_block_size(argument, options_.size_format), option, long_index,
                     argument);
}

bool Parser::set(int option, int long_index, const char* argument) {
  switch (option) {
    case '0':
      options_.null_terminated = true;
      return true;
    case 'a':
      options_.all = true;
      return true;
    case kApparentSize:
      options_.apparent_size = true;
      return true;
    case 'b':
      options_.apparent_size = true;
      options_.size_format = SizeFormat::blocks_of(1);
      return true;
    case 'c':
      options_.grand_total = true;
      return true;
    case 'h':
      options_.size_format = SizeFormat::human();
      return true;
    case kSi:
      options_.size_format = SizeFormat::si();
      return true;
    case 'k':
      options_.size_format = SizeFormat::blocks_of(1024);
      return true;
    case 'm':
      options_.size_format = SizeFormat::blocks_of(1024 * 1024);
      return true;
    case 'B':
      return set_size(option, long_index, argument);
    case 'd': {
      std::uint64_t depth = 0;
      if (parse_unsigned(argument, "", depth) == NumberError::none) {
        options_.max_depth = depth;
        has_max_depth_ = true;
      } else {
        warn("invalid maximum depth " + quote_word(argument));
        ok_ = false;
      }
      return true;
    }
    case 'l':
      options_.count_links = true;
      return true;
    case 's':
      summarize_ = true;
      return true;
    case 't': {
      const NumberError error = parse_signed(argument, "kKmMGTPEZY0", options_.threshold);
      if (error != NumberError::none) {
        return fail_number(error, option, long_index, argument);
      }
      return options_.threshold != 0 || argument[0] != '-' ||
             fail("invalid --threshold argument '-0'");
    }
    case 'x':
      options_.one_file_system = true;
      return true;
    case 'H':
    case 'D':
      options_.follow = Follow::roots;
      return true;
    case 'L':
      options_.follow = Follow::all;
      return true;
    case 'P':
      options_.follow = Follow::never;
      return true;
    case 'S':
      options_.separate_directories = true;
      return true;
    case 'X':
      if (const int error = options_.filter.excludes.add_file(argument)) {
        warn(quote_if_needed(argument) + ": " + std::strerror(error));
        ok_ = false;
      }
      return true;
    case kExclude:
      set_filter(option, argument, options_.filter);
      return true;
    case kFiles0From:
      options_.files0_from = argument;
      return true;
    case kInodes:
      options_.inodes = true;
      return true;
    case kTime: {
      options_.time = UsageTime::mtime;
      if (argument == nullptr) {
        return true;
      }
      constexpr std::array<std::pair<std::string_view, UsageTime>, 5> kWords = {
          {{"atime", UsageTime::atime},
           {"access", UsageTime::atime},
           {"use", UsageTime::atime},
           {"ctime", UsageTime::ctime},
           {"status", UsageTime::ctime}}};
      bool found = false;
      bool ambiguous = false;
      for (const auto& [word, time] : kWords) {
        if (word == argument) {
          options_.time = time;
          return true;
        }
        if (word.starts_with(argument)) {
          ambiguous |= found && options_.time != time;
          found = true;
          options_.time = time;
        }
      }
      constexpr std::array<std::string_view, 2> kValid = {"atime access use", "ctime status"};
      return (found && !ambiguous) || fail_word("--time", argument, ambiguous, kValid);
    }
    case kTimeStyle:
      time_style_ = argument;
      return true;
    case kHelp:
      return set_common(option, argument, options_, command_);
    case kVersion:
      command_.out = name_ + " (trawl) " + std::string(version()) + "\n";
      command_.status = 0;
      return false;
    default:
      ok_ = false;
      return true;  // getopt_long has said why
  }
}

bool Parser::set_time_format() {
  if (options_.time == UsageTime::none) {
    return true;
  }
  std::string style;
  if (time_style_ != nullptr) {
    style = time_style_;
  } else if (const char* environment = std::getenv("TIME_STYLE");
             environment != nullptr && std::strcmp(environment, "locale") != 0) {
    style = environment;
    if (style[0] == '+') {
      style = style.substr(0, style.find('\n'));
    } else {
      while (style.starts_with("posix-")) {
        style.erase(0, 6);
      }
    }
  } else {
    style = "long-iso";
  }
  if (style[0] == '+') {
    options_.time_format = style.substr(1);
    return true;
  }
  constexpr std::array<std::string_view, 3> kValid = {"full-iso", "long-iso", "iso"};
  constexpr std::array<const char*, 3> kFormats = {"%Y-%m-%d %H:%M:%S.%N %z", "%Y-%m-%d %H:%M",
                                                   "%Y-%m-%d"};
  std::size_t count = 0;
  for (std::size_t i = 0; i < kValid.size(); ++i) {
    if (kValid[i] == style) {
      options_.time_format = kFormats[i];
      return true;
    }
    if (kValid[i].starts_with(style)) {
      options_.time_format = kFormats[i];
      ++count;
    }
  }
  return count == 1 || fail_word("time style", style.c_str(), count > 1, kValid);
}

bool Parser::check() {
  if (!ok_) {
    hint();
    command_.status = kFailure;
    return false;
  }
  if (options_.all && summarize_) {
    return fail_with_hint("cannot both summarize and show all entries");
  }
  if (summarize_ && has_max_depth_) {
    if (options_.max_depth != 0) {
      return fail_with_hint("warning: summarizing conflicts with --max-depth=" +
                            std::to_string(options_.max_depth));
    }
    warn("warning: summarizing is the same as using --max-depth=0");
  }
  if (summarize_) {
    options_.max_depth = 0;
  }
  if (options_.inodes) {
    if (options_.apparent_size) {
      warn("warning: options --apparent-size and -b are ineffective with --inodes");
    }
    options_.size_format.block = 1;
  }
  if (!set_time_format()) {
    return false;
  }
  if (options_.files0_from && !options_.files.empty()) {
    warn("extra operand " + quote_word(options_.files[0]));
    say("file operands cannot be combined with --files0-from\n");
    hint();
    command_.status = kFailure;
    return false;
  }
  return true;
}

DuCommand Parser::parse() {
  options_.size_format = block_size_from_environment();
  if (!take_our_options()) {
    return std::move(command_);
  }
  argv_[0] = name_.data();
  const int argc = static_cast<int>(argv_.size());
  argv_.push_back(nullptr);
  optind = 0;
  for (;;) {
    int long_index = -1;
    const int option = getopt_long(argc, argv_.data(), kGnu.letters, kGnu.names, &long_index);
    if (option == -1) {
      break;
    }
    if (!set(option, long_index, optarg)) {
      return std::move(command_);
    }
  }
  options_.files.assign(argv_.begin() + optind, argv_.begin() + argc);
  check();
  return std::move(command_);
}

}  // namespace

constexpr Command kDuCommand = {
    .program = "trawl du",
    .brief = "disk usage as GNU du reports it",
    .usage = "[OPTION]... [FILE]...\n[OPTION]... --files0-from=F",
    .before = R"(Sums up the disk usage of files and of directories with all that is below them.
Without FILE, of the current directory.
)",
    .after = R"(
The default unit is 1024 bytes; DU_BLOCK_SIZE, BLOCK_SIZE and BLOCKSIZE change it, POSIXLY_CORRECT
makes it 512. TIME_STYLE sets the style of times.
)",
    .sections = kDuSections,
    .options = kDuOptions,
    .columns = 80,
    .operand = "FILE",
};

DuCommand parse_du_options(int argc, char** argv) { return Parser(argc, argv).parse(); }

}  // namespace trawl::cli
