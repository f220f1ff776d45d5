// SPDX-License-Identifier: Apache-2.0
//
// What a walk must find, found out in the simplest way: one thread, recursion, opendir, readdir,
// fstatat. Shares nothing with the engine but the words of its public headers.
//
// The order is that of a serial walk: all entries of a directory, then what is below its first
// subdirectory, and so on. A directory's line comes when all below it is done.
#pragma once

#include <sys/stat.h>
#include <trawl/walk.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace trawl::testing {

struct OracleEntry {
  std::string path;
  int depth = 0;
  std::uint64_t position = 0;
  std::uint64_t inode = 0;  // as listed; of a root, of what it leads to
  FileType type = FileType::unknown;
  int error = 0;                                   // of its stat
  std::optional<struct stat> info = std::nullopt;  // of a dangling link, its own
  bool followed = false;                           // not told for roots
  bool descend = false;
};

struct OracleDirectory {
  std::string path;
  int depth = 0;
  State state = State::complete;
  int error = 0;
  std::optional<struct stat> info = std::nullopt;
  std::uint64_t entry_count = 0;
};

struct Oracle {
  std::vector<OracleEntry> entries;
  std::vector<OracleDirectory> directories;  // those of entries with `descend`
};

// Heeds what decides which entries are found, and which errors.
Oracle walk_naively(std::span<const std::string> roots, const Options& options);

FileIdentity identity_of(const struct stat& info);

// "" if the metadata is what stat() says; else the first field that differs. The time of last
// access is compared only where looking does not change it.
std::string difference(const Metadata& metadata, const struct stat& info);

}  // namespace trawl::testing
