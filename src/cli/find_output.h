// SPDX-License-Identifier: Apache-2.0
//
// How `trawl find` shows what it found: paths with or without "./", colours, hyperlinks, templates,
// the forms of `trawl list`; and results in order, which are kept until all are known.
#pragma once

#include <trawl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/entry_format.h"
#include "cli/find_format.h"
#include "cli/ls_colors.h"

namespace trawl::cli {

struct PathStyle {
  bool strip = false;  // "./" of what is below the current directory
  bool guard = false;  // begin no path with '-': commands would take it for an option

  // `path` is as the walk has it: a file's, or a directory's that ends with '/'.
  void apply(std::string& path) const;
};

// Something that was found. What it points to is somebody else's.
struct Finding {
  std::string_view path;  // as it is shown, with '/' for a separator and none at its end
  std::size_t name = 0;   // where its last name begins
  int depth = 0;
  FileType type = FileType::unknown;
  const Metadata* metadata = nullptr;
  std::string_view target = {};  // of a symbolic link, if needs_target()
};

struct LineStyle {
  char end = '\n';
  std::string separator = "/";
  std::optional<LsColors> colors;
  std::string url;                      // not empty: hyperlinks that begin with it
  std::string base;                     // of them: what relative paths are relative to, with '/'
  std::optional<Template> text;         // --format
  std::shared_ptr<EntryFormat> format;  // --json, --list-details

  // Paths alone, as they are.
  bool is_plain() const { return !colors && url.empty() && !text && !format && separator == "/"; }
  Fields fields() const;
  bool needs_target() const { return format && format->needs_target(); }
  bool is_aligned() const { return format && format->is_aligned(); }
  void measure(const Finding& finding) const;
  // A whole line. Thread-safe.
  void append(std::string& out, const Finding& finding) const;

 private:
  void append_path(std::string& out, const Finding& finding) const;
  void append_colored(std::string& out, const Finding& finding) const;
  EntryLine line_of(const Finding& finding) const;
};

// A path, percent-encoded for a URL.
void append_encoded(std::string& out, std::string_view path);
// "file://" and the host's name.
std::string file_url();

enum class RankBy : std::uint8_t { nothing, name, path, size, mtime, ctime };

// --sort and --top.
struct Ranking {
  RankBy by = RankBy::nothing;
  std::size_t most = SIZE_MAX;  // of the first
  Fields fields() const;
};

// A Finding of one's own.
struct KeptFinding {
  std::string path;
  std::size_t name = 0;
  int depth = 0;
  FileType type = FileType::unknown;
  std::unique_ptr<Metadata> metadata;
  std::string target;

  explicit KeptFinding(const Finding& finding);
  operator Finding() const;
};

// The first `most` in the order of the ranking: names and paths ascending, the biggest and the
// latest first; what is equal in this by path. Not thread-safe: one for each worker.
class Ranked {
 public:
  explicit Ranked(const Ranking& ranking) : ranking_(ranking) {}
  void add(const Finding& finding);
  void merge(Ranked&& other);
  // In order; empties it.
  std::vector<KeptFinding> take();

 private:
  bool before(const Finding& a, const Finding& b) const;
  template <class T>
  void insert(T&& finding);

  const Ranking ranking_;
  std::vector<KeptFinding> kept_;  // a heap with the last on top, once it is full
};

}  // namespace trawl::cli
