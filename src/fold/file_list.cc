// SPDX-License-Identifier: Apache-2.0
#include <trawl/file_list.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "fold/file_list_build.h"

namespace trawl {

using detail::FileListStorage;
using detail::ListedDirectory;

namespace {

fold::RecordHeader header(const std::byte* record) { return fold::header_of(record); }

void number_entries(FileListStorage& storage, ListedDirectory* origin, std::size_t most,
                    bool include_root) {
  if (origin == nullptr) {
    return;
  }
  storage.places.reset(new FileListStorage::Place[most]);
  const auto number = [&storage](const ListedDirectory* block) {
    if (block->number == UINT32_MAX) {
      const_cast<ListedDirectory*>(block)->number =
          static_cast<std::uint32_t>(storage.directories.size());
      storage.directories.push_back(const_cast<ListedDirectory*>(block));
    }
    return block->number;
  };
  fold::ListCursor cursor(origin);
  for (;;) {
    const fold::ListCursor::Step step = cursor.next(fold::final_link);
    if (step == fold::ListCursor::Step::end) {
      return;
    }
    const std::uint32_t directory = number(cursor.block());  // also of what holds no entry
    if (step == fold::ListCursor::Step::entry &&
        (include_root || cursor.block() != origin ||
         header(cursor.record()).type != FileType::directory)) {
      const auto offset = static_cast<std::uint64_t>(cursor.record() - cursor.block()->begin());
      storage.places[storage.count++] = {
          directory, static_cast<std::uint32_t>(offset / fold::kRecordAlignment)};
    }
  }
}

}  // namespace

FileListStorage::~FileListStorage() {
  for (ListedDirectory* directory : directories) {
    fold::free_block(directory);
  }
}

// ---------------------------------------------------------------------------------------------
// Entries

std::string_view FileListEntry::file_name() const {
  const fold::RecordLayout& layout = directory_->storage->layout;
  return is_root() ? std::string_view(directory_->storage->root)
                   : layout.name(record_, header(record_));
}

int FileListEntry::depth() const { return directory_->depth + 1; }
bool FileListEntry::is_root() const { return directory_->parent == nullptr; }
FileType FileListEntry::type() const { return header(record_).type; }
bool FileListEntry::followed() const { return header(record_).is(fold::kRecordFollowed); }
Metadata FileListEntry::metadata() const { return directory_->storage->layout.unpack(record_); }

std::string_view FileListEntry::link_target() const {
  return directory_->storage->layout.target(record_, header(record_));
}

// Sizes first, then names from the last to the first.
void FileListEntry::append_relative_path(std::string& out) const {
  if (is_root()) {
    return;
  }
  const fold::RecordLayout& layout = directory_->storage->layout;
  const auto name_of = [&layout](const std::byte* record) {
    return layout.name(record, header(record));
  };
  const std::string_view own = name_of(record_);
  std::size_t size = own.size();
  for (const ListedDirectory* at = directory_; at->depth > 0; at = at->parent) {
    size += name_of(at->record).size() + 1;
  }
  std::size_t end = out.size() + size;
  out.resize(end);
  end -= own.size();
  std::memcpy(out.data() + end, own.data(), own.size());
  for (const ListedDirectory* at = directory_; at->depth > 0; at = at->parent) {
    const std::string_view name = name_of(at->record);
    out[--end] = '/';
    end -= name.size();
    std::memcpy(out.data() + end, name.data(), name.size());
  }
}

void FileListEntry::append_full_path(std::string& out) const {
  const std::string& root = directory_->storage->root;
  out += root;
  if (!is_root()) {
    if (!root.ends_with('/')) {
      out += '/';
    }
    append_relative_path(out);
  }
}

std::string FileListEntry::full_path() const {
  std::string path;
  append_full_path(path);
  return path;
}

std::string FileListEntry::relative_path() const {
  std::string path;
  append_relative_path(path);
  return path;
}

// ---------------------------------------------------------------------------------------------
// Lists

FileList::FileList() = default;
FileList::FileList(FileList&&) noexcept = default;
FileList& FileList::operator=(FileList&&) noexcept = default;
FileList::~FileList() = default;

std::size_t FileList::size() const { return storage_ == nullptr ? 0 : storage_->count; }

FileListEntry FileList::operator[](std::size_t index) const {
  const FileListStorage::Place place = storage_->places[index];
  const ListedDirectory* directory = storage_->directories[place.directory];
  return ListedDirectory::entry(
      directory, directory->begin() + std::size_t{place.record} * fold::kRecordAlignment);
}

FileList::Iterator FileList::begin() const { return {*this, 0}; }
FileList::Iterator FileList::end() const { return {*this, static_cast<std::ptrdiff_t>(size())}; }

std::size_t FileList::memory_use() const {
  if (storage_ == nullptr) {
    return 0;
  }
  return storage_->bytes + storage_->count * sizeof(FileListStorage::Place) +
         storage_->directories.capacity() * sizeof(ListedDirectory*) +
         storage_->odd.size() * sizeof(Metadata) + sizeof(FileListStorage);
}

FileList collect_with_batched_stats(const std::string& root, const ListOptions& options) {
  FileList list;
  list.storage_ = std::make_shared<FileListStorage>(root, options);
  fold::ListWork work(*list.storage_, options);
  std::vector<std::unique_ptr<fold::ListVisitor>> visitors;
  const std::string roots[] = {root};
  try {
    list.result_ = walk(roots, fold::walk_options(options), [&](unsigned) -> Visitor& {
      return *visitors.emplace_back(std::make_unique<fold::ListVisitor>(work));
    });
    std::size_t entries = 0;
    for (const auto& visitor : visitors) {
      entries += visitor->entry_count();
      list.storage_->bytes += visitor->bytes();
    }
    visitors.clear();
    number_entries(*list.storage_, work.origin, entries, options.include_root);
  } catch (...) {
    if (work.origin != nullptr) {
      list.storage_->directories.clear();
      fold::ListCursor cursor(work.origin);
      fold::free_blocks(cursor);
    }
    throw;
  }
  std::sort(list.result_.errors.begin(), list.result_.errors.end(),
            [](const Error& a, const Error& b) { return a.path < b.path; });
  return list;
}

// ---------------------------------------------------------------------------------------------
// Work on a list

namespace {

// Calls `work(index)` for [0, count) on several threads; the first exception ends it.
template <class Work>
void in_parallel(std::size_t count, unsigned threads, const Work& work) {
  constexpr std::size_t kLargestPart = 1024;
  constexpr std::size_t kPartsPerThread = 16;  // who had the slow ones is not waited for long
  const std::size_t wanted =
      threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  const std::size_t part_size =
      std::clamp<std::size_t>(count / wanted / kPartsPerThread, 1, kLargestPart);
  const std::size_t parts = (count + part_size - 1) / part_size;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};
  std::mutex mutex;
  std::exception_ptr exception;
  const auto run = [&] {
    try {
      for (std::size_t part; (part = next.fetch_add(1)) < parts;) {
        const std::size_t end = std::min(count, (part + 1) * part_size);
        for (std::size_t i = part * part_size; i < end && !ended.load(); ++i) {
          work(i);
        }
      }
    } catch (...) {
      ended.store(true);
      next.store(parts);
      const std::lock_guard lock(mutex);
      exception = exception ? exception : std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(wanted, parts); ++i) {
    try {
      others.emplace_back(run);
    } catch (const std::system_error&) {
      break;  // with those that there are
    }
  }
  run();
  others.clear();
  if (exception) {
    std::rethrow_exception(exception);
  }
}

}  // namespace

void process_entries_parallel(const FileList& list,
                              const std::function<void(const FileListEntry&, std::size_t)>& process,
                              unsigned threads) {
  in_parallel(list.size(), threads, [&](std::size_t i) { process(list[i], i); });
}

std::vector<std::size_t> filter_entries_indices(
    const FileList& list, const std::function<bool(const FileListEntry&)>& keep, unsigned threads) {
  std::vector<std::uint8_t> kept(list.size());
  in_parallel(list.size(), threads, [&](std::size_t i) { kept[i] = keep(list[i]) ? 1 : 0; });
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] != 0) {
      indices.push_back(i);
    }
  }
  return indices;
}

}  // namespace trawl
