// Instructions from bytes, by Capstone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pcilens {

struct Instruction {
  std::uint64_t offset = 0;  // bytes from the start of the code given
  std::string bytes;         // hex
  std::string text;          // "mov eax, dword ptr [rdx + 8]"
};

// x86-64, as many as `code` holds whole; `address` is where it runs, for jump targets. The padding
// behind the end of a function ends it.
std::vector<Instruction> disassemble(std::span<const std::byte> code, std::uint64_t address);

}  // namespace pcilens
