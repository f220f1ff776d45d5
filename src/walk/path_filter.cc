// SPDX-License-Identifier: Apache-2.0
#include <trawl/path_filter.h>

#include <cerrno>
#include <iterator>
#include <stdexcept>

#include "sys/dirent.h"
#include "sys/read_file.h"
#include "walk/opener.h"
#include "walk/path_filter_context.h"

namespace trawl {

namespace {

constexpr std::string_view kGitIgnore = ".gitignore";
constexpr std::string_view kDotGit = ".git";
// https://bford.info/cachedir/
constexpr std::string_view kCacheTag = "CACHEDIR.TAG";
constexpr std::string_view kCacheSignature = "Signature: 8a477f597d28d172789f06886806bc55";

bool is_cache_tag(sys::FileSystem& filesystem, int base, const std::string& path) {
  std::array<char, kCacheSignature.size()> text;
  std::size_t size = 0;
  return engine::retry_interrupted([&] {
           return filesystem.read_file(base, path.c_str(), false, 0,
                                       std::as_writable_bytes(std::span(text)), size);
         }) == 0 &&
         std::string_view(text.data(), size) == kCacheSignature;
}

std::string_view without_dot_slash(std::string_view path) {
  return path.starts_with("./") ? path.substr(2) : path;
}

std::string lines_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace

PathFilter::Context::Context(FilterOptions options, std::string root)
    : options_(std::move(options)), root_(std::move(root)) {
  wanted_ = options_.names;
  if (options_.git) {
    gitignore_ = wanted_.size();
    wanted_.emplace_back(kGitIgnore);
    dot_git_ = wanted_.size();
    wanted_.emplace_back(kDotGit);
    user_config_ = engine::GitConfig::of_user(sys::linux_filesystem());
  }
  if (options_.caches) {
    cache_tag_ = wanted_.size();
    wanted_.emplace_back(kCacheTag);
  }
  if (wanted_.size() > sizeof(Found) * 8) {
    throw std::invalid_argument("more names of ignore files than 60");
  }
  for (const std::string& name : wanted_) {
    if (name.empty() || name.find('/') != std::string::npos) {
      throw std::invalid_argument("an ignore file is a name in each directory");
    }
    begins_wanted_[static_cast<unsigned char>(name[0])] = true;
  }
  for (const std::string& file : options_.files) {
    files_.push_back(read_rules(sys::linux_filesystem(), sys::kWorkingDirectory, file, file, true,
                                true, options_.ignore_case));
  }
  if (!options_.exclude.empty()) {
    exclude_ = std::make_shared<const match::IgnoreRules>(lines_of(options_.exclude), "",
                                                          options_.ignore_case);
  }
}

PathFilter::Context::Found PathFilter::Context::look_up(std::string_view name) const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] == name) {
      return Found{1} << i;
    }
  }
  return 0;
}

void PathFilter::Context::note_error(std::string path, int code) const {
  constexpr std::size_t kMost = 1000;
  const std::lock_guard lock(mutex_);
  if (errors_.size() < kMost) {
    errors_.push_back({std::move(path), code});
  }
}

std::vector<FilterError> PathFilter::Context::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

// Null if there is no such file, or it can't be read, of which note is taken. A directory of that
// name, or a fifo, is no ignore file.
PathFilter::Context::Rules PathFilter::Context::read_rules(sys::FileSystem& filesystem, int base,
                                                           const std::string& path,
                                                           std::string source, bool follow,
                                                           bool must_exist,
                                                           bool ignore_case) const {
  std::string text;
  const int error =
      engine::read_whole(filesystem, base, path, follow, engine::kMostIgnoreBytes, text);
  if (error == 0) {
    return std::make_shared<const match::IgnoreRules>(std::move(text), std::move(source),
                                                      ignore_case);
  }
  if (must_exist && error == EINVAL) {  // a pipe, or /dev/null
    return std::make_shared<const match::IgnoreRules>(sys::read_file(path), std::move(source),
                                                      ignore_case);
  }
  const bool is_none = error == ENOENT || error == ENOTDIR || error == EISDIR || error == EINVAL;
  if (must_exist || !is_none) {
    note_error(std::move(source), error);
  }
  return nullptr;
}

// A relative path begins at `path`, relative to `base`: a repository's top, or nothing.
PathFilter::Context::Rules PathFilter::Context::global_rules(sys::FileSystem& filesystem, int base,
                                                             const std::string& path,
                                                             const engine::GitConfig& config,
                                                             bool ignore_case) const {
  const std::string file = config.global_excludes();
  if (!options_.git_global || file.empty()) {
    return nullptr;
  }
  if (!file.starts_with('/')) {
    return read_rules(filesystem, base, path + file, file, true, false, ignore_case);
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = global_.find({file, ignore_case}); found != global_.end()) {
      return found->second;
    }
  }
  Rules rules = read_rules(filesystem, base, file, file, true, false, ignore_case);
  const std::lock_guard lock(mutex_);
  return global_.try_emplace({file, ignore_case}, std::move(rules)).first->second;
}

void PathFilter::Context::enter_repository(sys::FileSystem& filesystem, int base,
                                           const std::string& path, std::string_view shown,
                                           const engine::GitRepository& repository,
                                           std::size_t begin, FilterLevel& level) const {
  engine::GitConfig config = user_config_;
  if (const int error = repository.read_config(filesystem, base, config)) {
    note_error(std::string(shown) + std::string(kDotGit) + "/config", error);
  }
  level.in_repository = true;
  level.ignore_case = options_.ignore_case || config.ignore_case.value_or(false);
  for (const std::size_t kind : {git_kind(), info_kind(), global_kind()}) {
    level.rules.forget(kind);
  }
  const std::string info = repository.info_exclude();
  const bool is_inside = info.starts_with(path + std::string(kDotGit) + '/');
  level.rules.add(info_kind(),
                  read_rules(filesystem, base, info,
                             is_inside ? std::string(shown) + info.substr(path.size()) : info, true,
                             false, level.ignore_case),
                  begin);
  level.rules.add(global_kind(), global_rules(filesystem, base, path, config, level.ignore_case),
                  begin);
}

std::unique_ptr<FilterLevel> PathFilter::Context::enter(sys::FileSystem& filesystem, int base,
                                                        const std::string& path,
                                                        std::string_view shown, Found found,
                                                        std::size_t begin,
                                                        const FilterLevel& above) const {
  const auto may_be = [found](std::size_t index) {
    return index != SIZE_MAX && (found >> index & 1U) != 0;
  };
  shown = without_dot_slash(shown);
  std::unique_ptr<FilterLevel> level;
  const auto own = [&]() -> FilterLevel& {
    if (level == nullptr) {
      level = std::make_unique<FilterLevel>(FilterLevel{
          match::IgnoreLevel::below(above.rules), above.in_repository, above.ignore_case, false});
    }
    return *level;
  };
  const auto read = [&](std::size_t index, std::size_t kind, bool follow) {
    const std::string& name = wanted_[index];
    Rules rules = read_rules(filesystem, base, path + name, std::string(shown) + name, follow,
                             false, level != nullptr ? level->ignore_case : above.ignore_case);
    if (rules != nullptr && !rules->empty()) {
      own().rules.add(kind, std::move(rules), begin);
    }
  };
  if (may_be(dot_git_)) {
    const std::string dot_git = path + std::string(kDotGit);
    if (const auto repository = engine::GitRepository::open(filesystem, base, dot_git)) {
      enter_repository(filesystem, base, path, shown, *repository, begin, own());
    }
  }
  const bool in_repository = level != nullptr ? level->in_repository : above.in_repository;
  if (may_be(gitignore_) && (in_repository || !options_.require_git)) {
    read(gitignore_, git_kind(), false);  // nor does git follow a link there
  }
  for (std::size_t i = 0; i < options_.names.size(); ++i) {
    if (may_be(i)) {
      read(i, kind_of_name(i), true);
    }
  }
  if (may_be(cache_tag_) && is_cache_tag(filesystem, base, path + std::string(kCacheTag))) {
    own().is_cache = true;
  }
  return level;
}

std::unique_ptr<FilterRoot> PathFilter::Context::begin(sys::FileSystem& filesystem, int base,
                                                       const char* path,
                                                       std::string_view shown) const {
  auto root = std::make_unique<FilterRoot>();
  const bool looks_above = options_.parents && (options_.git || !options_.names.empty());
  if (looks_above) {
    std::array<char, sys::kMaxLinkTarget> real;
    std::size_t size = 0;
    const int error = filesystem.real_path(base, path, real, size);
    if (error == 0) {
      root->prefix.assign(real.data(), size);
      root->prefix += root->prefix.ends_with('/') ? "" : "/";
    } else if (error != ENOTDIR && error != ENOENT) {
      note_error(std::string(shown), error);
    }
  }
  const bool git_everywhere = options_.git && !options_.require_git;
  const bool ignore_case =
      options_.ignore_case || (git_everywhere && user_config_.ignore_case.value_or(false));
  FilterLevel& everywhere = root->levels.emplace_back(
      FilterLevel{match::IgnoreLevel(kinds()), false, ignore_case, false});
  const std::size_t names = root->prefix.size();
  everywhere.rules.add(0, exclude_, names);
  for (const Rules& rules : files_) {
    everywhere.rules.add(files_kind(), rules, names);
  }
  if (git_everywhere) {
    everywhere.rules.add(
        global_kind(),
        global_rules(filesystem, sys::kWorkingDirectory, "", user_config_, ignore_case), names);
  }
  // The directories above, from the top down.
  for (std::size_t slash = root->prefix.find('/'); slash + 1 < root->prefix.size();
       slash = root->prefix.find('/', slash + 1)) {
    const std::string directory = root->prefix.substr(0, slash + 1);
    if (auto level = enter(filesystem, sys::kWorkingDirectory, directory, directory, kAll,
                           directory.size(), root->levels.back())) {
      level->is_cache = false;  // the root was asked for
      root->levels.push_back(std::move(*level));
    }
  }
  return root;
}

FilterMatch PathFilter::Context::judge(const FilterLevel& level,
                                       const match::IgnoreCandidate& candidate) const {
  if (level.is_cache && candidate.name() != kCacheTag) {
    return {.verdict = FilterMatch::Verdict::ignored, .source = kCacheTag};
  }
  const match::IgnoreLevel::Decision decision = level.rules.decide(candidate);
  if (decision.rule != nullptr) {
    return {.verdict = decision.rule->negated ? FilterMatch::Verdict::included
                                              : FilterMatch::Verdict::ignored,
            .source = decision.file->source(),
            .line = decision.rule->line,
            .pattern = decision.rule->pattern};
  }
  if (options_.hidden && candidate.name().starts_with('.')) {
    return {.verdict = FilterMatch::Verdict::hidden};
  }
  return {};
}

// With mutex_ not held; what it returns stays.
const PathFilter::Context::Judged& PathFilter::Context::judged(std::string_view directory) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = judged_.find(std::string(directory)); found != judged_.end()) {
      return found->second;
    }
  }
  sys::FileSystem& filesystem = sys::linux_filesystem();
  Judged made;
  std::string shown(directory);
  shown += directory.empty() ? "" : "/";
  const std::string path = root_ + '/' + shown;
  if (directory.empty()) {
    auto begun = begin(filesystem, sys::kWorkingDirectory, root_.c_str(), root_);
    const std::lock_guard lock(mutex_);
    if (begin_ == nullptr) {
      begin_ = std::move(begun);
    }
    made.level = &begin_->top();
  } else {
    const std::size_t slash = directory.rfind('/');
    const Judged& parent =
        judged(slash == std::string_view::npos ? "" : directory.substr(0, slash));
    made.level = parent.level;
    made.ignored = parent.ignored;
    if (!made.ignored.ignored()) {
      const std::string candidate = begin_->prefix + std::string(directory);
      const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
      made.ignored = judge(*made.level, {candidate, begin_->prefix.size() + name, true});
    }
  }
  if (!made.ignored.ignored() && reads_files()) {
    made.own = enter(filesystem, sys::kWorkingDirectory, path, shown, kAll,
                     begin_->prefix.size() + shown.size(), *made.level);
    made.level = made.own != nullptr ? made.own.get() : made.level;
  }
  const std::lock_guard lock(mutex_);
  return judged_.try_emplace(std::string(directory), std::move(made)).first->second;
}

FilterMatch PathFilter::Context::match(std::string_view path, bool is_directory) const {
  const std::size_t slash = path.rfind('/');
  const Judged& directory = judged(slash == std::string_view::npos ? "" : path.substr(0, slash));
  if (directory.ignored.ignored()) {
    return directory.ignored;
  }
  const std::string candidate = begin_->prefix + std::string(path);
  const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  FilterMatch match =
      judge(*directory.level, {candidate, begin_->prefix.size() + name, is_directory});
  if (!match.ignored() && options_.custom &&
      options_.custom((root_ + '/' + std::string(path)).c_str())) {
    match = {.verdict = FilterMatch::Verdict::ignored};
  }
  return match;
}

PathFilter::PathFilter(FilterOptions options, std::string root)
    : context_(std::make_unique<Context>(std::move(options), std::move(root))) {}
PathFilter::~PathFilter() = default;
PathFilter::PathFilter(PathFilter&&) noexcept = default;
PathFilter& PathFilter::operator=(PathFilter&&) noexcept = default;

PathFilter PathFilter::from_git_root(const std::string& path) {
  sys::FileSystem& filesystem = sys::linux_filesystem();
  std::string top = path;
  std::array<char, sys::kMaxLinkTarget> real;
  std::size_t size = 0;
  if (filesystem.real_path(sys::kWorkingDirectory, path.c_str(), real, size) == 0) {
    // Up to the first that is a repository's top.
    for (std::string_view at(real.data(), size);; at = at.substr(0, at.rfind('/'))) {
      std::string dot_git(at == "/" ? "" : at);
      dot_git += "/.git";
      if (engine::GitRepository::open(filesystem, sys::kWorkingDirectory, dot_git)) {
        top = at.empty() ? "/" : std::string(at);
        break;
      }
      if (at.empty() || at == "/") {
        break;
      }
    }
  }
  return PathFilter(FilterOptions{.git = true, .parents = false}, top);
}

PathFilter PathFilter::from_files(std::vector<std::string> files, std::string root) {
  return PathFilter(FilterOptions{.files = std::move(files)}, std::move(root));
}

PathFilter PathFilter::from_patterns(std::vector<std::string> lines, std::string root) {
  return PathFilter(FilterOptions{.exclude = std::move(lines)}, std::move(root));
}

FilterMatch PathFilter::match(std::string_view path, bool is_directory) const {
  return context_->match(path, is_directory);
}
const std::string& PathFilter::root() const { return context_->root(); }
const FilterOptions& PathFilter::options() const { return context_->options(); }
std::vector<FilterError> PathFilter::errors() const { return context_->errors(); }

}  // namespace trawl
