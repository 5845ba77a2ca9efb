# `cmake --install` gives the program, the VM scripts, the module's source, and what a device outside
# this tree is built with: find_package(pcilens) and pcilens::device.
include(CMakePackageConfigHelpers)
