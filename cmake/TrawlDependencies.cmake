# SPDX-License-Identifier: Apache-2.0
# Finds what the enabled parts need, and names the Debian package of what is missing.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(_trawl_missing)

# Regular expressions: optional for the library, of which Pattern::regex() then throws, and needed by
# the command. RE2's own package file is not asked for: it sets the language to C++11 in some
# versions. The archive is linked where there is one: loading the shared library and relocating it
# costs each start of the command 0.1 ms of 1 ms. A shared libtrawl needs position-independent code.
find_path(TRAWL_RE2_INCLUDE_DIR re2/re2.h)
find_library(TRAWL_RE2_ARCHIVE libre2.a)
find_library(TRAWL_RE2_LIBRARY re2)
mark_as_advanced(TRAWL_RE2_INCLUDE_DIR TRAWL_RE2_ARCHIVE TRAWL_RE2_LIBRARY)
set(TRAWL_HAS_RE2 FALSE)
if(TRAWL_RE2_INCLUDE_DIR AND TRAWL_RE2_LIBRARY)
  set(TRAWL_HAS_RE2 TRUE)
  set(trawl_re2 "${TRAWL_RE2_LIBRARY}")
  if(TRAWL_RE2_ARCHIVE AND NOT BUILD_SHARED_LIBS)
    set(trawl_re2 "${TRAWL_RE2_ARCHIVE}")
  endif()
  message(STATUS "Regular expressions: ${trawl_re2}")
elseif(TRAWL_BUILD_CLI)
  list(APPEND _trawl_missing "libre2-dev (regular expressions)")
else()
  message(STATUS "Regular expressions: none, for want of RE2 (libre2-dev)")
endif()

# `trawl list --arrow`: optional. Only headers are used.
set(TRAWL_HAS_FLATBUFFERS FALSE)
if(TRAWL_BUILD_CLI)
  find_path(TRAWL_FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h)
  mark_as_advanced(TRAWL_FLATBUFFERS_INCLUDE_DIR)
  if(TRAWL_FLATBUFFERS_INCLUDE_DIR)
    set(TRAWL_HAS_FLATBUFFERS TRUE)
    message(STATUS "Arrow files: with ${TRAWL_FLATBUFFERS_INCLUDE_DIR}/flatbuffers")
  else()
    message(STATUS "Arrow files: none, for want of FlatBuffers (libflatbuffers-dev)")
  endif()
endif()

if(TRAWL_BUILD_CLI)
  find_package(nlohmann_json 3.10 QUIET)
  if(NOT nlohmann_json_FOUND)
    list(APPEND _trawl_missing "nlohmann-json3-dev (JSON output of the command)")
  endif()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(UTF8PROC QUIET IMPORTED_TARGET libutf8proc)
    if(NOT UTF8PROC_FOUND)
      list(APPEND _trawl_missing "libutf8proc-dev (widths of characters in the command's output)")
    endif()
  else()
    list(APPEND _trawl_missing "pkg-config (to find libutf8proc)")
  endif()
endif()

if(TRAWL_BUILD_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    list(APPEND _trawl_missing "libgtest-dev (unit tests; -DTRAWL_BUILD_TESTS=OFF does without)")
  endif()
endif()

if(_trawl_missing)
  list(JOIN _trawl_missing "\n  " _trawl_missing)
  message(FATAL_ERROR "Missing, by the names of Debian's packages:\n  ${_trawl_missing}\n")
endif()
