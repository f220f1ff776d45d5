# SPDX-License-Identifier: Apache-2.0
# Finds what the enabled parts need, and names the Debian package of what is missing.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(_trawl_missing)

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
