// SPDX-License-Identifier: Apache-2.0
#include "cli/find_patterns.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "cli/quote.h"
#include "cli/terminal.h"

namespace trawl::cli {

namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// Every name has a character.
bool finds_everything(std::string_view pattern, const PatternMode& mode) {
  if (pattern.empty()) {
    return true;
  }
  if (mode.glob) {
    return !mode.full_path && is_one_of(pattern, {"*", "**"});
  }
  return !mode.is_text() && is_one_of(pattern, {".", ".*", ".+", "^", "$", "^.*$", "^.+$", "^.*"});
}

Pattern make(const std::string& pattern, const PatternMode& mode, Case letters) {
  if (mode.exact) {
    std::string glob;
    for (const char c : pattern) {
      if (std::string_view("*?[]{},\\!^-").find(c) != std::string_view::npos) {
        glob += '\\';
      }
      glob += c;
    }
    return Pattern::glob(glob, letters);
  }
  return mode.glob    ? Pattern::glob(pattern, letters)
         : mode.fixed ? Pattern::fixed(pattern, letters)
                      : Pattern::regex(pattern, letters);
}

// A regular expression's alternatives, if it is not in a group or class that they are.
bool has_alternatives(std::string_view regex) {
  int depth = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    if (c == '\\') {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(' || c == ')') {
      depth += c == '(' ? 1 : -1;
    } else if (c == '|' && depth == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Predicate> compile(const std::vector<std::string>& patterns,
                                 const PatternMode& mode) {
  std::vector<Pattern> compiled;
  bool sensitive = false;
  for (const std::string& pattern : patterns) {
    sensitive =
        !compiled.emplace_back(make(pattern, mode, mode.letters)).ignores_case() || sensitive;
  }
  std::optional<Predicate> all;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (finds_everything(patterns[i], mode)) {
      continue;
    }
    if (sensitive && compiled[i].ignores_case()) {
      compiled[i] = make(patterns[i], mode, Case::sensitive);
    }
    const Predicate one =
        mode.full_path ? Predicate::path(compiled[i]) : Predicate::name(compiled[i]);
    all = all ? *all && one : one;
  }
  return all;
}

bool only_finds_hidden(std::string_view pattern, const PatternMode& mode) {
  if (mode.fixed) {
    return false;
  }
  if (mode.glob || mode.exact) {
    return pattern.starts_with('.') || (mode.glob && pattern.starts_with("\\."));
  }
  if (!pattern.starts_with("^\\.") || has_alternatives(pattern)) {
    return false;
  }
  const std::string_view rest = pattern.substr(3);
  return rest.empty() || std::string_view("?*{").find(rest.front()) == std::string_view::npos;
}

namespace {

// Past a character of a glob, an escaped one, or a class.
std::size_t past_one(std::string_view glob, std::size_t at) {
  if (glob[at] == '\\') {
    return at + 2;
  }
  if (glob[at] != '[') {
    return at + 1;
  }
  at += at + 1 < glob.size() && (glob[at + 1] == '!' || glob[at + 1] == '^') ? 2U : 1U;
  const std::size_t end = glob.find(']', at + 1);  // the first in it is not its end
  return end == std::string_view::npos ? glob.size() : end + 1;
}

// Of the first { from `at` on.
std::size_t next_choice(std::string_view glob, std::size_t at) {
  while (at < glob.size() && glob[at] != '{') {
    at = past_one(glob, at);
  }
  return at < glob.size() ? at : std::string_view::npos;
}

// The commas and the } that belong to the { at `open`.
std::vector<std::size_t> ends_of_branches(std::string_view glob, std::size_t open) {
  std::vector<std::size_t> ends;
  int depth = 0;
  for (std::size_t at = open + 1; at < glob.size(); at = past_one(glob, at)) {
    const char c = glob[at];
    if (depth == 0 && (c == ',' || c == '}')) {
      ends.push_back(at);
      if (c == '}') {
        break;
      }
    }
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
  }
  return ends;
}

}  // namespace

std::string with_caret(const PatternError& error, const PatternMode& mode) {
  const bool utf8 = is_utf8_locale();
  const std::string_view pattern = error.pattern();
  const std::string before = printable(pattern.substr(0, error.position()), utf8);
  return std::string(mode.glob ? "bad glob: " : "bad regular expression: ") + error.what() +
         "\n    " + before + printable(pattern.substr(error.position()), utf8) + "\n    " +
         std::string(width_of(before, utf8), ' ') + '^' +
         (mode.glob ? "" : "\nTo find text as it is, use --fixed-strings; for a glob, --glob.");
}

std::vector<std::string> exclude_rules(const std::string& glob) {
  constexpr std::size_t kMost = 1000;
  Pattern::glob(glob);  // throws if it is a bad one
  std::vector<std::string> rules;
  // What is not looked at as yet; from where on is known to have no choice before it.
  std::vector<std::pair<std::string, std::size_t>> left{{glob, 0}};
  while (!left.empty()) {
    const auto [text, known] = std::move(left.back());
    left.pop_back();
    const std::size_t open = next_choice(text, known);
    if (open == std::string::npos) {
      const bool is_special = text.starts_with('#') || text.starts_with('!');
      rules.push_back((is_special ? "\\" : "") + text);
      if (rules.size() > kMost) {
        throw PatternError("too many choices", glob, 0);
      }
      continue;
    }
    const std::vector<std::size_t> commas = ends_of_branches(text, open);
    for (std::size_t i = commas.size(), begin; i-- > 0;) {
      begin = (i == 0 ? open : commas[i - 1]) + 1;
      left.emplace_back(text.substr(0, open) + text.substr(begin, commas[i] - begin) +
                            text.substr(commas.back() + 1),
                        open);
    }
  }
  return rules;
}

std::vector<std::string> global_ignore_files() {
  const char* set = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::string directory;
  if (set != nullptr && *set == '/') {
    directory = set;
  } else if (home != nullptr && *home != '\0') {
    directory = std::string(home) + "/.config";
  } else {
    return {};
  }
  std::vector<std::string> files;
  for (const char* name : {"/fd/ignore", "/trawl/ignore"}) {
    if (const std::string path = directory + name; ::access(path.c_str(), F_OK) == 0) {
      files.push_back(path);
    }
  }
  return files;
}

}  // namespace trawl::cli
