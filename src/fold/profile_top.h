// SPDX-License-Identifier: Apache-2.0
//
// The so many best of what is offered, in an order that leaves no tie: by figures, then by path.
// So it does not matter who was offered where: lists of several workers can be merged.
//
// Nearly all that is offered is refused by its figures. Where many have the same (a million files
// of one second), paths are compared without being put together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fold/profile_folder.h"

namespace trawl::fold {

// `Better` compares figures; where neither is better the lower path is.
template <class Figures, class Better>
class TopList {
 public:
  struct Item {
    Figures figures;
    FolderRef folder;
    std::string name;  // of something in the folder; a folder itself is one in its parent
  };

  explicit TopList(std::size_t limit) : limit_(limit) {}

  void offer(const Figures& figures, const FolderRef& folder, std::string_view name) {
    if (items_.size() >= limit_) {
      if (limit_ == 0) {
        return;
      }
      const Item& worst = items_.front();
      const Better better;
      if (better(worst.figures, figures) ||
          (!better(figures, worst.figures) &&
           compare_paths(folder.get(), name, worst.folder.get(), worst.name) >= 0)) {
        return;
      }
      std::pop_heap(items_.begin(), items_.end(), before);
      items_.pop_back();
    }
    items_.push_back({figures, folder, std::string(name)});
    std::push_heap(items_.begin(), items_.end(), before);
  }

  void merge(TopList&& other) {
    for (const Item& item : other.items_) {
      offer(item.figures, item.folder, item.name);
    }
    other.items_.clear();
  }

  // Best first. It is empty then.
  std::vector<Item> take() {
    std::sort(items_.begin(), items_.end(), before);
    return std::exchange(items_, {});
  }

 private:
  static bool before(const Item& a, const Item& b) {
    const Better better;
    if (better(a.figures, b.figures)) {
      return true;
    }
    return !better(b.figures, a.figures) &&
           compare_paths(a.folder.get(), a.name, b.folder.get(), b.name) < 0;
  }

  std::size_t limit_;
  std::vector<Item> items_;  // a heap whose front is the worst
};

}  // namespace trawl::fold
