// SPDX-License-Identifier: Apache-2.0
//
// A tree as columns: for data frames, files of columns, and everything that wants many entries at
// once without an object for each.
//
//   scan_table          the whole tree: chunks that workers filled side by side
//   EntryTableStream    chunk by chunk while the walk goes on, bounded; to leave off ends it
//   make_table          a FileList's entries, in its order; or answers of stat_paths()
//   make_chunks         the same of a part of a list
//
// Rows are entries. Columns, in this order, those of metadata if their field was asked for:
//
//   path           utf8; bytes that are not UTF-8 are U+FFFD here
//   path_bytes     binary; the same memory as `path` where all paths of the chunk are UTF-8
//   type           dictionary<int8, utf8>: the FileType: file, directory, symlink, block_device,
//                  character_device, fifo, socket, unknown
//   depth          int32; root 0
//   size           uint64, bytes          Fields::size
//   disk_usage     uint64, bytes          Fields::blocks
//   mtime, atime, ctime, btime            timestamp[ns, UTC]; null beyond 1677..2262
//   mode           uint32, permissions    Fields::mode
//   links          uint32                 Fields::links
//   uid, gid       uint32                 Fields::owner
//   device, inode  uint64                 Fields::identity
//   target         binary, of symbolic links; TableOptions::link_targets
//   error          int32, errno: a stat failed; null otherwise. There if any field was asked for
//
// A column of metadata is null where the field is not known. Paths are roots as given, '/', names.
#pragma once

#include <trawl/arrow_c.h>
#include <trawl/error.h>
#include <trawl/file_list.h>
#include <trawl/stat.h>
#include <trawl/types.h>
#include <trawl/walk.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl {

struct TableOptions {
  // Of it slot_bytes, directory_metadata_in_batch and link_targets are the fold's to set.
  Options walk;
  bool link_targets = false;
  bool include_roots = true;        // roots that are directories; others always have a row
  unsigned types = UINT32_MAX;      // 1 << FileType: which have rows
  int min_depth = 0;                // of rows
  int max_depth = INT32_MAX;        // of rows; Options::max_depth is the fold's to set
  std::size_t chunk_rows = 65'536;  // at most, from 1; a chunk also ends before 2^31 bytes of paths
  // Of an EntryTableStream: rows in the channel, from 1; a larger chunk passes when it is empty.
  std::size_t capacity = 262'144;
  // Of an EntryTableStream: what was found is not kept from who waits for it until a chunk is full,
  // and the first chunks are small. False: all chunks but the last few are full.
  bool prompt = true;
};

// Rows of one chunk, as columns. Plain memory, 64-byte aligned, that lives as long as the chunk;
// thread-safe to read.
class EntryChunk {
 public:
  struct Storage;

  explicit EntryChunk(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}

  std::size_t rows() const;
  Fields fields() const;
  // Row i's path is bytes()[offsets()[i] .. offsets()[i + 1]).
  const char* bytes() const;
  std::span<const std::int32_t> offsets() const;
  std::string_view path(std::size_t row) const;
  bool all_utf8() const;
  bool all_ascii() const;
  std::span<const std::int8_t> types() const;  // FileType
  FileType type(std::size_t row) const;
  std::span<const std::int32_t> depths() const;
  // With what is not known left out of `valid`; some 10 ns.
  Metadata metadata(std::size_t row) const;
  int error(std::size_t row) const;  // errno, or 0
  std::string_view link_target(std::size_t row) const;
  std::size_t memory_use() const;

  // A struct array with the columns above; it keeps the chunk's memory alive by itself.
  void export_array(ArrowArray* out) const;

 private:
  std::shared_ptr<const Storage> storage_;
};

class EntryTable {
 public:
  EntryTable() = default;
  EntryTable(Fields fields, bool link_targets, std::vector<EntryChunk> chunks, Result result);

  std::size_t rows() const { return rows_; }
  const std::vector<EntryChunk>& chunks() const { return chunks_; }
  Fields fields() const { return fields_; }
  bool has_link_targets() const { return link_targets_; }
  const Result& result() const { return result_; }
  std::size_t memory_use() const;

  void export_schema(ArrowSchema* out) const;
  // The stream shares the chunks: no copy, and the table may go first.
  void export_stream(ArrowArrayStream* out) const;

 private:
  Fields fields_ = Fields::none;
  bool link_targets_ = false;
  std::size_t rows_ = 0;
  std::vector<EntryChunk> chunks_;
  Result result_;
};

// Of a table with these columns, before there is one.
void export_entry_schema(Fields fields, bool link_targets, ArrowSchema* out);

// Blocks until done. Rows are in no particular order, but that a directory comes before what is in
// it if one worker found both. An entry whose stat failed has a row with `error`, besides being in
// Result::errors; one that vanished has none. Thread-safe.
//
// Cost: 10 % processor time over a walk that only counts, and the memory of the columns: per entry
// the path, 9 bytes, and the fields asked for.
EntryTable scan_table(std::span<const std::string> roots, const TableOptions& options);

// Rows in the list's order; the same columns.
EntryTable make_table(const FileList& list, Fields fields, bool link_targets,
                      std::size_t chunk_rows = 65'536);

// results[i] belongs to paths[i]. Depth 0; what has no answer has type unknown, and `error`.
EntryTable make_table(std::span<const std::string> paths, std::span<const StatResult> results,
                      Fields fields, std::size_t chunk_rows = 65'536);

// One chunk of all, or more if their paths are longer than a chunk's may be. For lists that come
// part by part: collect_chunked(). With `relative_root`, paths are relative, and that is the
// root's.
std::vector<EntryChunk> make_chunks(std::span<const FileListEntry> entries, Fields fields,
                                    bool link_targets,
                                    std::optional<std::string_view> relative_root = std::nullopt);

// The walk has threads of its own, and begins at once. What was found is at hand some milliseconds
// later if anybody waits for it, also when no chunk is full (TableOptions::prompt).
class EntryTableStream {
 public:
  EntryTableStream(std::vector<std::string> roots, TableOptions options);
  ~EntryTableStream();  // ends the walk; no other thread may be in a call of it
  EntryTableStream(const EntryTableStream&) = delete;
  EntryTableStream& operator=(const EntryTableStream&) = delete;

  // The next chunk, of at least one row. Waits. Nullopt at the end; also after `timeout`, if given,
  // then finished() is false. Several threads may pull at once. What the walk threw comes out of
  // here, after the last chunk.
  std::optional<EntryChunk> next(std::optional<std::chrono::nanoseconds> timeout = std::nullopt);
  bool finished() const;
  // Ends the walk; what is in the channel is dropped. Thread-safe, and safe in a signal handler's
  // thread: it does not wait.
  void cancel();
  // Waits for the end: of use after next() said so, or cancel().
  const Result& result();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace trawl
