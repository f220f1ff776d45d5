// SPDX-License-Identifier: Apache-2.0
//
// Whole tables, against the oracle and as a reader of Arrow's structures sees them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <trawl/entry_table.h>
#include <trawl/path_filter.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/arrow_reader.h"
#include "support/effort.h"
#include "support/oracle.h"
#include "support/random.h"
#include "support/temporary_directory.h"
#include "support/tree.h"

namespace trawl {
namespace {

using testing::ArrowColumn;
using testing::ArrowReader;
using testing::ArrowRows;
using testing::fresh_seed;
using testing::OracleEntry;
using testing::Random;
using testing::RandomTree;
using testing::TemporaryDirectory;
using testing::TreeShape;

constexpr const char* kTypeNames[] = {"unknown", "file",         "directory",
                                      "symlink", "block_device", "character_device",
                                      "fifo",    "socket"};

using Row = std::map<std::string, std::optional<std::string>>;

ArrowRows rows_of(const EntryTable& table) {
  ArrowArrayStream stream{};
  table.export_stream(&stream);
  return ArrowReader::read(stream);
}

std::vector<Row> by_path(const ArrowRows& table) {
  std::vector<Row> out(table.rows);
  for (const auto& [name, column] : table.columns) {
    for (std::size_t i = 0; i < table.rows; ++i) out[i][name] = column[i];
  }
  std::sort(out.begin(), out.end(),
            [](const Row& a, const Row& b) { return a.at("path_bytes") < b.at("path_bytes"); });
  return out;
}

std::string nanoseconds(const struct timespec& time) {
  return std::to_string(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

// What of the columns stat(2) tells, less the time of access, which looking changes.
Row row_of(const OracleEntry& entry, const TableOptions& options) {
  const Fields fields = options.walk.fields;
  Row row{{"path_bytes", entry.path},
          {"type", kTypeNames[static_cast<int>(entry.type)]},
          {"depth", std::to_string(entry.depth)}};
  const auto put = [&](const char* name, Fields field, auto value) {
    if (has(fields, field)) {
      row[name] = entry.info ? std::optional(std::to_string(value(*entry.info))) : std::nullopt;
    }
  };
  using Stat = struct stat;
  put("size", Fields::size, [](const Stat& s) { return s.st_size; });
  put("disk_usage", Fields::blocks, [](const Stat& s) { return s.st_blocks * 512; });
  put("mode", Fields::mode, [](const Stat& s) { return s.st_mode & 07777; });
  put("links", Fields::links, [](const Stat& s) { return s.st_nlink; });
  put("uid", Fields::owner, [](const Stat& s) { return s.st_uid; });
  put("gid", Fields::owner, [](const Stat& s) { return s.st_gid; });
  put("device", Fields::identity, [](const Stat& s) { return s.st_dev; });
  put("inode", Fields::identity, [](const Stat& s) { return s.st_ino; });
  if (has(fields, Fields::mtime)) {
    row["mtime"] = entry.info ? std::optional(nanoseconds(entry.info->st_mtim)) : std::nullopt;
  }
  if (has(fields, Fields::ctime)) {
    row["ctime"] = entry.info ? std::optional(nanoseconds(entry.info->st_ctim)) : std::nullopt;
  }
  if (fields != Fields::none) {
    const bool failed = entry.error != 0 && !entry.info;
    row["error"] = failed ? std::optional(std::to_string(entry.error)) : std::nullopt;
  }
  if (options.link_targets) {
    char target[4096];
    const bool is_link = entry.type == FileType::symlink && !entry.followed;
    const ssize_t size = is_link ? ::readlink(entry.path.c_str(), target, sizeof target) : -1;
    row["target"] = size < 0 ? std::nullopt
                             : std::optional(std::string(target, static_cast<std::size_t>(size)));
  }
  return row;
}

std::vector<Row> expected(const std::vector<std::string>& roots, const TableOptions& options) {
  Options walk = options.walk;
  walk.max_depth = options.max_depth == INT32_MAX ? INT32_MAX : options.max_depth - 1;
  std::vector<Row> rows;
  for (const OracleEntry& entry : testing::walk_naively(roots, walk).entries) {
    const bool vanished = entry.error == ENOENT && !entry.info && entry.depth > 0;
    const bool is_wanted =
        (options.types >> static_cast<int>(entry.type) & 1) != 0 &&
        entry.depth >= options.min_depth && entry.depth <= options.max_depth &&
        (options.include_roots || entry.depth > 0 || entry.type != FileType::directory);
    if (!vanished && is_wanted) rows.push_back(row_of(entry, options));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Without the columns that the oracle does not tell.
std::vector<Row> stripped(const ArrowRows& table) {
  std::vector<Row> rows = by_path(table);
  for (Row& row : rows) {
    for (const char* name : {"path", "atime", "btime"}) row.erase(name);
  }
  std::sort(rows.begin(), rows.end());  // a root may be in another
  return rows;
}

std::string describe(const TableOptions& options) {
  return "threads " + std::to_string(options.walk.threads) + " rows " +
         std::to_string(options.chunk_rows) + " backend " +
         std::to_string(static_cast<int>(options.walk.backend)) + " fields " +
         std::to_string(static_cast<unsigned>(options.walk.fields)) + " follow " +
         std::to_string(static_cast<int>(options.walk.follow));
}

void expect_oracle(const std::vector<std::string>& roots, const TableOptions& options) {
  SCOPED_TRACE(describe(options));
  const EntryTable table = scan_table(roots, options);
  EXPECT_EQ(table.result().ending, Ending::complete);
  const ArrowRows arrow = rows_of(table);
  EXPECT_EQ(arrow.rows, table.rows());
  EXPECT_EQ(arrow.arrays, table.chunks().size());
  for (const EntryChunk& chunk : table.chunks()) {
    EXPECT_GT(chunk.rows(), 0U);
    EXPECT_LE(chunk.rows(), std::max<std::size_t>(1, options.chunk_rows));
  }
  const std::vector<Row> found = stripped(arrow);
  const std::vector<Row> wanted = expected(roots, options);
  EXPECT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
    ASSERT_EQ(found[i], wanted[i]);
  }
}

constexpr Fields kSomeFields = Fields::size | Fields::mtime;

TEST(EntryTable, IsWhatTheOracleFinds) {
  Random random(fresh_seed());
  for (int round = 0; round < testing::effort(6); ++round) {
    const RandomTree tree(random.next(), {.roots = random.between(1, 3)},
                          testing::mostly_in_memory(random));
    for (const unsigned threads : {1U, 2U, 16U, 64U}) {
      for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{65'536}}) {
        for (const Backend backend : {Backend::linux_raw, Backend::posix}) {
          TableOptions options;
          options.walk.threads = threads;
          options.walk.backend = backend;
          options.walk.private_descriptors = random.one_in(2);
          options.chunk_rows = rows;
          constexpr Fields kFields[] = {Fields::none, kSomeFields, Fields::basic, Fields::all};
          options.walk.fields = kFields[random.below(4)];
          options.link_targets = random.one_in(2);
          options.walk.follow = random.one_in(4) ? Follow::all : Follow::never;
          options.walk.visit_once = false;  // by which path is chance, else
          expect_oracle(tree.roots(), options);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(EntryTable, LeavesOutWhatIsNotWanted) {
  Random random(fresh_seed());
  const RandomTree tree(random.next(), {.roots = 2, .directories = 60});
  for (int round = 0; round < testing::effort(40); ++round) {
    TableOptions options;
    options.walk.fields = random.one_in(2) ? Fields::none : kSomeFields;
    options.walk.threads = random.one_in(2) ? 1 : 4;
    options.include_roots = random.one_in(2);
    options.min_depth = random.between(0, 3);
    options.max_depth = random.one_in(3) ? INT32_MAX : random.between(0, 4);
    options.types = random.one_in(3) ? UINT32_MAX : static_cast<unsigned>(random.below(256));
    std::vector<std::string> roots = tree.roots();
    if (!tree.files().empty()) roots.push_back(tree.files()[0]);
    expect_oracle(roots, options);
    if (HasFailure()) return;
  }
}

TEST(EntryTable, OfFilesAloneStatsNothingElse) {
  const TemporaryDirectory top(testing::in_memory());
  for (int i = 0; i < 50; ++i) top.link("link" + std::to_string(i), "nowhere");
  top.file("file");
  TableOptions options;
  options.walk.fields = Fields::basic;
  options.walk.threads = 1;
  options.types = 1U << static_cast<int>(FileType::regular);
  const EntryTable table = scan_table(std::vector{top.path()}, options);
  EXPECT_EQ(table.rows(), 1U);
  EXPECT_LE(table.result().statistics.stat_calls, 3U);  // of the root, twice, and of the file
}

TEST(EntryTable, OfNamesStatsNothing) {
  const RandomTree tree(fresh_seed());
  TableOptions options;
  options.walk.threads = 1;
  const EntryTable table = scan_table(tree.roots(), options);
  EXPECT_GT(table.rows(), 40U);
  EXPECT_LE(table.result().statistics.stat_calls, 2U);  // of the root
}

TEST(EntryTable, StatsNoDirectoryByName) {
  const TemporaryDirectory top(testing::in_memory());
  for (int i = 0; i < 50; ++i) top.directory("directory" + std::to_string(i));
  TableOptions options;
  options.walk.fields = Fields::basic;
  options.walk.threads = 1;
  const EntryTable table = scan_table(std::vector{top.path()}, options);
  EXPECT_EQ(table.rows(), 51U);
  EXPECT_LE(table.result().statistics.stat_calls, 52U);
}

TEST(EntryTable, OfRootsThatAreOdd) {
  const TemporaryDirectory top(testing::in_memory());
  const std::string file = top.file("file");
  const std::string dir = top.directory("dir");
  top.file("dir/x");
  const std::string dangling = top.link("dangling", "nowhere");
  const std::string linked = top.link("linked", "dir");
  for (const Fields fields : {Fields::none, Fields::basic}) {
    for (const Follow follow : {Follow::never, Follow::roots}) {
      for (const bool include : {false, true}) {
        TableOptions options;
        options.walk.fields = fields;
        options.walk.follow = follow;
        options.include_roots = include;
        expect_oracle({linked, file, top.at("missing"), dir + "/", dangling, ""}, options);
        expect_oracle({}, options);
      }
    }
  }
}

TEST(EntryTable, SaysWhichStatFailed) {
  // Each test is a process of its own.
  ASSERT_TRUE(::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0));
  const TemporaryDirectory top(testing::in_memory());
  top.directory("dark");
  top.file("dark/file");
  const std::string locked = top.directory("locked");
  ASSERT_EQ(::chmod(top.at("dark").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(locked.c_str(), 0), 0);
  TableOptions options;
  options.walk.fields = Fields::basic;
  for (const unsigned threads : {1U, 4U}) {
    options.walk.threads = threads;
    const EntryTable table = scan_table(std::vector{top.path()}, options);
    EXPECT_EQ(table.result().errors.size(), 2U);
    EXPECT_FALSE(table.result().complete());
    std::vector<Row> rows = by_path(rows_of(table));
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[2]["path"], top.at("dark/file"));
    EXPECT_EQ(rows[2]["error"], std::to_string(EACCES));
    EXPECT_EQ(rows[2]["size"], std::nullopt);
    EXPECT_EQ(rows[3]["path"], locked);  // is there, though it can't be read
    EXPECT_EQ(rows[3]["error"], std::nullopt);
    EXPECT_EQ(rows[3]["mode"], "0");
  }
  for (const char* name : {"dark", "locked"}) ::chmod(top.at(name).c_str(), 0755);
}

TEST(EntryTable, HeedsAFilter) {
  const TemporaryDirectory top(testing::in_memory());
  top.file(".hidden");
  top.file("shown");
  FilterOptions filter_options;
  filter_options.hidden = true;
  const PathFilter filter(filter_options);
  TableOptions options;
  options.walk.filter = &filter;
  EXPECT_EQ(scan_table(std::vector{top.path()}, options).rows(), 2U);
}

TEST(EntryTable, HasADirectoryBeforeWhatIsInIt) {
  const RandomTree tree(fresh_seed());
  for (const Fields fields : {Fields::none, Fields::basic}) {
    TableOptions options;
    options.walk.fields = fields;
    options.walk.threads = 1;
    options.chunk_rows = 10;
    std::map<std::string, bool> seen;
    const EntryTable table = scan_table(tree.roots(), options);
    for (const EntryChunk& chunk : table.chunks()) {
      for (std::size_t i = 0; i < chunk.rows(); ++i) {
        const std::string path(chunk.path(i));
        if (chunk.depths()[i] > 0) {
          EXPECT_TRUE(seen.contains(path.substr(0, path.rfind('/')))) << path;
        }
        seen[path] = true;
      }
    }
  }
}

TEST(EntryTable, TellsMetadataOfARow) {
  const RandomTree tree(fresh_seed());
  TableOptions options;
  options.walk.fields = Fields::all;
  options.link_targets = true;
  const EntryTable table = scan_table(tree.roots(), options);
  for (const EntryChunk& chunk : table.chunks()) {
    EXPECT_EQ(chunk.fields(), Fields::all);
    for (std::size_t i = 0; i < chunk.rows(); ++i) {
      const std::string path(chunk.path(i));
      struct stat info {};
      ASSERT_EQ(::lstat(path.c_str(), &info), 0);
      Metadata metadata = chunk.metadata(i);
      metadata.device_major = major(info.st_rdev);  // which has no column
      metadata.device_minor = minor(info.st_rdev);
      EXPECT_EQ(testing::difference(metadata, info), "") << path;
      EXPECT_EQ(chunk.type(i), type_of_mode(info.st_mode));
      EXPECT_EQ(chunk.error(i), 0);
      EXPECT_EQ(chunk.link_target(i).empty(), !S_ISLNK(info.st_mode));
    }
  }
}

// ---------------------------------------------------------------------------------------------
// Of lists, and of answers

TEST(MadeTable, OfAListHasItsOrder) {
  const RandomTree tree(fresh_seed());
  for (const Order order : {Order::component, Order::bytes, Order::rsync}) {
    ListOptions list_options;
    list_options.order = order;
    list_options.link_targets = true;
    const FileList list = collect_with_batched_stats(tree.roots()[0], list_options);
    for (const std::size_t rows : {std::size_t{1}, std::size_t{7}, std::size_t{65'536}}) {
      const EntryTable table = make_table(list, Fields::basic, true, rows);
      const ArrowRows arrow = rows_of(table);
      ASSERT_EQ(arrow.rows, list.size());
      EXPECT_EQ(arrow.arrays, (list.size() + rows - 1) / rows);
      for (std::size_t i = 0; i < list.size(); ++i) {
        EXPECT_EQ(arrow.columns.at("path_bytes")[i], list[i].full_path());
        EXPECT_EQ(arrow.columns.at("size")[i], std::to_string(list[i].metadata().size));
        EXPECT_EQ(arrow.columns.at("depth")[i], std::to_string(list[i].depth()));
        EXPECT_EQ(arrow.columns.at("target")[i].value_or(""), list[i].link_target());
      }
      TableOptions options;
      options.walk.fields = Fields::basic;
      options.link_targets = true;
      EXPECT_EQ(stripped(arrow), expected({tree.roots()[0]}, options));
    }
  }
}

TEST(MadeTable, OfAPartOfAListMayBeRelative) {
  const TemporaryDirectory top(testing::in_memory());
  top.directory("a");
  top.file("a/b");
  const FileList list = collect_with_batched_stats(top.path());
  const std::vector<FileListEntry> entries(list.begin(), list.end());
  const std::vector<EntryChunk> chunks = make_chunks(entries, Fields::none, false, ".");
  ASSERT_EQ(chunks.size(), 1U);
  ASSERT_EQ(chunks[0].rows(), 3U);
  EXPECT_EQ(chunks[0].path(0), ".");
  EXPECT_EQ(chunks[0].path(1), "a");
  EXPECT_EQ(chunks[0].path(2), "a/b");
  EXPECT_TRUE(make_chunks({}, Fields::none, false).empty());
}

TEST(MadeTable, OfAnswers) {
  const TemporaryDirectory top(testing::in_memory());
  const std::vector<std::string> paths{top.file("a", "four"), top.at("missing"), top.path()};
  const EntryTable table = make_table(paths, stat_paths(paths), Fields::basic, 2);
  EXPECT_EQ(table.chunks().size(), 2U);
  const ArrowRows arrow = rows_of(table);
  EXPECT_EQ(arrow.columns.at("path"), (ArrowColumn{paths[0], paths[1], paths[2]}));
  EXPECT_EQ(arrow.columns.at("type"), (ArrowColumn{"file", "unknown", "directory"}));
  EXPECT_EQ(arrow.columns.at("error"),
            (ArrowColumn{std::nullopt, std::to_string(ENOENT), std::nullopt}));
  EXPECT_EQ(arrow.columns.at("size")[0], "4");
  EXPECT_EQ(arrow.columns.at("size")[1], std::nullopt);
}

}  // namespace
}  // namespace trawl
