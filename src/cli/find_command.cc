// SPDX-License-Identifier: Apache-2.0
#include "cli/find_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace trawl::cli {

namespace {

std::size_t cost_of(std::size_t bytes) { return bytes + 1 + sizeof(char*); }

}  // namespace

CommandTemplate::CommandTemplate(const std::vector<std::string>& words, std::string separator)
    : program_(words.front()), separator_(std::move(separator)) {
  words_.reserve(words.size() + 1);
  for (const std::string& word : words) {
    words_.emplace_back(word);
  }
  if (placeholder_words() == 0) {
    words_.emplace_back("{}");
  }
}

std::size_t CommandTemplate::placeholder_words() const {
  return static_cast<std::size_t>(std::count_if(
      words_.begin(), words_.end(), [](const Template& word) { return word.has_placeholder(); }));
}

std::string CommandTemplate::argument_of(const Template& word, std::string_view path) const {
  std::string out;
  word.append(out, path, separator_);
  return out;
}

Arguments CommandTemplate::for_path(std::string_view path) const {
  Arguments out;
  out.reserve(words_.size());
  for (const Template& word : words_) {
    out.push_back(argument_of(word, path));
  }
  return out;
}

// Linux takes a quarter of the stack's limit, at most 6 MiB, for arguments and environment
// together, and 32 pages for one of them. What is left over is for what the loader adds.
ArgumentLimits ArgumentLimits::of_system() {
  constexpr std::size_t kMost = std::size_t{6} << 20;
  constexpr std::size_t kLeast = std::size_t{4} << 10;
  constexpr std::size_t kSpare = std::size_t{4} << 10;
  const long page = ::sysconf(_SC_PAGESIZE);
  const long said = ::sysconf(_SC_ARG_MAX);
  const std::size_t all = said > 0 ? std::min(static_cast<std::size_t>(said), kMost) : kMost;
  std::size_t taken = kSpare;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    taken += cost_of(std::strlen(*variable));
  }
  return {.all = all > taken + kLeast ? all - taken : kLeast,
          .one = 32 * static_cast<std::size_t>(page > 0 ? page : 4096)};
}

CommandBatch::CommandBatch(const CommandTemplate& command, std::size_t most, ArgumentLimits limits)
    : command_(command), most_(most), limits_(limits) {
  for (std::size_t i = 0; i < command.words_.size(); ++i) {
    if (command.words_[i].has_placeholder()) {
      word_ = i;
    } else {
      fixed_ += cost_of(command.argument_of(command.words_[i], {}).size());
    }
  }
}

std::string CommandBatch::argument_of(std::string_view path) const {
  return command_.argument_of(command_.words_[word_], path);
}

CommandBatch::Room CommandBatch::room_for(const std::string& argument) const {
  const std::size_t cost = cost_of(argument.size());
  if (argument.size() >= limits_.one || fixed_ + cost > limits_.all) {
    return Room::never;
  }
  const bool full = most_ != 0 && added_.size() >= most_;
  return full || fixed_ + used_ + cost > limits_.all ? Room::none_left : Room::enough;
}

void CommandBatch::add(std::string argument) {
  used_ += cost_of(argument.size());
  added_.push_back(std::move(argument));
}

Arguments CommandBatch::take() {
  used_ = 0;
  return std::exchange(added_, {});
}

Arguments CommandBatch::command_for(std::span<const std::string> arguments) const {
  Arguments out;
  out.reserve(command_.words_.size() + arguments.size());
  for (std::size_t i = 0; i < command_.words_.size(); ++i) {
    if (i == word_) {
      out.insert(out.end(), arguments.begin(), arguments.end());
    } else {
      out.push_back(command_.argument_of(command_.words_[i], {}));
    }
  }
  return out;
}

}  // namespace trawl::cli
