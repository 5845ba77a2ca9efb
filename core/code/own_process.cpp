#include "core/code/own_process.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <cstdlib>

namespace pcilens {
namespace {

constexpr std::uint64_t kLargestFunction = 256u << 10;  // bytes

char* g_debuginfo_path = nullptr;
const Dwfl_Callbacks kCallbacks = {.find_elf = &dwfl_linux_proc_find_elf,
                                   .find_debuginfo = &dwfl_standard_find_debuginfo,
                                   .section_address = nullptr,
                                   .debuginfo_path = &g_debuginfo_path};

// What hosts give drivers to call with is no part of the driver, also where it was inlined.
bool is_host_side(const char* file) {
  return file != nullptr && std::string_view(file).ends_with("core/host/sim/device.hpp");
}

// Inlined functions that hold `address`, and the place of the call in the innermost of them.
void add_inlined(Dwfl_Module* module, Dwarf_Addr address, CodePlace& place) {
  Dwarf_Addr bias = 0;
  Dwarf_Die* unit = dwfl_module_addrdie(module, address, &bias);
  if (unit == nullptr) return;
  Dwarf_Die* innermost = nullptr;
  if (dwarf_getscopes(unit, address - bias, &innermost) <= 0) return;
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
    Dwarf_Word call_file = 0, call_line = 0;
    if (dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &attribute), &call_file) != 0 ||
        dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &attribute), &call_line) != 0)
      continue;
    const char* where = files != nullptr ? dwarf_filesrc(files, call_file, nullptr, nullptr) : "";
    const char* name = dwarf_diename(&scopes[i]);
    if (!is_host_side(dwarf_decl_file(&scopes[i])))
      place.inlined.push_back(
          {.symbol = name != nullptr ? name : "?", .file = place.file, .line = place.line});
    place.file = where != nullptr ? where : "";
    place.line = static_cast<std::uint32_t>(call_line);
  }
  std::free(scopes);
}

}  // namespace

struct OwnProcess::State {
  Dwfl* dwfl = nullptr;
  State() {
    dwfl = dwfl_begin(&kCallbacks);
    if (dwfl == nullptr) return;
    dwfl_linux_proc_report(dwfl, ::getpid());
    dwfl_report_end(dwfl, nullptr, nullptr);
  }
  ~State() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }
  Dwfl_Module* module_of(Dwarf_Addr address) {
    Dwfl_Module* module = dwfl_addrmodule(dwfl, address);
    if (module != nullptr) return module;
    // A plug-in that was loaded since.
    dwfl_report_begin(dwfl);
    dwfl_linux_proc_report(dwfl, ::getpid());
    dwfl_report_end(dwfl, nullptr, nullptr);
    return dwfl_addrmodule(dwfl, address);
  }
};

OwnProcess::OwnProcess() : state_(std::make_unique<State>()) {}
OwnProcess::~OwnProcess() = default;

CodePlace OwnProcess::returning_to(std::uintptr_t address) {
  CodePlace place;
  if (state_->dwfl == nullptr) return place;
  const Dwarf_Addr call = address - 1;
  Dwfl_Module* module = state_->module_of(call);
  if (module == nullptr) return place;
  GElf_Off offset = 0;
  GElf_Sym symbol{};
  if (const char* name =
          dwfl_module_addrinfo(module, call, &offset, &symbol, nullptr, nullptr, nullptr)) {
    place.symbol = short_symbol(name);
    place.displacement = offset + 1;
    if (symbol.st_size >= place.displacement && symbol.st_size <= kLargestFunction)
      place.code = {reinterpret_cast<const std::byte*>(call - offset), symbol.st_size};
  }
  if (Dwfl_Line* line = dwfl_module_getsrc(module, call)) {
    int number = 0;
    if (const char* file = dwfl_lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr)) {
      place.file = file;
      place.line = static_cast<std::uint32_t>(number);
    }
  }
  add_inlined(module, call, place);
  return place;
}

std::string short_symbol(const std::string& symbol) {
  std::string name = symbol;
  int status = 0;
  if (char* plain = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status)) {
    name = plain;
    std::free(plain);
  }
  for (const std::string_view part : {"(anonymous namespace)::", "pcilens::"})
    for (auto at = name.find(part); at != std::string::npos; at = name.find(part, at))
      name.erase(at, part.size());
  // Parameters go, and so does the return type that templates have in front.
  if (const auto bracket = name.find('(');
      bracket != std::string::npos && bracket != 0 && name.find("operator()") == std::string::npos)
    name.resize(bracket);
  int depth = 0;
  for (std::size_t i = name.size(); i-- > 0;) {
    depth += name[i] == '>' ? 1 : name[i] == '<' ? -1 : 0;
    if (name[i] == ' ' && depth == 0) return name.substr(i + 1);
  }
  return name;
}

}  // namespace pcilens
