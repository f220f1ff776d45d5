// SPDX-License-Identifier: Apache-2.0
//
// The options of `trawl du`: GNU du's in the order of their letters, and ours behind them. Included
// by du_options.cc only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include "cli/common_options.h"
#include "cli/filter_options.h"
#include "cli/option_table.h"

namespace trawl::cli {

enum DuId : int {
  kApparentSize = kFirstId,
  kFiles0From,
  kInodes,
  kJson,
  kSi,
  kTime,
  kTimeStyle,
};

enum DuSection : std::uint8_t { kLines, kFigures, kWhichFiles, kBeyond, kHelpSection };
constexpr Section kDuSections[] = {
    {.title = "Lines"},       {.title = "Figures"},
    {.title = "Which files"}, {.title = "Beyond GNU du", .help_title = "Beyond GNU du"},
    {.title = "Help"},
};

constexpr Option kDuOptions[] = {
    {.id = '0',
     .names = {"null"},
     .help = "end each line with NUL instead of newline",
     .manual = "End each line with a NUL byte instead of a newline.",
     .section = kLines},
    {.id = 'a',
     .names = {"all"},
     .help = "lines for files too, not only directories",
     .manual = "Lines for all files, not only for directories.",
     .section = kLines,
     .conflicts = "summarize"},
    {.id = kApparentSize,
     .names = {"apparent-size"},
     .help = "sizes as files have them, not the space that they take",
     .manual =
         "Sizes as files have them (the number of bytes that can be read), not the space that "
         "is allocated.",
     .section = kFigures},
    {.id = 'B',
     .names = {"block-size"},
     .argument = Argument::required,
     .word = "SIZE",
     .help =
         "count in units of SIZE: a number, K, M, G ... (powers of 1024), kB, MB ... (of 1000), "
         "human-readable, si",
     .manual = "Count in units of SIZE, rounded up; see `UNITS`.",
     .section = kFigures,
     .completion = Completion::words,
     .words = "K M G T kB MB GB human-readable si"},
    {.id = 'b',
     .names = {"bytes"},
     .help = "same as --apparent-size --block-size=1",
     .brief = "apparent sizes in bytes",
     .manual = "The same as `--apparent-size --block-size=1`.",
     .section = kFigures},
    {.id = 'c',
     .names = {"total"},
     .help = "a grand total at the end",
     .manual = "A last line with the total.",
     .section = kLines},
    {.id = 'D',
     .other_letter = 'H',
     .names = {"dereference-args"},
     .help = "follow symbolic links that are given as FILE",
     .manual = "Follow symbolic links that are given as FILE, no others.",
     .section = kWhichFiles,
     .conflicts = "dereference no-dereference"},
    {.id = 'd',
     .names = {"max-depth"},
     .argument = Argument::required,
     .word = "N",
     .help = "no lines for what is more than N levels below FILE",
     .manual = "No lines for what is more than N levels below its FILE; it still counts. "
               "`--max-depth=0` is `--summarize`.",
     .section = kLines,
     .conflicts = "summarize"},
    exclude_option(kWhichFiles),
    exclude_from_option(kWhichFiles),
    {.id = kFiles0From,
     .names = {"files0-from"},
     .argument = Argument::required,
     .word = "F",
     .help = "take the names from F, where each ends with NUL; if F is -, from standard input",
     .brief = "take the names from a file",
     .manual =
         "Take the names from F instead of the command line; each ends with a NUL byte. `-` is "
         "standard input.",
     .section = kWhichFiles,
     .completion = Completion::files},
    {.id = 'h',
     .names = {"human-readable"},
     .help = "figures such as 1.5K, 20M, 3G (powers of 1024)",
     .manual = "Figures such as 1.5K, 20M or 3G, in powers of 1024.",
     .section = kFigures,
     .conflicts = "si k m"},
    {.id = kInodes,
     .names = {"inodes"},
     .help = "count inodes instead of blocks",
     .manual = "Numbers of inodes (files, directories and everything else) instead of sizes.",
     .section = kFigures},
    {.id = 'k',
     .help = "same as --block-size=1K",
     .manual = "The same as `--block-size=1K`.",
     .section = kFigures,
     .conflicts = "si m"},
    {.id = 'L',
     .names = {"dereference"},
     .help = "follow all symbolic links",
     .section = kWhichFiles,
     .conflicts = "no-dereference"},
    {.id = 'l',
     .names = {"count-links"},
     .help = "count every name of a file with several hard links",
     .manual = "Count a file once for each of its hard links that is met.",
     .section = kFigures},
    {.id = 'm',
     .help = "same as --block-size=1M",
     .manual = "The same as `--block-size=1M`.",
     .section = kFigures,
     .conflicts = "si"},
    {.id = 'P',
     .names = {"no-dereference"},
     .help = "follow no symbolic links (the default)",
     .section = kWhichFiles},
    {.id = 'S',
     .names = {"separate-dirs"},
     .help = "a directory's figure leaves out its subdirectories",
     .manual = "Leave subdirectories out of the figure of a directory.",
     .section = kFigures},
    {.id = kSi, .names = {"si"}, .help = "like -h, but in powers of 1000", .section = kFigures},
    {.id = 's', .names = {"summarize"}, .help = "only one line for each FILE", .section = kLines},
    {.id = 't',
     .names = {"threshold"},
     .argument = Argument::required,
     .word = "SIZE",
     .help = "only lines of at least SIZE; if negative, of at most",
     .brief = "only lines of at least SIZE; if negative, of at most",
     .manual = "Only lines whose figure is at least SIZE, or, if that is negative, at most its "
               "absolute value. With `--inodes` it is a number of inodes.",
     .section = kLines},
    {.id = kTime,
     .names = {"time"},
     .argument = Argument::optional,
     .word = "WORD",
     .help =
         "show the latest change in each directory and below; WORD: atime, access, use, ctime or "
         "status",
     .brief = "show the latest change",
     .manual =
         "Behind the figure, the time of the latest change of anything in the directory and "
         "below it: of contents, or, with WORD, of last access (`atime`, `access`, `use`) or of "
         "status (`ctime`, `status`).",
     .section = kFigures,
     .completion = Completion::words,
     .words = "atime access use ctime status"},
    {.id = kTimeStyle,
     .names = {"time-style"},
     .argument = Argument::required,
     .word = "STYLE",
     .help = "of times: full-iso, long-iso, iso or +FORMAT",
     .brief = "style of times",
     .manual = "How that is written: `full-iso`, `long-iso` (the default), `iso` or `+`_FORMAT_, a "
               "format as date(1) has it.",
     .section = kFigures,
     .completion = Completion::words,
     .words = "full-iso long-iso iso +"},
    {.id = 'x',
     .names = {"one-file-system"},
     .help = "stay on the file system of each FILE",
     .section = kWhichFiles},
    help_option(kHelpSection, kHelp),
    version_option(kHelpSection),
    // Ours.
    threads_option(kBeyond),
    timeout_option(kBeyond,
                   "stop after e.g. 30, 500ms, 5m, 1h: what was counted so far is shown and marked "
                   "as partial, exit status 1",
                   "Stop after DURATION and print what was counted so far; see `PARTIAL RESULTS`. "
                   "DURATION is a number, with a fraction or without, of seconds, or of the unit "
                   "behind it: `ms`, `s`, `m`, `h` or `d`."),
    stall_timeout_option(kBeyond),
    {.id = kJson,
     .names = {"json"},
     .help = "one JSON document instead of lines",
     .manual = "Print one JSON document instead of lines; see `JSON DOCUMENT`.",
     .section = kBeyond},
    progress_option(kBeyond),
    stats_option(kBeyond),
    trace_option(kBeyond),
    ignore_file_option(kBeyond),
    respect_ignore_option(kBeyond),
    exclude_caches_option(kBeyond),
};

constexpr const Option* kFirstOfOurs =
    std::ranges::find(kDuOptions, std::uint8_t{kBeyond}, &Option::section);
constexpr std::size_t kGnuCount = static_cast<std::size_t>(kFirstOfOurs - std::begin(kDuOptions));
constexpr std::span<const Option> kOurOptions = std::span(kDuOptions).subspan(kGnuCount);

// GNU's order of its long options: it shows where a word is ambiguous.
constexpr std::string_view kGnuNames[] = {"all",
                                          "apparent-size",
                                          "block-size",
                                          "bytes",
                                          "count-links",
                                          "dereference",
                                          "dereference-args",
                                          "exclude",
                                          "exclude-from",
                                          "files0-from",
                                          "human-readable",
                                          "inodes",
                                          "si",
                                          "max-depth",
                                          "null",
                                          "no-dereference",
                                          "one-file-system",
                                          "separate-dirs",
                                          "summarize",
                                          "total",
                                          "threshold",
                                          "time",
                                          "time-style",
                                          "help",
                                          "version"};
constexpr bool as_gnu(std::string_view a, std::string_view b) {
  return std::ranges::find(kGnuNames, a) < std::ranges::find(kGnuNames, b);
}
constexpr Getopt kGnu = kGetopt<kDuOptions, kGnuCount, as_gnu>;

}  // namespace trawl::cli
