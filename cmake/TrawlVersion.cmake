# SPDX-License-Identifier: Apache-2.0
# Reads TRAWL_VERSION out of include/trawl/version.h, and holds its string against its numbers.

set(_trawl_version_header "${CMAKE_CURRENT_LIST_DIR}/../include/trawl/version.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_trawl_version_header}")
file(READ "${_trawl_version_header}" _trawl_version_text)
set(_trawl_version_parts)
foreach(part IN ITEMS MAJOR MINOR PATCH)
  if(NOT _trawl_version_text MATCHES "#define TRAWL_VERSION_${part} ([0-9]+)")
    message(FATAL_ERROR "${_trawl_version_header}: no TRAWL_VERSION_${part}")
  endif()
  list(APPEND _trawl_version_parts "${CMAKE_MATCH_1}")
endforeach()
list(JOIN _trawl_version_parts "." TRAWL_VERSION)
if(NOT _trawl_version_text MATCHES "#define TRAWL_VERSION_STRING \"${TRAWL_VERSION}\"")
  message(FATAL_ERROR
    "${_trawl_version_header}: TRAWL_VERSION_STRING differs from the numbers ${TRAWL_VERSION}")
endif()
