// SPDX-License-Identifier: Apache-2.0
//
// Git's configuration. Whatever the bytes, reading ends, and a second time gives the same; as a
// quoted value, they are read back as they were.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "walk/git_repository.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  trawl::engine::GitConfig config;
  config.read(text);
  const trawl::engine::GitConfig once = config;
  config.read(text);
  if (once.excludes_file != config.excludes_file || once.ignore_case != config.ignore_case ||
      once.worktree_config != config.worktree_config ||
      once.object_format != config.object_format) {
    std::abort();
  }

  std::string quoted = "[core]\n\texcludesFile = \"/";  // no home directory
  for (const char c : text) {
    quoted += c == '\n' ? "\\n" : c == '"' ? "\\\"" : c == '\\' ? "\\\\" : std::string(1, c);
  }
  trawl::engine::GitConfig value;
  value.read(quoted + "\" # so\n[core]\nignoreCase\n");
  if (value.excludes_file != '/' + text || value.ignore_case != true) std::abort();
  return 0;
}
