// SPDX-License-Identifier: Apache-2.0
//
// From paths to text, in chunks: while one is written, the next is formatted, the one after that is
// asked for, and a fourth is read. Each of these has a thread of its own, which hands on in order;
// asking and formatting use several processors besides. Between two of them waits at most one
// chunk.
#pragma once

#include <trawl/stat.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/entry_format.h"
#include "cli/path_list.h"

namespace trawl::cli {

struct StatChunk {
  // A path that failed: its message belongs where `text` has this size.
  struct Failure {
    std::size_t text_size = 0;
    std::size_t index = 0;
  };
  struct Part {
    std::string text;
    std::vector<Failure> failures;
  };

  PathChunk list;
  std::vector<StatResult> results;
  std::vector<Part> parts;     // of the text, in order
  std::size_t unanswered = 0;  // because of a cancellation
};

// Time that each stage worked: reading includes waiting for the list's writer.
struct StatTimes {
  std::chrono::nanoseconds read{0}, stat{0}, format{0}, write{0};
};

struct StatPipelineOptions {
  StatOptions stat;
  unsigned formatters = 1;       // threads
  bool lines_of_errors = false;  // the format writes paths that fail, too
  std::atomic<std::uint64_t>* progress = nullptr;
};

// Blocks until `source` says that there is no more and `sink` has had it all; both are called by
// one thread at a time, the sink by the caller's. The sink is also called without a chunk, at least
// every 100 ms, so that it can look at the time. What a stage throws comes out here.
StatTimes run_stat_pipeline(const StatPipelineOptions& options, const EntryFormat& format,
                            CancelToken& cancel, const std::function<bool(PathChunk&)>& source,
                            const std::function<void(StatChunk*)>& sink);

}  // namespace trawl::cli
