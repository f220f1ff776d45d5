// SPDX-License-Identifier: Apache-2.0
//
// What the engine keeps of a directory while it is live.
//
// Node       a directory that was begun: from the attempt to open it until all below it is done.
// Children   the subdirectories of one listing that wait to be begun, packed: 24 bytes and the name
//            each. They belong to their parent's node and live as long as it, so that nodes can
//            point to their names. Tasks are ranges of them, so a wide frontier costs no nodes.
// Slice      entries of one listing that several workers stat and report.
// Range      offsets of one listing that a worker reads, when several read it.
//
// Completion. A node is done when its own listing and all its children are: `pending` counts both.
// Who brings it to zero leaves the directory, frees the node and does the same for the parent. The
// origin's completion is the end of the walk; nothing else counts.
#pragma once

#include <trawl/walk.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "walk/path_filter_context.h"

namespace trawl::engine {

struct Child {
  std::uint64_t inode;
  std::uint64_t position;
  std::uint32_t name_begin;
  std::uint16_t name_size;
  bool followed;
};

struct Children {
  std::vector<Child> entries;
  std::vector<char> names;
  Children* next = nullptr;  // further listings of the same node

  // False if this block is full: a name must begin below 4 GiB and fit into 64 KiB.
  bool add(std::string_view name, std::uint64_t inode, std::uint64_t position, bool followed) {
    if (names.size() + name.size() > UINT32_MAX || name.size() > UINT16_MAX) {
      return false;
    }
    entries.push_back({inode, position, static_cast<std::uint32_t>(names.size()),
                       static_cast<std::uint16_t>(name.size()), followed});
    names.insert(names.end(), name.begin(), name.end());
    return true;
  }
  std::string_view name(const Child& child) const {
    return {names.data() + child.name_begin, child.name_size};
  }
};

struct Node : Directory {
  std::atomic<std::uint64_t> pending{1};  // children not done, plus one until it is listed
  std::atomic<std::uint32_t> parts{1};    // ranges and slices that still report entries
  Children* children = nullptr;           // under lock() while parts may add to it
  Node* root = nullptr;
  // Opening: the nearest ancestor that descriptors are cached for, and the length of the path from
  // there. Its own id if others open relative to it, else 0.
  Node* anchor = nullptr;
  std::uint64_t anchor_id = 0;
  std::uint32_t path_from_anchor = 0;
  bool followed = false;
  bool crossed_mount = false;     // there is a mount between its root and it, or it is one's top
  bool offset_marks_end = false;  // see sys::DirectoryHandle; the same for a whole mount
  // With Options::filter: what is in force in it, set before the first of its entries is reported.
  const FilterLevel* level = nullptr;
  std::unique_ptr<FilterLevel> own_level;   // if that is another than its parent's
  std::unique_ptr<FilterRoot> filter_root;  // of a root
  std::atomic<bool> cut_short{false};  // the walk was stopped before all in it was reported

  Node() = default;

  void mark_cut_short() { cut_short.store(true, std::memory_order_relaxed); }
  Node* parent_node() const { return static_cast<Node*>(parent_); }

  // The engine's access to what visitors see; see trawl::Directory.
  void set_identity(Node* parent, std::string_view name, int depth, std::uint64_t position,
                    std::uint64_t inode) {
    parent_ = parent;
    name_ = name;
    depth_ = depth;
    position_ = position;
    listed_inode_ = inode;
  }
  void set_slot(void* slot) { slot_ = slot; }
  void set_state(State state) { state_ = state; }
  void set_error(State state, Operation operation, int code) {
    state_ = state;
    operation_ = operation;
    error_ = code;
  }
  void set_entry_count(std::uint64_t count) { entry_count_ = count; }
  void add_range(std::uint64_t position, std::uint64_t count) {
    if (ranges_ == nullptr) {
      ranges_ = std::make_shared<std::vector<ListedRange>>();
    }
    ranges_->push_back({position, count});
  }
  void sort_ranges() {
    if (ranges_ != nullptr) {
      std::sort(ranges_->begin(), ranges_->end(),
                [](const ListedRange& a, const ListedRange& b) { return a.position < b.position; });
    }
  }
  void set_inode_ordered() { inode_ordered_ = true; }
  Metadata& mutable_metadata() { return metadata_; }
};

// Entries of a listing that are shared among workers, piece by piece.
struct Slice {
  std::uint64_t id = 0;  // unlike any other of the walk
  std::unique_ptr<std::byte[]> records;
  std::size_t size = 0;
  std::vector<std::uint32_t> offsets;  // of each entry's record
  std::uint64_t first_position = 0;
  std::atomic<std::uint32_t> unreported{0};  // entries; who brings it to zero deletes the slice

  std::uint32_t entry_count() const { return static_cast<std::uint32_t>(offsets.size()); }
};

// The part of a listing from the record at offset `begin` to the one at `end`, which is not in it.
struct Range {
  static constexpr std::int64_t kToTheEnd = INT64_MAX;
  std::int64_t begin = 0;
  std::int64_t end = kToTheEnd;
  std::int64_t most = kToTheEnd;  // from here on there was nothing
  FileIdentity directory;

  bool is_whole() const { return begin == 0 && end == kToTheEnd; }
};

// A range of subdirectories to expand, of a slice's entries to report, or of roots (with nothing
// but the origin as its node), in units of so many.
struct Task {
  Node* node = nullptr;  // whose children or entries they are
  Children* children = nullptr;
  Slice* slice = nullptr;
  Range* range = nullptr;  // to list; one unit
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t unit = 1;

  std::size_t units() const { return (end - begin + unit - 1) / unit; }
  Task take_first() {
    Task first = *this;
    first.end = begin += unit;
    return first;
  }
  Task take_back_half() {
    Task half = *this;
    const std::size_t kept = units() - units() / 2;
    half.begin = end = begin + std::uint64_t{kept} * unit;
    return half;
  }
};

}  // namespace trawl::engine
