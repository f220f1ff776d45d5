// SPDX-License-Identifier: Apache-2.0
//
// Which paths are left out: by the rules of ignore files, as git reads them (gitignore(5)), by
// patterns of the caller's, by being hidden. With Options::filter a walk applies them before it
// asks for an entry's metadata and before it opens a directory: what is ignored costs nothing but
// its name.
//
//   PathFilter filter(FilterOptions{.git = true});
//   options.filter = &filter;                       // of a walk
//
//   const PathFilter repository = PathFilter::from_git_root("/home/ada/project");
//   repository.match("build/x.o", false)            // .ignored(), .source ".gitignore", .line 3
//
// Precedence, highest first; the first that has a matching rule decides, in each the deepest
// directory's file first, in a file the last rule that matches:
//   exclude patterns · files of `names`, the last name first · .gitignore · $GIT_DIR/info/exclude ·
//   core.excludesFile · `files`, the last first
// What no rule decides is left out if it is hidden and `hidden` says so. Nothing below a directory
// that is left out comes back, whatever the rules say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

struct FilterOptions {
  // Leave out names that begin with a dot, unless a rule with '!' takes them in.
  bool hidden = false;
  // .gitignore in each directory, and info/exclude of each repository. A directory that has a .git
  // of its own is a repository's top: rules of what is above it don't count there.
  bool git = false;
  bool git_global = true;    // with `git`: core.excludesFile, or git's default for it
  bool require_git = false;  // .gitignore counts only inside a repository
  // Other ignore files that each directory may have; the later beat the earlier: {".ignore"}.
  std::vector<std::string> names = {};
  // Rules of directories above a root count as well: git's up to the repository's top, `names` up
  // to '/'.
  bool parents = true;
  // Files of rules that count everywhere, and are relative to each root.
  std::vector<std::string> files = {};
  // Rules as a line of an ignore file, relative to each root; '!' takes back an earlier one.
  std::vector<std::string> exclude = {};
  // Leave out what is beside a CACHEDIR.TAG that is one (https://bford.info/cachedir/); the
  // directory and the tag stay, as with tar --exclude-caches.
  bool caches = false;
  bool ignore_case = false;  // of letters A to Z, in all rules, as core.ignoreCase
  // Leaves out paths, as the walk would report them, with all below them; called on any worker,
  // for all that the rest leaves in. Roots, too; rules do not count for roots.
  std::function<bool(const char* path)> custom = {};
  // Of the threads of a walk with this filter, for what `custom` calls.
  std::size_t stack_bytes = std::size_t{256} << 10;
};

struct FilterMatch {
  enum class Verdict : std::uint8_t {
    none,  // no rule matches: it stays
    ignored,
    included,  // by a rule with '!'
    hidden,
  };
  Verdict verdict = Verdict::none;
  // The rule that decided; of the directory above that it belongs to, if that is ignored. Valid as
  // long as the filter.
  std::string_view source = {};   // its file: relative to the root if it is below it. Empty: a pattern
  std::uint64_t line = 0;    // from 1
  std::string_view pattern = {};  // as it is in the file, without white space at its end
  bool ignored() const { return verdict == Verdict::ignored || verdict == Verdict::hidden; }
};

// An ignore file that could not be read.
struct FilterError {
  std::string path;
  int code = 0;  // errno; EFBIG: more than 100 MB, which is not read, as by git
};

// Immutable but for a cache of the ignore files that match() read; thread-safe.
class PathFilter {
 public:
  // Reads `files`, which are relative to the current directory, and git's configuration of the user.
  // Rules are relative to `root` in match(), to each root in a walk.
  explicit PathFilter(FilterOptions options, std::string root = ".");
  ~PathFilter();
  PathFilter(PathFilter&&) noexcept;
  PathFilter& operator=(PathFilter&&) noexcept;

  // All of git's rules for the repository that `path` is in, or, outside of one, for the tree below
  // it. root() is the repository's top.
  static PathFilter from_git_root(const std::string& path);
  // Rules of these files, relative to `root`.
  static PathFilter from_files(std::vector<std::string> files, std::string root = ".");
  // Rules as lines of an ignore file, relative to `root`.
  static PathFilter from_patterns(std::vector<std::string> lines, std::string root = ".");

  // `path`: relative to root(), without "." and "..". Whether it exists does not matter. Reads the
  // ignore files of the directories above it when they are first needed. With a slash at its end it
  // is a directory with its own ignore files, in which a name without letters is asked about, as git
  // has it: "*" there matches.
  FilterMatch match(std::string_view path, bool is_directory) const;
  const std::string& root() const;
  const FilterOptions& options() const;
  // What could not be read so far.
  std::vector<FilterError> errors() const;

  class Context;  // for the engine
  const Context& context() const { return *context_; }

 private:
  std::unique_ptr<Context> context_;
};

}  // namespace trawl
