# One interface target carries the project's warnings and sanitizers.
add_library(pcilens_flags INTERFACE)
target_compile_options(pcilens_flags INTERFACE -Wall -Wextra -Wshadow=local -Wpedantic
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers -Wno-missing-field-initializers>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(pcilens_flags INTERFACE -Wno-unknown-warning-option -Wno-shadow)
endif()
if(PCILENS_WERROR)
  target_compile_options(pcilens_flags INTERFACE -Werror)
endif()
if(PCILENS_SANITIZE)
  target_compile_options(pcilens_flags INTERFACE -fsanitize=${PCILENS_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(pcilens_flags INTERFACE -fsanitize=${PCILENS_SANITIZE})
endif()
