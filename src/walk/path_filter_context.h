// SPDX-License-Identifier: Apache-2.0
//
// What a PathFilter knows, and how the engine and PathFilter::match() apply it: the ignore files of
// one directory after the other, from the top down, become *levels*, each of which points to the
// one above.
//
// The engine finds a directory's ignore files among the names that it lists, so nothing is opened
// that is not there. What decides is src/match/.
#pragma once

#include <trawl/path_filter.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "match/ignore_levels.h"
#include "sys/filesystem.h"
#include "walk/git_repository.h"

namespace trawl {

// A directory's view of the rules.
struct FilterLevel {
  match::IgnoreLevel rules;
  bool in_repository = false;
  bool ignore_case = false;  // core.ignoreCase of the repository, or asked for
  bool is_cache = false;     // there is a CACHEDIR.TAG, and caches are left out
};

// Where the levels of a root begin.
struct FilterRoot {
  // Paths that rules are asked about are this and the path from the root: that of the root from '/'
  // and a slash, or nothing if no rules of directories above it count.
  std::string prefix;
  std::deque<FilterLevel> levels;  // of directories above, and of what counts everywhere
  const FilterLevel& top() const { return levels.back(); }
};

class PathFilter::Context {
 public:
  // Files by index in wanted(), as a set.
  using Found = std::uint64_t;
  static constexpr Found kAll = ~Found{0};

  Context(FilterOptions options, std::string root);

  const FilterOptions& options() const { return options_; }
  const std::string& root() const { return root_; }

  bool reads_files() const { return !wanted_.empty(); }
  // The wanted file of this name, as a set of one, or none.
  Found found(std::string_view name) const {
    const auto first = name.empty() ? 0U : static_cast<unsigned char>(name[0]);
    return begins_wanted_[first] ? look_up(name) : 0;
  }

  // `path`, relative to `base`: a root.
  std::unique_ptr<FilterRoot> begin(sys::FileSystem& filesystem, int base, const char* path,
                                    std::string_view shown) const;
  // The level of the directory `path` ("" or with a slash at its end), relative to `base`, if one
  // of the files that may be there (`found`) makes it another than `above`; else null. `shown`: the
  // directory, as people see it, with a slash at its end or empty. `begin`: where names in it begin
  // in candidates' paths.
  std::unique_ptr<FilterLevel> enter(sys::FileSystem& filesystem, int base, const std::string& path,
                                     std::string_view shown, Found found, std::size_t begin,
                                     const FilterLevel& above) const;

  // What rules and hiding say of a name; not `custom`.
  FilterMatch judge(const FilterLevel& level, const match::IgnoreCandidate& candidate) const;

  FilterMatch match(std::string_view path, bool is_directory) const;
  std::vector<FilterError> errors() const;

 private:
  using Rules = std::shared_ptr<const match::IgnoreRules>;

  std::size_t kind_of_name(std::size_t index) const { return options_.names.size() - index; }
  std::size_t git_kind() const { return options_.names.size() + 1; }
  std::size_t info_kind() const { return git_kind() + 1; }
  std::size_t global_kind() const { return git_kind() + 2; }
  std::size_t files_kind() const { return git_kind() + 3; }
  std::size_t kinds() const { return git_kind() + 4; }

  Found look_up(std::string_view name) const;
  Rules read_rules(sys::FileSystem& filesystem, int base, const std::string& path,
                   std::string source, bool follow, bool must_exist, bool ignore_case) const;
  Rules global_rules(sys::FileSystem& filesystem, int base, const std::string& path,
                     const engine::GitConfig& config, bool ignore_case) const;
  void enter_repository(sys::FileSystem& filesystem, int base, const std::string& path,
                        std::string_view shown, const engine::GitRepository& repository,
                        std::size_t begin, FilterLevel& level) const;
  void note_error(std::string path, int code) const;

  struct Judged {
    const FilterLevel* level = nullptr;  // in force in the directory
    std::unique_ptr<FilterLevel> own;
    FilterMatch ignored;  // if it is
  };
  const Judged& judged(std::string_view directory) const;

  const FilterOptions options_;
  const std::string root_;
  engine::GitConfig user_config_;
  std::vector<std::string> wanted_;  // names, .gitignore, .git, CACHEDIR.TAG, as far as wanted
  std::size_t gitignore_ = SIZE_MAX, dot_git_ = SIZE_MAX, cache_tag_ = SIZE_MAX;  // in wanted_
  std::array<bool, 256> begins_wanted_{};
  Rules exclude_;
  std::vector<Rules> files_;  // null where one could not be read

  mutable std::mutex mutex_;  // of what follows
  mutable std::vector<FilterError> errors_;
  mutable std::map<std::pair<std::string, bool>, Rules> global_;  // by path and case
  // For match(): the root, and what was asked of the directories below it.
  mutable std::unique_ptr<FilterRoot> begin_;
  mutable std::unordered_map<std::string, Judged> judged_;
};

}  // namespace trawl
