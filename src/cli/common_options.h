// SPDX-License-Identifier: Apache-2.0
//
// Rows for the option tables of several commands; OptionReader::set_common reads them.
#pragma once

#include "cli/option_table.h"

namespace trawl::cli {

enum CommonId : int {
  kThreads = kFirstCommonId,
  kTimeout,
  kStallTimeout,
  kProgress,
  kStats,
  kTrace,
  kExclude,  // filter_options.h
  kRulesFile,
  kRespectIgnore,
  kExcludeCaches,
  kHelp,  // where -h means something else
  kVersion,
};

constexpr Option threads_option(std::uint8_t section) {
  return {.id = kThreads,
          .names = {"threads"},
          .argument = Argument::required,
          .word = "N",
          .help = "number of workers (default: as many as help)",
          .manual =
              "The number of workers, from 1 to 1024. Without it their number adapts: as many "
              "as there are processors where everything is cached, up to 256 where a disk or "
              "a server is waited for.",
          .section = section};
}

constexpr Option timeout_option(
    std::uint8_t section, const char* help = "stop after e.g. 30, 500ms, 5m, 1h",
    const char* manual =
        "Stop after DURATION and print what was found so far. DURATION is a "
        "number, with a fraction or without, of seconds, or of the unit behind "
        "it: `ms`, `s`, `m`, `h` or `d`.") {
  return {.id = kTimeout,
          .names = {"timeout"},
          .argument = Argument::required,
          .word = "DURATION",
          .help = help,
          .brief = "stop after a while and show what was found",
          .manual = manual,
          .section = section};
}

// Of who shows figures, also partial ones.
constexpr Option counting_timeout_option(std::uint8_t section) {
  return timeout_option(
      section, "stop after e.g. 30, 500ms, 5m, 1h and show what was counted so far",
      "Stop after DURATION and show what was counted so far; see `PARTIAL RESULTS`. "
      "DURATION is a number, with a fraction or without, of seconds, or of the unit "
      "behind it: `ms`, `s`, `m`, `h` or `d`.");
}

constexpr Option stall_timeout_option(
    std::uint8_t section,
    const char* manual =
        "Give up on a system call that does not return within DURATION because a server (NFS, "
        "FUSE) does not answer. Its directory or file is an error then (\"stalled: no answer in "
        "time\"), the rest is walked, and the exit status is 1. Without it the walk waits for the "
        "server. Filesystems on local disks and in memory are always waited for; others are asked "
        "through child processes, which takes 10 to 20 microseconds more per call.") {
  return {.id = kStallTimeout,
          .names = {"stall-timeout"},
          .argument = Argument::required,
          .word = "DURATION",
          .help =
              "give up on what a dead server holds up for so long, with an error, and go on "
              "with the rest",
          .brief = "give up on what a dead server holds up",
          .manual = manual,
          .section = section};
}

constexpr Option progress_option(std::uint8_t section) {
  return {.id = kProgress,
          .names = {"progress"},
          .argument = Argument::optional,
          .word = "WHEN",
          .help = "a line on standard error while it runs: auto, always or never",
          .manual =
              "While it runs, keep a line on standard error up to date: `always` (also if WHEN "
              "is left out), `never` or `auto` (the default: if standard error is a "
              "terminal). The line appears after half a second, and clears itself.",
          .section = section,
          .completion = Completion::words,
          .words = "auto always never"};
}

constexpr Option stats_option(
    std::uint8_t section, const char* help = "what the engine did, on standard error: text or json",
    const char* manual =
        "Print what the engine did (entries, workers and how their number changed, "
        "system calls) on standard error, as `text` or `json`.") {
  return {.id = kStats,
          .names = {"stats"},
          .argument = Argument::optional,
          .word = "FORMAT",
          .help = help,
          .brief = "what the engine did, on standard error",
          .manual = manual,
          .section = section,
          .completion = Completion::words,
          .words = "text json"};
}

constexpr Option trace_option(std::uint8_t section) {
  return {.id = kTrace,
          .names = {"trace"},
          .argument = Argument::required,
          .word = "FILE",
          .help = "write a timeline for Perfetto or chrome://tracing to FILE",
          .manual =
              "Write a timeline of the walk to FILE, for Perfetto (ui.perfetto.dev) or "
              "chrome://tracing: what each worker opened, listed, shared and stole and when it "
              "slept, and how the number of workers changed. A million events are kept, about "
              "110 MB in the file; those beyond are counted in it. Only in builds with "
              "`TRAWL_TRACE`; others say so and walk nothing.",
          .section = section,
          .completion = Completion::files};
}

constexpr Option help_option(std::uint8_t section, int id = 'h') {
  return {.id = id,
          .names = {"help"},
          .help = "show this",
          .brief = "show the options",
          .manual = "Print a summary of the options and exit.",
          .section = section,
          .conflicts = "*"};
}

constexpr Option version_option(std::uint8_t section) {
  return {.id = kVersion,
          .names = {"version"},
          .help = "show the version",
          .manual = "Print the version and exit.",
          .section = section,
          .conflicts = "*"};
}

}  // namespace trawl::cli
