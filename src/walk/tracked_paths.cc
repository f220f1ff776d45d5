// SPDX-License-Identifier: Apache-2.0
//
// Reads git's index, as gitformat-index(5) describes it.
#include <trawl/error.h>
#include <trawl/tracked_paths.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "walk/git_repository.h"

namespace trawl {

namespace {

constexpr std::uint64_t kMostIndexBytes = std::uint64_t{8} << 30;

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error("git's index " + why); }

// Takes big-endian numbers and bytes from the front.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::size_t left() const { return rest_.size(); }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      fail("is cut off");
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char c : take(bytes)) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  // Of as many bytes as it needs: each but the first adds one, so that there is one way to write
  // it.
  std::size_t offset() {
    constexpr unsigned kMore = 0x80;
    std::size_t value = 0;
    for (int i = 0;; ++i) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value = value << 7 | (byte & (kMore - 1));
      if ((byte & kMore) == 0) {
        return value;
      }
      if (i == 8) {
        fail("is broken");
      }
      ++value;
    }
  }
  std::string_view string() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) {
      fail("is cut off");
    }
    const std::string_view taken = take(end);
    take(1);
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace

TrackedPaths TrackedPaths::parse(std::string_view index, std::size_t hash_size) {
  Reader reader(index);
  if (reader.take(4) != "DIRC") {
    fail("is none");
  }
  const std::uint32_t version = reader.number(4);
  if (version < 2 || version > 4) {
    fail("has version " + std::to_string(version) + ", which is not known");
  }
  constexpr std::uint32_t kTypeMask = 0170000;
  constexpr std::uint32_t kGitLink = 0160000;
  constexpr std::uint32_t kExtended = 0x4000;
  TrackedPaths paths;
  std::string path;
  for (std::uint32_t left = reader.number(4); left > 0; --left) {
    const std::size_t begin = reader.left();
    reader.take(24);  // times, device and inode
    const std::uint32_t mode = reader.number(4);
    reader.take(12 + hash_size);  // owner, size, name of the object
    if ((reader.number(2) & kExtended) != 0) {
      reader.take(2);
    }
    if (version == 4) {
      const std::size_t dropped = reader.offset();
      if (dropped > path.size()) {
        fail("is broken");
      }
      path.resize(path.size() - dropped);
      path += reader.string();
    } else {
      path = reader.string();
      // One to eight NULs, so that the next begins at a multiple of eight.
      const std::size_t size = begin - reader.left();
      reader.take((8 - size % 8) % 8);
    }
    // The same path several times: stages of a merge that is not done.
    if (paths.entries_.empty() || paths.entries_.back().path != path) {
      paths.entries_.push_back({path, (mode & kTypeMask) == kGitLink});
    }
  }
  while (reader.left() > hash_size) {
    const std::string_view name = reader.take(4);
    const std::string_view extension = reader.take(reader.number(4));
    const bool is_split =
        name == "link" && extension.substr(0, hash_size).find_first_not_of('\0') != extension.npos;
    if (is_split || name == "sdir") {
      fail(is_split ? "is split in two files, which is not supported"
                    : "is sparse, which is not supported");
    }
  }
  if (!std::is_sorted(paths.entries_.begin(), paths.entries_.end(),
                      [](const Entry& a, const Entry& b) { return a.path < b.path; })) {
    fail("is not sorted");
  }
  return paths;
}

TrackedPaths TrackedPaths::of(const std::string& top) {
  sys::FileSystem& filesystem = sys::linux_filesystem();
  const auto repository =
      engine::GitRepository::open(filesystem, sys::kWorkingDirectory, top + "/.git");
  if (!repository) {
    return {};
  }
  std::string text;
  const int error =
      engine::read_whole(filesystem, sys::kWorkingDirectory, repository->git_directory + "/index",
                         true, kMostIndexBytes, text);
  if (error == ENOENT) {
    return {};
  }
  if (error != 0) {
    fail("can't be read: " + error_text(error));
  }
  engine::GitConfig config;
  repository->read_config(filesystem, sys::kWorkingDirectory, config);
  return parse(text, config.object_format == "sha256" ? 32 : 20);
}

bool TrackedPaths::contains(std::string_view path) const {
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), path,
                       [](const Entry& entry, std::string_view p) { return entry.path < p; });
  if (at != entries_.end() && at->path == path) {
    return true;
  }
  // What is in a directory need not come right behind its name: "a-b" is between "a" and "a/b".
  const std::string below = std::string(path) + (path.ends_with('/') ? "" : "/");
  const auto in =
      std::lower_bound(at, entries_.end(), below,
                       [](const Entry& entry, const std::string& p) { return entry.path < p; });
  return in != entries_.end() && in->path.starts_with(below);
}

std::string_view TrackedPaths::submodule_of(std::string_view path) const {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string_view part = path.substr(0, end);
    const auto at =
        std::lower_bound(entries_.begin(), entries_.end(), part,
                         [](const Entry& entry, std::string_view p) { return entry.path < p; });
    if (at != entries_.end() && at->path == part && at->is_submodule) {
      return at->path;
    }
    if (end == std::string_view::npos) {
      return {};
    }
  }
}

}  // namespace trawl
