// SPDX-License-Identifier: Apache-2.0
//
// `trawl ignored`: the verdict of ignore rules on paths, as git check-ignore gives it.
#include "cli/ignored.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <trawl/error.h>
#include <trawl/path_filter.h>
#include <trawl/tracked_paths.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "cli/filter_options.h"
#include "cli/git_quote.h"
#include "cli/ignored_options.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/path_list.h"
#include "cli/quote.h"

namespace trawl::cli {

namespace {

// What ends the command.
struct Fatal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string current_directory() {
  std::unique_ptr<char, void (*)(void*)> path(::getcwd(nullptr, 0), std::free);
  if (path == nullptr) {
    throw Fatal("the current directory has no path: " + error_text(errno));
  }
  return path.get();
}

// Appends `path` to `out`, which is empty or ends with a slash, without "//", "." and "..", which
// are taken out by their text alone, as git does. A slash stays at its end where there was one, or
// "." or
// "..". False: it leads above where `out` begins, or above "/".
bool append_normalized(std::string& out, std::string_view path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = path.find('/', begin);
    const std::size_t end = slash == std::string_view::npos ? path.size() : slash;
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") {
      if (out.empty() || out == "/") {
        return false;
      }
      out.pop_back();
      out.resize(out.rfind('/') + 1);  // npos + 1 is 0
    } else if (!part.empty() && part != ".") {
      out += part;
      out += slash != std::string_view::npos ? "/" : "";
    }
    begin = end + 1;
  }
  return true;
}

// Empty: there is none.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real != nullptr ? real.get() : "";
}

bool is_link(const std::string& path, bool& is_directory) {
  struct stat info;
  const bool exists = ::lstat(path.c_str(), &info) == 0;
  is_directory = exists && S_ISDIR(info.st_mode);
  return exists && S_ISLNK(info.st_mode);
}

class Checker {
 public:
  explicit Checker(const IgnoredOptions& options)
      : options_(options), here_(current_directory()), filter_(make_filter(options)) {
    // So far, what was asked for was read.
    for (const FilterError& error : filter_.errors()) {
      throw Fatal(message_of(error));
    }
    if (!options_.no_index) {
      tracked_ = TrackedPaths::of(filter_.root());
    }
    top_ = filter_.root() == "." ? here_ : filter_.root();
    below_top_ = top_ == "/" ? top_ : top_ + '/';
    if (here_ != top_) {
      from_top_ = here_.substr(below_top_.size()) + '/';
    }
  }

  // Appends the answer.
  void check(const std::string& path, std::string& out) {
    const std::string inside = path_from_top(path);
    FilterMatch match;
    if (!inside.empty() && !(tracked_ && tracked_->contains(inside))) {
      bool is_directory = false;
      is_link(below_top_ + inside, is_directory);
      match = filter_.match(inside, is_directory);
    }
    const bool matches = options_.verbose ? match.verdict != FilterMatch::Verdict::none
                                          : match.verdict == FilterMatch::Verdict::ignored;
    found_ = found_ || matches;
    if (!options_.quiet && (matches || options_.non_matching)) {
      append(path, match, out);
    }
  }

  bool found() const { return found_; }

  // Says what could not be read.
  void warn() const {
    for (const FilterError& error : filter_.errors()) {
      std::fprintf(stderr, "trawl ignored: %s\n", message_of(error).c_str());
    }
  }

 private:
  static PathFilter make_filter(const IgnoredOptions& options) {
    const PathFilter of_git = PathFilter::from_git_root(".");
    FilterOptions rules = of_git.options();
    rules.names = options.ignore_names;
    rules.files = options.ignore_files;
    return PathFilter(std::move(rules), of_git.root());
  }

  // Empty: the top itself. With a slash at its end if that was asked about, as git sees it.
  std::string path_from_top(const std::string& path) const {
    if (path.empty()) {
      throw Fatal("an empty path; for everything there is .");
    }
    std::string inside;
    if (path.starts_with('/') ? !take_off_top(path, inside)
                              : !append_normalized(inside = from_top_, path)) {
      throw Fatal(quote_always(path) + " is outside of the repository at " + quote_always(top_));
    }
    for (std::size_t end = inside.find('/'); end != std::string::npos;
         end = inside.find('/', end + 1)) {
      bool is_directory = false;
      if (is_link(below_top_ + inside.substr(0, end), is_directory)) {
        throw Fatal(quote_always(path) + " is beyond a symbolic link");
      }
    }
    if (tracked_) {
      const std::string_view submodule = tracked_->submodule_of(inside);
      if (!submodule.empty() && inside.size() > submodule.size() + 1) {
        throw Fatal(quote_always(path) + " is in the submodule " + quote_always(submodule));
      }
      if (!submodule.empty()) {
        inside = submodule;
      }
    }
    return inside;
  }

  // `path` is absolute. What leads to the top may go through links.
  bool take_off_top(const std::string& path, std::string& inside) const {
    std::string full = "/";
    if (!append_normalized(full, path)) {
      return false;
    }
    if (full == top_ || full.starts_with(below_top_)) {
      inside = full == top_ ? "" : full.substr(below_top_.size());
      return true;
    }
    for (std::size_t end = full.find('/', 1); full != "/"; end = full.find('/', end + 1)) {
      if (real_path(full.substr(0, end)) == top_) {
        inside = end == std::string::npos ? "" : full.substr(end + 1);
        return true;
      }
      if (end == std::string::npos) {
        break;
      }
    }
    return false;
  }

  void append(const std::string& path, const FilterMatch& match, std::string& out) const {
    const bool null = options_.null_terminated;
    if (options_.verbose) {
      const bool none = match.verdict == FilterMatch::Verdict::none;
      const std::string line = none ? "" : std::to_string(match.line);
      if (null) {
        out += match.source;
        out += '\0';
        out += line;
        out += '\0';
        out += match.pattern;
        out += '\0';
      } else {
        append_git_quoted(out, match.source);
        out += ':' + line + ':';
        out += match.pattern;
        out += '\t';
      }
    }
    if (null) {
      out += path;
      out += '\0';
    } else {
      append_git_quoted(out, path);
      out += '\n';
    }
  }

  const IgnoredOptions& options_;
  const std::string here_;
  const PathFilter filter_;
  std::optional<TrackedPaths> tracked_;
  std::string top_;
  std::string below_top_;  // top_ with a slash at its end
  std::string from_top_;   // from there to here_, empty or with a slash at its end
  bool found_ = false;
};

std::string path_of_line(const std::string& line, const IgnoredOptions& options) {
  if (options.null_terminated || !line.starts_with('"')) {
    return line;
  }
  if (auto path = git_unquoted(line)) {
    return *std::move(path);
  }
  throw Fatal("a line is badly quoted: " + line);
}

void check_all(const IgnoredOptions& options, const CancelToken& cancel, Checker& checker,
               Output& output) {
  if (!options.from_input) {
    // All or nothing, as git.
    std::string answers;
    for (const std::string& path : options.paths) {
      checker.check(path, answers);
    }
    output.buffer() += answers;
    output.added();
    return;
  }
  PathList list(STDIN_FILENO, options.null_terminated ? '\0' : '\n', cancel);
  for (PathChunk chunk; list.read(chunk); chunk = {}) {
    for (const PathChunk::Refused& refused : chunk.refused) {
      // To git the last path needs no NUL at its end.
      chunk.paths[refused.index] = refused.cut_off ? refused.name : "";
      if (!refused.cut_off) {
        chunk.paths.resize(refused.index);
        break;
      }
    }
    for (const std::string& line : chunk.paths) {
      if (cancel.cancelled() || output.error() != 0) {
        return;
      }
      checker.check(path_of_line(line, options), output.buffer());
      output.added();
    }
    output.flush();  // somebody may wait for this before there is more
    if (!chunk.refused.empty() && !chunk.refused.back().cut_off) {
      throw Fatal("a path is too long: " + quote_always(chunk.refused.back().name));
    }
  }
  if (list.error() != 0) {
    throw Fatal("cannot read standard input: " + error_text(list.error()));
  }
}

}  // namespace

int ignored_main(int argc, char** argv) {
  const IgnoredCommand command = parse_ignored_options(argc, argv);
  if (command.status) {
    return print_and_exit_status(command.out, argv[0], *command.status);
  }
  CancelToken cancel;
  const Interrupt interrupt(cancel);
  Output output(STDOUT_FILENO);
  int status = 0;
  try {
    Checker checker(command.options);
    try {
      check_all(command.options, cancel, checker, output);
      status = checker.found() ? 0 : 1;
    } catch (const Fatal&) {
      checker.warn();
      throw;
    }
    checker.warn();  // and no more than that, as git
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "trawl ignored: %s\n", error.what());
    status = kIgnoredFatal;
  }
  output.flush();
  if (output.error() != 0) {
    std::fprintf(stderr, "trawl ignored: %s\n", output.reason().c_str());
    status = kIgnoredFatal;
  }
  return Interrupt::status() != 0 ? Interrupt::status() : status;
}

}  // namespace trawl::cli
