// SPDX-License-Identifier: Apache-2.0
#include "fold/entry_table_chunk.h"

#include <bit>
#include <stdexcept>

#include "base/file_mode.h"
#include "fold/entry_table_utf8.h"

namespace trawl::fold {

namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::size_t kFirstRows = 1024;
constexpr std::size_t kUsualPath = 64;
constexpr std::uint32_t kPermissions = 07777;
constexpr Metadata kUnknown;  // nothing of it is valid

constexpr std::uint32_t bit_of(MetadataColumn column) {
  return 1U << static_cast<unsigned>(column);
}

std::size_t bitmap_bytes(std::size_t rows) { return (rows + 7) / 8; }

// All of them set, also those behind the last row.
void make_bitmap(ColumnBuffer& bitmap, std::size_t rows, bool value) {
  bitmap.grow(0, bitmap_bytes(rows));
  std::memset(bitmap.as<std::uint8_t>(), value ? 0xff : 0, bitmap.capacity());
}

void clear_bit(ColumnBuffer& bitmap, std::size_t i) {
  std::uint8_t& byte = bitmap.as<std::uint8_t>()[i / 8];
  byte = static_cast<std::uint8_t>(byte & ~(1U << (i % 8)));
}

void set_bit(ColumnBuffer& bitmap, std::size_t i) {
  std::uint8_t& byte = bitmap.as<std::uint8_t>()[i / 8];
  byte = static_cast<std::uint8_t>(byte | 1U << (i % 8));
}

void grow_bytes(ColumnBuffer& buffer, std::size_t used, std::size_t needed) {
  if (needed > buffer.capacity()) {
    buffer.grow(used, std::max(needed, 2 * buffer.capacity()));
  }
}

// False: beyond 64 bits.
bool to_nanoseconds(const Timestamp& time, std::int64_t& out) {
  // Before 1970 from the second after, so that the product is not beyond where the sum is not.
  const bool before = time.seconds < 0;
  std::int64_t whole = 0;
  const std::int64_t part = std::int64_t{time.nanoseconds} - (before ? kNanoseconds : 0);
  return !__builtin_mul_overflow(time.seconds + (before ? 1 : 0), kNanoseconds, &whole) &&
         !__builtin_add_overflow(whole, part, &out);
}

}  // namespace

ChunkBuilder::ChunkBuilder(Fields fields, bool link_targets, std::size_t chunk_rows,
                           std::size_t first_rows, std::size_t most_bytes)
    : fields_(fields),
      link_targets_(link_targets),
      chunk_rows_(std::clamp<std::size_t>(chunk_rows, 1, INT32_MAX - 1)),
      most_bytes_(most_bytes),
      limit_(std::clamp<std::size_t>(first_rows, 1, chunk_rows_)) {}

void ChunkBuilder::begin() {
  storage_ = std::make_shared<Storage>();
  storage_->fields = fields_;
  storage_->link_targets = link_targets_;
  rows_ = row_capacity_ = bytes_ = target_bytes_ = 0;
  missing_.clear();
  // As large as the last: untouched memory costs nothing.
  storage_->bytes.grow(0, std::max(expected_bytes_, std::min(limit_, kFirstRows) * kUsualPath));
  grow_rows(std::clamp(expected_rows_, std::min(limit_, kFirstRows), limit_));
}

void ChunkBuilder::grow_rows(std::size_t capacity) {
  Storage& out = *storage_;
  out.offsets.grow(rows_ * sizeof(std::int32_t), (capacity + 1) * sizeof(std::int32_t));
  out.types.grow(rows_, capacity);
  out.depths.grow(rows_ * sizeof(std::int32_t), capacity * sizeof(std::int32_t));
  for (std::size_t i = 0; i < kMetadataColumns.size(); ++i) {
    if (out.has_column(i)) {
      const std::size_t width = kMetadataColumns[i].width;
      out.metadata[i].values.grow(rows_ * width, capacity * width);
    }
  }
  if (link_targets_) {
    out.target_offsets.grow(rows_ * sizeof(std::int32_t), (capacity + 1) * sizeof(std::int32_t));
  }
  row_capacity_ = capacity;
}

void ChunkBuilder::add(const TableRow& row) {
  // What the separator takes is little; what is added up here can't overflow.
  if (row.directory.size() > most_bytes_ || row.name.size() >= most_bytes_ - row.directory.size()) {
    throw std::length_error("a path is too long for a table");
  }
  if (storage_ == nullptr) {
    begin();
  } else if (rows_ == row_capacity_) {
    grow_rows(std::min(limit_, 2 * row_capacity_));
  }
  Storage& out = *storage_;
  const std::size_t size = row.directory.size() + 1 + row.name.size();
  grow_bytes(out.bytes, bytes_, bytes_ + size);
  out.offsets.as<std::int32_t>()[rows_] = static_cast<std::int32_t>(bytes_);
  char* at = out.bytes.as<char>() + bytes_;
  if (!row.directory.empty()) {
    std::memcpy(at, row.directory.data(), row.directory.size());
    at += row.directory.size();
    if (row.directory.back() != '/') {
      *at++ = '/';
    }
  }
  if (!row.name.empty()) {
    std::memcpy(at, row.name.data(), row.name.size());
    at += row.name.size();
  }
  bytes_ = static_cast<std::size_t>(at - out.bytes.as<char>());
  out.types.as<std::int8_t>()[rows_] = static_cast<std::int8_t>(row.type);
  out.depths.as<std::int32_t>()[rows_] = row.depth;
  if (fields_ != Fields::none) {
    put_metadata(row.metadata != nullptr ? *row.metadata : kUnknown);
  }
  if (link_targets_) {
    grow_bytes(out.targets.values, target_bytes_,
               std::max<std::size_t>(1, target_bytes_ + row.link_target.size()));
    out.target_offsets.as<std::int32_t>()[rows_] = static_cast<std::int32_t>(target_bytes_);
    if (!row.link_target.empty()) {
      std::memcpy(out.targets.values.as<char>() + target_bytes_, row.link_target.data(),
                  row.link_target.size());
      target_bytes_ += row.link_target.size();
    }
  }
  if (row.error != 0) {
    out.row_errors.push_back({static_cast<std::uint32_t>(rows_), row.error});
  }
  ++rows_;
}

void ChunkBuilder::put_time(MetadataColumn column, const Timestamp& time, std::uint32_t& missing) {
  std::int64_t nanoseconds = 0;
  if (!to_nanoseconds(time, nanoseconds)) {
    nanoseconds = 0;
    missing |= bit_of(column);
  }
  put(column, nanoseconds);
}

void ChunkBuilder::put_metadata(const Metadata& metadata) {
  std::uint32_t missing = 0;
  if (has(fields_, Fields::size)) {
    put(MetadataColumn::size, metadata.size);
  }
  if (has(fields_, Fields::blocks)) {
    put(MetadataColumn::disk_usage, metadata.disk_usage());
  }
  if (has(fields_, Fields::mtime)) {
    put_time(MetadataColumn::mtime, metadata.mtime, missing);
  }
  if (has(fields_, Fields::atime)) {
    put_time(MetadataColumn::atime, metadata.atime, missing);
  }
  if (has(fields_, Fields::ctime)) {
    put_time(MetadataColumn::ctime, metadata.ctime, missing);
  }
  if (has(fields_, Fields::btime)) {
    put_time(MetadataColumn::btime, metadata.btime, missing);
  }
  if (has(fields_, Fields::mode)) {
    put(MetadataColumn::mode, metadata.mode & kPermissions);
  }
  if (has(fields_, Fields::links)) {
    put(MetadataColumn::links, metadata.links);
  }
  if (has(fields_, Fields::owner)) {
    put(MetadataColumn::uid, metadata.uid);
    put(MetadataColumn::gid, metadata.gid);
  }
  if (has(fields_, Fields::identity)) {
    put(MetadataColumn::device, metadata.device);
    put(MetadataColumn::inode, metadata.inode);
  }
  if (!has(metadata.valid, fields_)) {
    for (std::size_t i = 0; i < kMetadataColumns.size(); ++i) {
      const Fields field = kMetadataColumns[i].field;
      if (has(fields_, field) && !has(metadata.valid, field)) {
        missing |= 1U << i;
      }
    }
  }
  if (missing != 0) {
    missing_.push_back({static_cast<std::uint32_t>(rows_), missing});
  }
}

EntryChunk ChunkBuilder::seal() {
  storage_->rows = rows_;
  finish_paths();
  finish_nulls();
  finish_targets();
  finish_errors();
  expected_rows_ = rows_;
  expected_bytes_ = bytes_ + bytes_ / 8;
  limit_ = std::min(chunk_rows_, 2 * limit_);
  rows_ = 0;
  return EntryChunk(std::exchange(storage_, nullptr));
}

void ChunkBuilder::finish_paths() {
  Storage& out = *storage_;
  auto* const offsets = out.offsets.as<std::int32_t>();
  offsets[rows_] = static_cast<std::int32_t>(bytes_);
  const std::string_view all(out.bytes.as<char>(), bytes_);
  out.ascii = is_ascii(all);
  // Row by row: a sequence must not go on in the next path.
  const auto path = [&](std::size_t row) {
    return all.substr(static_cast<std::size_t>(offsets[row]),
                      static_cast<std::size_t>(offsets[row + 1] - offsets[row]));
  };
  for (std::size_t row = 0; !out.ascii && out.utf8 && row < rows_; ++row) {
    out.utf8 = is_utf8(path(row));
  }
  if (out.utf8) {
    return;
  }
  out.display_offsets.grow(0, (rows_ + 1) * sizeof(std::int32_t));
  out.display_bytes.grow(0, 3 * bytes_);
  std::size_t size = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    out.display_offsets.as<std::int32_t>()[row] = static_cast<std::int32_t>(size);
    size += write_utf8(path(row), out.display_bytes.as<char>() + size);
  }
  out.display_offsets.as<std::int32_t>()[rows_] = static_cast<std::int32_t>(size);
}

void ChunkBuilder::finish_nulls() {
  for (const Missing& missing : missing_) {
    for (std::uint32_t columns = missing.columns; columns != 0; columns &= columns - 1) {
      Storage::Column& column =
          storage_->metadata[static_cast<unsigned>(std::countr_zero(columns))];
      if (column.nulls++ == 0) {
        make_bitmap(column.validity, rows_, true);
      }
      clear_bit(column.validity, missing.row);
    }
  }
}

void ChunkBuilder::finish_targets() {
  if (!link_targets_) {
    return;
  }
  auto* const offsets = storage_->target_offsets.as<std::int32_t>();
  offsets[rows_] = static_cast<std::int32_t>(target_bytes_);
  Storage::Column& targets = storage_->targets;
  for (std::size_t row = 0; row < rows_; ++row) {
    if (offsets[row] == offsets[row + 1]) {  // no link is empty
      if (targets.nulls++ == 0) {
        make_bitmap(targets.validity, rows_, true);
      }
      clear_bit(targets.validity, row);
    }
  }
}

void ChunkBuilder::finish_errors() {
  if (fields_ == Fields::none || storage_->row_errors.empty()) {
    return;
  }
  Storage::Column& errors = storage_->errors;
  errors.values.grow(0, rows_ * sizeof(std::int32_t));
  std::memset(errors.values.as<std::int32_t>(), 0, errors.values.capacity());
  make_bitmap(errors.validity, rows_, false);
  for (const Storage::RowError& error : storage_->row_errors) {
    errors.values.as<std::int32_t>()[error.row] = error.code;
    set_bit(errors.validity, error.row);
  }
  errors.nulls = rows_ - storage_->row_errors.size();
}

}  // namespace trawl::fold

namespace trawl {

namespace {

using fold::MetadataColumn;

Timestamp from_nanoseconds(std::int64_t time) {
  std::int64_t seconds = time / fold::kNanoseconds;
  std::int64_t nanoseconds = time % fold::kNanoseconds;
  if (nanoseconds < 0) {
    --seconds;
    nanoseconds += fold::kNanoseconds;
  }
  return {seconds, static_cast<std::uint32_t>(nanoseconds)};
}

template <class T>
T value_of(const EntryChunk::Storage& storage, MetadataColumn column, std::size_t row) {
  return storage.metadata[static_cast<std::size_t>(column)].values.as<T>()[row];
}

}  // namespace

std::size_t EntryChunk::rows() const { return storage_->rows; }
Fields EntryChunk::fields() const { return storage_->fields; }
const char* EntryChunk::bytes() const { return storage_->bytes.as<char>(); }

std::span<const std::int32_t> EntryChunk::offsets() const {
  return {storage_->offsets.as<std::int32_t>(), storage_->rows + 1};
}

std::string_view EntryChunk::path(std::size_t row) const {
  const auto* const offsets = storage_->offsets.as<std::int32_t>();
  return {bytes() + offsets[row], static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
}

bool EntryChunk::all_utf8() const { return storage_->utf8; }
bool EntryChunk::all_ascii() const { return storage_->ascii; }

std::span<const std::int8_t> EntryChunk::types() const {
  return {storage_->types.as<std::int8_t>(), storage_->rows};
}

FileType EntryChunk::type(std::size_t row) const { return static_cast<FileType>(types()[row]); }

std::span<const std::int32_t> EntryChunk::depths() const {
  return {storage_->depths.as<std::int32_t>(), storage_->rows};
}

Metadata EntryChunk::metadata(std::size_t row) const {
  const Storage& from = *storage_;
  Metadata out;
  const auto is_known = [&](MetadataColumn column) {
    const auto i = static_cast<std::size_t>(column);
    return from.has_column(i) && !from.metadata[i].is_null(row);
  };
  const auto number = [&]<class T>(MetadataColumn column, T& to) {
    if (is_known(column)) {
      to = value_of<T>(from, column, row);
      out.valid = out.valid | fold::kMetadataColumns[static_cast<std::size_t>(column)].field;
    }
  };
  const auto time = [&](MetadataColumn column, Timestamp& to) {
    if (is_known(column)) {
      to = from_nanoseconds(value_of<std::int64_t>(from, column, row));
      out.valid = out.valid | fold::kMetadataColumns[static_cast<std::size_t>(column)].field;
    }
  };
  number(MetadataColumn::size, out.size);
  number(MetadataColumn::disk_usage, out.blocks);
  out.blocks /= 512;
  time(MetadataColumn::mtime, out.mtime);
  time(MetadataColumn::atime, out.atime);
  time(MetadataColumn::ctime, out.ctime);
  time(MetadataColumn::btime, out.btime);
  number(MetadataColumn::mode, out.mode);
  number(MetadataColumn::links, out.links);
  number(MetadataColumn::uid, out.uid);
  number(MetadataColumn::gid, out.gid);
  number(MetadataColumn::device, out.device);
  number(MetadataColumn::inode, out.inode);
  if (type(row) != FileType::unknown) {
    out.valid = out.valid | Fields::type;
    out.mode |= base::mode_of_type(type(row));
  }
  return out;
}

int EntryChunk::error(std::size_t row) const {
  const std::vector<Storage::RowError>& errors = storage_->row_errors;
  const auto found =
      std::lower_bound(errors.begin(), errors.end(), row,
                       [](const Storage::RowError& a, std::size_t b) { return a.row < b; });
  return found != errors.end() && found->row == row ? found->code : 0;
}

std::string_view EntryChunk::link_target(std::size_t row) const {
  if (!storage_->link_targets) {
    return {};
  }
  const auto* const offsets = storage_->target_offsets.as<std::int32_t>();
  return {storage_->targets.values.as<char>() + offsets[row],
          static_cast<std::size_t>(offsets[row + 1] - offsets[row])};
}

std::size_t EntryChunk::memory_use() const {
  const Storage& of = *storage_;
  std::size_t sum = sizeof of + of.row_errors.capacity() * sizeof(Storage::RowError);
  for (const fold::ColumnBuffer* buffer :
       {&of.offsets, &of.bytes, &of.display_offsets, &of.display_bytes, &of.types, &of.depths,
        &of.target_offsets, &of.targets.values, &of.targets.validity, &of.errors.values,
        &of.errors.validity}) {
    sum += buffer->capacity();
  }
  for (const Storage::Column& column : of.metadata) {
    sum += column.values.capacity() + column.validity.capacity();
  }
  return sum;
}

}  // namespace trawl
