// SPDX-License-Identifier: Apache-2.0
//
// Visitors that make rows of what they are told, each in a chunk of its own.
//
// Where metadata is asked for, a directory that is entered has its row when it is entered, since
// its metadata comes with that; or, if it can't be entered, when it is left. So no directory is
// stat'ed by name. Without metadata all rows come with the listing.
#pragma once

#include <trawl/entry_table.h>
#include <trawl/walk.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "fold/entry_table_chunk.h"

namespace trawl::fold {

// Where a visitor's rows go.
class RowSink {
 public:
  explicit RowSink(const TableOptions& options, std::size_t first_rows = SIZE_MAX)
      : builder_(options.walk.fields, options.link_targets, options.chunk_rows, first_rows) {}
  virtual ~RowSink() = default;
  RowSink(const RowSink&) = delete;
  RowSink& operator=(const RowSink&) = delete;

  // Around all rows of one call of the visitor.
  virtual std::unique_lock<std::mutex> lock() = 0;
  virtual void take(EntryChunk chunk) = 0;
  // After the last of them: nothing may come for long. False: the walk is to end.
  virtual bool rest() = 0;

  ChunkBuilder& builder() { return builder_; }
  void add(const TableRow& row) {
    if (!builder_.has_room_for(row)) {
      take(builder_.seal());
    }
    builder_.add(row);
  }

 private:
  ChunkBuilder builder_;
};

// The walk's options for these of a table.
Options walk_options(const TableOptions& options);

class TableVisitor final : public Visitor {
 public:
  // At most 2^16 of one walk have different numbers.
  TableVisitor(const TableOptions& options, std::size_t number, RowSink& sink);

  static constexpr std::size_t kSlotBytes = 8;

  Verdict enter(Directory& directory) override;
  void select(Directory& directory, std::span<Entry> batch) override;
  Verdict entries(Directory& directory, std::span<Entry> batch) override;
  void leave(Directory& directory) override;

 private:
  struct Slot;

  bool wants(FileType type, int depth) const;
  bool wants_directory(const Directory& directory) const;
  const std::string& path_of(Directory& directory);
  Verdict rest() { return sink_.rest() ? Verdict::proceed : Verdict::stop; }

  const TableOptions& options_;
  const bool has_fields_;
  const bool may_skip_;  // some entries have no row
  RowSink& sink_;
  std::string path_;
  std::uint64_t path_id_ = 0;  // whose path that is, by its slot; 0: nobody's
  std::uint64_t last_id_;
};

}  // namespace trawl::fold
