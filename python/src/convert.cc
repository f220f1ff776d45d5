// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trawl::python {

std::string path_from(nb::handle value) {
  char* bytes = nullptr;
  Py_ssize_t size = 0;
  if (!PyBytes_Check(value.ptr())) {
    PyErr_Format(PyExc_TypeError, "a path must be bytes, not %R",
                 reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())));
    throw nb::python_error();
  }
  if (PyBytes_AsStringAndSize(value.ptr(), &bytes, &size) != 0) {
    throw nb::python_error();
  }
  std::string path(bytes, static_cast<std::size_t>(size));
  if (path.find('\0') != std::string::npos) {
    throw nb::value_error("embedded null byte");
  }
  return path;
}

std::vector<std::string> paths_from(nb::handle sequence, const char* name) {
  std::vector<std::string> paths;
  if (PyBytes_Check(sequence.ptr()) || PyUnicode_Check(sequence.ptr())) {
    PyErr_Format(PyExc_TypeError, "%s must be a sequence of bytes", name);
    throw nb::python_error();
  }
  for (const nb::handle each : nb::iter(sequence)) {
    paths.push_back(path_from(each));
  }
  return paths;
}

std::int64_t integer_from(nb::handle value, const char* name, std::int64_t least, std::int64_t most,
                          bool clamp) {
  const nb::object number = stolen(PyNumber_Index(value.ptr()));
  int overflow = 0;
  const long long wide = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow == 0 && wide >= least && wide <= most) {
    return wide;
  }
  if (clamp && (overflow > 0 || (overflow == 0 && wide > most))) {
    return most;
  }
  PyErr_Format(PyExc_ValueError, "%s must be from %lld to %lld, not %R", name,
               static_cast<long long>(least), static_cast<long long>(most), number.ptr());
  throw nb::python_error();
}

int depth_from(nb::handle value, const char* name) {
  constexpr int kMost = std::numeric_limits<std::int32_t>::max();
  return value.is_none() ? kMost : static_cast<int>(integer_from(value, name, 0, kMost, true));
}

unsigned threads_from(nb::handle value) {
  return static_cast<unsigned>(integer_from(value, "threads", 0, 1024));
}

Follow follow_from(nb::handle value) {
  return static_cast<Follow>(integer_from(value, "follow", 0, 2));
}

Fields fields_from(nb::handle value) {
  return static_cast<Fields>(
      integer_from(value, "fields", 0, static_cast<std::int64_t>(Fields::all)));
}

std::optional<std::chrono::nanoseconds> seconds_from(nb::handle value, const char* name) {
  if (value.is_none()) {
    return std::nullopt;
  }
  const double seconds = PyFloat_AsDouble(value.ptr());
  if (seconds == -1 && PyErr_Occurred() != nullptr) {
    throw nb::python_error();
  }
  if (std::isnan(seconds) || seconds < 0) {
    PyErr_Format(PyExc_ValueError, "%s must be 0 or more, not %R", name, value.ptr());
    throw nb::python_error();
  }
  // Beyond ten years it is none: steady_clock counts nanoseconds in 64 bits.
  if (seconds > 315e6) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

Deadline deadline_from(nb::handle timeout) {
  const auto length = seconds_from(timeout, "timeout");
  return length ? Deadline(std::chrono::steady_clock::now() + *length) : std::nullopt;
}

PyObject* to_str(std::string_view bytes) {
  // Begins with the fast path for ASCII, for any file system encoding that is UTF-8.
  return PyUnicode_DecodeFSDefaultAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
}

PyObject* to_nanoseconds(const Timestamp& time) {
  constexpr std::int64_t kBillion = 1'000'000'000;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / kBillion - 1;
  if (time.seconds < kMost && time.seconds > -kMost) {
    return PyLong_FromLongLong(time.seconds * kBillion + time.nanoseconds);
  }
  const nb::object wide = nb::int_(time.seconds) * nb::int_(kBillion) + nb::int_(time.nanoseconds);
  return wide.inc_ref().ptr();
}

const char* name_of(Ending ending) {
  switch (ending) {
    case Ending::stopped:
      return "stopped";
    case Ending::cancelled:
      return "cancelled";
    case Ending::timed_out:
      return "timed_out";
    case Ending::complete:
      break;
  }
  return "complete";
}

namespace {

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::read:
      return "read";
    case Operation::stat:
      return "stat";
    case Operation::descend:
      return "descend";
    case Operation::open:
      break;
  }
  return "open";
}

}  // namespace

nb::tuple to_tuple(const Error& error) {
  return nb::make_tuple(name_of(error.operation), error.code, error.depth, to_text(error.path));
}

nb::list to_list(const std::vector<Error>& errors) {
  nb::list list;
  for (const Error& error : errors) {
    list.append(to_tuple(error));
  }
  return list;
}

nb::dict to_dict(const Statistics& statistics) {
  nb::dict out;
  out["entries"] = statistics.entries;
  out["directories"] = statistics.directories;
  out["errors"] = statistics.errors;
  out["vanished"] = statistics.vanished;
  out["workers"] = statistics.workers;
  out["steals"] = statistics.steals;
  out["stolen_tasks"] = statistics.stolen_tasks;
  out["splits"] = statistics.splits;
  out["range_splits"] = statistics.range_splits;
  out["parks"] = statistics.parks;
  out["open_calls"] = statistics.open_calls;
  out["read_calls"] = statistics.read_calls;
  out["stat_calls"] = statistics.stat_calls;
  out["close_calls"] = statistics.close_calls;
  out["run_nanoseconds"] = statistics.run_time.count();
  out["cpu_nanoseconds"] = statistics.cpu_time.count();
  out["most_live_directories"] = statistics.most_live_directories;
  return out;
}

void add_result(nb::dict& out, const Result& result) {
  out["complete"] = result.complete();
  out["ending"] = name_of(result.ending);
  out["errors"] = to_list(result.errors);
  out["statistics"] = to_dict(result.statistics);
}

}  // namespace trawl::python
