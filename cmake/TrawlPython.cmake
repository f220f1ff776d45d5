# SPDX-License-Identifier: Apache-2.0
# The Python module trawl._native, and the tree <build>/python/trawl from which it can be imported
# without being installed: PYTHONPATH=<build>/python.
#
# nanobind rather than pybind11: a call takes a fraction of the time and of the code, which counts where
# a scan takes a millisecond and the import may take few; it can keep to the stable ABI (one wheel for
# all versions from 3.12 on) and to interpreters without a GIL. nanobind 3 needs Python 3.10: so 2.

# Where a virtual environment of `./dev test` is, it is the one to build for.
if(NOT Python_EXECUTABLE AND EXISTS "${PROJECT_SOURCE_DIR}/build/venv/bin/python" AND NOT SKBUILD)
  set(Python_EXECUTABLE "${PROJECT_SOURCE_DIR}/build/venv/bin/python" CACHE FILEPATH "Python")
endif()
find_package(Python 3.9 QUIET COMPONENTS Interpreter Development.Module
  OPTIONAL_COMPONENTS Development.SABIModule)
if(NOT Python_FOUND)
  message(FATAL_ERROR "Missing, by the names of Debian's packages:\n  python3-dev (headers of Python)\n")
endif()
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
find_package(nanobind 2.2 QUIET CONFIG)
if(NOT nanobind_FOUND)
  message(FATAL_ERROR "Missing for ${Python_EXECUTABLE}, by its name on PyPI:\n  nanobind>=2.2,<3\n")
endif()

# CMake knows this target from 3.26 on; a module that links to no library needs but the headers.
if(NOT TARGET Python::SABIModule AND Python_VERSION VERSION_GREATER_EQUAL 3.12)
  add_library(Python::SABIModule INTERFACE IMPORTED)
  set_target_properties(Python::SABIModule PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Python_INCLUDE_DIRS}")
endif()

# Neither -Os nor a binding library of its own; STABLE_ABI counts from Python 3.12 on only.
file(GLOB trawl_python_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/python/src/*.cc")
nanobind_add_module(trawl-python NB_STATIC STABLE_ABI NOMINSIZE NB_SUPPRESS_WARNINGS
  ${trawl_python_sources})
trawl_target_defaults(trawl-python)
target_compile_options(trawl-python PRIVATE -Wno-old-style-cast)  # Python 3.9's macros
target_link_libraries(trawl-python PRIVATE trawl::trawl)
set_target_properties(trawl-python PROPERTIES
  OUTPUT_NAME _native LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/python/trawl")
set_target_properties(trawl PROPERTIES POSITION_INDEPENDENT_CODE ON)

# As the command, it brings its own libstdc++: it then runs where an older one is, and one that another
# module has loaded is none of its business. But libgcc must be the one that pthread_exit loads: it
# aborts where it meets frames of another (python/src/gil.h). Nothing but the module's entry is visible.
if(NOT TRAWL_SANITIZE)
  target_link_options(trawl-python PRIVATE
    -static-libstdc++ -shared-libgcc "LINKER:--exclude-libs,ALL" "LINKER:--gc-sections")
endif()

# In a wheel the library is for the command and the module alone: both are optimised with it. (What
# `cmake --install` installs must be object code that any compiler can link.)
if(SKBUILD)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT trawl_python_ipo LANGUAGES CXX)
  if(trawl_python_ipo)
    set_target_properties(trawl trawl-python PROPERTIES INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
  endif()
  install(TARGETS trawl-python LIBRARY DESTINATION trawl)
  if(TARGET trawl-bin)
    install(TARGETS trawl-bin RUNTIME DESTINATION "${SKBUILD_SCRIPTS_DIR}")
    file(GLOB trawl_man_pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.1")
    install(FILES ${trawl_man_pages} DESTINATION "${SKBUILD_DATA_DIR}/share/man/man1")
  endif()
endif()

# Links, not copies: what is edited is what is imported.
file(GLOB trawl_python_files CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/python/trawl"
  "${PROJECT_SOURCE_DIR}/python/trawl/*")
list(REMOVE_ITEM trawl_python_files __pycache__)
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/python/trawl")
foreach(file IN LISTS trawl_python_files)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/python/trawl/${file}"
    "${PROJECT_BINARY_DIR}/python/trawl/${file}" SYMBOLIC)
endforeach()
