// SPDX-License-Identifier: Apache-2.0
//
// Writes a table of entries in Arrow's IPC formats, batch by batch: the streaming format, or that
// of files, which ends with a footer that says where the batches are, and without which no reader
// takes a file for whole.
//
//   ArrowWriter writer(output, ArrowForm::file, fields, link_targets);
//   writer.write(chunk); …; writer.finish();
//
// What fails is in Output::error(). Not thread-safe. Built only where FlatBuffers is; see
// can_write_arrow().
#pragma once

#include <trawl/arrow_c.h>
#include <trawl/entry_table.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cli/arrow_message.h"
#include "cli/output.h"

namespace trawl::cli {

constexpr bool can_write_arrow() {
#ifdef TRAWL_HAS_FLATBUFFERS
  return true;
#else
  return false;
#endif
}

enum class ArrowForm : std::uint8_t { file, stream };

class ArrowWriter {
 public:
  ArrowWriter(Output& output, ArrowForm form, Fields fields, bool link_targets);
  ~ArrowWriter();
  ArrowWriter(const ArrowWriter&) = delete;
  ArrowWriter& operator=(const ArrowWriter&) = delete;

  void write(const EntryChunk& chunk);
  void finish();

 private:
  struct Stretch {
    const void* data;
    std::size_t size;
  };

  void write_dictionaries(const ArrowArray& table);
  void add_array(const ArrowSchema& type, const ArrowArray& array, ArrowLayout& layout);
  ArrowBlock write_message(std::string_view metadata, std::int64_t body);
  void write_body();
  void put(const void* data, std::size_t size);
  void put_zeros(std::size_t count);
  void put_size(std::size_t size);  // as 32 bits, little-endian

  Output& output_;
  const ArrowForm form_;
  ArrowSchema schema_{};
  std::int64_t position_ = 0;  // in the file
  std::vector<Stretch> body_;  // of the message that is being written
  std::vector<ArrowBlock> dictionaries_;
  std::vector<ArrowBlock> batches_;
  bool any_written_ = false;
};

}  // namespace trawl::cli
