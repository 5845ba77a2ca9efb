# One interface target carries the project's warnings and sanitizers.
add_library(pcilens_flags INTERFACE)
target_compile_options(pcilens_flags INTERFACE -Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Designated initialisers that leave the rest at its default are how options are written here.
  target_compile_options(pcilens_flags INTERFACE -Wno-missing-field-initializers
    -Wno-unknown-warning-option -Wno-missing-designated-field-initializers)
  # libstdc++ 12's own std::stable_sort uses what C++20 deprecates.
  target_compile_options(pcilens_flags INTERFACE -Wno-deprecated-declarations)
else()
  target_compile_options(pcilens_flags INTERFACE -Wshadow=local -Wno-missing-field-initializers)
endif()
if(PCILENS_WERROR)
  target_compile_options(pcilens_flags INTERFACE -Werror)
endif()
if(PCILENS_SANITIZE)
  set(sanitize -fsanitize=${PCILENS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(pcilens_flags INTERFACE ${sanitize})
  target_link_options(pcilens_flags INTERFACE ${sanitize})
endif()
