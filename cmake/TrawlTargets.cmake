# SPDX-License-Identifier: Apache-2.0
# What every target of ours has in common: warnings, sanitizers, include roots.

set(TRAWL_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wformat=2)

# The library, the command and the tests see the rooms as "room/file.h"; users of the library see
# only include/.
function(trawl_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${target} PRIVATE "${trawl_SOURCE_DIR}/src")
  target_compile_definitions(${target} PRIVATE _FILE_OFFSET_BITS=64)
  if(TRAWL_TRACE)
    target_compile_definitions(${target} PRIVATE TRAWL_TRACE=1)
  endif()
  target_compile_options(${target} PRIVATE ${TRAWL_WARNINGS})
  if(TRAWL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TRAWL_SANITIZE)
    # Errors of UBSan must fail a test, not only print.
    target_compile_options(${target} PRIVATE
      -fsanitize=${TRAWL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${TRAWL_SANITIZE})
  endif()
  if(TRAWL_FUZZ)
    # Coverage for the fuzzer; its main is linked into the fuzz targets only.
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()
