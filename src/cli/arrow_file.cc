// SPDX-License-Identifier: Apache-2.0
#include "cli/arrow_file.h"

#ifdef TRAWL_HAS_FLATBUFFERS

#include <cstring>
#include <string>

namespace trawl::cli {

namespace {

constexpr std::string_view kMagic = "ARROW1";
// Buffers begin at multiples of it in the file, for readers that map it.
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMessageAlignment = 8;
constexpr std::uint32_t kContinuation = 0xffffffff;

std::size_t padding(std::int64_t size, std::size_t alignment) {
  return (alignment - static_cast<std::size_t>(size) % alignment) % alignment;
}

bool is_bytes(std::string_view format) { return format == "u" || format == "z"; }

std::size_t width_of(std::string_view format) {
  return format == "c" ? 1 : format == "i" || format == "I" ? 4 : 8;
}

}  // namespace

ArrowWriter::ArrowWriter(Output& output, ArrowForm form, Fields fields, bool link_targets)
    : output_(output), form_(form) {
  export_entry_schema(fields, link_targets, &schema_);
  if (form_ == ArrowForm::file) {
    put(kMagic.data(), kMagic.size());
    put_zeros(padding(position_, kMessageAlignment));
  }
  write_message(arrow_schema_message(schema_), 0);
}

ArrowWriter::~ArrowWriter() { schema_.release(&schema_); }

void ArrowWriter::write(const EntryChunk& chunk) {
  struct Exported : ArrowArray {
    ~Exported() { release(this); }
  };
  Exported table{};
  chunk.export_array(&table);
  if (!any_written_) {
    any_written_ = true;
    write_dictionaries(table);
  }
  ArrowLayout layout;
  layout.length = table.length;
  for (std::int64_t i = 0; i < table.n_children; ++i) {
    add_array(*schema_.children[i], *table.children[i], layout);
  }
  batches_.push_back(write_message(arrow_batch_message(layout), layout.body));
  write_body();
}

// They are the same in every chunk.
void ArrowWriter::write_dictionaries(const ArrowArray& table) {
  for (std::int64_t i = 0; i < table.n_children; ++i) {
    if (const ArrowArray* dictionary = table.children[i]->dictionary) {
      ArrowLayout layout;
      layout.length = dictionary->length;
      add_array(*schema_.children[i]->dictionary, *dictionary, layout);
      dictionaries_.push_back(write_message(arrow_dictionary_message(i, layout), layout.body));
      write_body();
    }
  }
}

// Lays a column out behind what is in the body.
void ArrowWriter::add_array(const ArrowSchema& type, const ArrowArray& array, ArrowLayout& layout) {
  const auto length = static_cast<std::size_t>(array.length);
  layout.nodes.push_back({array.length, array.null_count});
  const auto add = [&](const void* data, std::size_t size) {
    layout.buffers.push_back({layout.body, static_cast<std::int64_t>(size)});
    body_.push_back({data, size});
    layout.body += static_cast<std::int64_t>(size);
    layout.body += static_cast<std::int64_t>(padding(layout.body, kAlignment));
  };
  add(array.buffers[0], array.null_count == 0 ? 0 : (length + 7) / 8);
  if (is_bytes(type.format)) {
    std::int32_t end = 0;
    std::memcpy(&end, static_cast<const char*>(array.buffers[1]) + length * sizeof end, sizeof end);
    add(array.buffers[1], (length + 1) * sizeof end);
    add(array.buffers[2], static_cast<std::size_t>(end));
  } else {
    add(array.buffers[1], length * width_of(type.format));
  }
}

ArrowBlock ArrowWriter::write_message(std::string_view metadata, std::int64_t body) {
  constexpr std::size_t kBefore = 2 * sizeof(std::uint32_t);
  const std::int64_t begin = position_;
  const std::size_t behind = padding(begin + static_cast<std::int64_t>(kBefore + metadata.size()),
                                     body == 0 ? kMessageAlignment : kAlignment);
  put_size(kContinuation);
  put_size(metadata.size() + behind);
  put(metadata.data(), metadata.size());
  put_zeros(behind);
  return {begin, static_cast<std::int32_t>(position_ - begin), body};
}

void ArrowWriter::write_body() {
  for (const Stretch& stretch : body_) {
    put(stretch.data, stretch.size);
    put_zeros(padding(position_, kAlignment));
  }
  body_.clear();
}

void ArrowWriter::finish() {
  put_size(kContinuation);
  put_size(0);
  if (form_ == ArrowForm::file) {
    const std::string footer = arrow_footer(schema_, dictionaries_, batches_);
    put(footer.data(), footer.size());
    put_size(footer.size());
    put(kMagic.data(), kMagic.size());
  }
  output_.flush();
}

void ArrowWriter::put(const void* data, std::size_t size) {
  if (size != 0) {
    output_.buffer().append(static_cast<const char*>(data), size);
    output_.added();
    position_ += static_cast<std::int64_t>(size);
  }
}

void ArrowWriter::put_zeros(std::size_t count) {
  output_.buffer().append(count, '\0');
  position_ += static_cast<std::int64_t>(count);
}

void ArrowWriter::put_size(std::size_t size) {
  char bytes[4];
  for (std::size_t i = 0; i < sizeof bytes; ++i) {
    bytes[i] = static_cast<char>(size >> (8 * i) & 0xff);
  }
  put(bytes, sizeof bytes);
}

}  // namespace trawl::cli

#endif  // TRAWL_HAS_FLATBUFFERS
