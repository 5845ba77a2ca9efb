# `cmake --install` gives the program, the files it needs, and what a device outside this tree is
# built with: find_package(pcilens) and the target pcilens::device (docs/writing-a-device.md).
include(CMakePackageConfigHelpers)

# The program looks for its files at ../share/pcilens from where it lies itself, so that a prefix can
# be moved. In the build tree that is a folder of links to the sources.
set(share ${CMAKE_INSTALL_DATADIR}/pcilens)
set(share_folders vm kmod traces devices/edu/linux)
foreach(folder ${share_folders})
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${folder})
    continue()
  endif()
  string(REGEX REPLACE "^devices/(.*)/linux$" "drivers/\\1" name ${folder})
  get_filename_component(parent ${PROJECT_BINARY_DIR}/share/pcilens/${name} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/share/pcilens/${name} SYMBOLIC)
  install(DIRECTORY ${folder}/ DESTINATION ${share}/${name} USE_SOURCE_PERMISSIONS
          PATTERN "*.o" EXCLUDE PATTERN "*.ko" EXCLUDE PATTERN "*.mod*" EXCLUDE)
endforeach()
# What `pcilens check` has for a beginning (docs/ci.md).
install(FILES devices/edu/edu.asserts devices/nvme/nvme.asserts DESTINATION ${share}/asserts)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS pcilens)

# A device sees these floors and no others.
foreach(folder registers pci function)
  install(DIRECTORY core/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pcilens/core
          FILES_MATCHING PATTERN "*.hpp" PATTERN "svd*" EXCLUDE)
endforeach()
install(FILES core/result.hpp core/printable.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pcilens/core)
install(FILES core/link/transaction.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pcilens/core/link)
install(FILES core/host/sim/device.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pcilens/core/host/sim)

set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/pcilens)
set_target_properties(pcilens_device PROPERTIES EXPORT_NAME device)
install(TARGETS pcilens_device EXPORT pcilens_targets)
install(EXPORT pcilens_targets NAMESPACE pcilens:: DESTINATION ${cmake_folder}
        FILE pcilensTargets.cmake)
# The build tree is good enough to build a device with, where nothing is installed: "pcilens new".
export(TARGETS pcilens_device pcilens_flags NAMESPACE pcilens::
       FILE ${PROJECT_BINARY_DIR}/pcilensTargets.cmake)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/pcilensConfig.cmake.in
  ${PROJECT_BINARY_DIR}/pcilensConfig.cmake INSTALL_DESTINATION ${cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pcilensConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pcilensConfig.cmake
  ${PROJECT_BINARY_DIR}/pcilensConfigVersion.cmake DESTINATION ${cmake_folder})
