// SPDX-License-Identifier: Apache-2.0
#include "cli/arrow_message.h"

#ifdef TRAWL_HAS_FLATBUFFERS

#include <flatbuffers/flatbuffers.h>

#include <bit>
#include <stdexcept>
#include <string_view>

namespace trawl::cli {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;
using flatbuffers::voffset_t;
using Any = Offset<void>;

// A table's field by its place among them.
constexpr voffset_t at(int field) { return static_cast<voffset_t>(4 + 2 * field); }

constexpr std::int16_t kVersion5 = 4;
constexpr std::int16_t kNanoseconds = 3;
enum class Header : std::uint8_t { schema = 1, dictionary = 2, batch = 3 };
enum class Type : std::uint8_t { integer = 2, binary = 4, utf8 = 5, timestamp = 10 };

struct alignas(8) BlockStruct {
  std::int64_t offset;
  std::int32_t metadata;
  std::int32_t padding;
  std::int64_t body;
};
struct alignas(8) PairStruct {
  std::int64_t first;
  std::int64_t second;
};

template <class Struct>
Offset<flatbuffers::Vector<const Struct*>> structs(FlatBufferBuilder& out,
                                                   const std::vector<Struct>& from) {
  return out.CreateVectorOfStructs(from);
}

Any integer(FlatBufferBuilder& out, int bits, bool is_signed) {
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int32_t>(at(0), bits, 0);
  out.AddElement<std::uint8_t>(at(1), is_signed ? 1 : 0, 0);
  return out.EndTable(start);
}

struct TypeOf {
  Type type;
  Any table;
};

TypeOf type_of(FlatBufferBuilder& out, std::string_view format) {
  constexpr std::string_view kTime = "tsn:";
  if (format == "c") return {Type::integer, integer(out, 8, true)};
  if (format == "i") return {Type::integer, integer(out, 32, true)};
  if (format == "I") return {Type::integer, integer(out, 32, false)};
  if (format == "L") return {Type::integer, integer(out, 64, false)};
  if (format.starts_with(kTime)) {
    format.remove_prefix(kTime.size());
    const auto zone = out.CreateString(format.data(), format.size());
    const uoffset_t start = out.StartTable();
    out.AddElement<std::int16_t>(at(0), kNanoseconds, 0);
    out.AddOffset(at(1), zone);
    return {Type::timestamp, out.EndTable(start)};
  }
  if (format == "u" || format == "z") {
    const uoffset_t start = out.StartTable();  // without a field
    return {format == "u" ? Type::utf8 : Type::binary, out.EndTable(start)};
  }
  throw std::invalid_argument("a format that is not written: " + std::string(format));
}

Any field(FlatBufferBuilder& out, const ArrowSchema& column, std::int64_t number) {
  const bool has_dictionary = column.dictionary != nullptr;
  Any encoding;
  if (has_dictionary) {
    const TypeOf index = type_of(out, column.format);
    const uoffset_t start = out.StartTable();
    out.AddElement<std::int64_t>(at(0), number, 0);
    out.AddOffset(at(1), index.table);
    encoding = out.EndTable(start);
  }
  const auto name = out.CreateString(column.name);
  const TypeOf type = type_of(out, has_dictionary ? column.dictionary->format : column.format);
  const auto children = out.CreateVector(std::vector<Any>());
  const uoffset_t start = out.StartTable();
  out.AddOffset(at(0), name);
  out.AddElement<std::uint8_t>(at(1), (column.flags & ARROW_FLAG_NULLABLE) != 0 ? 1 : 0, 0);
  out.AddElement<std::uint8_t>(at(2), static_cast<std::uint8_t>(type.type), 0);
  out.AddOffset(at(3), type.table);
  if (has_dictionary) {
    out.AddOffset(at(4), encoding);
  }
  out.AddOffset(at(5), children);  // readers want it, though it is empty
  return out.EndTable(start);
}

Any schema_table(FlatBufferBuilder& out, const ArrowSchema& schema) {
  std::vector<Any> columns;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    columns.push_back(field(out, *schema.children[i], i));
  }
  const auto fields = out.CreateVector(columns);
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int16_t>(at(0), std::endian::native == std::endian::big ? 1 : 0, 0);
  out.AddOffset(at(1), fields);
  return out.EndTable(start);
}

Any batch_table(FlatBufferBuilder& out, const ArrowLayout& layout) {
  std::vector<PairStruct> nodes, buffers;
  for (const ArrowNode& node : layout.nodes) {
    nodes.push_back({node.length, node.nulls});
  }
  for (const ArrowBuffer& buffer : layout.buffers) {
    buffers.push_back({buffer.offset, buffer.length});
  }
  const auto node_vector = structs(out, nodes);
  const auto buffer_vector = structs(out, buffers);
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int64_t>(at(0), layout.length, 0);
  out.AddOffset(at(1), node_vector);
  out.AddOffset(at(2), buffer_vector);
  return out.EndTable(start);
}

std::string finished(FlatBufferBuilder& out, Any root) {
  out.Finish(root);
  return {reinterpret_cast<const char*>(out.GetBufferPointer()), out.GetSize()};
}

std::string message(FlatBufferBuilder& out, Header kind, Any header, std::int64_t body) {
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int64_t>(at(3), body, 0);
  out.AddOffset(at(2), header);
  out.AddElement<std::int16_t>(at(0), kVersion5, 0);
  out.AddElement<std::uint8_t>(at(1), static_cast<std::uint8_t>(kind), 0);
  return finished(out, out.EndTable(start));
}

std::vector<BlockStruct> block_structs(const std::vector<ArrowBlock>& blocks) {
  std::vector<BlockStruct> out;
  for (const ArrowBlock& block : blocks) {
    out.push_back({block.offset, block.metadata, 0, block.body});
  }
  return out;
}

}  // namespace

std::string arrow_schema_message(const ArrowSchema& schema) {
  FlatBufferBuilder out;
  return message(out, Header::schema, schema_table(out, schema), 0);
}

std::string arrow_batch_message(const ArrowLayout& layout) {
  FlatBufferBuilder out;
  return message(out, Header::batch, batch_table(out, layout), layout.body);
}

std::string arrow_dictionary_message(std::int64_t id, const ArrowLayout& layout) {
  FlatBufferBuilder out;
  const Any values = batch_table(out, layout);
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int64_t>(at(0), id, 0);
  out.AddOffset(at(1), values);
  const Any dictionary = out.EndTable(start);
  return message(out, Header::dictionary, dictionary, layout.body);
}

std::string arrow_footer(const ArrowSchema& schema, const std::vector<ArrowBlock>& dictionaries,
                         const std::vector<ArrowBlock>& batches) {
  FlatBufferBuilder out;
  const Any columns = schema_table(out, schema);
  const auto dictionary_blocks = structs(out, block_structs(dictionaries));
  const auto batch_blocks = structs(out, block_structs(batches));
  const uoffset_t start = out.StartTable();
  out.AddElement<std::int16_t>(at(0), kVersion5, 0);
  out.AddOffset(at(1), columns);
  out.AddOffset(at(2), dictionary_blocks);
  out.AddOffset(at(3), batch_blocks);
  return finished(out, out.EndTable(start));
}

}  // namespace trawl::cli

#endif  // TRAWL_HAS_FLATBUFFERS
