// SPDX-License-Identifier: Apache-2.0
#include "support/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace trawl::testing {

namespace {

void check(bool done, const std::string& path) {
  if (!done) throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

std::string in_memory() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

std::string mostly_in_memory(Random& random) { return random.one_in(8) ? "" : in_memory(); }

RandomTree::RandomTree(std::uint64_t seed, const TreeShape& shape, const std::string& parent)
    : directory_(parent), shape_(shape), random_(seed) {
  ::chmod(path().c_str(), 0755);  // tests may go on as another user
  make_directories();
  for (const std::string& directory : std::vector<std::string>(directories_)) {
    for (int left = random_.between(0, shape_.entries); left > 0; --left) {
      const std::string path = fresh_path(directory);
      const auto kind = random_.below(12);
      if (kind < 2 && shape_.hard_links && !files_.empty()) {
        const std::string& target = files_[random_.below(files_.size())];
        check(::linkat(AT_FDCWD, target.c_str(), AT_FDCWD, path.c_str(), 0) == 0, path);
      } else if (kind < 5 && shape_.symlinks) {
        make_symlink(path);
      } else if (kind < 6 && shape_.special) {
        make_special(path);
      } else {
        make_file(path);
      }
    }
  }
  set_times_and_modes();
}

RandomTree::~RandomTree() {
  for (const std::string& path : unreadable_) ::chmod(path.c_str(), 0755);
}

// Unique, as its number is in it.
std::string RandomTree::fresh_name() {
  const std::string number = std::to_string(next_name_++);
  if (!shape_.odd_names || random_.below(3) != 0) return "f" + number;
  static constexpr std::array<std::string_view, 16> kOdd = {
      " ",        "\n",       "\t",   "-rf ",         "*",         "?[a-z]{1,2}", "\\",
      "'\"`$(x)", "\xff\xfe", "\xc3", "\xe2\x82\xac", "e\xcc\x81", "...",         "%s%n",
      "\x1b[31m", "\x7f\x01"};
  std::string name(kOdd[random_.below(kOdd.size())]);
  name += number;
  switch (random_.below(6)) {
    case 0:
      name += "\n";
      break;
    case 1:
      name += " ";
      break;
    case 2:
      name += "\xff";
      break;
    default:
      break;
  }
  if (random_.one_in(4)) name.resize(255, random_.one_in(2) ? 'x' : '\x80');
  return name;
}

std::string RandomTree::fresh_path(const std::string& directory) {
  return directory + "/" + fresh_name();
}

void RandomTree::make_directories() {
  std::vector<Open> open;
  for (int i = 0; i < shape_.roots; ++i) {
    roots_.push_back(directory_.directory("root" + std::to_string(i)));
    directories_.push_back(roots_.back());
    open.push_back({roots_.back(), 0});
  }
  while (static_cast<int>(directories_.size()) < shape_.directories && !open.empty()) {
    const Open at = open[random_.below(open.size())];
    if (at.depth == shape_.depth) {
      std::erase_if(open, [&at](const Open& other) { return other.path == at.path; });
      continue;
    }
    const std::string path = fresh_path(at.path);
    check(::mkdir(path.c_str(), 0755) == 0, path);
    directories_.push_back(path);
    open.push_back({path, at.depth + 1});
    // Now and then one that stays without subdirectories.
    if (random_.one_in(3)) open.pop_back();
  }
}

void RandomTree::make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  check(fd >= 0, path);
  const std::string content(random_.one_in(8) ? random_.below(60'000) : random_.below(600), 'a');
  bool done = ::write(fd, content.data(), content.size()) >= 0;
  if (shape_.sparse && random_.one_in(8)) {
    const auto size =
        static_cast<off_t>(random_.below(std::uint64_t{1} << random_.between(13, 40)));
    done = done && ::ftruncate(fd, size) == 0;
    if (random_.one_in(2)) done = done && ::pwrite(fd, "end", 3, size) == 3;
  }
  ::close(fd);
  check(done, path);
  files_.push_back(path);
}

void RandomTree::make_symlink(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const std::string& directory = directories_[random_.below(directories_.size())];
  std::string target;
  switch (random_.below(12)) {
    case 0:
      target = ".";
      break;
    case 1:
      target = "..";
      break;
    case 2:
      target = name;
      break;  // itself
    case 3:
      target = "nothing-here";
      break;
    case 4:
      target = directory + "/nothing-here";
      break;
    case 5:
      target = directory + "/../" + directory.substr(directory.rfind('/') + 1);
      break;
    case 6:
    case 7:
      target = directory;
      break;
    case 8:
      target = roots_[random_.below(roots_.size())] + "/";
      break;
    case 9:
      if (!symlinks_.empty()) target = symlinks_[random_.below(symlinks_.size())];
      break;
    case 10:
      if (!files_.empty()) target = files_[random_.below(files_.size())] + "/below-a-file";
      break;
    default:
      if (!files_.empty()) target = files_[random_.below(files_.size())];
      break;
  }
  if (target.empty()) target = "dangling";
  check(::symlink(target.c_str(), path.c_str()) == 0, path);
  symlinks_.push_back(path);
}

void RandomTree::make_special(const std::string& path) {
  const auto kind = random_.below(4);
  if (kind == 0 && ::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) return;
  if (kind == 1 && ::mknod(path.c_str(), S_IFBLK | 0600, makedev(259, 300)) == 0) return;
  check(::mknod(path.c_str(), (kind < 3 ? S_IFIFO : S_IFSOCK) | 0600, 0) == 0, path);
  files_.push_back(path);
}

void RandomTree::set_times_and_modes() {
  const auto random_time = [this] {
    const auto seconds = static_cast<time_t>(random_.below(2'000'000'000)) - 50'000'000;
    return timespec{.tv_sec = seconds, .tv_nsec = static_cast<long>(random_.below(1'000'000'000))};
  };
  const auto set_times = [&](const std::string& path) {
    const std::array<timespec, 2> times{random_time(), random_time()};
    ::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  };
  for (const std::string& path : files_) {
    set_times(path);
    ::chmod(path.c_str(), static_cast<mode_t>(random_.below(010000)));
  }
  for (const std::string& path : symlinks_) set_times(path);
  for (auto path = directories_.rbegin(); path != directories_.rend(); ++path) {
    set_times(*path);
    if (shape_.unreadable && random_.one_in(5)) {
      // Unlistable, untraversable, or both.
      static constexpr std::array<mode_t, 3> kModes = {0000, 0300, 0400};
      unreadable_.push_back(*path);
      check(::chmod(path->c_str(), kModes[random_.below(kModes.size())]) == 0, *path);
    }
  }
  std::reverse(unreadable_.begin(), unreadable_.end());  // parents first, when they are undone
}

}  // namespace trawl::testing
