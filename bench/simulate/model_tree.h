// SPDX-License-Identifier: Apache-2.0
//
// Trees that exist only as numbers, and a filesystem that serves them in virtual time.
//
// A listing's offsets are spread evenly over 63 bits, as ext4's hashes are; the last is 2^63-1.
// Subdirectories are spread evenly among a directory's entries. A directory's name holds its
// number, so that a path is resolved by its last component.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sys/dirent.h"
#include "sys/filesystem.h"
#include "virtual_machine.h"

namespace trawl::simulate {

struct Tree {
  struct Directory {
    std::uint32_t first_child = 0;  // children have numbers in a row
    std::uint32_t children = 0;
    std::uint32_t others = 0;
  };
  std::vector<Directory> directories;  // the root is 0
  std::size_t name_length = 19;

  std::uint64_t entries() const;
};

// As `mixed` of bench/trees/make_tree.cc has it, by the same distributions.
Tree mixed_tree(std::uint64_t entries, std::uint64_t seed);
Tree wide_tree(std::uint32_t entries);
Tree flat_tree(std::uint32_t directories, std::uint32_t files_of_each);
Tree chains_tree(unsigned chains, unsigned depth);
Tree small_tree();

// Nanoseconds on an idle machine.
struct CallCosts {
  double open;
  double close;
  double stat_directory;  // by descriptor
  double stat;            // by name
  double read;            // and for each entry:
  double read_entry;
  double own_entry;  // the library's own work and its visitor's
};

class ModelFileSystem final : public sys::FileSystem {
 public:
  // `beside`: what a read takes longer for each other one that reads in the same directory.
  ModelFileSystem(const Tree& tree, const CallCosts& costs, double beside);

  int open_directory(int base, const char* path, sys::OpenHow how,
                     sys::DirectoryHandle& out) override;
  bool stays_on_mount() const override { return true; }
  int read_directory(sys::DirectoryHandle& handle, std::span<std::byte> buffer, std::size_t& size,
                     bool& end) override;
  int seek_directory(sys::DirectoryHandle& handle, std::int64_t offset) override;
  int stat_handle(const sys::DirectoryHandle& handle, Fields fields, Metadata& out) override;
  int stat_at(int base, const char* path, Fields fields, bool follow, Metadata& out) override;
  void close(sys::DirectoryHandle& handle) override;
  bool make_descriptors_private() override;
  bool listed_inodes_are_exact(const sys::DirectoryHandle&) override { return true; }
  bool inode_order_helps(const sys::DirectoryHandle&) override { return false; }
  bool last_offset_marks_end(const sys::DirectoryHandle&) override { return true; }
  bool offsets_ascend(const sys::DirectoryHandle&) override { return true; }

 private:
  struct Open {
    std::uint32_t directory = 0;
    std::uint64_t at = 0;
    bool is_further = false;  // the directory was opened before
  };

  std::uint64_t count(std::uint32_t directory) const;
  std::int64_t offset_after(std::uint64_t count, std::uint64_t index) const;
  sys::Dirent entry(std::uint32_t directory, std::uint64_t index, std::string& name) const;

  const Tree& tree_;
  const CallCosts costs_;
  const double beside_;
  std::vector<Open> open_;
  std::vector<int> free_;
  std::vector<bool> was_opened_;
  std::vector<std::uint16_t> readers_;
};

}  // namespace trawl::simulate
