// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_options.h"

#include <algorithm>
#include <climits>
#include <string_view>
#include <utility>

#include "cli/common_options.h"
#include "cli/filter_options.h"
#include "cli/number.h"
#include "cli/option_reader.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

constexpr int kUsage = 2;
constexpr std::size_t kMostTop = 65'536;  // keys in a table that is not exact
constexpr std::size_t kMostTreeFolders = 1'000'000;

enum ProfileId : int {
  kColor = kFirstId,
  kErrors,
  kExact,
  kHtml,
  kJson,
  kMaxDepth,
  kSections,
  kSi,
  kTree,
};

enum SectionId : std::uint8_t { kCounted, kShown, kRunning };
constexpr Section kOptionSections[] = {{"What is counted"}, {"What is shown"}, {"How it runs"}};

constexpr std::string_view kSectionWords[] = {
    "summary", "types",  "extensions", "sizes",   "modified",  "accessed",
    "depths",  "names",  "folders",    "largest", "oldest",    "newest",
    "empty",   "owners", "groups",     "links",   "duplicates"};
using enum ProfileSection;
constexpr ProfileSection kUsualSections[] = {summary, extensions, sizes, modified,  depths,
                                             folders, largest,    empty, duplicates};

constexpr Option kOptions[] = {
    {.id = kMaxDepth,
     .names = {"max-depth"},
     .argument = Argument::required,
     .word = "N",
     .help = "enter and count no folder that is more than N levels below PATH",
     .manual = "Enter and count no folder that is more than N levels below PATH; with 0, only PATH "
               "itself. Files are counted in all folders that are. With "
               "`--follow` a folder is as deep as the path by which it is met first.",
     .section = kCounted},
    {.id = 'L',
     .names = {"follow", "dereference"},
     .help = "follow symbolic links; each folder is entered once",
     .manual = "Follow symbolic links: one to a file is a file, with its target's size and times, "
               "one to a folder a folder. Each folder is entered once, by whatever name it is met, "
               "so that loops do no harm. A link that is given as PATH is followed in any case.",
     .section = kCounted},
    {.id = 'x',
     .names = {"one-file-system"},
     .help = "stay on the file system of PATH",
     .section = kCounted},
    {.id = kExact,
     .names = {"exact"},
     .help = "no limit to the memory of tables, so that every figure is exact",
     .brief = "no limit to the memory of tables",
     .manual = "Let tables grow with the tree, by up to 170 bytes per file, and keep the paths of "
               "all empty folders and duplicates. Without it a tree with more than 65,536 "
               "extensions, names of folders, or candidates for duplicates has figures with an "
               "error, which is stated.",
     .section = kCounted},
    exclude_option(kCounted),
    exclude_from_option(kCounted),
    ignore_file_option(kCounted),
    respect_ignore_option(kCounted),
    exclude_caches_option(kCounted),
    {.id = kSections,
     .names = {"sections"},
     .argument = Argument::required,
     .word = "LIST",
     .help = "these sections of the report, in this order, separated by commas; `all` of them",
     .brief = "sections of the report",
     .manual = "These sections of the report, in this order, words with commas between. Without it "
               "they are `summary`, `extensions`, `sizes`, `modified`, `depths`, `folders`, "
               "`largest`, `empty` and `duplicates`; `all` is every one. See `SECTIONS`.",
     .section = kShown,
     .completion = Completion::words,
     .words = "all summary types extensions sizes modified accessed depths names folders largest "
              "oldest newest empty owners groups links duplicates",
     .comma_list = true},
    {.id = 'n',
     .names = {"top"},
     .argument = Argument::required,
     .word = "N",
     .help = "the first N of each list; default 10, with --json or --html 20",
     .brief = "the first N of each list",
     .manual =
         "The first N of each list, from 1 to 65536. Without it they are 10 in the report, and "
         "20 in the document and the page; of the folders with most files 10 in all of them.",
     .section = kShown},
    {.id = 'B',
     .names = {"block-size"},
     .argument = Argument::required,
     .word = "SIZE",
     .help = "sizes of the report in units of SIZE: a number, K, M, G ... (powers of 1024), kB, MB "
             "... (of 1000), human-readable, si",
     .brief = "sizes in units of SIZE",
     .manual = "Sizes of the report in units of SIZE, rounded up: a number of bytes, `K`, `M`, `G` "
               "and so on (powers of 1024), `kB`, `MB` and so on (of 1000), `human-readable` (the "
               "default: the unit that fits, powers of 1024) or `si` (powers of 1000).",
     .section = kShown,
     .completion = Completion::words,
     .words = "K M G T kB MB GB human-readable si",
     .conflicts = "si"},
    {.id = kSi, .names = {"si"}, .help = "the same as --block-size=si", .section = kShown},
    {.id = kColor,
     .names = {"color"},
     .argument = Argument::optional,
     .word = "WHEN",
     .help = "auto, always or never; NO_COLOR and CLICOLOR_FORCE count where it is auto",
     .brief = "use colors",
     .manual =
         "Use colors: `always` (also if WHEN is left out), `never` or `auto` (the default: if "
         "standard output is a terminal).",
     .section = kShown,
     .completion = Completion::words,
     .words = "auto always never"},
    {.id = kJson,
     .names = {"json"},
     .help = "one JSON document instead of the report",
     .manual = "Print one JSON document instead of the report; see `JSON DOCUMENT`.",
     .section = kShown},
    {.id = kHtml,
     .names = {"html"},
     .argument = Argument::required,
     .word = "FILE",
     .help = "also write a page for browsers, with a map to click into; - is standard output, "
             "instead of the report",
     .brief = "write a page for browsers",
     .manual =
         "Also write a page for browsers to FILE: everything in one file that asks nothing of "
         "the network, with a map of the folders to click into, histograms, and tables to "
         "sort. FILE is replaced when the page is complete. `-` is standard output; then "
         "there is no report.",
     .section = kShown,
     .completion = Completion::files},
    {.id = kTree,
     .names = {"tree"},
     .argument = Argument::required,
     .word = "N",
     .help = "the N folders with most bytes as a tree, in the document or the page; default 3000 "
             "in the page, 0 in the document",
     .brief = "folders in the tree of the document or the page",
     .manual =
         "The N folders with most bytes, as a tree, in the document or the page, whose map is "
         "drawn from it. Without it the page has 3000, and the document none.",
     .section = kShown},
    {.id = kErrors,
     .names = {"errors"},
     .help = "list everything that could not be read",
     .manual =
         "List everything that could not be read on standard error. Without it the report says "
         "how much that was; an error of PATH itself is always said.",
     .section = kShown},
    progress_option(kRunning),
    threads_option(kRunning),
    counting_timeout_option(kRunning),
    stall_timeout_option(kRunning),
    stats_option(kRunning),
    trace_option(kRunning),
    help_option(kRunning),
    version_option(kRunning),
};

class Parser : private OptionReader {
 public:
  Parser() : OptionReader(kProfileCommand) {}
  ProfileCommandLine parse(int argc, char** argv);

 private:
  bool set(int option, const char* argument);
  bool set_sections(const char* list);
  bool finish(int argc, char** argv);

  ProfileCommandLine command_;
  ProfileArguments& arguments_ = command_.arguments;
};

bool Parser::set_sections(const char* list) {
  std::vector<ProfileSection>& sections = arguments_.sections;
  sections.clear();
  const auto add = [&sections](std::size_t index) {
    const auto section = static_cast<ProfileSection>(index);
    if (std::ranges::find(sections, section) == sections.end()) {
      sections.push_back(section);
    }
  };
  for (std::string_view rest = list;;) {
    const std::string_view word = rest.substr(0, rest.find(','));
    const auto* const found = std::ranges::find(kSectionWords, word);
    if (word == "all") {
      for (std::size_t i = 0; i < std::size(kSectionWords); ++i) {
        add(i);
      }
    } else if (found != std::end(kSectionWords)) {
      add(static_cast<std::size_t>(found - kSectionWords));
    } else {
      std::string wanted = "a list of all";
      for (const std::string_view each : kSectionWords) {
        wanted.append(each == kSectionWords[std::size(kSectionWords) - 1] ? " and " : ", ");
        wanted += each;
      }
      return refuse("--sections", std::string(word).c_str(), wanted + ", with commas between,");
    }
    if (word.size() == rest.size()) {
      return true;
    }
    rest.remove_prefix(word.size() + 1);
  }
}

bool Parser::set(int option, const char* argument) {
  switch (option) {
    case kMaxDepth:
      if (const auto depth = parse_in_range(argument, 0, INT_MAX)) {
        arguments_.max_depth = *depth;
        return true;
      }
      return refuse("--max-depth", argument, "a number of levels");
    case 'L':
      arguments_.follow = true;
      return true;
    case 'x':
      arguments_.one_file_system = true;
      return true;
    case kExact:
      arguments_.exact = true;
      return true;
    case kExclude:
    case kRulesFile:
    case kRespectIgnore:
    case kExcludeCaches:
      set_filter(option, argument, arguments_.filter);
      return true;
    case 'X':
      return set_exclude_from(arguments_.filter, argument);
    case kSections:
      return set_sections(argument);
    case 'n':
      arguments_.top = parse_in_range<std::size_t>(argument, 1, kMostTop);
      return arguments_.top ||
             refuse("--top", argument, "a number from 1 to " + std::to_string(kMostTop));
    case 'B':
      return parse_block_size(argument, arguments_.size_format) == NumberError::none ||
             refuse("--block-size", argument, "a size such as 1000, K, MB or si");
    case kSi:
      arguments_.size_format = SizeFormat::si();
      return true;
    case kColor:
      return set_when(arguments_.color, "--color", argument);
    case kJson:
      arguments_.json = true;
      return true;
    case kHtml:
      arguments_.html = argument;
      return true;
    case kTree:
      arguments_.tree_folders = parse_in_range<std::size_t>(argument, 0, kMostTreeFolders);
      return arguments_.tree_folders ||
             refuse("--tree", argument, "a number up to " + std::to_string(kMostTreeFolders));
    case kErrors:
      arguments_.list_errors = true;
      return true;
    default:
      return set_common(option, argument, arguments_, command_);
  }
}

// What can be judged only when all is known.
bool Parser::finish(int argc, char** argv) {
  if (argc - optind > 1) {
    return say("only one PATH can be profiled, not also " + quote_always(argv[optind + 1]));
  }
  if (optind < argc) {
    arguments_.path = argv[optind];
  }
  if (arguments_.json && arguments_.page_on_output()) {
    return say("--json does not go with --html=-: both would be on standard output");
  }
  if (arguments_.tree_folders && !arguments_.json && !arguments_.html) {
    return say("--tree needs --json or --html: the report shows no tree");
  }
  if (arguments_.sections.empty()) {
    arguments_.sections.assign(std::begin(kUsualSections), std::end(kUsualSections));
  }
  return true;
}

ProfileCommandLine Parser::parse(int argc, char** argv) {
  if (!read(argc, argv, kGetopt<kOptions>,
            [this](int option, const char* argument) { return set(option, argument); }) ||
      !finish(argc, argv)) {
    command_.status = command_.status.value_or(kUsage);
  }
  return std::move(command_);
}

}  // namespace

constexpr Command kProfileCommand = {
    .program = "trawl profile",
    .brief = "what a directory consists of",
    .usage = "[OPTION]... [PATH]",
    .before = R"(
Counts what is in and below PATH (the current directory, if there is none) in many ways: by
extension, size, age, depth and owner, the largest, the oldest and the empty.
)",
    .after = R"(
Exit status: 0 complete, 1 partial (the report says why), 2 wrong usage, 130 interrupted.
)",
    .sections = kOptionSections,
    .options = kOptions,
    .operands = Completion::directories,
};

ProfileCommandLine parse_profile_options(int argc, char** argv) {
  return Parser().parse(argc, argv);
}

}  // namespace trawl::cli
