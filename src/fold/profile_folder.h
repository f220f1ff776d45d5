// SPDX-License-Identifier: Apache-2.0
//
// Paths that outlive the directories of the walk, for what a profile may have to name in the end. A
// folder knows its parent and its own name, so one costs its name and 32 bytes wherever it is, and
// paths are put together only for what is printed.
//
// There is one Folder per directory that was entered. It lives as long as somebody has a FolderRef
// to it or to something below it. References may be made and dropped on any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace trawl::fold {

class Folder;

// Shared ownership of a folder; null is the parent of the root.
class FolderRef {
 public:
  FolderRef() = default;
  // A new one.
  static FolderRef make(const FolderRef& parent, std::string_view name);
  explicit FolderRef(Folder* folder);  // one that lives
  FolderRef(const FolderRef& other) : FolderRef(other.folder_) {}
  FolderRef(FolderRef&& other) noexcept : folder_(std::exchange(other.folder_, nullptr)) {}
  FolderRef& operator=(FolderRef other) noexcept {
    std::swap(folder_, other.folder_);
    return *this;
  }
  ~FolderRef() { release(std::exchange(folder_, nullptr)); }

  const Folder* get() const { return folder_; }
  const Folder* operator->() const { return folder_; }
  const Folder& operator*() const { return *folder_; }
  // Gives up what keeps it alive; for FolderRef::adopt().
  Folder* detach() { return std::exchange(folder_, nullptr); }
  static FolderRef adopt(Folder* folder) {
    FolderRef ref;
    ref.folder_ = folder;
    return ref;
  }

 private:
  static void release(Folder* folder);
  Folder* folder_ = nullptr;
};

class Folder {
 public:
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  Folder* parent() const { return parent_; }  // null: it is the root
  std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }
  std::uint32_t depth() const { return depth_; }
  // As Directory::append_path.
  void append_path(std::string& out) const;
  // The ancestor of that depth, or itself.
  const Folder* at_depth(std::uint32_t depth) const;

 private:
  friend class FolderRef;
  friend int compare_paths(const Folder*, std::string_view, const Folder*, std::string_view);
  Folder() = default;

  Folder* parent_ = nullptr;
  // Some ancestor, so that any of them is found in a number of steps that is logarithmic in the
  // depth: jumps are as long as the digits of a skew binary number (E. Myers, "An applicative
  // random access stack", 1983).
  Folder* jump_ = nullptr;
  std::atomic<std::uint32_t> references_{1};
  std::uint32_t depth_ = 0;
  std::uint32_t name_size_ = 0;
};

// The path of what has that name in the folder; of the root, with a null folder.
std::string path_of(const Folder* folder, std::string_view name);

// Below zero, zero or above: the order of two such paths by bytes. Logarithmic in the depth.
int compare_paths(const Folder* a, std::string_view a_name, const Folder* b,
                  std::string_view b_name);

inline int compare_paths(const Folder& a, const Folder& b) {
  return compare_paths(a.parent(), a.name(), b.parent(), b.name());
}

}  // namespace trawl::fold
