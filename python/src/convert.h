// SPDX-License-Identifier: Apache-2.0
//
// Between Python's values and the engine's. All of it needs the GIL.
//
// What is of a wrong type is a TypeError, what is out of range a ValueError. Text out is as
// os.fsdecode gives it.
#pragma once

#include <nanobind/nanobind.h>
#include <trawl/error.h>
#include <trawl/types.h>
#include <trawl/walk.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trawl::python {

namespace nb = nanobind;

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// --- in

std::string path_from(nb::handle value);  // bytes without a NUL
std::vector<std::string> paths_from(nb::handle sequence, const char* name);
// An integer from `least` to `most`. What is larger than that is `most` if `clamp`.
std::int64_t integer_from(nb::handle value, const char* name, std::int64_t least, std::int64_t most,
                          bool clamp = false);
int depth_from(nb::handle value, const char* name);  // None: INT32_MAX
unsigned threads_from(nb::handle value);
Follow follow_from(nb::handle value);
Fields fields_from(nb::handle value);
// Seconds from now on; None: none.
Deadline deadline_from(nb::handle timeout);
std::optional<std::chrono::nanoseconds> seconds_from(nb::handle value, const char* name);

// --- out; null and a Python exception where there is no memory

PyObject* to_str(std::string_view bytes);
PyObject* to_nanoseconds(const Timestamp& time);

inline nb::object stolen(PyObject* object) {
  if (object == nullptr) {
    throw nb::python_error();
  }
  return nb::steal(object);
}
inline nb::object to_text(std::string_view bytes) { return stolen(to_str(bytes)); }
inline nb::bytes to_bytes(std::string_view bytes) { return nb::bytes(bytes.data(), bytes.size()); }

const char* name_of(Ending ending);
// (operation, errno, depth, path)
nb::tuple to_tuple(const Error& error);
nb::list to_list(const std::vector<Error>& errors);
// The keys of docs/stats.schema.json.
nb::dict to_dict(const Statistics& statistics);
// "ending", "complete", "errors" and "statistics".
void add_result(nb::dict& out, const Result& result);

}  // namespace trawl::python
