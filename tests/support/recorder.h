// SPDX-License-Identifier: Apache-2.0
//
// Writes down all that a walk says, and checks on the way that it keeps to the order of calls that
// <trawl/walk.h> promises. What it breaks is in Recording::violations.
#pragma once

#include <trawl/walk.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/oracle.h"
#include "sys/filesystem.h"
#include "walk/tuning.h"

namespace trawl::testing {

struct Reported {
  std::string path;
  int depth = 0;
  std::uint64_t position = 0;
  std::uint64_t inode = 0;
  FileType type = FileType::unknown;
  int error = 0;
  std::optional<Metadata> metadata;
  bool followed = false;
  bool descend = false;  // as it was left by the visitor
};

struct Left {
  std::string path;
  int depth = 0;
  State state = State::open;
  int error = 0;
  Operation operation = Operation::open;
  Metadata metadata;
  std::uint64_t entry_count = 0;
  bool entered = false;
};

struct Recording {
  Result result;
  std::vector<Reported> entries;
  std::vector<Left> directories;  // in the order of leave() on each worker; without the origin
  std::optional<Left> origin;
  std::vector<std::string> violations;
  unsigned visitors = 0;
};

// What the visitors answer, after they wrote it down. Called on any worker.
struct Answers {
  std::function<Verdict(Directory&)> enter;
  std::function<void(Directory&, std::span<Entry>)> select;
  std::function<Verdict(Directory&, std::span<Entry>)> entries;
  std::function<void(Directory&)> listed;
  std::function<void(Directory&)> leave;
};

// What recordings are compared with that shall have no violations.
inline const std::vector<std::string> kNone;

inline Options with_threads(unsigned threads, Fields fields = Fields::basic) {
  Options options;
  options.threads = threads;
  options.fields = fields;
  return options;
}

// Slots are the recorder's. An exception of the walk's or of an answer comes out.
Recording record(std::span<const std::string> roots, Options options, const Answers& answers = {});
// The same with the seam in hand: options.backend is of no effect.
Recording record(sys::FileSystem& filesystem, std::span<const std::string> roots, Options options,
                 const Answers& answers = {}, const engine::Tuning& tuning = {});

// Where the recording is not what the oracle says, in words, the first few; empty if it agrees.
// `options` are those of the walk; it must have been complete.
std::string compare(const Recording& recording, const Oracle& oracle, const Options& options);

// Writes options as text, for messages.
std::string describe(const Options& options);

}  // namespace trawl::testing
