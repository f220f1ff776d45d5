// SPDX-License-Identifier: Apache-2.0
//
// A file of ignore rules, against a matcher that tries everything: both must name the same rule.
// The first byte says whether case counts and the path is a directory's; up to a newline follows
// the path, then the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "match/ignore_lines.h"
#include "match/ignore_rules.h"
#include "match/wildmatch.h"

namespace {

using trawl::match::fold_case;

// Reads the pattern's bytes anew at each step; remembers only what failed.
class Trial {
 public:
  Trial(std::string_view pattern, std::string_view text, bool fold)
      : pattern_(pattern), text_(text), fold_(fold) {}

  bool matches() {
    std::size_t plain = 0;
    while (plain < pattern_.size() && std::string_view("*?[\\").find(pattern_[plain]) == npos) {
      ++plain;
    }
    if (plain > text_.size()) return false;
    for (std::size_t i = 0; i < plain; ++i) {
      if (folded(pattern_[i]) != folded(text_[i])) return false;
    }
    pattern_.remove_prefix(plain);
    text_.remove_prefix(plain);
    failed_ = std::vector<bool>((pattern_.size() + 1) * (text_.size() + 1));
    return from(0, 0);
  }

 private:
  static constexpr std::size_t npos = std::string_view::npos;

  unsigned char folded(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return fold_ ? fold_case(byte) : byte;
  }

  bool from(std::size_t p, std::size_t t) {
    const std::size_t state = p * (text_.size() + 1) + t;
    if (failed_[state]) return false;
    failed_[state] = true;  // until it is known better
    return step(p, t);
  }

  bool step(std::size_t p, std::size_t t) {
    if (p == pattern_.size()) return t == text_.size();
    if (pattern_[p] == '*') return stars(p, t);
    if (t == text_.size()) return false;
    const unsigned char c = folded(text_[t]);
    if (pattern_[p] == '?') return c != '/' && from(p + 1, t + 1);
    if (pattern_[p] == '[') {
      bool inside = false;
      const std::size_t end = bracket(p, c, inside);
      return end != npos && inside && c != '/' && from(end, t + 1);
    }
    if (pattern_[p] == '\\') {
      return p + 1 < pattern_.size() && static_cast<unsigned char>(pattern_[p + 1]) == c &&
             from(p + 2, t + 1);
    }
    return folded(pattern_[p]) == c && from(p + 1, t + 1);
  }

  bool stars(std::size_t p, std::size_t t) {
    std::size_t end = pattern_.find_first_not_of('*', p);
    if (end == npos) end = pattern_.size();
    const std::string_view rest = pattern_.substr(end);
    const bool wide = end - p > 1 && (p == 0 || pattern_[p - 1] == '/') &&
                      (rest.empty() || rest.starts_with('/') || rest.starts_with("\\/"));
    if (wide && rest.starts_with('/') && from(end + 1, t)) return true;
    for (;; ++t) {
      if (from(end, t)) return true;
      if (t == text_.size() || (!wide && text_[t] == '/')) return false;
    }
  }

  // Where the class that begins at `p` ends, or npos.
  std::size_t bracket(std::size_t p, unsigned char c, bool& inside) const {
    const auto at = [&](std::size_t i) {
      return i < pattern_.size() ? static_cast<unsigned char>(pattern_[i]) : 0U;
    };
    const unsigned upper = fold_ && c >= 'a' && c <= 'z' ? c - 32U : c;
    std::size_t i = p + 1;
    const bool negated = at(i) == '!' || at(i) == '^';
    if (negated) ++i;
    bool found = false;
    unsigned before = 0;
    for (bool first = true; first || at(i) != ']'; first = false) {
      unsigned member = at(i);
      if (member == 0) return npos;
      if (member == '-' && before != 0 && at(i + 1) != 0 && at(i + 1) != ']') {
        i += at(i + 1) == '\\' ? 2U : 1U;
        if (at(i) == 0) return npos;
        found = found || (before <= c && c <= at(i)) || (before <= upper && upper <= at(i));
        before = 0;
        ++i;
        continue;
      }
      if (member == '[' && at(i + 1) == ':') {
        const std::size_t close = pattern_.find(']', i + 2);
        if (close == npos) return npos;
        if (close > i + 2 && pattern_[close - 1] == ':') {
          const std::string_view name = pattern_.substr(i + 2, close - i - 3);
          const std::string_view members = named(name);
          if (members.empty()) return npos;
          found = found || members.find(static_cast<char>(c)) != npos ||
                  (name == "upper" && members.find(static_cast<char>(upper)) != npos);
          before = 0;
          i = close + 1;
          continue;
        }
      }
      if (member == '\\') member = at(++i);
      if (member == 0) return npos;
      found = found || member == c;
      before = member;
      ++i;
    }
    inside = found != negated;
    return i + 1;
  }

  static std::string_view named(std::string_view name) {
    static const std::string kLower = "abcdefghijklmnopqrstuvwxyz";
    static const std::string kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const std::string kDigit = "0123456789";
    static const std::string kPunct = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    static const std::string kAlpha = kLower + kUpper;
    static const std::string kAlnum = kAlpha + kDigit;
    static const std::string kGraph = kAlnum + kPunct;
    static const std::string kPrint = kGraph + " ";
    static const std::string kXdigit = kDigit + "abcdefABCDEF";
    static const std::string kCntrl = [] {
      std::string out("\x7f");
      for (char c = 1; c < ' '; ++c) out += c;
      return out;
    }();
    if (name == "lower") return kLower;
    if (name == "upper") return kUpper;
    if (name == "digit") return kDigit;
    if (name == "punct") return kPunct;
    if (name == "alpha") return kAlpha;
    if (name == "alnum") return kAlnum;
    if (name == "graph") return kGraph;
    if (name == "print") return kPrint;
    if (name == "xdigit") return kXdigit;
    if (name == "cntrl") return kCntrl;
    if (name == "blank") return " \t";
    if (name == "space") return " \t\n\r";
    return {};
  }

  std::string_view pattern_;
  std::string_view text_;
  bool fold_;
  std::vector<bool> failed_;
};

bool is_path(std::string_view path) {
  return !path.empty() && path.front() != '/' && path.back() != '/' &&
         path.find("//") == std::string_view::npos && path.find('\0') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool fold = (data[0] & 1) != 0;
  const bool is_directory = (data[0] & 2) != 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string path = text.substr(0, text.find('\n'));
  if (path.size() == text.size() || !is_path(path)) return 0;
  const std::string file = text.substr(path.size() + 1);

  const std::size_t name_begin = path.rfind('/') + 1;  // npos + 1 is 0
  const trawl::match::IgnoreRules rules(file, "", fold);
  const trawl::match::IgnoreCandidate candidate(path, name_begin, is_directory);
  const trawl::match::IgnoreRule* const found = rules.match(candidate, 0);

  std::uint64_t line = 0;
  for (const auto& each : trawl::match::read_ignore_lines(file)) {
    if (each.body.empty() || (each.directory_only && !is_directory)) continue;
    const std::string_view whole = path;
    const bool anchored = each.body.starts_with('/');
    Trial trial(each.body.substr(anchored ? 1 : 0),
                each.has_slash ? whole : whole.substr(name_begin), fold);
    if (trial.matches()) line = each.rule.line;
  }
  if ((found == nullptr ? 0 : found->line) != line) std::abort();
  if (rules.empty() && found != nullptr) std::abort();

  // In a directory further down, and with that directory's name before it.
  const std::string below = "x/" + path;
  const trawl::match::IgnoreCandidate same(below, name_begin + 2, is_directory);
  if (rules.match(same, 2) != found) std::abort();
  return 0;
}
