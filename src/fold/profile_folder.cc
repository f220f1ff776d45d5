// SPDX-License-Identifier: Apache-2.0
#include "fold/profile_folder.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace trawl::fold {

FolderRef::FolderRef(Folder* folder) : folder_(folder) {
  if (folder_ != nullptr) {
    folder_->references_.fetch_add(1, std::memory_order_relaxed);
  }
}

FolderRef FolderRef::make(const FolderRef& parent, std::string_view name) {
  void* const memory = ::operator new(sizeof(Folder) + name.size());
  auto* const folder = new (memory) Folder;
  std::memcpy(static_cast<char*>(memory) + sizeof(Folder), name.data(), name.size());
  folder->name_size_ = static_cast<std::uint32_t>(name.size());
  folder->jump_ = folder;
  if (parent.folder_ != nullptr) {
    folder->parent_ = FolderRef(parent).detach();
    folder->depth_ = parent->depth_ + 1;
    Folder* const near = parent.folder_->jump_;
    const bool equal = parent->depth_ - near->depth_ == near->depth_ - near->jump_->depth_;
    folder->jump_ = equal ? near->jump_ : parent.folder_;
  }
  return adopt(folder);
}

// And its ancestors, as far as nobody else wants them; a loop, for trees that are deep.
void FolderRef::release(Folder* folder) {
  while (folder != nullptr && folder->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    Folder* const parent = folder->parent_;
    folder->~Folder();
    ::operator delete(folder);
    folder = parent;
  }
}

const Folder* Folder::at_depth(std::uint32_t depth) const {
  const Folder* at = this;
  while (at->depth_ > depth) {
    at = at->jump_->depth_ >= depth ? at->jump_ : at->parent_;
  }
  return at;
}

void Folder::append_path(std::string& out) const {
  // Sizes first, then names from the last to the first.
  std::size_t size = name_size_;
  const Folder* root = this;
  for (; root->parent_ != nullptr; root = root->parent_) {
    size += root->parent_->name_size_ + std::size_t{1};
  }
  const bool has_slash = root != this && root->name().ends_with('/');
  out.resize(out.size() + size - (has_slash ? 1 : 0));
  std::size_t end = out.size();
  for (const Folder* at = this;; at = at->parent_) {
    end -= at->name_size_;
    std::memcpy(out.data() + end, at->name().data(), at->name_size_);
    if (at->parent_ == nullptr) {
      return;
    }
    if (at->parent_ != root || !has_slash) {
      out[--end] = '/';
    }
  }
}

std::string path_of(const Folder* folder, std::string_view name) {
  std::string path;
  if (folder != nullptr) {
    folder->append_path(path);
    if (!path.ends_with('/')) {
      path += '/';
    }
  }
  path += name;
  return path;
}

namespace {

// Of two names with the same path before them, of which each is the path's end or followed by a
// slash.
int compare_names(std::string_view a, bool a_ends, std::string_view b, bool b_ends) {
  const std::size_t common = std::min(a.size(), b.size());
  if (const int difference = std::memcmp(a.data(), b.data(), common); difference != 0) {
    return difference;
  }
  const auto next = [common](std::string_view name, bool ends) {
    return name.size() > common ? static_cast<unsigned char>(name[common]) : ends ? -1 : '/';
  };
  return next(a, a_ends) - next(b, b_ends);
}

}  // namespace

int compare_paths(const Folder* a, std::string_view a_name, const Folder* b,
                  std::string_view b_name) {
  if (a == b) {
    return compare_names(a_name, true, b_name, true);
  }
  // The names at which the paths part.
  std::string_view a_part = a_name;
  std::string_view b_part = b_name;
  bool a_ends = true;
  bool b_ends = true;
  const auto part_below = [](const Folder* folder, std::uint32_t depth, std::string_view& part,
                             bool& ends) {
    folder = folder->at_depth(depth);
    part = folder->name();
    ends = false;
    return folder;
  };
  if (a == nullptr) {
    part_below(b, 0, b_part, b_ends);
  } else if (b == nullptr) {
    part_below(a, 0, a_part, a_ends);
  } else {
    const std::uint32_t depth = std::min(a->depth(), b->depth());
    const Folder* x = a->at_depth(depth);
    const Folder* y = b->at_depth(depth);
    if (x == y) {  // one is above the other
      if (a->depth() > depth) {
        part_below(a, depth + 1, a_part, a_ends);
      } else {
        part_below(b, depth + 1, b_part, b_ends);
      }
    } else {
      while (x->parent_ != y->parent_) {
        const bool far = x->jump_ != y->jump_;
        x = far ? x->jump_ : x->parent_;
        y = far ? y->jump_ : y->parent_;
      }
      a_part = x->name();
      b_part = y->name();
      a_ends = b_ends = false;
    }
  }
  if (const int difference = compare_names(a_part, a_ends, b_part, b_ends); difference != 0) {
    return difference;
  }
  // Two of one name in one directory: something took the other's place meanwhile.
  return path_of(a, a_name).compare(path_of(b, b_name));
}

}  // namespace trawl::fold
