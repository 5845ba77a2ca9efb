// Functions that the compiler put into another one and that are at work at an address (libdw).
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pcilens {

struct InlinedCall {
  std::string function;     // "?" unknown
  std::string declared_in;  // file
  std::string file;         // of the call of it
  std::uint32_t line = 0;
};

// Innermost first; empty without debug information. `address` as `module` has it.
std::vector<InlinedCall> inlined_calls(Dwfl_Module* module, Dwarf_Addr address);

}  // namespace pcilens
