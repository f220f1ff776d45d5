// SPDX-License-Identifier: Apache-2.0
//
// Table: columns of entries, and their values as Python objects.
#pragma once

#include <nanobind/nanobind.h>
#include <trawl/entry_table.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl::python {

namespace nb = nanobind;

class Table {
 public:
  explicit Table(EntryTable table) : table_(std::move(table)) {}

  std::size_t rows() const { return table_.rows(); }
  const EntryTable& get() const { return table_; }
  nb::list columns() const;
  nb::object paths() const;
  nb::object column(nb::handle name) const;
  nb::object rows_of(nb::handle names) const;
  nb::object arrow_schema() const;
  nb::object arrow_stream() const;

 private:
  std::size_t column_named(nb::handle name) const;
  // A list of `make(chunk, row)` for each row.
  template <class Make>
  nb::object list_of(Make make) const;

  EntryTable table_;
};

void bind_table(nb::module_& module);

}  // namespace trawl::python
