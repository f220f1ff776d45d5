// SPDX-License-Identifier: Apache-2.0
#include <trawl/file_list.h>

#include <array>
#include <utility>

#include "fold/file_list_build.h"

namespace trawl {

using detail::FileListStorage;

namespace {

constexpr std::size_t kChunk = 1 << 16;  // paths at a time

}  // namespace

LazyFileListEntry::LazyFileListEntry(const FileList& list, std::size_t index)
    : storage_(list.storage_), entry_(list[index]) {}

// A symbolic link in a list that follows them leads nowhere: it itself is the entry.
bool LazyFileListEntry::is_followed() const {
  const Follow follow = storage_->follow;
  return (follow == Follow::all || (follow == Follow::roots && is_root())) &&
         type() != FileType::symlink;
}

const StatResult& LazyFileListEntry::metadata() {
  if (resolved_ == nullptr) {
    resolve_metadata_parallel({this, 1});
  }
  return *resolved_;
}

StatResult LazyFileListEntry::into_resolved() {
  StatResult result = metadata();
  resolved_.reset();
  return result;
}

LazyFileList collect_lazy_parallel(const std::string& root, const ListOptions& options) {
  ListOptions names = options;
  names.fields = Fields::none;
  FileList list = collect_with_batched_stats(root, names);
  list.storage_->fields_of_lazy = options.fields;
  LazyFileList lazy;
  lazy.entries.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    lazy.entries.emplace_back(list, i);
  }
  lazy.errors = list.result_.errors;
  lazy.result = std::move(list.result_);
  return lazy;
}

void resolve_metadata_parallel(std::span<LazyFileListEntry> entries, unsigned threads,
                               const CancelToken* cancel) {
  struct Alike {  // entries that are asked for alike
    std::vector<std::string> paths;
    std::vector<LazyFileListEntry*> entries;
  };
  for (auto at = entries.begin(); at != entries.end();) {
    const FileListStorage& storage = *at->storage_;
    std::array<Alike, 2> asked;  // links themselves, and what is followed
    for (std::size_t n = 0; at != entries.end() && n < kChunk && at->storage_.get() == &storage;
         ++at) {
      if (!at->is_resolved()) {
        Alike& those = asked[at->is_followed() ? 1 : 0];
        those.entries.push_back(&*at);
        those.paths.push_back(at->full_path());
        ++n;
      }
    }
    for (const bool follow : {false, true}) {
      const Alike& those = asked[follow ? 1 : 0];
      const std::vector<StatResult> results =
          stat_paths(those.paths, {.fields = storage.fields_of_lazy,
                                   .follow = follow,
                                   .threads = threads,
                                   .cancel = cancel,
                                   .stall_timeout = storage.stall_timeout});
      for (std::size_t i = 0; i < results.size(); ++i) {
        those.entries[i]->resolved_ = std::make_unique<StatResult>(results[i]);
      }
    }
  }
}

}  // namespace trawl
