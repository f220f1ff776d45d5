// SPDX-License-Identifier: Apache-2.0
#include "match/pattern_re2.h"

#include <trawl/pattern.h>

#include "match/pattern_regex_parse.h"
#include "match/pattern_syntax.h"

#ifdef TRAWL_HAS_RE2

#include <re2/re2.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>

namespace trawl {

bool can_use_regex() { return true; }

namespace match {

namespace {

// Where the message's fragment of the pattern is.
std::size_t position_of(const RE2& wrong) {
  const std::string& pattern = wrong.pattern();
  const std::string& part = wrong.error_arg();
  switch (wrong.error_code()) {
    case RE2::ErrorMissingParen:
    case RE2::ErrorUnexpectedParen:
      return unbalanced_parenthesis(pattern);
    case RE2::ErrorTrailingBackslash:
      return pattern.size() - 1;
    case RE2::ErrorBadUTF8:
      for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t begin = at;
        if (decode(pattern, at) >= kInvalid) {
          return begin;
        }
      }
      return 0;  // a surrogate, to RE2
    default: {
      const std::size_t found = part.empty() ? std::string::npos : pattern.find(part);
      return found == std::string::npos ? 0 : found;
    }
  }
}

}  // namespace

// A search locks something of its RE2: with one for all threads, two of them searched no more names
// in a second than one did.
struct Re2::Compiled {
  struct Stripe {
    std::once_flag once;
    std::unique_ptr<const RE2> compiled;
  };

  const RE2& for_this_thread() {
    static std::atomic<unsigned> threads{0};
    thread_local const unsigned thread = threads.fetch_add(1, std::memory_order_relaxed);
    Stripe& stripe = stripes[thread % stripes.size()];
    std::call_once(stripe.once, [this, &stripe] {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_dot_nl(true);
      options.set_never_capture(true);
      options.set_case_sensitive(!ignore_case);
      stripe.compiled = std::make_unique<const RE2>(pattern, options);
    });
    return *stripe.compiled;
  }

  std::string pattern;
  bool ignore_case;
  std::array<Stripe, 16> stripes;
};

Re2::Re2(std::string_view pattern, bool ignore_case)
    : compiled_(new Compiled{std::string(pattern), ignore_case, {}}) {}

void Re2::check() const {
  const RE2& compiled = compiled_->for_this_thread();
  if (compiled.ok()) {
    return;
  }
  std::string message = compiled.error();
  const std::string part = ": " + compiled.error_arg();
  if (part.size() > 2 && message.ends_with(part)) {
    message.resize(message.size() - part.size());
  }
  throw PatternError(message, compiled.pattern(), position_of(compiled));
}

bool Re2::search(std::string_view text) const {
  const RE2& compiled = compiled_->for_this_thread();
  const auto found = [&compiled](std::string_view in) {
    return compiled.Match(re2::StringPiece(in.data(), in.size()), 0, in.size(), RE2::UNANCHORED,
                          nullptr, 0);
  };
  if (is_ascii(text)) {
    return found(text);
  }
  std::string valid;
  bool replaced = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t c = decode(text, at);
    replaced |= c >= kInvalid;
    encode(c >= kInvalid ? 0xFFFD : c, valid);
  }
  return found(replaced ? std::string_view(valid) : text);
}

}  // namespace match
}  // namespace trawl

#else

namespace trawl {

bool can_use_regex() { return false; }

namespace match {

struct Re2::Compiled {};

Re2::Re2(std::string_view pattern, bool) {
  throw PatternError("regular expressions are not built in", std::string(pattern), 0);
}
void Re2::check() const {}
bool Re2::search(std::string_view) const { return false; }

}  // namespace match
}  // namespace trawl

#endif

trawl::match::Re2::~Re2() = default;
