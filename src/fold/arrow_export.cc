// SPDX-License-Identifier: Apache-2.0
#include "fold/arrow_export.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <utility>

#include "fold/entry_table_chunk.h"

namespace trawl::fold {

namespace {

using Storage = EntryChunk::Storage;

// ---------------------------------------------------------------------------------------------
// Schemas

// What an exported schema owns: its children, which need not be there any more when it goes.
struct OwnedSchema {
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  ArrowSchema dictionary{};
};

void release_schema(ArrowSchema* schema) {
  const std::unique_ptr<OwnedSchema> owned(static_cast<OwnedSchema*>(schema->private_data));
  for (ArrowSchema& child : owned->children) {
    if (child.release != nullptr) {
      child.release(&child);
    }
  }
  if (owned->dictionary.release != nullptr) {
    owned->dictionary.release(&owned->dictionary);
  }
  schema->release = nullptr;
}

// Names and formats are constants.
ArrowSchema make_schema(const char* name, const char* format, std::int64_t flags) {
  ArrowSchema out{};
  out.format = format;
  out.name = name;
  out.flags = flags;
  out.private_data = new OwnedSchema;
  out.release = release_schema;
  return out;
}

class SchemaBuilder {
 public:
  explicit SchemaBuilder(ArrowSchema* parent)
      : owned_(*static_cast<OwnedSchema*>(parent->private_data)), parent_(*parent) {
    owned_.children.reserve(kMostColumns);
    owned_.pointers.reserve(kMostColumns);
  }

  ArrowSchema& add(const char* name, const char* format, bool nullable) {
    ArrowSchema& child =
        owned_.children.emplace_back(make_schema(name, format, nullable ? ARROW_FLAG_NULLABLE : 0));
    owned_.pointers.push_back(&child);
    parent_.children = owned_.pointers.data();
    ++parent_.n_children;
    return child;
  }

 private:
  static constexpr std::size_t kMostColumns = kMetadataColumns.size() + 6;
  OwnedSchema& owned_;
  ArrowSchema& parent_;
};

void add_dictionary(ArrowSchema& schema) {
  auto& owned = *static_cast<OwnedSchema*>(schema.private_data);
  owned.dictionary = make_schema("", "u", 0);
  schema.dictionary = &owned.dictionary;
}

// ---------------------------------------------------------------------------------------------
// Arrays

// A column without a value: no bit of validity, and nothing behind it.
alignas(ColumnBuffer::kAlignment) constinit std::array<std::int32_t, 65'536> zeros{};

struct OwnedArray {
  std::shared_ptr<const Storage> chunk;
  ColumnBuffer own;  // memory that is in no chunk
  std::array<const void*, 3> buffers{};
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ArrowArray dictionary{};
};

void release_array(ArrowArray* array) {
  const std::unique_ptr<OwnedArray> owned(static_cast<OwnedArray*>(array->private_data));
  for (ArrowArray& child : owned->children) {
    if (child.release != nullptr) {
      child.release(&child);
    }
  }
  if (owned->dictionary.release != nullptr) {
    owned->dictionary.release(&owned->dictionary);
  }
  array->release = nullptr;
}

OwnedArray& owned_by(const ArrowArray& array) {
  return *static_cast<OwnedArray*>(array.private_data);
}

// Of `length` values, without buffers.
ArrowArray make_array(std::shared_ptr<const Storage> chunk, std::size_t length) {
  ArrowArray out{};
  auto owned = std::make_unique<OwnedArray>();
  owned->chunk = std::move(chunk);
  out.length = static_cast<std::int64_t>(length);
  out.buffers = owned->buffers.data();
  out.private_data = owned.release();
  out.release = release_array;
  return out;
}

void set_buffers(ArrowArray& array, std::initializer_list<const void*> buffers) {
  std::copy(buffers.begin(), buffers.end(), owned_by(array).buffers.begin());
  array.n_buffers = static_cast<std::int64_t>(buffers.size());
}

struct Names {
  std::array<std::int32_t, 9> offsets;
  const char* bytes;
};
// By FileType.
alignas(ColumnBuffer::kAlignment) constexpr Names kTypeNames{
    {0, 7, 11, 20, 27, 39, 55, 59, 65},
    "unknownfiledirectorysymlinkblock_devicecharacter_devicefifosocket"};

class ArrayBuilder {
 public:
  ArrayBuilder(const std::shared_ptr<const Storage>& chunk, ArrowArray* parent)
      : chunk_(chunk), parent_(*parent) {
    OwnedArray& owned = owned_by(parent_);
    owned.children.reserve(kMostColumns);
    owned.pointers.reserve(kMostColumns);
  }

  ArrowArray& add(std::initializer_list<const void*> buffers, std::size_t nulls = 0) {
    OwnedArray& owned = owned_by(parent_);
    ArrowArray& child = owned.children.emplace_back(make_array(chunk_, chunk_->rows));
    owned.pointers.push_back(&child);
    parent_.children = owned.pointers.data();
    ++parent_.n_children;
    set_buffers(child, buffers);
    child.null_count = static_cast<std::int64_t>(nulls);
    return child;
  }

 private:
  static constexpr std::size_t kMostColumns = kMetadataColumns.size() + 6;
  const std::shared_ptr<const Storage>& chunk_;
  ArrowArray& parent_;
};

const void* validity_of(const Storage::Column& column) {
  return column.nulls == 0 ? nullptr : column.validity.as<void>();
}

void add_errors(const Storage& chunk, ArrayBuilder& out) {
  if (!chunk.row_errors.empty()) {
    out.add({validity_of(chunk.errors), chunk.errors.values.as<void>()}, chunk.errors.nulls);
    return;
  }
  ArrowArray& array = out.add({zeros.data(), zeros.data()}, chunk.rows);
  if (chunk.rows > zeros.size()) {
    ColumnBuffer& own = owned_by(array).own;
    own.grow(0, chunk.rows * sizeof(std::int32_t));
    std::memset(own.as<void>(), 0, own.capacity());
    set_buffers(array, {own.as<void>(), own.as<void>()});
  }
}

void add_columns(const Storage& chunk, ArrayBuilder& out) {
  const void* const offsets = chunk.offsets.as<void>();
  const void* const bytes = chunk.bytes.as<void>();
  if (chunk.utf8) {
    out.add({nullptr, offsets, bytes});
  } else {
    out.add({nullptr, chunk.display_offsets.as<void>(), chunk.display_bytes.as<void>()});
  }
  out.add({nullptr, offsets, bytes});

  ArrowArray& types = out.add({nullptr, chunk.types.as<void>()});
  OwnedArray& owned = owned_by(types);
  owned.dictionary = make_array(nullptr, kTypeNames.offsets.size() - 1);
  set_buffers(owned.dictionary, {nullptr, kTypeNames.offsets.data(), kTypeNames.bytes});
  types.dictionary = &owned.dictionary;

  out.add({nullptr, chunk.depths.as<void>()});
  for (std::size_t i = 0; i < kMetadataColumns.size(); ++i) {
    if (chunk.has_column(i)) {
      const Storage::Column& column = chunk.metadata[i];
      out.add({validity_of(column), column.values.as<void>()}, column.nulls);
    }
  }
  if (chunk.link_targets) {
    out.add({validity_of(chunk.targets), chunk.target_offsets.as<void>(),
             chunk.targets.values.as<void>()},
            chunk.targets.nulls);
  }
  if (chunk.fields != Fields::none) {
    add_errors(chunk, out);
  }
}

// ---------------------------------------------------------------------------------------------
// Streams

struct OwnedStream {
  Fields fields;
  bool link_targets;
  std::vector<EntryChunk> chunks;
  std::size_t next = 0;
};

OwnedStream& owned_by(const ArrowArrayStream& stream) {
  return *static_cast<OwnedStream*>(stream.private_data);
}

template <class Export>
int call(Export export_it) {
  try {
    export_it();
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

int stream_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  const OwnedStream& from = owned_by(*stream);
  return call([&] { export_schema(from.fields, from.link_targets, out); });
}

int stream_next(ArrowArrayStream* stream, ArrowArray* out) {
  OwnedStream& from = owned_by(*stream);
  if (from.next == from.chunks.size()) {
    *out = {};
    return 0;
  }
  return call([&] {
    from.chunks[from.next].export_array(out);
    ++from.next;
  });
}

const char* stream_error(ArrowArrayStream*) { return "out of memory"; }

void release_stream(ArrowArrayStream* stream) {
  delete &owned_by(*stream);
  stream->release = nullptr;
}

}  // namespace

void export_schema(Fields fields, bool link_targets, ArrowSchema* out) {
  ArrowSchema table = make_schema("", "+s", 0);
  try {
    SchemaBuilder columns(&table);
    columns.add("path", "u", false);
    columns.add("path_bytes", "z", false);
    add_dictionary(columns.add("type", "c", false));
    columns.add("depth", "i", false);
    for (const ColumnKind& kind : kMetadataColumns) {
      if (has(fields, kind.field)) {
        columns.add(kind.name, kind.format, true);
      }
    }
    if (link_targets) {
      columns.add("target", "z", true);
    }
    if (fields != Fields::none) {
      columns.add("error", "i", true);
    }
  } catch (...) {
    table.release(&table);
    throw;
  }
  *out = table;
}

void export_chunk(std::shared_ptr<const Storage> chunk, ArrowArray* out) {
  ArrowArray table = make_array(chunk, chunk->rows);
  try {
    set_buffers(table, {nullptr});
    ArrayBuilder columns(chunk, &table);
    add_columns(*chunk, columns);
  } catch (...) {
    table.release(&table);
    throw;
  }
  *out = table;
}

void export_stream(Fields fields, bool link_targets, std::vector<EntryChunk> chunks,
                   ArrowArrayStream* out) {
  *out = {.get_schema = stream_schema,
          .get_next = stream_next,
          .get_last_error = stream_error,
          .release = release_stream,
          .private_data = new OwnedStream{fields, link_targets, std::move(chunks)}};
}

}  // namespace trawl::fold
