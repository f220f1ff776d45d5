// SPDX-License-Identifier: Apache-2.0
//
// Commands of `trawl find -x` and -X: made of templates, for one path or for as many as a command
// line has room for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/find_format.h"

namespace trawl::cli {

using Arguments = std::vector<std::string>;

class CommandTemplate {
 public:
  // Adds {} if there is no placeholder. `words` is not empty.
  CommandTemplate(const std::vector<std::string>& words, std::string separator);

  // The first word, as written.
  const std::string& program() const { return program_; }
  bool has_fixed_program() const { return !words_.front().has_placeholder(); }
  std::size_t placeholder_words() const;

  Arguments for_path(std::string_view path) const;

 private:
  friend class CommandBatch;

  std::string argument_of(const Template& word, std::string_view path) const;

  std::string program_;
  std::string separator_;
  std::vector<Template> words_;
};

// What execve(2) takes, in bytes.
struct ArgumentLimits {
  std::size_t all = 0;  // arguments with their NULs and pointers, besides the environment
  std::size_t one = 0;  // of them, with its NUL

  // The system's, beside the environment that there is.
  static ArgumentLimits of_system();
};

// Paths for one run of a command that takes many: its word with placeholders is repeated for each.
class CommandBatch {
 public:
  // The command, which outlives this, has one such word, and that is not the first. `most`: paths
  // per run; 0: no limit.
  CommandBatch(const CommandTemplate& command, std::size_t most, ArgumentLimits limits);

  std::string argument_of(std::string_view path) const;
  enum class Room : std::uint8_t { enough, none_left, never };
  Room room_for(const std::string& argument) const;
  void add(std::string argument);
  // What was added; begins anew.
  Arguments take();
  // The whole command for some of that.
  Arguments command_for(std::span<const std::string> arguments) const;

 private:
  const CommandTemplate& command_;
  const std::size_t most_;
  const ArgumentLimits limits_;
  std::size_t word_ = 0;   // which it is
  std::size_t fixed_ = 0;  // bytes of the others
  std::size_t used_ = 0;   // bytes of what was added
  Arguments added_;
};

}  // namespace trawl::cli
