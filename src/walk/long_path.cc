// SPDX-License-Identifier: Apache-2.0
#include "walk/long_path.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "walk/opener.h"

namespace trawl::engine {

namespace {

// Makes `last(base, path)` with what is left of a path when it is short enough.
template <class Last>
int walk_steps(sys::FileSystem& filesystem, int base, std::string_view path, Last last) {
  // So that what is left after a step is never slashes only.
  while (path.ends_with("//")) {
    path.remove_suffix(1);
  }
  while (path.starts_with("//")) {
    path.remove_prefix(1);
  }
  sys::DirectoryHandle at{.fd = base};
  bool is_open = false;
  int error = 0;
  while (error == 0 && path.size() >= kLongPath) {
    const std::size_t cut = path.rfind('/', std::min(kLongPath - 1, path.size() - 2));
    if (cut == std::string_view::npos || cut == 0) {
      error = ENAMETOOLONG;  // a name that no filesystem has
      break;
    }
    const std::string step(path.substr(0, cut));
    path.remove_prefix(std::min(path.find_first_not_of('/', cut), path.size()));
    sys::DirectoryHandle next;
    error = retry_interrupted([&] {
      return filesystem.open_directory(at.fd, step.c_str(), {.follow = true, .path_only = true},
                                       next);
    });
    if (is_open) {
      filesystem.close(at);
    }
    is_open = error == 0;
    at = next;
  }
  if (error == 0) {
    const std::string step(path);
    error = retry_interrupted([&] { return last(at.fd, step.c_str()); });
  }
  if (is_open) {
    filesystem.close(at);
  }
  return error;
}

}  // namespace

int stat_in_steps(sys::FileSystem& filesystem, int base, std::string_view path, Fields fields,
                  bool follow, Metadata& out) {
  return walk_steps(filesystem, base, path, [&](int at, const char* last) {
    return filesystem.stat_at(at, last, fields, follow, out);
  });
}

int open_in_steps(sys::FileSystem& filesystem, int base, std::string_view path, sys::OpenHow how,
                  sys::DirectoryHandle& out) {
  return walk_steps(filesystem, base, path, [&](int at, const char* last) {
    return filesystem.open_directory(at, last, how, out);
  });
}

}  // namespace trawl::engine
