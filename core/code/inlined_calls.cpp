#include "core/code/inlined_calls.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdlib>

namespace pcilens {
namespace {

std::string or_empty(const char* text) {
  return text != nullptr ? text : "";
}

}  // namespace

std::vector<InlinedCall> inlined_calls(Dwfl_Module* module, Dwarf_Addr address) {
  std::vector<InlinedCall> calls;
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias);
  if (unit == nullptr) return calls;
  Dwarf_Die* innermost = nullptr;
  if (dwarf_getscopes(unit, address - bias, &innermost) <= 0) return calls;
  // Behind an inlined function that list goes on with its definition; what it lies in is wanted.
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(innermost, &scopes);
  std::free(innermost);
  Dwarf_Files* files = nullptr;
  std::size_t file_count = 0;
  dwarf_getsrcfiles(unit, &files, &file_count);
  for (int i = 0; i < count; ++i) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram) break;
    if (tag != DW_TAG_inlined_subroutine) continue;
    Dwarf_Attribute attribute;
    Dwarf_Word file = 0, line = 0;
    if (dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &attribute), &file) != 0 ||
        dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &attribute), &line) != 0)
      continue;
    const char* const name = dwarf_diename(&scopes[i]);
    calls.push_back({.function = name != nullptr ? name : "?",
                     .declared_in = or_empty(dwarf_decl_file(&scopes[i])),
                     .file = or_empty(
                         files != nullptr ? dwarf_filesrc(files, file, nullptr, nullptr) : nullptr),
                     .line = static_cast<std::uint32_t>(line)});
  }
  std::free(scopes);
  return calls;
}

}  // namespace pcilens
