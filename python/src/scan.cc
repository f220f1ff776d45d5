// SPDX-License-Identifier: Apache-2.0
//
// What makes tables: scan_table, list_table, stat_table, TableStream.
#include <trawl/entry_table.h>
#include <trawl/file_list.h>
#include <trawl/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "control.h"
#include "convert.h"
#include "filter.h"
#include "table.h"

namespace trawl::python {

namespace {

// The arguments that scans have in common.
struct Scan {
  nb::object fields, types;
  bool include_roots;
  nb::object min_depth, max_depth, follow;
  bool one_file_system, link_targets;
  nb::object filter, threads, timeout;

  TableOptions options() const {
    TableOptions options;
    options.walk.fields = fields_from(fields);
    options.walk.follow = follow_from(follow);
    options.walk.one_file_system = one_file_system;
    options.walk.threads = threads_from(threads);
    options.walk.deadline = deadline_from(timeout);
    set_filter(options.walk, filter_from(filter));
    options.types = static_cast<unsigned>(integer_from(types, "types", 0, UINT32_MAX));
    options.include_roots = include_roots;
    options.min_depth = depth_from(min_depth, "min_depth");
    options.max_depth = depth_from(max_depth, "max_depth");
    options.link_targets = link_targets;
    return options;
  }
};

Table scan_table(nb::object roots, nb::object fields, nb::object types, bool include_roots,
                 nb::object min_depth, nb::object max_depth, nb::object follow,
                 bool one_file_system, bool link_targets, nb::object filter, nb::object threads,
                 nb::object timeout, CancelSource* cancel, nb::object poll) {
  Control control(cancel, poll);
  const std::vector<std::string> paths = paths_from(roots, "roots");
  TableOptions options =
      Scan{fields,          types,        include_roots, min_depth, max_depth, follow,
           one_file_system, link_targets, filter,        threads,   timeout}
          .options();
  options.walk.cancel = control.cancel();
  options.walk.progress_entries = control.progress();
  return Table(control.run([&] { return trawl::scan_table(paths, options); }));
}

Order order_from(nb::handle value) {
  if (!PyUnicode_Check(value.ptr())) {
    throw nb::type_error("order must be str");
  }
  const auto is = [&](const char* name) {
    return PyUnicode_CompareWithASCIIString(value.ptr(), name) == 0;
  };
  if (is("component")) return Order::component;
  if (is("bytes")) return Order::bytes;
  if (is("rsync")) return Order::rsync;
  if (is("rsync28")) return Order::rsync28;
  PyErr_Format(PyExc_ValueError,
               "order must be \"component\", \"bytes\", \"rsync\" or \"rsync28\", not %R",
               value.ptr());
  throw nb::python_error();
}

Table list_table(nb::bytes root, nb::object order, nb::object fields, bool include_root,
                 nb::object max_depth, nb::object follow, bool one_file_system, bool link_targets,
                 nb::object filter, nb::object threads, nb::object timeout, CancelSource* cancel,
                 nb::object poll) {
  Control control(cancel, poll);
  const std::string path = path_from(root);
  ListOptions options;
  options.order = order_from(order);
  options.fields = fields_from(fields);
  options.include_root = include_root;
  options.max_depth = depth_from(max_depth, "max_depth");
  options.follow = follow_from(follow);
  options.one_file_system = one_file_system;
  options.link_targets = link_targets;
  const Filter* const chosen = filter_from(filter);
  options.filter = chosen == nullptr ? nullptr : &chosen->get();
  options.threads = threads_from(threads);
  options.deadline = deadline_from(timeout);
  options.cancel = control.cancel();
  options.progress_entries = control.progress();
  return Table(control.run([&] {
    const FileList list = collect_with_batched_stats(path, options);
    return make_table(list, options.fields, options.link_targets);
  }));
}

Table stat_table(nb::object paths, nb::object fields, bool follow, nb::object threads) {
  Control control(nullptr, nb::none());
  const std::vector<std::string> bytes = paths_from(paths, "paths");
  StatOptions options;
  options.fields = fields_from(fields) | Fields::type;  // with any there is a column of errors
  options.follow = follow;
  options.threads = threads_from(threads);
  options.cancel = control.cancel();
  return Table(
      control.run([&] { return make_table(bytes, stat_paths(bytes, options), options.fields); }));
}

// --- TableStream

struct Walk : StreamedWalk {
  Walk(std::vector<std::string> roots, const TableOptions& options)
      : stream(std::move(roots), options) {}
  void cancel() override { stream.cancel(); }
  void wait() override {
    try {
      stream.result();
    } catch (...) {  // which next() has told, or nobody wants to know
    }
  }
  EntryTableStream stream;
};

class TableStream : public Stream {
 public:
  TableStream(std::shared_ptr<Walk> walk, const TableOptions& options, nb::object filter)
      : Stream(walk, std::move(filter)),
        fields_(options.walk.fields),
        link_targets_(options.link_targets),
        stream_(&walk->stream) {}

  nb::object next(nb::handle timeout) {
    require_own();
    const auto patience = seconds_from(timeout, "timeout");
    std::optional<EntryChunk> chunk;
    try {
      wait_heeding_signals(
          patience,
          [&](std::chrono::nanoseconds at_most) {
            chunk = stream_->next(at_most);
            return chunk.has_value() || stream_->finished();
          },
          [this] { stream_->cancel(); });
    } catch (const CallbackRaised& raised) {
      if (!raised.is_taken()) {
        throw;
      }
    }
    if (!chunk) {
      return nb::none();
    }
    std::vector<EntryChunk> chunks{std::move(*chunk)};
    return nb::cast(Table(EntryTable(fields_, link_targets_, std::move(chunks), Result())));
  }

  bool finished() const { return is_inherited() || stream_->finished(); }

  const Result& result() {
    require_own();
    const Result* result = nullptr;
    run_heeding_signals([&] { result = &stream_->result(); }, [this] { stream_->cancel(); });
    return *result;
  }

 private:
  Fields fields_;
  bool link_targets_;
  EntryTableStream* stream_;
};

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<PyObject*>(Py_TYPE(self)));
  if (nb::inst_ready(self)) {
    Py_VISIT(nb::inst_ptr<TableStream>(self)->filter().ptr());
  }
  return 0;
}

// Who would break a cycle through a filter is the filter itself.
PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&traverse)}, {0, nullptr}};

}  // namespace

void bind_scan(nb::module_& module) {
  module.def("scan_table", &scan_table, nb::arg("roots"), nb::kw_only(), nb::arg("fields") = 0,
             nb::arg("types") = UINT32_MAX, nb::arg("include_roots") = true,
             nb::arg("min_depth") = 0, nb::arg("max_depth") = nb::none(), nb::arg("follow") = 0,
             nb::arg("one_file_system") = false, nb::arg("link_targets") = false,
             nb::arg("filter") = nb::none(), nb::arg("threads") = 0,
             nb::arg("timeout") = nb::none(), nb::arg("cancel") = nb::none(),
             nb::arg("poll") = nb::none());
  module.def(
      "list_table", &list_table, nb::arg("root"), nb::kw_only(), nb::arg("order") = "component",
      nb::arg("fields") = 0, nb::arg("include_root") = true, nb::arg("max_depth") = nb::none(),
      nb::arg("follow") = 0, nb::arg("one_file_system") = false, nb::arg("link_targets") = false,
      nb::arg("filter") = nb::none(), nb::arg("threads") = 0, nb::arg("timeout") = nb::none(),
      nb::arg("cancel") = nb::none(), nb::arg("poll") = nb::none());
  module.def("stat_table", &stat_table, nb::arg("paths"), nb::kw_only(), nb::arg("fields") = 0,
             nb::arg("follow") = false, nb::arg("threads") = 0);

  nb::class_<TableStream>(module, "TableStream", nb::is_final(), nb::type_slots(slots))
      .def(
          "__init__",
          [](TableStream* self, nb::object roots, nb::object fields, nb::object types,
             bool include_roots, nb::object min_depth, nb::object max_depth, nb::object follow,
             bool one_file_system, bool link_targets, nb::object filter, nb::object threads,
             nb::object timeout, nb::object chunk_rows, nb::object capacity) {
            std::vector<std::string> paths = paths_from(roots, "roots");
            TableOptions options =
                Scan{fields,          types,        include_roots, min_depth, max_depth, follow,
                     one_file_system, link_targets, filter,        threads,   timeout}
                    .options();
            const auto rows = [](nb::handle value, const char* name) {
              return static_cast<std::size_t>(integer_from(value, name, 1, INT32_MAX, true));
            };
            options.chunk_rows = rows(chunk_rows, "chunk_rows");
            options.capacity = rows(capacity, "capacity");
            new (self) TableStream(std::make_shared<Walk>(std::move(paths), options), options,
                                   std::move(filter));
          },
          nb::arg("roots"), nb::kw_only(), nb::arg("fields") = 0, nb::arg("types") = UINT32_MAX,
          nb::arg("include_roots") = true, nb::arg("min_depth") = 0,
          nb::arg("max_depth") = nb::none(), nb::arg("follow") = 0,
          nb::arg("one_file_system") = false, nb::arg("link_targets") = false,
          nb::arg("filter") = nb::none(), nb::arg("threads") = 0, nb::arg("timeout") = nb::none(),
          nb::arg("chunk_rows") = 1024, nb::arg("capacity") = 65536)
      .def("next", &TableStream::next, nb::arg("timeout") = nb::none())
      .def_prop_ro("finished", &TableStream::finished)
      .def("cancel", &TableStream::cancel)
      .def_prop_ro("ending", [](TableStream& stream) { return name_of(stream.result().ending); })
      .def_prop_ro("complete", [](TableStream& stream) { return stream.result().complete(); })
      .def_prop_ro("errors", [](TableStream& stream) { return to_list(stream.result().errors); })
      .def_prop_ro("statistics",
                   [](TableStream& stream) { return to_dict(stream.result().statistics); });
}

}  // namespace trawl::python
