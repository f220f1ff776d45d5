// SPDX-License-Identifier: Apache-2.0
//
// The columns of a chunk, and who fills them.
//
// One thread at a time adds rows to a ChunkBuilder; seal() makes a chunk of them, which nobody
// changes afterwards. Buffers grow by doubling, are aligned to 64 bytes and not zeroed. Nulls are
// rare: rows with some are noted in a list, and seal() makes bitmaps for the columns that have any.
#pragma once

#include <trawl/entry_table.h>
#include <trawl/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::fold {

// Memory for values of one column.
class ColumnBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  // Keeps the first `used` bytes.
  void grow(std::size_t used, std::size_t capacity) {
    capacity = (capacity + kAlignment - 1) / kAlignment * kAlignment;
    std::unique_ptr<std::byte, Free> grown(
        static_cast<std::byte*>(std::aligned_alloc(kAlignment, capacity)));
    if (grown == nullptr) {
      throw std::bad_alloc();
    }
    if (used != 0) {
      std::memcpy(grown.get(), memory_.get(), used);
    }
    memory_ = std::move(grown);
    capacity_ = capacity;
  }

  template <class T>
  T* as() {
    return reinterpret_cast<T*>(memory_.get());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(memory_.get());
  }
  std::size_t capacity() const { return capacity_; }  // bytes

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t capacity_ = 0;
};

// Columns of metadata, in the order of the table.
enum class MetadataColumn : std::uint8_t {
  size,
  disk_usage,
  mtime,
  atime,
  ctime,
  btime,
  mode,
  links,
  uid,
  gid,
  device,
  inode,
};

struct ColumnKind {
  const char* name;
  const char* format;  // Arrow's
  Fields field;
  std::uint8_t width;  // bytes per value
};

inline constexpr const char* kArrowTime = "tsn:UTC";

inline constexpr std::array<ColumnKind, 12> kMetadataColumns{{
    {"size", "L", Fields::size, 8},
    {"disk_usage", "L", Fields::blocks, 8},
    {"mtime", kArrowTime, Fields::mtime, 8},
    {"atime", kArrowTime, Fields::atime, 8},
    {"ctime", kArrowTime, Fields::ctime, 8},
    {"btime", kArrowTime, Fields::btime, 8},
    {"mode", "I", Fields::mode, 4},
    {"links", "I", Fields::links, 4},
    {"uid", "I", Fields::owner, 4},
    {"gid", "I", Fields::owner, 4},
    {"device", "L", Fields::identity, 8},
    {"inode", "L", Fields::identity, 8},
}};

constexpr bool test_bit(const std::uint8_t* bitmap, std::size_t i) {
  return (bitmap[i / 8] >> (i % 8) & 1) != 0;
}

}  // namespace trawl::fold

namespace trawl {

struct EntryChunk::Storage {
  // A column that may have nulls.
  struct Column {
    fold::ColumnBuffer values;
    fold::ColumnBuffer validity;  // a bitmap, where nulls > 0
    std::size_t nulls = 0;

    bool is_null(std::size_t row) const {
      return nulls != 0 && !fold::test_bit(validity.as<std::uint8_t>(), row);
    }
  };
  struct RowError {
    std::uint32_t row;
    std::int32_t code;
  };

  bool has_column(std::size_t column) const {
    return has(fields, fold::kMetadataColumns[column].field);
  }
  std::size_t path_bytes() const {
    return static_cast<std::size_t>(offsets.as<std::int32_t>()[rows]);
  }
  std::size_t target_bytes() const {
    return static_cast<std::size_t>(target_offsets.as<std::int32_t>()[rows]);
  }

  Fields fields = Fields::none;
  bool link_targets = false;
  bool ascii = true;
  bool utf8 = true;
  std::size_t rows = 0;
  fold::ColumnBuffer offsets;  // rows + 1
  fold::ColumnBuffer bytes;
  fold::ColumnBuffer display_offsets;  // where not all is UTF-8; else `path` is `path_bytes`
  fold::ColumnBuffer display_bytes;
  fold::ColumnBuffer types;
  fold::ColumnBuffer depths;
  std::array<Column, fold::kMetadataColumns.size()> metadata;
  fold::ColumnBuffer target_offsets;  // rows + 1
  Column targets;                     // its values: bytes
  std::vector<RowError> row_errors;   // ascending
  Column errors;                      // made of them, if there are both they and fields
};

}  // namespace trawl

namespace trawl::fold {

// One row.
struct TableRow {
  std::string_view directory = {};  // empty: `name` is the path
  std::string_view name = {};
  int depth = 0;
  FileType type = FileType::unknown;
  int error = 0;
  const Metadata* metadata = nullptr;  // or unknown
  std::string_view link_target = {};
};

class ChunkBuilder {
 public:
  // So the display column, which may be thrice as long, has offsets of 31 bits too.
  static constexpr std::size_t kMostBytes = (std::size_t{1} << 31) / 3 - 1;

  // The first chunk has `first_rows` at most, each other twice those of the one before, up to
  // `chunk_rows`.
  ChunkBuilder(Fields fields, bool link_targets, std::size_t chunk_rows,
               std::size_t first_rows = SIZE_MAX, std::size_t most_bytes = kMostBytes);

  std::size_t rows() const { return rows_; }
  // False: seal() comes first.
  bool has_room_for(const TableRow& row) const {
    return rows_ < limit_ &&
           (rows_ == 0 || (row.directory.size() + row.name.size() < most_bytes_ - bytes_ &&
                           row.link_target.size() < most_bytes_ - target_bytes_));
  }
  // Throws std::length_error where one path is longer than a chunk.
  void add(const TableRow& row);
  // What was added, at least one row; the next one begins another chunk.
  EntryChunk seal();

 private:
  using Storage = EntryChunk::Storage;

  struct Missing {
    std::uint32_t row;
    std::uint32_t columns;  // bits, by MetadataColumn
  };

  void begin();
  void grow_rows(std::size_t capacity);
  void put_metadata(const Metadata& metadata);
  void put_time(MetadataColumn column, const Timestamp& time, std::uint32_t& missing);
  template <class T>
  void put(MetadataColumn column, T value) {
    storage_->metadata[static_cast<std::size_t>(column)].values.as<T>()[rows_] = value;
  }
  void finish_paths();
  void finish_nulls();
  void finish_targets();
  void finish_errors();

  const Fields fields_;
  const bool link_targets_;
  const std::size_t chunk_rows_;
  const std::size_t most_bytes_;
  std::size_t limit_;  // rows of the chunk
  std::size_t expected_rows_ = 0;
  std::size_t expected_bytes_ = 0;
  std::shared_ptr<Storage> storage_;  // null: none begun
  std::size_t rows_ = 0;
  std::size_t row_capacity_ = 0;
  std::size_t bytes_ = 0;
  std::size_t target_bytes_ = 0;
  std::vector<Missing> missing_;
};

}  // namespace trawl::fold
