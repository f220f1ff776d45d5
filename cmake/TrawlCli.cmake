# SPDX-License-Identifier: Apache-2.0
# The trawl command. Link-time optimisation is for it alone: the installed archive must be plain
# object code that any compiler can link.

file(GLOB trawl_cli_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cli/*.cc")
list(FILTER trawl_cli_sources EXCLUDE REGEX "(_test|/main)\\.cc$")
file(GLOB trawl_cli_main CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/cli/main.cc")

set(trawl_cli_targets)
if(trawl_cli_sources)
  add_library(trawl_cli STATIC ${trawl_cli_sources})
  target_link_libraries(trawl_cli PUBLIC trawl::trawl nlohmann_json::nlohmann_json)
  if(TRAWL_HAS_FLATBUFFERS)
    target_compile_definitions(trawl_cli PUBLIC TRAWL_HAS_FLATBUFFERS)
    target_include_directories(trawl_cli SYSTEM PRIVATE "${TRAWL_FLATBUFFERS_INCLUDE_DIR}")
  endif()
  # Loading the shared one costs each start 0.04 ms of 1 ms; the archive also makes the command run
  # where only libc is.
  find_library(TRAWL_UTF8PROC_ARCHIVE libutf8proc.a HINTS ${UTF8PROC_LIBRARY_DIRS})
  if(TRAWL_UTF8PROC_ARCHIVE)
    target_include_directories(trawl_cli SYSTEM PUBLIC ${UTF8PROC_INCLUDE_DIRS})
    target_compile_definitions(trawl_cli PUBLIC UTF8PROC_STATIC)
    target_link_libraries(trawl_cli PUBLIC "${TRAWL_UTF8PROC_ARCHIVE}")
  else()
    target_link_libraries(trawl_cli PUBLIC PkgConfig::UTF8PROC)
  endif()
  list(APPEND trawl_cli_targets trawl_cli)
endif()
if(trawl_cli_main)
  add_executable(trawl-bin ${trawl_cli_main})
  target_link_libraries(trawl-bin PRIVATE trawl::trawl)
  if(TARGET trawl_cli)
    target_link_libraries(trawl-bin PRIVATE trawl_cli)
  endif()
  set_target_properties(trawl-bin PROPERTIES
    OUTPUT_NAME trawl RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  list(APPEND trawl_cli_targets trawl-bin)
endif()

# Loading libstdc++ and relocating it took a quarter of `trawl du` of an empty directory
# (1.42 ms; 1.04 ms without, GNU du 0.79 ms), so the command brings its own.
if(TARGET trawl-bin AND NOT TRAWL_SANITIZE)
  include(CheckLinkerFlag)
  check_linker_flag(CXX "-static-libstdc++;-static-libgcc" TRAWL_HAS_STATIC_RUNTIME)
  if(TRAWL_HAS_STATIC_RUNTIME)
    target_link_options(trawl-bin PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endif()

include(CheckIPOSupported)
check_ipo_supported(RESULT trawl_ipo LANGUAGES CXX)
foreach(target IN LISTS trawl_cli_targets)
  trawl_target_defaults(${target})
  if(trawl_ipo AND NOT TRAWL_SANITIZE AND NOT TRAWL_FUZZ)
    set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
  endif()
endforeach()

# Writes completions and the options of manual pages: `./dev docs`.
if(TARGET trawl_cli)
  file(GLOB trawl_docs_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/docs/*.cc")
  add_executable(trawl-docs ${trawl_docs_sources})
  trawl_target_defaults(trawl-docs)
  target_link_libraries(trawl-docs PRIVATE trawl_cli)
  if(NOT TRAWL_BUILD_TESTS)
    set_target_properties(trawl-docs PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endif()
