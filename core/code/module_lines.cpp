#include "core/code/module_lines.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "core/code/inlined_calls.hpp"

namespace pcilens {
namespace {

char* g_debuginfo_path = nullptr;
const Dwfl_Callbacks kCallbacks = {.find_elf = &dwfl_build_id_find_elf,
                                   .find_debuginfo = &dwfl_standard_find_debuginfo,
                                   .section_address = &dwfl_offline_section_address,
                                   .debuginfo_path = &g_debuginfo_path};

std::string hex(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) (text += kDigits[byte >> 4]) += kDigits[byte & 15];
  return text;
}

std::string folder_of(std::string_view file) {
  return std::string(file.substr(0, file.rfind('/') + 1));
}

// "my-driver.ko" is module my_driver.
std::string module_name(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace

struct ModuleLines::File {
  std::string path, module, build_id;
  bool opened = false;
  Dwfl* dwfl = nullptr;
  Dwfl_Module* code = nullptr;

  explicit File(const std::string& p) : path(p), module(module_name(p)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }

  void open() {
    opened = true;
    dwfl = dwfl_begin(&kCallbacks);
    if (dwfl == nullptr) return;
    code = dwfl_report_offline(dwfl, module.c_str(), path.c_str(), -1);
    dwfl_report_end(dwfl, nullptr, nullptr);
    if (code == nullptr) return;
    GElf_Addr bias = 0;
    const void* id = nullptr;
    Elf* const elf = dwfl_module_getelf(code, &bias);
    if (const ssize_t size = elf != nullptr ? dwelf_elf_gnu_build_id(elf, &id) : 0; size > 0)
      build_id = hex({static_cast<const unsigned char*>(id), static_cast<std::size_t>(size)});
  }

  std::optional<Dwarf_Addr> address_of(const ModulePlace& place) const {
    // A call at the very end of a function returns behind it.
    const std::uint64_t into = place.displacement - (place.returns ? 1 : 0);
    const int count = dwfl_module_getsymtab(code);
    for (int i = 1; i < count; ++i) {
      GElf_Sym symbol{};
      GElf_Addr address = 0;
      const char* const name =
          dwfl_module_getsym_info(code, i, &symbol, &address, nullptr, nullptr, nullptr);
      if (name != nullptr && place.symbol == name && GELF_ST_TYPE(symbol.st_info) == STT_FUNC &&
          into < symbol.st_size)
        return address + into;
    }
    return std::nullopt;
  }

  std::optional<SourceLine> line_at(Dwarf_Addr address) const {
    Dwfl_Line* const found = dwfl_module_getsrc(code, address);
    int number = 0;
    const char* const file = found != nullptr
                                 ? dwfl_lineinfo(found, nullptr, &number, nullptr, nullptr, nullptr)
                                 : nullptr;
    if (file == nullptr) return std::nullopt;
    const SourceLine innermost{file, static_cast<std::uint32_t>(number)};
    // The module's own sources lie where the file that is compiled does.
    Dwarf_Addr bias = 0;
    Dwarf_Die* const unit = dwfl_module_addrdie(code, address, &bias);
    const char* const name = unit != nullptr ? dwarf_diename(unit) : nullptr;
    const std::string own = folder_of(name != nullptr ? name : "");
    if (own.empty() || innermost.file.starts_with(own)) return innermost;
    for (const InlinedCall& call : inlined_calls(code, address))
      if (call.file.starts_with(own)) return SourceLine{call.file, call.line};
    return innermost;
  }
};

struct ModuleLines::Files {
  std::vector<std::unique_ptr<File>> all;
};

ModuleLines::ModuleLines() : files_(std::make_unique<Files>()) {}
ModuleLines::~ModuleLines() = default;

void ModuleLines::add(const std::string& path) {
  files_->all.push_back(std::make_unique<File>(path));
}

std::optional<SourceLine> ModuleLines::find(const ModulePlace& place) {
  if (place.returns && place.displacement == 0) return std::nullopt;
  for (const auto& file : files_->all) {
    if (file->module != place.module) continue;
    if (!file->opened) file->open();
    if (file->code == nullptr) continue;
    if (!place.build_id.empty() && !file->build_id.empty() && place.build_id != file->build_id)
      continue;
    if (const auto address = file->address_of(place)) return file->line_at(*address);
  }
  return std::nullopt;
}

}  // namespace pcilens
