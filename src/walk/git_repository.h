// SPDX-License-Identifier: Apache-2.0
//
// What git's ignore rules need of a repository and of git's configuration, read from their files.
//
// Left out: `include` and `includeIf` in configuration files, and the environment of a running git
// (GIT_DIR, GIT_WORK_TREE, GIT_CONFIG_COUNT and the like).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/filesystem.h"

namespace trawl::engine {

// Git reads no larger ignore file.
inline constexpr std::uint64_t kMostIgnoreBytes = std::uint64_t{100} << 20;

// All of a regular file; 0 or errno, EFBIG beyond `most` bytes.
int read_whole(sys::FileSystem& filesystem, int base, const std::string& path, bool follow,
               std::uint64_t most, std::string& out);

// core.excludesFile and core.ignoreCase, where they were set.
struct GitConfig {
  std::optional<std::string> excludes_file;  // "~/" is expanded
  std::optional<bool> ignore_case;
  bool worktree_config = false;        // extensions.worktreeConfig
  std::string object_format = "sha1";  // extensions.objectFormat

  // What is set in `text` replaces what was.
  void read(std::string_view text);
  // The system's and the user's.
  static GitConfig of_user(sys::FileSystem& filesystem);
  // excludes_file, or git's default for it: in $XDG_CONFIG_HOME or ~/.config. Empty: there is none.
  std::string global_excludes() const;
};

struct GitRepository {
  std::string git_directory;     // of this work tree
  std::string common_directory;  // of all work trees; paths relative to the base that was asked
  std::string info_exclude() const { return common_directory + "/info/exclude"; }

  // The repository whose work tree has `dot_git` (".git" or "some/path/.git", relative to `base`),
  // a directory or a file that says where it is. Nothing if it is not one in git's eyes: without
  // HEAD, objects or refs.
  static std::optional<GitRepository> open(sys::FileSystem& filesystem, int base,
                                           const std::string& dot_git);
  // Its own configuration on top of `config`; 0, or why a file of it that exists can't be read.
  int read_config(sys::FileSystem& filesystem, int base, GitConfig& config) const;
};

}  // namespace trawl::engine
