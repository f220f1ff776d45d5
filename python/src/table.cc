// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "convert.h"
#include "gil.h"

namespace trawl::python {

namespace {

// --- values; each returns a new reference, or null with an exception

// Of one row; its metadata is unpacked once, if at all.
struct Row {
  const EntryChunk& chunk;
  std::size_t index;
  const Metadata* metadata;
};

PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject* to_bytes_object(std::string_view bytes) {
  return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

// Of ASCII that is known to be it.
PyObject* to_ascii(std::string_view bytes) {
#ifdef Py_LIMITED_API
  return to_str(bytes);
#else
  PyObject* const text = PyUnicode_New(static_cast<Py_ssize_t>(bytes.size()), 127);
  if (text != nullptr && !bytes.empty()) {  // the empty one is shared
    std::memcpy(PyUnicode_DATA(text), bytes.data(), bytes.size());
  }
  return text;
#endif
}

PyObject* make_path(const Row& row) {
  const std::string_view path = row.chunk.path(row.index);
  return row.chunk.all_ascii() ? to_ascii(path) : to_str(path);
}
PyObject* make_path_bytes(const Row& row) { return to_bytes_object(row.chunk.path(row.index)); }

PyObject* make_type(const Row& row) {
  static const std::array<PyObject*, 8> names = [] {
    constexpr std::array kNames = {"unknown", "file",         "directory",
                                   "symlink", "block_device", "character_device",
                                   "fifo",    "socket"};
    std::array<PyObject*, 8> made{};
    std::transform(kNames.begin(), kNames.end(), made.begin(),
                   [](const char* name) { return PyUnicode_InternFromString(name); });
    return made;
  }();
  PyObject* const name = names[static_cast<std::size_t>(row.chunk.type(row.index))];
  Py_XINCREF(name);
  return name;
}

PyObject* make_depth(const Row& row) { return PyLong_FromLong(row.chunk.depths()[row.index]); }

PyObject* make_target(const Row& row) {
  return row.chunk.type(row.index) == FileType::symlink
             ? to_bytes_object(row.chunk.link_target(row.index))
             : none();
}

PyObject* make_error(const Row& row) {
  const int error = row.chunk.error(row.index);
  return error == 0 ? none() : PyLong_FromLong(error);
}

template <Fields kField, class Value>
PyObject* make_number(const Row& row, Value value) {
  return has(row.metadata->valid, kField) ? PyLong_FromUnsignedLongLong(value(*row.metadata))
                                          : none();
}
template <Fields kField, Timestamp Metadata::*kTime>
PyObject* make_time(const Row& row) {
  return has(row.metadata->valid, kField) ? to_nanoseconds(row.metadata->*kTime) : none();
}

struct Column {
  const char* name;
  Fields field;  // none: always there
  PyObject* (*make)(const Row&);
};

constexpr std::size_t kTarget = 16;
constexpr std::size_t kError = 17;

// In the order of trawl/entry_table.h.
constexpr std::array<Column, 18> kColumns{{
    {"path", Fields::none, make_path},
    {"path_bytes", Fields::none, make_path_bytes},
    {"type", Fields::none, make_type},
    {"depth", Fields::none, make_depth},
    {"size", Fields::size,
     [](const Row& row) {
       return make_number<Fields::size>(row, [](const Metadata& m) { return m.size; });
     }},
    {"disk_usage", Fields::blocks,
     [](const Row& row) {
       return make_number<Fields::blocks>(row, [](const Metadata& m) { return m.disk_usage(); });
     }},
    {"mtime", Fields::mtime, make_time<Fields::mtime, &Metadata::mtime>},
    {"atime", Fields::atime, make_time<Fields::atime, &Metadata::atime>},
    {"ctime", Fields::ctime, make_time<Fields::ctime, &Metadata::ctime>},
    {"btime", Fields::btime, make_time<Fields::btime, &Metadata::btime>},
    {"mode", Fields::mode,
     [](const Row& row) {
       return make_number<Fields::mode>(row, [](const Metadata& m) { return m.mode & 07777U; });
     }},
    {"links", Fields::links,
     [](const Row& row) {
       return make_number<Fields::links>(row, [](const Metadata& m) { return m.links; });
     }},
    {"uid", Fields::owner,
     [](const Row& row) {
       return make_number<Fields::owner>(row, [](const Metadata& m) { return m.uid; });
     }},
    {"gid", Fields::owner,
     [](const Row& row) {
       return make_number<Fields::owner>(row, [](const Metadata& m) { return m.gid; });
     }},
    {"device", Fields::identity,
     [](const Row& row) {
       return make_number<Fields::identity>(row, [](const Metadata& m) { return m.device; });
     }},
    {"inode", Fields::identity,
     [](const Row& row) {
       return make_number<Fields::identity>(row, [](const Metadata& m) { return m.inode; });
     }},
    {"target", Fields::none, make_target},
    {"error", Fields::none, make_error},
}};

bool has_column(const EntryTable& table, std::size_t column) {
  switch (column) {
    case kTarget:
      return table.has_link_targets();
    case kError:
      return table.fields() != Fields::none;
    default:
      return has(table.fields(), kColumns[column].field);
  }
}

bool needs_metadata(std::size_t column) { return kColumns[column].field != Fields::none; }

// --- capsules

template <class Arrow>
void release_capsule(PyObject* capsule) {
  constexpr bool kIsSchema = std::is_same_v<Arrow, ArrowSchema>;
  auto* const held = static_cast<Arrow*>(
      PyCapsule_GetPointer(capsule, kIsSchema ? "arrow_schema" : "arrow_array_stream"));
  if (held == nullptr) {
    PyErr_Clear();
    return;
  }
  if (held->release != nullptr) {  // else somebody took it
    held->release(held);
  }
  delete held;
}

template <class Arrow>
nb::object to_capsule(std::unique_ptr<Arrow> made, const char* name) {
  PyObject* const capsule = PyCapsule_New(made.get(), name, &release_capsule<Arrow>);
  if (capsule == nullptr) {
    made->release(made.get());
    throw nb::python_error();
  }
  static_cast<void>(made.release());
  return nb::steal(capsule);
}

}  // namespace

nb::list Table::columns() const {
  nb::list names;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (has_column(table_, i)) {
      names.append(kColumns[i].name);
    }
  }
  return names;
}

std::size_t Table::column_named(nb::handle name) const {
  if (!PyUnicode_Check(name.ptr())) {
    throw nb::type_error("a column's name must be str");
  }
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (PyUnicode_CompareWithASCIIString(name.ptr(), kColumns[i].name) == 0 &&
        has_column(table_, i)) {
      return i;
    }
  }
  PyErr_SetObject(PyExc_KeyError, name.ptr());
  throw nb::python_error();
}

template <class Make>
nb::object Table::list_of(Make make) const {
  // A million take a tenth of a second: others get the GIL meanwhile, but not the unfinished list.
  constexpr std::size_t kRowsAtOnce = 8192;
  nb::object list = stolen(PyList_New(static_cast<Py_ssize_t>(rows())));
  PyObject_GC_UnTrack(list.ptr());
  Py_ssize_t next = 0;
  for (const EntryChunk& chunk : table_.chunks()) {
    const std::size_t count = chunk.rows();
    for (std::size_t row = 0; row < count; ++row) {
      if (row % kRowsAtOnce == kRowsAtOnce - 1) {
        without_gil([] {});
        if (PyErr_CheckSignals() != 0) {
          throw nb::python_error();
        }
      }
      PyObject* const value = make(chunk, row);
      if (value == nullptr) {
        throw nb::python_error();
      }
#ifdef Py_LIMITED_API
      PyList_SetItem(list.ptr(), next++, value);
#else
      PyList_SET_ITEM(list.ptr(), next++, value);
#endif
    }
  }
  PyObject_GC_Track(list.ptr());
  return list;
}

nb::object Table::paths() const {
  return list_of([](const EntryChunk& chunk, std::size_t row) {
    return make_path({chunk, row, nullptr});
  });
}

nb::object Table::column(nb::handle name) const {
  const std::size_t column = column_named(name);
  const auto make = kColumns[column].make;
  if (!needs_metadata(column)) {
    return list_of([make](const EntryChunk& chunk, std::size_t row) {
      return make({chunk, row, nullptr});
    });
  }
  return list_of([make](const EntryChunk& chunk, std::size_t row) {
    const Metadata metadata = chunk.metadata(row);
    return make({chunk, row, &metadata});
  });
}

nb::object Table::rows_of(nb::handle names) const {
  std::vector<std::size_t> wanted;
  for (const nb::handle name : nb::iter(names)) {
    wanted.push_back(column_named(name));
  }
  const bool with_metadata = std::any_of(wanted.begin(), wanted.end(), needs_metadata);
  return list_of([&](const EntryChunk& chunk, std::size_t row) -> PyObject* {
    Metadata metadata;
    if (with_metadata) {
      metadata = chunk.metadata(row);
    }
    PyObject* const tuple = PyTuple_New(static_cast<Py_ssize_t>(wanted.size()));
    if (tuple == nullptr) {
      return nullptr;
    }
    // Nothing in it can be part of a cycle: without this the collector walks all of them, again and
    // again.
    if (!wanted.empty()) {
      PyObject_GC_UnTrack(tuple);
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      PyObject* const value = kColumns[wanted[i]].make({chunk, row, &metadata});
      if (value == nullptr) {
        Py_DECREF(tuple);
        return nullptr;
      }
#ifdef Py_LIMITED_API
      PyTuple_SetItem(tuple, static_cast<Py_ssize_t>(i), value);
#else
      PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), value);
#endif
    }
    return tuple;
  });
}

nb::object Table::arrow_schema() const {
  auto schema = std::make_unique<ArrowSchema>();
  table_.export_schema(schema.get());
  return to_capsule(std::move(schema), "arrow_schema");
}

nb::object Table::arrow_stream() const {
  auto stream = std::make_unique<ArrowArrayStream>();
  table_.export_stream(stream.get());
  return to_capsule(std::move(stream), "arrow_array_stream");
}

void bind_table(nb::module_& module) {
  const auto result = [](const Table& table) -> const Result& { return table.get().result(); };
  nb::class_<Table>(module, "Table", nb::is_final())
      .def("__len__", &Table::rows)
      .def_prop_ro("columns", &Table::columns)
      .def_prop_ro("ending", [=](const Table& table) { return name_of(result(table).ending); })
      .def_prop_ro("complete", [=](const Table& table) { return result(table).complete(); })
      .def_prop_ro("errors", [=](const Table& table) { return to_list(result(table).errors); })
      .def_prop_ro("statistics",
                   [=](const Table& table) { return to_dict(result(table).statistics); })
      .def_prop_ro("nbytes", [](const Table& table) { return table.get().memory_use(); })
      .def("paths", &Table::paths)
      .def("path_bytes", [](const Table& table) { return table.column(nb::str("path_bytes")); })
      .def("column", &Table::column, nb::arg("name"))
      .def("rows", &Table::rows_of, nb::arg("names"))
      .def("__arrow_c_schema__", &Table::arrow_schema)
      .def(
          "__arrow_c_stream__",
          // A consumer that wants other types converts: the specification allows it.
          [](const Table& table, nb::object /*requested_schema*/) { return table.arrow_stream(); },
          nb::arg("requested_schema") = nb::none());
}

}  // namespace trawl::python
