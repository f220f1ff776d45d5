// SPDX-License-Identifier: Apache-2.0
//
// PathFilter, with a Python callable in it if there is one. The callable runs on the engine's
// workers, each time with the GIL.
#pragma once

#include <nanobind/nanobind.h>
#include <trawl/path_filter.h>

#include <memory>
#include <utility>

#include "control.h"

namespace trawl::python {

class Filter {
 public:
  Filter(FilterOptions options, std::string root, nb::handle custom);
  explicit Filter(trawl::PathFilter filter)
      : filter_(std::make_unique<trawl::PathFilter>(std::move(filter))) {}
  ~Filter();
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  const trawl::PathFilter& get() const { return *filter_; }
  bool has_custom() const { return custom_ != nullptr; }
  // For the collector of cycles.
  int traverse(visitproc visit, void* argument) const;
  void clear();

 private:
  bool leaves_out(const char* path) const;

  PyObject* custom_ = nullptr;
  std::unique_ptr<trawl::PathFilter> filter_;
};

// None: null. Anything but a PathFilter: TypeError.
const Filter* filter_from(nb::handle value);
// What `options` have to say of it. A Python callable may use descriptors.
void set_filter(Options& options, const Filter* filter);

void bind_filter(nb::module_& module);

}  // namespace trawl::python
