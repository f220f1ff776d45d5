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

// An absolute path without "//", "." and "..", which are taken out by their text alone, as git
// does. Empty: it leads above '/'.
std::string normalized(std::string_view path) {
  std::string out;
  for (std::size_t begin = 0; begin < path.size();) {
    std::size_t end = path.find('/', begin);
    end = end == std::string_view::npos ? path.size() : end;
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") {
      if (out.empty()) {
        return {};
      }
      out.resize(out.rfind('/'));
    } else if (!part.empty() && part != ".") {
      out += '/';
      out += part;
    }
    begin = end + 1;
  }
  return out.empty() ? "/" : out;
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
    if (!options_.no_index) {
      tracked_ = TrackedPaths::of(filter_.root());
    }
    top_ = filter_.root() == "." ? here_ : filter_.root();
  }

  // Appends the answer.
  void check(const std::string& path, std::string& out) {
    const std::string inside = path_from_top(path);
    FilterMatch match;
    if (!inside.empty() && !(tracked_ && tracked_->contains(inside))) {
      bool is_directory = false;
      is_link(top_ + '/' + inside, is_directory);
      match = filter_.match(inside, is_directory || path.ends_with('/'));
    }
    const bool matches = options_.verbose ? match.verdict != FilterMatch::Verdict::none
                                          : match.verdict == FilterMatch::Verdict::ignored;
    found_ = found_ || matches;
    if (!options_.quiet && (matches || options_.non_matching)) {
      append(path, match, out);
    }
  }

  bool found() const { return found_; }

  // Says what could not be read since the last time. False if there was something.
  bool warn() {
    const std::vector<FilterError> errors = filter_.errors();
    for (; warned_ < errors.size(); ++warned_) {
      std::fprintf(stderr, "trawl ignored: cannot read the rules in %s: %s\n",
                   quote_always(errors[warned_].path).c_str(),
                   error_text(errors[warned_].code).c_str());
    }
    return errors.empty();
  }

 private:
  static PathFilter make_filter(const IgnoredOptions& options) {
    FilterOptions rules = PathFilter::from_git_root(".").options();
    rules.names = options.ignore_names;
    rules.files = options.ignore_files;
    return PathFilter(std::move(rules), PathFilter::from_git_root(".").root());
  }

  // Empty: the top itself.
  std::string path_from_top(const std::string& path) const {
    if (path.empty()) {
      throw Fatal("an empty path; for everything there is .");
    }
    const std::string full = normalized(path.starts_with('/') ? path : here_ + '/' + path);
    const std::string below = top_ == "/" ? top_ : top_ + '/';
    if (full != top_ && !full.starts_with(below)) {
      throw Fatal(quote_always(path) + " is outside of the repository at " + quote_always(top_));
    }
    const std::string inside = full == top_ ? "" : full.substr(below.size());
    for (std::size_t end = inside.find('/'); end != std::string::npos;
         end = inside.find('/', end + 1)) {
      bool is_directory = false;
      if (is_link(below + inside.substr(0, end), is_directory)) {
        throw Fatal(quote_always(path) + " is beyond a symbolic link");
      }
    }
    if (tracked_) {
      const std::string_view submodule = tracked_->submodule_of(inside);
      if (!submodule.empty() && submodule != inside) {
        throw Fatal(quote_always(path) + " is in the submodule " + quote_always(submodule));
      }
    }
    return inside;
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
  bool found_ = false;
  std::size_t warned_ = 0;
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
    for (const std::string& path : options.paths) {
      checker.check(path, output.buffer());
      output.added();
    }
    return;
  }
  PathList list(STDIN_FILENO, options.null_terminated ? '\0' : '\n', cancel);
  PathChunk chunk;
  while (list.read(chunk)) {
    for (const std::string& line : chunk.paths) {
      checker.check(path_of_line(line, options), output.buffer());
      output.added();
    }
    output.flush();  // somebody may wait for this before there is more
    for (const PathChunk::Refused& refused : chunk.refused) {
      throw Fatal("not a path: " + quote_always(refused.name));
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
    status = checker.warn() ? status : kIgnoredFatal;
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
