# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: library, public headers, package files for find_package and
# pkg-config, the command, its man pages and completions.

include(CMakePackageConfigHelpers)

set(trawl_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/trawl")

install(TARGETS trawl EXPORT trawlTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/trawl DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")

get_target_property(trawl_kind trawl TYPE)
set(TRAWL_NEEDS_RE2 FALSE)
set(trawl_pc_re2 "")
if(TRAWL_HAS_RE2 AND trawl_kind STREQUAL "STATIC_LIBRARY")
  set(TRAWL_NEEDS_RE2 TRUE)
  set(trawl_pc_re2 " -lre2")
endif()

install(EXPORT trawlTargets NAMESPACE trawl:: DESTINATION "${trawl_cmake_dir}")
configure_package_config_file(cmake/trawlConfig.cmake.in "${PROJECT_BINARY_DIR}/trawlConfig.cmake"
  INSTALL_DESTINATION "${trawl_cmake_dir}")
# Before 1.0 a minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/trawlConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/trawlConfig.cmake" "${PROJECT_BINARY_DIR}/trawlConfigVersion.cmake"
  DESTINATION "${trawl_cmake_dir}")

# pkg-config: the prefix follows from where the file lies, so that `cmake --install --prefix` and a
# moved tree are right too. An absolute CMAKE_INSTALL_LIBDIR names itself.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(trawl_pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(trawl_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(trawl_pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
  file(RELATIVE_PATH trawl_pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" trawl_pc_up "${trawl_pc_up}")
  set(trawl_pc_prefix "\${pcfiledir}/${trawl_pc_up}")
  set(trawl_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  set(trawl_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/trawl.pc.in "${PROJECT_BINARY_DIR}/trawl.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/trawl.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

if(TARGET trawl-bin)
  install(TARGETS trawl-bin RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

  file(GLOB trawl_man_pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.1")
  if(trawl_man_pages)
    install(FILES ${trawl_man_pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
  endif()

  # The names and directories that each shell loads completions from by itself.
  function(trawl_install_completion file directory name)
    if(EXISTS "${PROJECT_SOURCE_DIR}/completions/${file}")
      install(FILES "completions/${file}" DESTINATION "${CMAKE_INSTALL_DATADIR}/${directory}"
        RENAME "${name}")
    endif()
  endfunction()
  trawl_install_completion(trawl.bash bash-completion/completions trawl)
  trawl_install_completion(_trawl zsh/site-functions _trawl)
  trawl_install_completion(trawl.fish fish/vendor_completions.d trawl.fish)
endif()
