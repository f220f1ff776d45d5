// SPDX-License-Identifier: Apache-2.0
//
// Reads what came through Arrow's C interfaces, by the letter of the specification, and says what
// breaks it. Values become words: numbers as digits, bytes as they are.
#pragma once

#include <trawl/arrow_c.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace trawl::testing {

using ArrowColumn = std::vector<std::optional<std::string>>;

struct ArrowRows {
  std::vector<std::string> names;
  std::map<std::string, std::string> formats;
  std::map<std::string, ArrowColumn> columns;
  std::size_t rows = 0;
  std::size_t arrays = 0;  // chunks
};

class ArrowReader {
 public:
  // Takes what the stream has, and releases it.
  static ArrowRows read(ArrowArrayStream& stream) {
    ArrowRows out;
    ArrowSchema schema{};
    require(stream.get_schema(&stream, &schema) == 0, "get_schema");
    begin(schema, out);
    for (;;) {
      ArrowArray array{};
      require(stream.get_next(&stream, &array) == 0, "get_next");
      if (array.release == nullptr) {
        break;
      }
      add(schema, array, out);
      array.release(&array);
      require(array.release == nullptr, "an array is marked as released");
    }
    schema.release(&schema);
    require(schema.release == nullptr, "a schema is marked as released");
    stream.release(&stream);
    require(stream.release == nullptr, "a stream is marked as released");
    return out;
  }

  static void begin(const ArrowSchema& schema, ArrowRows& out) {
    require(std::string_view(schema.format) == "+s", "a table is a struct");
    for (std::int64_t i = 0; i < schema.n_children; ++i) {
      const ArrowSchema& child = *schema.children[i];
      out.names.emplace_back(child.name);
      out.formats[child.name] = child.format;
      out.columns[child.name];
    }
  }

  static void add(const ArrowSchema& schema, const ArrowArray& array, ArrowRows& out) {
    require(array.n_children == schema.n_children, "as many columns as the schema says");
    require(array.n_buffers == 1 && array.buffers[0] == nullptr && array.null_count == 0 &&
                array.offset == 0 && array.dictionary == nullptr,
            "no row of the table is null");
    for (std::int64_t i = 0; i < schema.n_children; ++i) {
      const ArrowColumn column = values(*schema.children[i], *array.children[i]);
      require(column.size() == static_cast<std::size_t>(array.length), "as many rows in a column");
      ArrowColumn& all = out.columns[schema.children[i]->name];
      all.insert(all.end(), column.begin(), column.end());
    }
    out.rows += static_cast<std::size_t>(array.length);
    ++out.arrays;
  }

  // One column.
  static ArrowColumn values(const ArrowSchema& schema, const ArrowArray& array) {
    const std::string_view format = schema.format;
    const bool bytes = format == "u" || format == "z";
    require(schema.release != nullptr && array.release != nullptr, "not released");
    require(array.n_buffers == (bytes ? 3 : 2), "as many buffers as the format has");
    for (std::int64_t i = 0; i < array.n_buffers; ++i) {
      require(reinterpret_cast<std::uintptr_t>(array.buffers[i]) % (bytes && i == 2 ? 1 : 64) == 0,
              "buffers are aligned");
      require(i == 0 || array.buffers[i] != nullptr, "buffers of values are there");
    }
    require((schema.dictionary != nullptr) == (array.dictionary != nullptr), "a dictionary");
    ArrowColumn dictionary;
    if (schema.dictionary != nullptr) {
      dictionary = values(*schema.dictionary, *array.dictionary);
    }
    const auto* const validity = static_cast<const std::uint8_t*>(array.buffers[0]);
    ArrowColumn out;
    std::int64_t nulls = 0;
    for (std::int64_t row = array.offset; row < array.offset + array.length; ++row) {
      const bool null = validity != nullptr && (validity[row / 8] >> (row % 8) & 1) == 0;
      nulls += null ? 1 : 0;
      if (null) {
        out.emplace_back();
      } else if (bytes) {
        const auto at = static_cast<std::size_t>(load<std::int32_t>(array.buffers[1], row));
        const auto end = static_cast<std::size_t>(load<std::int32_t>(array.buffers[1], row + 1));
        require(at <= end, "offsets ascend");
        out.emplace_back(std::string(static_cast<const char*>(array.buffers[2]) + at, end - at));
      } else if (schema.dictionary != nullptr) {
        require(format == "c", "indices are of 8 bits");
        out.push_back(
            dictionary.at(static_cast<std::size_t>(load<std::int8_t>(array.buffers[1], row))));
      } else {
        out.push_back(number(format, array.buffers[1], row));
      }
    }
    require(array.null_count == nulls, "nulls are counted");
    require(nulls == 0 || (schema.flags & ARROW_FLAG_NULLABLE) != 0, "nulls only where declared");
    return out;
  }

  static void require(bool holds, const char* what) {
    if (!holds) {
      throw std::logic_error(what);
    }
  }

 private:
  template <class T>
  static T load(const void* buffer, std::int64_t row) {
    T value;
    std::memcpy(&value, static_cast<const char*>(buffer) + row * std::int64_t{sizeof(T)},
                sizeof(T));
    return value;
  }

  static std::string number(std::string_view format, const void* buffer, std::int64_t row) {
    if (format == "i") return std::to_string(load<std::int32_t>(buffer, row));
    if (format == "I") return std::to_string(load<std::uint32_t>(buffer, row));
    if (format == "L") return std::to_string(load<std::uint64_t>(buffer, row));
    if (format == "tsn:UTC") return std::to_string(load<std::int64_t>(buffer, row));
    throw std::logic_error("a format that is known");
  }
};

}  // namespace trawl::testing
