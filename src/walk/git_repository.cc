// SPDX-License-Identifier: Apache-2.0
#include "walk/git_repository.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <span>

#include "walk/opener.h"

namespace trawl::engine {

namespace {

constexpr std::uint64_t kMostConfigBytes = std::uint64_t{16} << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Where configuration of the user's is kept besides the home directory; empty if that is unknown.
std::string config_home() {
  std::string home = environment("XDG_CONFIG_HOME");
  if (home.empty() && !(home = environment("HOME")).empty()) {
    home += "/.config";
  }
  return home;
}

std::string trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  return std::string(text);
}

// Without what ends the line: spaces belong to a path.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find_last_not_of("\r\n") + 1));  // npos + 1 is 0
}

// `path`, relative to the directory `from`.
std::string joined(const std::string& from, const std::string& path) {
  return path.starts_with('/') ? path : from + '/' + path;
}

// Absolute and without links, as git names a directory that a file leads to.
std::string real_path(sys::FileSystem& filesystem, int base, std::string path) {
  std::array<char, sys::kMaxLinkTarget> real;
  std::size_t size = 0;
  if (filesystem.real_path(base, path.c_str(), real, size) == 0) {
    path.assign(real.data(), size);
  }
  return path;
}

bool is_directory(sys::FileSystem& filesystem, int base, const std::string& path) {
  Metadata metadata;
  return retry_interrupted([&] {
           return filesystem.stat_at(base, path.c_str(), Fields::type, true, metadata);
         }) == 0 &&
         metadata.is_directory();
}

// A branch's name or a commit's.
bool is_head(const std::string& text) {
  if (text.starts_with("ref:")) {
    return trimmed(std::string_view(text).substr(4)).starts_with("refs/");
  }
  constexpr std::size_t kSha1 = 40;
  return text.size() >= kSha1 && std::all_of(text.begin(), text.begin() + kSha1, [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0;
         });
}

bool is_true(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (value == "true" || value == "yes" || value == "on") {
    return true;
  }
  // Or a number, perhaps with a unit.
  char* end = nullptr;
  const long long number = std::strtoll(value.c_str(), &end, 0);
  const std::string_view rest = end;
  return end != value.c_str() && number != 0 &&
         (rest.empty() || rest == "k" || rest == "m" || rest == "g");
}

// "~/" and "~name/" begin with a home directory; that of others is not looked up.
std::optional<std::string> expanded(const std::string& path) {
  if (!path.starts_with('~')) {
    return path;
  }
  const std::string home = environment("HOME");
  if (home.empty() || (path.size() > 1 && path[1] != '/')) {
    return std::nullopt;
  }
  return home + path.substr(1);
}

// The lines of a configuration file, as git-config(1) describes them.
class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    at_ = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  }

  // Calls `found("section.key", value)`, both in lower case but the value; a key without a value
  // is true. Ends where the text is no configuration, like git with what it read so far.
  void read(const std::function<void(const std::string&, const std::string&)>& found) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#' || c == ';') {
        skip_line();
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        ++at_;
      } else if (c == '[') {
        if (!read_section()) {
          return;
        }
      } else {
        std::string key;
        while (at_ < text_.size() &&
               (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '-')) {
          key += lower(text_[at_++]);
        }
        if (key.empty()) {
          return;
        }
        found(section_ + '.' + key, read_value());
      }
    }
  }

 private:
  static char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }

  void skip_line() {
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  // "[core]", or "[branch \"name\"]", whose keys are none that we look for.
  bool read_section() {
    section_.clear();
    for (++at_; at_ < text_.size() && text_[at_] != ']'; ++at_) {
      if (text_[at_] == '\n') {
        return false;
      }
      if (text_[at_] == '"') {
        section_ += '"';
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
          at_ += text_[at_] == '\\' ? 1U : 0U;
        }
        continue;
      }
      section_ += lower(text_[at_]);
    }
    ++at_;
    return at_ <= text_.size();
  }

  std::string read_value() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) {
      ++at_;
    }
    if (at_ == text_.size() || text_[at_] != '=') {
      skip_line();
      return "true";
    }
    ++at_;
    std::string value;
    std::size_t kept = 0;  // white space at the end does not count unless it is quoted
    bool quoted = false;
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      char c = text_[at_];
      if (c == '"') {
        quoted = !quoted;
        kept = value.size();
        continue;
      }
      if (!quoted && (c == '#' || c == ';')) {
        break;
      }
      const bool is_space = std::isspace(static_cast<unsigned char>(c)) != 0;
      if (c == '\\' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        if (c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
          c = text_[++at_];
        }
        if (c == '\n') {
          continue;
        }
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'b' ? '\b' : c;
      } else if (!quoted && is_space) {
        if (!value.empty()) {
          value += ' ';
        }
        continue;
      }
      value += c;
      kept = value.size();
    }
    skip_line();
    value.resize(kept);
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string section_;
};

}  // namespace

int read_whole(sys::FileSystem& filesystem, int base, const std::string& path, bool follow,
               std::uint64_t most, std::string& out) {
  constexpr std::size_t kUsual = 4096;
  std::size_t used = 0;
  for (std::size_t room = kUsual;; room *= 4) {
    out.resize(used + room);
    std::size_t got = 0;
    const int error = retry_interrupted([&] {
      return filesystem.read_file(base, path.c_str(), follow, used,
                                  std::as_writable_bytes(std::span(out).subspan(used)), got);
    });
    used += error == 0 ? got : 0;
    out.resize(used);
    if (error == 0 && used > most) {
      return EFBIG;
    }
    if (error != 0 || got < room) {
      return error;
    }
  }
}

void GitConfig::read(std::string_view text) {
  ConfigReader(text).read([this](const std::string& key, const std::string& value) {
    if (key == "core.excludesfile") {
      excludes_file = expanded(value);
    } else if (key == "core.ignorecase") {
      ignore_case = is_true(value);
    } else if (key == "extensions.worktreeconfig") {
      worktree_config = is_true(value);
    } else if (key == "extensions.objectformat") {
      object_format = value;
    }
  });
}

GitConfig GitConfig::of_user(sys::FileSystem& filesystem) {
  GitConfig config;
  const auto read_file = [&](const std::string& path) {
    std::string text;
    if (!path.empty() &&
        read_whole(filesystem, sys::kWorkingDirectory, path, true, kMostConfigBytes, text) == 0) {
      config.read(text);
    }
  };
  if (!is_true(environment("GIT_CONFIG_NOSYSTEM"))) {
    const std::string system = environment("GIT_CONFIG_SYSTEM");
    read_file(system.empty() ? "/etc/gitconfig" : system);
  }
  if (std::getenv("GIT_CONFIG_GLOBAL") != nullptr) {
    read_file(environment("GIT_CONFIG_GLOBAL"));
    return config;
  }
  const std::string configs = config_home();
  if (!configs.empty()) {
    read_file(configs + "/git/config");
  }
  const std::string home = environment("HOME");
  if (!home.empty()) {
    read_file(home + "/.gitconfig");
  }
  return config;
}

std::string GitConfig::global_excludes() const {
  if (excludes_file) {
    return *excludes_file;
  }
  const std::string configs = config_home();
  return configs.empty() ? "" : configs + "/git/ignore";
}

std::optional<GitRepository> GitRepository::open(sys::FileSystem& filesystem, int base,
                                                 const std::string& dot_git) {
  constexpr std::uint64_t kMostLink = 65536;
  constexpr std::string_view kLink = "gitdir: ";
  GitRepository repository;
  repository.git_directory = dot_git;
  std::string text;
  const int error = read_whole(filesystem, base, dot_git, true, kMostLink, text);
  if (error == 0) {
    if (!text.starts_with(kLink)) {
      return std::nullopt;
    }
    const std::size_t slash = dot_git.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "." : dot_git.substr(0, std::max<std::size_t>(slash, 1));
    repository.git_directory =
        real_path(filesystem, base,
                  joined(directory, first_line(std::string_view(text).substr(kLink.size()))));
  } else if (error != EISDIR) {
    return std::nullopt;
  }
  const std::string head = repository.git_directory + "/HEAD";
  if (const int head_error = read_whole(filesystem, base, head, true, kMostLink, text)) {
    // The oldest form is a link to a branch, which need not exist as yet.
    std::array<char, sys::kMaxLinkTarget> target;
    std::size_t size = 0;
    if (head_error != ENOENT || filesystem.read_link(base, head.c_str(), target, size) != 0 ||
        !std::string_view(target.data(), size).starts_with("refs/")) {
      return std::nullopt;
    }
  } else if (!is_head(text)) {
    return std::nullopt;
  }
  repository.common_directory = repository.git_directory;
  if (read_whole(filesystem, base, repository.git_directory + "/commondir", true, kMostLink,
                 text) == 0) {
    repository.common_directory =
        real_path(filesystem, base, joined(repository.git_directory, first_line(text)));
  }
  if (!is_directory(filesystem, base, repository.common_directory + "/objects") ||
      !is_directory(filesystem, base, repository.common_directory + "/refs")) {
    return std::nullopt;
  }
  return repository;
}

int GitRepository::read_config(sys::FileSystem& filesystem, int base, GitConfig& config) const {
  std::string text;
  int error =
      read_whole(filesystem, base, common_directory + "/config", true, kMostConfigBytes, text);
  if (error == 0) {
    config.read(text);
  }
  if (config.worktree_config) {
    const int own = read_whole(filesystem, base, git_directory + "/config.worktree", true,
                               kMostConfigBytes, text);
    if (own == 0) {
      config.read(text);
    }
    error = error == 0 || error == ENOENT ? own : error;
  }
  return error == ENOENT ? 0 : error;
}

}  // namespace trawl::engine
