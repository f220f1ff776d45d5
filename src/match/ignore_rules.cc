// SPDX-License-Identifier: Apache-2.0
#include "match/ignore_rules.h"

#include <span>
#include <utility>

#include "match/ignore_program.h"

namespace trawl::match {

namespace {

using Rule = IgnoreProgram::Rule;
using Where = IgnoreProgram::Where;

// One question to one file of rules.
class Search {
 public:
  Search(const IgnoreProgram& program, std::string_view path, std::size_t name_begin,
         bool is_directory)
      : program_(program), path_(path), name_begin_(name_begin), is_directory_(is_directory) {}

  // The last rule that matches, or kNone.
  std::uint32_t run() {
    const std::string_view name = path_.substr(name_begin_);
    const auto forward = [](std::string_view text) {
      return [text](std::size_t i) { return text[i]; };
    };
    const auto backward = [name](std::size_t i) { return name[name.size() - 1 - i]; };
    find(IgnoreProgram::kNames, forward(name), name.size());
    find(IgnoreProgram::kSuffixes, backward, name.size());
    find(IgnoreProgram::kPaths, forward(path_), path_.size());
    if (wants(IgnoreProgram::kInfixes)) {
      program_.infix_filter().find(name, [&](std::size_t i) {
        find(IgnoreProgram::kInfixes, forward(name.substr(i)), name.size() - i);
      });
    }
    if (wants(IgnoreProgram::kComponents)) {
      for (std::size_t i = 0; i < name_begin_; i = path_.find('/', i) + 1) {
        find(IgnoreProgram::kComponents, forward(path_.substr(i)), path_.size() - i);
      }
    }
    look_at(program_.others(), true);
    return last_;
  }

 private:
  bool is_later(std::uint32_t number) const {
    return last_ == IgnoreProgram::kNone || number > last_;
  }

  bool wants(IgnoreProgram::Index which) const {
    const IgnoreIndex& index = program_.index(which);
    return !index.empty() && is_later(index.greatest());
  }

  template <class Text>
  void find(IgnoreProgram::Index which, const Text& text, std::size_t size) {
    if (!wants(which)) return;
    program_.index(which).find(text, size,
                               [&](std::span<const std::uint32_t> numbers, std::size_t length) {
                                 look_at(numbers, length == size);
                               });
  }

  // `all`: the key is all of the name, or of the path.
  void look_at(std::span<const std::uint32_t> numbers, bool all) {
    for (const std::uint32_t number : numbers) {
      if (!is_later(number)) return;
      const Rule& rule = program_.rule(number);
      if ((rule.exact && !all) || !matches(rule)) continue;
      last_ = number;
      return;
    }
  }

  bool matches(const Rule& rule) const {
    if (rule.directory_only && !is_directory_) return false;
    switch (rule.where) {
      case Where::anywhere:
        break;
      case Where::top:
        if (name_begin_ != 0) return false;
        break;
      case Where::below:
        if (!program_.matcher(rule.directory).matches(path_.substr(0, name_begin_))) return false;
        break;
      case Where::whole:
        return program_.matcher(rule.directory).matches(path_);
    }
    return rule.name == IgnoreProgram::kNone ||
           program_.matcher(rule.name).matches(path_.substr(name_begin_));
  }

  const IgnoreProgram& program_;
  std::string_view path_;  // from the base on
  std::size_t name_begin_;
  bool is_directory_;
  std::uint32_t last_ = IgnoreProgram::kNone;
};

}  // namespace

struct IgnoreRules::Compiled : IgnoreProgram {
  using IgnoreProgram::IgnoreProgram;
};

IgnoreCandidate::IgnoreCandidate(std::string_view path, std::size_t name_begin, bool is_directory)
    : path_(path), name_begin_(name_begin), is_directory_(is_directory) {}

std::string_view IgnoreCandidate::folded() const {
  if (folded_.empty()) folded_ = fold_case(path_);
  return folded_;
}

IgnoreRules::IgnoreRules(std::string text, std::string source, bool ignore_case)
    : source_(std::move(source)),
      compiled_(std::make_unique<const Compiled>(std::move(text), ignore_case)) {}

IgnoreRules::~IgnoreRules() = default;

const IgnoreRule* IgnoreRules::match(const IgnoreCandidate& candidate, std::size_t base) const {
  const IgnoreProgram& program = *compiled_;
  const std::string_view path = program.fold() ? candidate.folded() : candidate.path();
  Search search(program, path.substr(base), candidate.name_begin_ - base, candidate.is_directory());
  const std::uint32_t number = search.run();
  return number == IgnoreProgram::kNone ? nullptr : &program.shown(number);
}

bool IgnoreRules::empty() const { return compiled_->empty(); }

bool IgnoreRules::needs_path() const { return compiled_->needs_path(); }

}  // namespace trawl::match
