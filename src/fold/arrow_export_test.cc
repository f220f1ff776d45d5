// SPDX-License-Identifier: Apache-2.0
//
// The life of exported structures: who releases what, when, in which order.
#include "fold/arrow_export.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fold/entry_table_chunk.h"
#include "support/arrow_reader.h"

namespace trawl::fold {
namespace {

using testing::ArrowColumn;
using testing::ArrowReader;
using testing::ArrowRows;

Metadata metadata(std::uint64_t size) {
  Metadata out;
  out.size = size;
  out.valid = Fields::all;
  return out;
}

EntryChunk chunk_of(const std::vector<std::string>& names, Fields fields = Fields::all,
                    bool link_targets = true) {
  ChunkBuilder builder(fields, link_targets, 1000);
  for (const std::string& name : names) {
    const Metadata known = metadata(name.size());
    builder.add({.directory = "d",
                 .name = name,
                 .depth = 1,
                 .type = FileType::symlink,
                 .metadata = &known,
                 .link_target = "to"});
  }
  return builder.seal();
}

ArrowSchema schema_of(Fields fields, bool link_targets) {
  ArrowSchema out{};
  export_entry_schema(fields, link_targets, &out);
  return out;
}

std::vector<std::string> columns(Fields fields, bool link_targets) {
  ArrowSchema schema = schema_of(fields, link_targets);
  ArrowRows rows;
  ArrowReader::begin(schema, rows);
  schema.release(&schema);
  return rows.names;
}

TEST(ArrowExport, HasTheColumnsThatWereAskedFor) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(columns(Fields::none, false), (Names{"path", "path_bytes", "type", "depth"}));
  EXPECT_EQ(columns(Fields::none, true), (Names{"path", "path_bytes", "type", "depth", "target"}));
  EXPECT_EQ(columns(Fields::size | Fields::owner, false),
            (Names{"path", "path_bytes", "type", "depth", "size", "uid", "gid", "error"}));
  EXPECT_EQ(
      columns(Fields::all, true),
      (Names{"path", "path_bytes", "type", "depth", "size", "disk_usage", "mtime", "atime", "ctime",
             "btime", "mode", "links", "uid", "gid", "device", "inode", "target", "error"}));
}

TEST(ArrowExport, SharesMemoryWhereAllPathsAreUtf8) {
  for (const bool valid : {true, false}) {
    const EntryChunk chunk = chunk_of({"a", valid ? "\xc3\xbc" : "\xff", "c"});
    EXPECT_EQ(chunk.all_utf8(), valid);
    EXPECT_FALSE(chunk.all_ascii());
    ArrowArray array{};
    chunk.export_array(&array);
    for (const int buffer : {1, 2}) {
      EXPECT_EQ(array.children[0]->buffers[buffer] == array.children[1]->buffers[buffer], valid);
    }
    EXPECT_EQ(array.children[1]->buffers[2], static_cast<const void*>(chunk.bytes()));
    ArrowSchema schema = schema_of(Fields::all, true);
    ArrowRows rows;
    ArrowReader::begin(schema, rows);
    ArrowReader::add(schema, array, rows);
    EXPECT_EQ(rows.columns["path"][1], valid ? "d/\xc3\xbc" : "d/\xef\xbf\xbd");
    EXPECT_EQ(rows.columns["path_bytes"][1], valid ? "d/\xc3\xbc" : "d/\xff");
    schema.release(&schema);
    array.release(&array);
  }
}

TEST(ArrowExport, OutlivesTableAndStream) {
  ArrowArrayStream stream{};
  {
    const EntryTable table(Fields::all, true, {chunk_of({"a"}), chunk_of({"b", "c"})}, {});
    table.export_stream(&stream);
  }
  ArrowArray first{}, second{}, end{};
  ArrowSchema schema{};
  ASSERT_EQ(stream.get_next(&stream, &first), 0);
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);  // any time, and more than once
  ArrowSchema again{};
  ASSERT_EQ(stream.get_schema(&stream, &again), 0);
  again.release(&again);
  ASSERT_EQ(stream.get_next(&stream, &second), 0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(stream.get_next(&stream, &end), 0);
    EXPECT_EQ(end.release, nullptr);
  }
  stream.release(&stream);
  ArrowRows rows;
  ArrowReader::begin(schema, rows);
  ArrowReader::add(schema, first, rows);
  first.release(&first);
  ArrowReader::add(schema, second, rows);
  EXPECT_EQ(rows.columns["path"], (ArrowColumn{"d/a", "d/b", "d/c"}));
  EXPECT_EQ(rows.columns["type"], (ArrowColumn{"symlink", "symlink", "symlink"}));
  schema.release(&schema);
  second.release(&second);
}

TEST(ArrowExport, ChildrenMayBeMovedOut) {
  ArrowArray array{};
  ArrowSchema schema = schema_of(Fields::all, true);
  chunk_of({"a", "bb"}).export_array(&array);
  // As the specification has it: a copy, and the source is marked as released.
  const auto move = [](auto& from) { return std::exchange(from, {}); };
  const auto moved_array = [&](int i) { return move(*array.children[i]); };
  const auto moved_schema = [&](int i) { return move(*schema.children[i]); };
  ArrowArray type = moved_array(2), size = moved_array(4);
  ArrowSchema type_schema = moved_schema(2), size_schema = moved_schema(4);
  array.release(&array);
  schema.release(&schema);
  EXPECT_EQ(array.release, nullptr);
  EXPECT_EQ(ArrowReader::values(type_schema, type), (ArrowColumn{"symlink", "symlink"}));
  EXPECT_EQ(ArrowReader::values(size_schema, size), (ArrowColumn{"1", "2"}));
  // And so may the dictionary.
  ArrowArray words = move(*type.dictionary);
  ArrowSchema words_schema = move(*type_schema.dictionary);
  type.release(&type);
  type_schema.release(&type_schema);
  EXPECT_EQ(ArrowReader::values(words_schema, words),
            (ArrowColumn{"unknown", "file", "directory", "symlink", "block_device",
                         "character_device", "fifo", "socket"}));
  words.release(&words);
  words_schema.release(&words_schema);
  size.release(&size);
  size_schema.release(&size_schema);
}

TEST(ArrowExport, MayBeDoneTwice) {
  ArrowArray first{}, second{};
  {
    const EntryChunk chunk = chunk_of({"a"});
    chunk.export_array(&first);
    chunk.export_array(&second);
  }
  EXPECT_EQ(first.children[1]->buffers[2], second.children[1]->buffers[2]);
  first.release(&first);
  EXPECT_EQ(std::string(static_cast<const char*>(second.children[1]->buffers[2]), 3), "d/a");
  second.release(&second);
}

TEST(ArrowExport, OfNothing) {
  ArrowArrayStream stream{};
  EntryTable(Fields::basic, false, {}, {}).export_stream(&stream);
  const ArrowRows rows = ArrowReader::read(stream);
  EXPECT_EQ(rows.rows, 0U);
  EXPECT_EQ(rows.names.size(), 16U);
}

// Beyond the block of zeros that smaller ones share.
TEST(ArrowExport, OfManyRowsWithoutAnError) {
  ChunkBuilder builder(Fields::size, false, 100'000);
  const Metadata known = metadata(1);
  for (int i = 0; i < 70'000; ++i) builder.add({.name = "x", .metadata = &known});
  ArrowArray array{};
  builder.seal().export_array(&array);
  ArrowSchema schema = schema_of(Fields::size, false);
  ArrowRows rows;
  ArrowReader::begin(schema, rows);
  ArrowReader::add(schema, array, rows);
  EXPECT_EQ(rows.columns["error"], ArrowColumn(70'000));
  schema.release(&schema);
  array.release(&array);
}

}  // namespace
}  // namespace trawl::fold
