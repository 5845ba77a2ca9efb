#include "core/code/disassembly.hpp"

#include <capstone/capstone.h>
#include <fmt/format.h>

namespace pcilens {

std::vector<Instruction> disassemble(std::span<const std::byte> code, std::uint64_t address) {
  std::vector<Instruction> list;
  csh handle = 0;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return list;
  cs_insn* decoded = nullptr;
  const std::size_t count = cs_disasm(handle, reinterpret_cast<const std::uint8_t*>(code.data()),
                                      code.size(), address, 0, &decoded);
  // A single int3 may stand behind a ret in the middle of a function; more are padding.
  const auto is_int3 = [&](std::size_t i) { return decoded[i].id == X86_INS_INT3; };
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0 && is_int3(i) && (i + 1 == count || is_int3(i + 1))) break;
    Instruction one{
        .offset = decoded[i].address - address, .bytes = {}, .text = decoded[i].mnemonic};
    if (decoded[i].op_str[0] != '\0') one.text += std::string(" ") + decoded[i].op_str;
    for (std::size_t b = 0; b < decoded[i].size; ++b)
      one.bytes += fmt::format("{:02x}", decoded[i].bytes[b]);
    list.push_back(std::move(one));
  }
  if (count > 0) cs_free(decoded, count);
  cs_close(&handle);
  return list;
}

}  // namespace pcilens
