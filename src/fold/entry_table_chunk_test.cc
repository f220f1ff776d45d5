// SPDX-License-Identifier: Apache-2.0
//
// Rows into columns, and what visitors make of directories that are played to them.
#include "fold/entry_table_chunk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fold/entry_table_utf8.h"
#include "fold/entry_table_visitor.h"
#include "support/arrow_reader.h"
#include "support/random.h"

namespace trawl::fold {
namespace {

using testing::ArrowColumn;
using testing::ArrowReader;
using testing::ArrowRows;

std::string shown(std::string_view bytes) {
  std::string out(3 * bytes.size(), '\0');
  out.resize(write_utf8(bytes, out.data()));
  return out;
}

TEST(Utf8, IsWhatUnicodeSays) {
  for (const char* valid : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                            "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                            "12345678\xc3\xbc"
                            "1234567890"}) {
    EXPECT_TRUE(is_utf8(valid)) << valid;
    EXPECT_EQ(shown(valid), valid);
  }
  const std::string mark = "\xef\xbf\xbd";
  // As Python's bytes.decode(errors="replace") has them.
  const std::pair<const char*, std::string> invalid[] = {
      {"\x80", mark},
      {"\xff", mark},
      {"\xc0\xaf", mark + mark},
      {"\xc3", mark},
      {"\xc3(", mark + "("},
      {"\xe0\x9f\x80", mark + mark + mark},
      {"\xe2\x82", mark},
      {"\xe2\x82g", mark + "g"},
      {"\xed\xa0\x80", mark + mark + mark},
      {"\xf0\x8f\x80\x80", mark + mark + mark + mark},
      {"\xf0\x90\x80", mark},
      {"\xf0\x90\x80z", mark + "z"},
      {"\xf4\x90\x80\x80", mark + mark + mark + mark},
      {"\xf5\x80", mark + mark},
      {"abcdefgh\xff", "abcdefgh" + mark},
      {"abcdefgh\xc3", "abcdefgh" + mark},
  };
  for (const auto& [bytes, wanted] : invalid) {
    EXPECT_FALSE(is_utf8(bytes)) << bytes;
    EXPECT_EQ(shown(bytes), wanted);
  }
}

TEST(Utf8, KnowsAsciiOfAnyLength) {
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes(size, 'x');
    EXPECT_TRUE(is_ascii(bytes));
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = '\x80';
      EXPECT_FALSE(is_ascii(bytes)) << size << " " << i;
      bytes[i] = 'x';
    }
  }
}

ArrowRows rows_of(const EntryChunk& chunk, bool link_targets) {
  ArrowSchema schema{};
  export_entry_schema(chunk.fields(), link_targets, &schema);
  ArrowArray array{};
  chunk.export_array(&array);
  ArrowRows rows;
  ArrowReader::begin(schema, rows);
  ArrowReader::add(schema, array, rows);
  array.release(&array);
  schema.release(&schema);
  return rows;
}

// A sequence that goes on in the next path is none.
TEST(ChunkBuilder, JudgesEachPathByItself) {
  ChunkBuilder builder(Fields::none, false, 10);
  builder.add({.name = "a\xc3"});
  builder.add({.name = "\xbc"});
  const EntryChunk chunk = builder.seal();
  EXPECT_FALSE(chunk.all_utf8());
  EXPECT_EQ(rows_of(chunk, false).columns.at("path"),
            (ArrowColumn{"a\xef\xbf\xbd", "\xef\xbf\xbd"}));
}

TEST(ChunkBuilder, JoinsPaths) {
  ChunkBuilder builder(Fields::none, false, 10);
  builder.add({.directory = "a/b", .name = "c"});
  builder.add({.directory = "/", .name = "c"});
  builder.add({.directory = "a//", .name = "c"});
  builder.add({.directory = "", .name = "c"});
  builder.add({.directory = "", .name = ""});
  const EntryChunk chunk = builder.seal();
  EXPECT_TRUE(chunk.all_ascii());
  EXPECT_EQ(rows_of(chunk, false).columns.at("path_bytes"),
            (ArrowColumn{"a/b/c", "/c", "a//c", "c", ""}));
}

TEST(ChunkBuilder, KeepsWhatItWasGivenWhileItGrows) {
  testing::Random random(testing::fresh_seed());
  ChunkBuilder builder(Fields::all, true, 20'000);
  std::vector<std::string> names;
  std::vector<Metadata> metadata;
  for (int i = 0; i < 20'000; ++i) {
    names.push_back("name" + std::to_string(random.below(1'000'000)));
    Metadata each;
    each.size = random.next();
    each.blocks = random.below(1000);
    each.mtime.seconds = random.between(-1000, 1000);
    each.mtime.nanoseconds = static_cast<std::uint32_t>(random.below(1'000'000'000));
    each.links = static_cast<std::uint32_t>(random.next());
    each.valid = random.one_in(3) ? Fields::size | Fields::mtime : Fields::all;
    metadata.push_back(each);
    const TableRow row{.directory = "directory",
                       .name = names.back(),
                       .depth = i,
                       .type = FileType::symlink,
                       .error = i % 100 == 7 ? i : 0,
                       .metadata = &each,
                       .link_target = i % 2 == 0 ? std::string_view(names.back()) : ""};
    ASSERT_TRUE(builder.has_room_for(row));
    builder.add(row);
  }
  EXPECT_FALSE(builder.has_room_for({}));
  const EntryChunk chunk = builder.seal();
  const ArrowRows arrow = rows_of(chunk, true);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool all = metadata[i].valid == Fields::all;
    EXPECT_EQ(chunk.path(i), "directory/" + names[i]);
    EXPECT_EQ(chunk.metadata(i).size, metadata[i].size);
    EXPECT_EQ(chunk.metadata(i).mtime, metadata[i].mtime);
    EXPECT_EQ(chunk.metadata(i).links, all ? metadata[i].links : 0);
    EXPECT_EQ(has(chunk.metadata(i).valid, Fields::links), all);
    EXPECT_EQ(chunk.metadata(i).valid, (all ? Fields::all : metadata[i].valid | Fields::type));
    EXPECT_EQ(chunk.error(i), i % 100 == 7 ? static_cast<int>(i) : 0);
    EXPECT_EQ(chunk.link_target(i), i % 2 == 0 ? names[i] : "");
    EXPECT_EQ(arrow.columns.at("links")[i].has_value(), all);
    EXPECT_EQ(arrow.columns.at("error")[i].has_value(), i % 100 == 7);
    EXPECT_EQ(arrow.columns.at("target")[i].has_value(), i % 2 == 0);
  }
}

TEST(ChunkBuilder, HasNullForTimesBeyond64Bits) {
  constexpr std::int64_t kMost = INT64_MAX / 1'000'000'000;
  const std::pair<Timestamp, std::optional<std::string>> times[] = {
      {{0, 0}, "0"},
      {{-1, 999'999'999}, "-1"},
      {{kMost, 854'775'807}, "9223372036854775807"},
      {{kMost, 854'775'808}, std::nullopt},
      {{kMost + 1, 0}, std::nullopt},
      {{-kMost - 1, 145'224'192}, "-9223372036854775808"},
      {{-kMost - 1, 145'224'191}, std::nullopt},
      {{-kMost - 2, 999'999'999}, std::nullopt},
      {{INT64_MAX, 999'999'999}, std::nullopt},
      {{INT64_MIN, 0}, std::nullopt},
  };
  ChunkBuilder builder(Fields::mtime, false, 100);
  ArrowColumn wanted;
  for (const auto& [time, word] : times) {
    Metadata metadata;
    metadata.mtime = time;
    metadata.valid = Fields::mtime;
    builder.add({.name = "x", .metadata = &metadata});
    wanted.push_back(word);
  }
  const EntryChunk chunk = builder.seal();
  EXPECT_EQ(rows_of(chunk, false).columns.at("mtime"), wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(has(chunk.metadata(i).valid, Fields::mtime), wanted[i].has_value());
    if (wanted[i]) {
      EXPECT_EQ(chunk.metadata(i).mtime, times[i].first);
    }
  }
}

TEST(ChunkBuilder, EndsAChunkBeforeItsPathsAreTooLong) {
  ChunkBuilder builder(Fields::none, true, 1000, 1000, 100);
  std::vector<EntryChunk> chunks;
  const auto add = [&](const TableRow& row) {
    if (!builder.has_room_for(row)) chunks.push_back(builder.seal());
    builder.add(row);
  };
  const std::string name(30, 'n');
  for (int i = 0; i < 20; ++i) add({.directory = "d", .name = name});
  const std::string target(60, 't');
  for (int i = 0; i < 4; ++i) add({.name = "l", .link_target = target});
  chunks.push_back(builder.seal());
  std::size_t rows = 0;
  for (const EntryChunk& chunk : chunks) {
    EXPECT_LE(chunk.offsets().back(), 100);
    rows += chunk.rows();
  }
  EXPECT_EQ(rows, 24U);
  EXPECT_EQ(chunks.size(), 7U + 3U);  // three paths in each, then two targets would be too long
  EXPECT_THROW(builder.add({.name = std::string(100, 'x')}), std::length_error);
}

TEST(ChunkBuilder, MakesChunksLarger) {
  ChunkBuilder builder(Fields::none, false, 100, 8);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 500; ++i) {
    if (!builder.has_room_for({.name = "x"})) sizes.push_back(builder.seal().rows());
    builder.add({.name = "x"});
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{8, 16, 32, 64, 100, 100, 100}));
}

// ---------------------------------------------------------------------------------------------
// Visitors

class PlayedDirectory final : public Directory {
 public:
  PlayedDirectory() { slot_ = slot_memory_; }  // the origin
  PlayedDirectory(PlayedDirectory& parent, std::string_view name, Fields valid = Fields::basic) {
    slot_ = slot_memory_;
    parent_ = &parent;
    name_ = name;
    depth_ = parent.depth() + 1;
    metadata_.mode = 0040755;
    metadata_.valid = valid;
  }
  void set(State state, int error) {
    state_ = state;
    error_ = error;
  }

 private:
  alignas(16) std::byte slot_memory_[16] = {};
};

class Rows final : public RowSink {
 public:
  explicit Rows(const TableOptions& options) : RowSink(options) {}
  std::unique_lock<std::mutex> lock() override { return {}; }
  void take(EntryChunk) override { FAIL(); }
  bool rest() override { return true; }
};

TEST(TableVisitor, OfWhatCouldNotBeEntered) {
  TableOptions options;
  options.walk.fields = Fields::size;
  Rows rows(options);
  TableVisitor visitor(options, 0, rows);
  PlayedDirectory origin;
  PlayedDirectory root(origin, "root");
  visitor.enter(root);
  const auto leave = [&](std::string_view name, State state, int error, Fields valid) {
    PlayedDirectory directory(root, name, valid);
    directory.set(state, error);
    visitor.leave(directory);
  };
  leave("locked", State::unreadable, EACCES, Fields::basic);
  leave("unknown", State::unreadable, EIO, Fields::none);
  leave("gone", State::vanished, ENOENT, Fields::none);
  leave("late", State::cancelled, 0, Fields::none);
  leave("mount", State::other_device, 0, Fields::basic);
  std::vector<Entry> entries(3);
  entries[0] = {.name = "bad", .error = EIO, .type = FileType::regular};
  entries[1] = {.name = "gone too", .error = ENOENT, .type = FileType::regular};
  entries[2] = {.name = "entered", .type = FileType::directory, .descend = true};
  visitor.entries(root, entries);
  root.set(State::complete, 0);
  visitor.leave(root);
  const EntryChunk chunk = rows.builder().seal();
  const ArrowRows found = rows_of(chunk, false);
  const std::optional<std::string> null;
  EXPECT_EQ(found.columns.at("path"),
            (ArrowColumn{"root", "root/locked", "root/unknown", "root/mount", "root/bad"}));
  EXPECT_EQ(found.columns.at("error"),
            (ArrowColumn{null, null, std::to_string(EIO), null, std::to_string(EIO)}));
  EXPECT_EQ(found.columns.at("size"), (ArrowColumn{"0", "0", null, "0", null}));
}

}  // namespace
}  // namespace trawl::fold
