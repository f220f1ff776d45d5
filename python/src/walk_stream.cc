// SPDX-License-Identifier: Apache-2.0
//
// WalkStream: a WalkFeed for Python.
#include <memory>
#include <utility>

#include "bindings.h"
#include "control.h"
#include "convert.h"
#include "filter.h"
#include "walk_feed.h"

namespace trawl::python {

namespace {

struct Walk : StreamedWalk, WalkFeed {
  using WalkFeed::WalkFeed;
  void cancel() override { WalkFeed::cancel(); }
  void wait() override { WalkFeed::join(); }
};

class WalkStream : public Stream {
 public:
  WalkStream(std::shared_ptr<Walk> walk, nb::object filter)
      : Stream(walk, std::move(filter)), feed_(walk.get()) {}

  nb::object next() {
    require_own();
    wait_heeding_signals(
        std::nullopt, [this](std::chrono::nanoseconds at_most) { return feed_->wait(at_most); },
        [this] { feed_->cancel(); });
    const std::deque<WalkTriple> triples = feed_->take();
    if (triples.empty()) {
      return nb::none();
    }
    nb::list out;
    for (const WalkTriple& triple : triples) {
      nb::list directories, others;
      for (const WalkTriple::Name& name : triple.names) {
        (name.directory ? directories : others).append(to_text(triple.text(name)));
      }
      out.append(nb::make_tuple(to_text(triple.path), directories, others));
    }
    return out;
  }

  nb::list errors() {
    require_own();
    return to_list(feed_->take_errors());
  }

 private:
  WalkFeed* feed_;
};

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(reinterpret_cast<PyObject*>(Py_TYPE(self)));
  if (nb::inst_ready(self)) {
    Py_VISIT(nb::inst_ptr<WalkStream>(self)->filter().ptr());
  }
  return 0;
}

// Who would break a cycle through a filter is the filter itself.
PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(&traverse)}, {0, nullptr}};

}  // namespace

void bind_walk_stream(nb::module_& module) {
  nb::class_<WalkStream>(module, "WalkStream", nb::is_final(), nb::type_slots(slots))
      .def(
          "__init__",
          [](WalkStream* self, nb::bytes root, bool topdown, nb::object follow,
             nb::object max_depth, bool one_file_system, nb::object filter, nb::object threads,
             nb::object capacity) {
            Options options;
            options.follow = follow_from(follow);
            options.max_depth = depth_from(max_depth, "max_depth");
            options.one_file_system = one_file_system;
            options.threads = threads_from(threads);
            set_filter(options, filter_from(filter));
            new (self)
                WalkStream(std::make_shared<Walk>(path_from(root), std::move(options), topdown,
                                                  static_cast<std::size_t>(integer_from(
                                                      capacity, "capacity", 1, INT64_MAX, true))),
                           std::move(filter));
          },
          nb::arg("root"), nb::kw_only(), nb::arg("topdown") = true, nb::arg("follow") = 0,
          nb::arg("max_depth") = nb::none(), nb::arg("one_file_system") = false,
          nb::arg("filter") = nb::none(), nb::arg("threads") = 0, nb::arg("capacity") = 65536)
      .def("next", &WalkStream::next)
      .def("cancel", &WalkStream::cancel)
      .def_prop_ro("errors", &WalkStream::errors);
}

}  // namespace trawl::python
