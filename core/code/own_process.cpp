#include "core/code/own_process.hpp"

#include <cxxabi.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/code/inlined_calls.hpp"

namespace pcilens {
namespace {

constexpr std::uint64_t kLargestFunction = 256u << 10;  // bytes

char* g_debuginfo_path = nullptr;
const Dwfl_Callbacks kCallbacks = {.find_elf = &dwfl_linux_proc_find_elf,
                                   .find_debuginfo = &dwfl_standard_find_debuginfo,
                                   .section_address = nullptr,
                                   .debuginfo_path = &g_debuginfo_path};

// What hosts give drivers to call with is no part of the driver, also where it was inlined.
bool is_host_side(std::string_view file) {
  return file.ends_with("core/host/sim/device.hpp");
}

// Each inlined function that holds `address` stands where it is called from; what is left of it is
// the function that has code of its own.
void add_inlined(Dwfl_Module* module, Dwarf_Addr address, CodePlace& place) {
  for (InlinedCall& call : inlined_calls(module, address)) {
    if (!is_host_side(call.declared_in))
      place.inlined.push_back(
          {.symbol = std::move(call.function), .file = place.file, .line = place.line});
    place.file = std::move(call.file);
    place.line = call.line;
  }
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
