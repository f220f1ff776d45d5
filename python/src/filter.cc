// SPDX-License-Identifier: Apache-2.0
#include "filter.h"

#include <string>
#include <vector>

#include "convert.h"

namespace trawl::python {

namespace {

// Python counts its recursion (1,000 levels), not the stack that it takes: what is a RecursionError
// on a thread of Python's must not be a crash on a worker. Only what is touched takes memory.
constexpr std::size_t kStackBytes = std::size_t{8} << 20;

}  // namespace

Filter::Filter(FilterOptions options, std::string root, nb::handle custom) {
  if (!custom.is_none()) {
    if (PyCallable_Check(custom.ptr()) == 0) {
      throw nb::type_error("custom must be callable");
    }
    options.stack_bytes = kStackBytes;
    options.custom = [this](const char* path) { return leaves_out(path); };
  }
  filter_ = without_gil(
      [&] { return std::make_unique<trawl::PathFilter>(std::move(options), std::move(root)); });
  if (!custom.is_none()) {
    custom_ = custom.inc_ref().ptr();
  }
}

Filter::~Filter() { Py_XDECREF(custom_); }

int Filter::traverse(visitproc visit, void* arg) const {
  Py_VISIT(custom_);
  return 0;
}

void Filter::clear() { Py_CLEAR(custom_); }

bool Filter::leaves_out(const char* path) const {
  // Python's time is not the filesystem's, which more workers would help.
  const WorkerPause pause;
  keep_python_thread();
  const Gil gil;
  const InCallback callback;
  if (custom_ == nullptr) {
    return false;  // collected, with whoever could ask
  }
  const nb::object custom = nb::borrow(custom_);  // it may be collected meanwhile
  PyObject* const text = to_str(path);
  PyObject* const answer = text == nullptr ? nullptr : take_or_stay([&] {
    return PyObject_CallFunctionObjArgs(custom.ptr(), text, nullptr);
  });
  Py_XDECREF(text);
  const int truth = answer == nullptr ? -1 : take_or_stay([&] { return PyObject_IsTrue(answer); });
  Py_XDECREF(answer);
  if (truth < 0) {
    throw CallbackRaised();
  }
  return truth != 0;
}

const Filter* filter_from(nb::handle value) {
  if (value.is_none()) {
    return nullptr;
  }
  if (!nb::isinstance<Filter>(value)) {
    throw nb::type_error("filter must be a PathFilter or None");
  }
  return nb::inst_ptr<Filter>(value);
}

void set_filter(Options& options, const Filter* filter) {
  options.filter = filter == nullptr ? nullptr : &filter->get();
  options.private_descriptors = filter == nullptr || !filter->has_custom();
}

namespace {

const char* name_of(FilterMatch::Verdict verdict) {
  switch (verdict) {
    case FilterMatch::Verdict::ignored:
      return "ignored";
    case FilterMatch::Verdict::included:
      return "included";
    case FilterMatch::Verdict::hidden:
      return "hidden";
    case FilterMatch::Verdict::none:
      break;
  }
  return "none";
}

nb::tuple match(const Filter& filter, nb::bytes path, bool is_directory) {
  const std::string bytes = path_from(path);
  const FilterMatch match = without_gil([&] { return filter.get().match(bytes, is_directory); });
  return nb::make_tuple(name_of(match.verdict), to_text(match.source), match.line,
                        to_text(match.pattern));
}

nb::list errors(const Filter& filter) {
  nb::list out;
  for (const FilterError& error : filter.get().errors()) {
    out.append(nb::make_tuple(to_text(error.path), error.code));
  }
  return out;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<PyObject*>(Py_TYPE(self)));
  return nb::inst_ready(self) ? nb::inst_ptr<Filter>(self)->traverse(visit, arg) : 0;
}

int clear(PyObject* self) {
  nb::inst_ptr<Filter>(self)->clear();
  return 0;
}

PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&traverse)},
                       {Py_tp_clear, reinterpret_cast<void*>(&clear)},
                       {0, nullptr}};

}  // namespace

void bind_filter(nb::module_& module) {
  nb::class_<Filter>(module, "PathFilter", nb::is_final(), nb::type_slots(slots))
      .def(
          "__init__",
          [](Filter* self, nb::bytes root, bool hidden, bool git, bool git_global, bool require_git,
             nb::object names, bool parents, nb::object files, nb::object exclude, bool caches,
             bool ignore_case, nb::object custom) {
            FilterOptions options;
            options.hidden = hidden;
            options.git = git;
            options.git_global = git_global;
            options.require_git = require_git;
            options.names = paths_from(names, "names");
            options.parents = parents;
            options.files = paths_from(files, "files");
            options.exclude = paths_from(exclude, "exclude");
            options.caches = caches;
            options.ignore_case = ignore_case;
            new (self) Filter(std::move(options), path_from(root), custom);
          },
          nb::arg("root") = nb::bytes("."), nb::kw_only(), nb::arg("hidden") = false,
          nb::arg("git") = false, nb::arg("git_global") = true, nb::arg("require_git") = false,
          nb::arg("names") = nb::make_tuple(), nb::arg("parents") = true,
          nb::arg("files") = nb::make_tuple(), nb::arg("exclude") = nb::make_tuple(),
          nb::arg("caches") = false, nb::arg("ignore_case") = false, nb::arg("custom") = nb::none())
      .def_static(
          "from_git_root",
          [](nb::bytes path) {
            const std::string bytes = path_from(path);
            return new Filter(without_gil([&] { return trawl::PathFilter::from_git_root(bytes); }));
          },
          nb::arg("path"))
      .def("match", &match, nb::arg("path"), nb::arg("is_directory"))
      .def_prop_ro("root", [](const Filter& filter) { return to_bytes(filter.get().root()); })
      .def("errors", &errors);
}

}  // namespace trawl::python
