// SPDX-License-Identifier: Apache-2.0
//
// The module trawl._native: the engine for Python. Its contract is python/trawl/_native.pyi, and
// trawl/_pure.py has the same in Python.
#include <nanobind/nanobind.h>
#include <trawl/types.h>
#include <trawl/version.h>

#include <cstdint>

#include "bindings.h"
#include "control.h"
#include "filter.h"
#include "table.h"

namespace nb = nanobind;

NB_MODULE(_native, module) {
  using trawl::Fields;
  // Threads that are daemons may hold objects when the interpreter ends.
  nb::set_leak_warnings(false);
  module.attr("__version__") = TRAWL_VERSION_STRING;
  module.attr("FILE_TYPES") = nb::make_tuple("unknown", "file", "directory", "symlink",
                                             "block_device", "character_device", "fifo", "socket");
  const auto field = [&](const char* name, Fields bit) {
    module.attr(name) = static_cast<std::uint32_t>(bit);
  };
  field("MODE", Fields::mode);
  field("LINKS", Fields::links);
  field("OWNER", Fields::owner);
  field("IDENTITY", Fields::identity);
  field("SIZE", Fields::size);
  field("BLOCKS", Fields::blocks);
  field("ATIME", Fields::atime);
  field("MTIME", Fields::mtime);
  field("CTIME", Fields::ctime);
  field("BTIME", Fields::btime);
  trawl::python::bind_control(module);
  trawl::python::bind_filter(module);
  trawl::python::bind_table(module);
  trawl::python::bind_scan(module);
  trawl::python::bind_profile(module);
  trawl::python::bind_usage(module);
  trawl::python::bind_walk_stream(module);
}
