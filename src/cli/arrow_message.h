// SPDX-License-Identifier: Apache-2.0
//
// The metadata of Arrow's IPC messages, as FlatBuffers: what format/Message.fbs, Schema.fbs and
// File.fbs of the specification call Message and Footer
// (https://arrow.apache.org/docs/format/Columnar.html). Built only where FlatBuffers is.
#pragma once

#include <trawl/arrow_c.h>

#include <cstdint>
#include <string>
#include <vector>

namespace trawl::cli {

// Of one array, and of all below it, depth first.
struct ArrowNode {
  std::int64_t length = 0;
  std::int64_t nulls = 0;
};

// A stretch of a message's body.
struct ArrowBuffer {
  std::int64_t offset = 0;
  std::int64_t length = 0;  // without padding
};

// What a record batch or a dictionary is in the body of its message.
struct ArrowLayout {
  std::int64_t length = 0;  // rows
  std::vector<ArrowNode> nodes;
  std::vector<ArrowBuffer> buffers;
  std::int64_t body = 0;  // bytes
};

// Where a message is in a file.
struct ArrowBlock {
  std::int64_t offset = 0;
  std::int32_t metadata = 0;  // bytes, with what is before and behind it
  std::int64_t body = 0;
};

// A table's columns; dictionaries are numbered by the column that they belong to. Formats are those
// of <trawl/entry_table.h>: std::invalid_argument for others.
std::string arrow_schema_message(const ArrowSchema& schema);
std::string arrow_batch_message(const ArrowLayout& layout);
std::string arrow_dictionary_message(std::int64_t id, const ArrowLayout& layout);
std::string arrow_footer(const ArrowSchema& schema, const std::vector<ArrowBlock>& dictionaries,
                         const std::vector<ArrowBlock>& batches);

}  // namespace trawl::cli
