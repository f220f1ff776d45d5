// SPDX-License-Identifier: Apache-2.0
//
// Patterns for names and paths. Compiled once, matched often, from any number of threads at once;
// in time linear in the text, whatever the pattern. Text is bytes; what is UTF-8 in it counts as
// characters, and each byte that belongs to none as one of its own, which "?", "*" and [!a] match,
// and "." and [^a] as well. Case is that of Unicode's simple folding, whatever the locale.
//
// Cost: 5 to 30 ns for a name; where a regular expression has to be asked of RE2 (its text is not
// ASCII, or it has \b, \pL or (?m)), 200 ns for those that may match it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace trawl {

// What is wrong with a pattern, and where.
class PatternError : public std::runtime_error {
 public:
  PatternError(const std::string& message, std::string pattern, std::size_t position)
      : std::runtime_error(message), pattern_(std::move(pattern)), position_(position) {}
  const std::string& pattern() const { return pattern_; }
  // The byte of the pattern that the message is about; its size: the end.
  std::size_t position() const { return position_; }

 private:
  std::string pattern_;
  std::size_t position_;
};

enum class Case : std::uint8_t {
  sensitive,
  ignored,
  smart,  // ignored, unless there is an upper-case letter in the pattern that stands for itself
};

class Pattern {
 public:
  // A regular expression of RE2's syntax that is found somewhere in the text; "." takes a newline,
  // too. Throws PatternError, also where the library was built without RE2 (can_use_regex()).
  static Pattern regex(std::string_view pattern, Case mode = Case::sensitive);
  // A shell's glob, for the whole text: * and ? (anything but '/'), ** as a whole component (any
  // number of components), [a-z], [!a-z], [^a-z], [[:alpha:]] (of ASCII), {a,b} (also nested, or
  // empty), and \ before what stands for itself, also in brackets. Brackets take no '/', and a name
  // may begin with a dot. Throws PatternError.
  static Pattern glob(std::string_view pattern, Case mode = Case::sensitive);
  // The text itself, found somewhere.
  static Pattern fixed(std::string_view text, Case mode = Case::sensitive);

  bool matches(std::string_view text) const;
  // As written.
  const std::string& text() const;
  bool ignores_case() const;

  class Matcher;  // for Plan
  const Matcher& matcher() const { return *matcher_; }

 private:
  explicit Pattern(std::shared_ptr<const Matcher> matcher) : matcher_(std::move(matcher)) {}
  std::shared_ptr<const Matcher> matcher_;
};

// Whether the library was built with RE2.
bool can_use_regex();

}  // namespace trawl
