// SPDX-License-Identifier: Apache-2.0
//
// Random trees of files: everything that a filesystem may hold and a walk may stumble over, from a
// seed. The same seed and shape give the same tree (but for inode numbers and listing order).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/random.h"
#include "support/temporary_directory.h"

namespace trawl::testing {

struct TreeShape {
  int roots = 1;
  int directories = 40;  // at most, roots included
  int depth = 6;         // of directories below their root
  int entries = 10;      // at most, of other kinds, in each directory
  bool odd_names = true;
  bool hard_links = true;
  bool symlinks = true;
  bool sparse = true;
  bool special = true;      // fifos, sockets, and as root device nodes
  bool unreadable = false;  // directories without rights for their owner
};

// Where to put a tree. In memory where that is possible: on a disk it takes hundreds of
// milliseconds to make and remove one. But disks behave differently: now and then one should be
// there.
std::string in_memory();
std::string mostly_in_memory(Random& random);

class RandomTree {
 public:
  explicit RandomTree(std::uint64_t seed, const TreeShape& shape = {},
                      const std::string& parent = in_memory());
  // Gives unreadable directories their rights back, so that they can be removed.
  ~RandomTree();
  RandomTree(const RandomTree&) = delete;
  RandomTree& operator=(const RandomTree&) = delete;

  const std::string& path() const { return directory_.path(); }
  const std::vector<std::string>& roots() const { return roots_; }
  // Every directory, roots included, parents before their children.
  const std::vector<std::string>& directories() const { return directories_; }
  // Everything that is neither a directory nor a symbolic link.
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Open {
    std::string path;
    int depth;
  };

  std::string fresh_name();
  std::string fresh_path(const std::string& directory);
  void make_directories();
  void make_file(const std::string& path);
  void make_symlink(const std::string& path);
  void make_special(const std::string& path);
  void set_times_and_modes();

  TemporaryDirectory directory_;
  const TreeShape shape_;
  Random random_;
  int next_name_ = 0;
  std::vector<std::string> roots_;
  std::vector<std::string> directories_;
  std::vector<std::string> files_;
  std::vector<std::string> symlinks_;
  std::vector<std::string> unreadable_;
};

}  // namespace trawl::testing
