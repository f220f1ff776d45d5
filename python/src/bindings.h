// SPDX-License-Identifier: Apache-2.0
//
// What each file adds to the module. The contract is python/trawl/_native.pyi.
#pragma once

#include <nanobind/nanobind.h>

namespace trawl::python {

namespace nb = nanobind;

void bind_profile(nb::module_& module);
void bind_scan(nb::module_& module);
void bind_usage(nb::module_& module);
void bind_walk_stream(nb::module_& module);

}  // namespace trawl::python
