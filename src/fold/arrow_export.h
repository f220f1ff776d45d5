// SPDX-License-Identifier: Apache-2.0
//
// Chunks of entries in the structures of Arrow's C interfaces.
//
// What is exported holds the chunk's memory by itself, each array of it on its own: a consumer may
// move a child out of its parent and keep it, and release in any order.
#pragma once

#include <trawl/arrow_c.h>
#include <trawl/entry_table.h>
#include <trawl/types.h>

#include <memory>
#include <vector>

namespace trawl::fold {

void export_schema(Fields fields, bool link_targets, ArrowSchema* out);
void export_chunk(std::shared_ptr<const EntryChunk::Storage> chunk, ArrowArray* out);
void export_stream(Fields fields, bool link_targets, std::vector<EntryChunk> chunks,
                   ArrowArrayStream* out);

}  // namespace trawl::fold
