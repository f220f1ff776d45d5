// SPDX-License-Identifier: Apache-2.0
#include "support/oracle.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

namespace trawl::testing {

namespace {

class Naive {
 public:
  explicit Naive(const Options& options) : options_(options) {}

  void walk(std::span<const std::string> roots) {
    std::vector<OracleEntry> entries;
    for (std::size_t i = 0; i < roots.size(); ++i) {
      OracleEntry entry{.path = roots[i], .depth = 0, .position = i};
      look(AT_FDCWD, roots[i].c_str(), options_.follow != Follow::never, entry);
      if (entry.info) entry.inode = entry.info->st_ino;
      entries.push_back(entry);
    }
    oracle.entries = entries;
    for (const OracleEntry& entry : entries) {
      if (!entry.descend) continue;
      root_device_ = entry.info->st_dev;
      enter(AT_FDCWD, entry.path.c_str(), entry);
    }
  }

  Oracle oracle;

 private:
  void look(int base, const char* name, bool follow, OracleEntry& entry) {
    struct stat info = {};
    if (::fstatat(base, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      entry.error = errno;
      return;
    }
    entry.type = type_of_mode(info.st_mode);
    if (entry.type == FileType::symlink && follow) {
      struct stat target = {};
      if (::fstatat(base, name, &target, 0) == 0) {
        info = target;
        entry.type = type_of_mode(info.st_mode);
        entry.followed = true;
      } else {
        entry.error = errno;
        if (errno != ENOENT && errno != ELOOP) return;
      }
    }
    entry.info = info;
    entry.descend =
        entry.error == 0 && entry.type == FileType::directory && entry.depth <= options_.max_depth;
  }

  void enter(int base, const char* name, const OracleEntry& entry) {
    OracleDirectory directory{.path = entry.path, .depth = entry.depth};
    const int fd = ::openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      directory.state = State::unreadable;
      directory.error = errno;
      directory.info = entry.info;
    } else {
      struct stat info = {};
      ::fstat(fd, &info);
      directory.info = info;
      directory.state = judge(info);
      if (directory.state == State::complete) {
        above_.push_back(identity_of(info));
        list(fd, directory);
        above_.pop_back();
      } else {
        ::close(fd);
      }
    }
    oracle.directories.push_back(directory);
  }

  State judge(const struct stat& info) {
    if (options_.one_file_system && info.st_dev != root_device_) return State::other_device;
    if (options_.follow != Follow::all) return State::complete;
    const FileIdentity id = identity_of(info);
    const bool above = std::find(above_.begin(), above_.end(), id) != above_.end();
    if (above) return State::cycle;
    if (options_.visit_once && !visited_.insert(id).second) return State::visited;
    return State::complete;
  }

  // Takes over the descriptor.
  void list(int fd, OracleDirectory& directory) {
    DIR* const stream = ::fdopendir(fd);
    std::vector<OracleEntry> entries;
    while (const struct dirent* found = ::readdir(stream)) {
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      OracleEntry entry{.path = directory.path + (directory.path.ends_with('/') ? "" : "/"),
                        .depth = directory.depth + 1,
                        .position = directory.entry_count++,
                        .inode = found->d_ino};
      entry.path += name;
      look(fd, found->d_name, options_.follow == Follow::all, entry);
      if (entry.error != 0 && !entry.info && !is_asked_for(*found, entry)) {
        // It can't be had, but the listing says enough.
        entry.error = 0;
        entry.type = type_of_mode(static_cast<std::uint32_t>(DTTOIF(found->d_type)));
        entry.descend = entry.type == FileType::directory && entry.depth <= options_.max_depth;
      }
      entries.push_back(entry);
    }
    oracle.entries.insert(oracle.entries.end(), entries.begin(), entries.end());
    for (const OracleEntry& entry : entries) {
      if (entry.descend) enter(fd, entry.path.c_str() + entry.path.rfind('/') + 1, entry);
    }
    ::closedir(stream);
  }

  // Whether the walk needs metadata of an entry when it is reported.
  bool is_asked_for(const struct dirent& found, const OracleEntry& entry) const {
    if (found.d_type == DT_UNKNOWN) return true;
    if (found.d_type == DT_LNK && options_.follow == Follow::all) return true;
    if (options_.fields == Fields::none) return false;
    return found.d_type != DT_DIR || options_.directory_metadata_in_batch ||
           entry.depth > options_.max_depth;
  }

  const Options& options_;
  dev_t root_device_ = 0;
  std::vector<FileIdentity> above_;
  std::set<FileIdentity> visited_;
};

bool same(const Timestamp& time, const timespec& other) {
  return time.seconds == other.tv_sec && time.nanoseconds == static_cast<unsigned>(other.tv_nsec);
}

}  // namespace

Oracle walk_naively(std::span<const std::string> roots, const Options& options) {
  Naive naive(options);
  naive.walk(roots);
  return std::move(naive.oracle);
}

FileIdentity identity_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }

std::string difference(const Metadata& metadata, const struct stat& info) {
  if (!has(metadata.valid, Fields::basic)) return "valid";
  if (metadata.device != info.st_dev) return "device";
  if (metadata.inode != info.st_ino) return "inode";
  if (metadata.size != static_cast<std::uint64_t>(info.st_size)) return "size";
  if (metadata.blocks != static_cast<std::uint64_t>(info.st_blocks)) return "blocks";
  if (metadata.mode != info.st_mode) return "mode";
  if (metadata.links != info.st_nlink) return "links";
  if (metadata.uid != info.st_uid || metadata.gid != info.st_gid) return "owner";
  if (!same(metadata.mtime, info.st_mtim)) return "mtime";
  if (!same(metadata.ctime, info.st_ctim)) return "ctime";
  if (S_ISREG(info.st_mode) && !same(metadata.atime, info.st_atim)) return "atime";
  if ((S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) &&
      (metadata.device_major != major(info.st_rdev) ||
       metadata.device_minor != minor(info.st_rdev))) {
    return "device number";
  }
  return "";
}

}  // namespace trawl::testing
