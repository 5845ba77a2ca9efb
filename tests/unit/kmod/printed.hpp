// A decoded instruction in words, with nothing known of it but what the decoder said.
//
// The words are objdump's in Intel's syntax, but for these: what a lens_insn does not tell apart
// has one name (plain()), and an operand has one spelling (canonical()):
// [base+index*scale+0xdisplacement], the displacement modulo the address size and left out where it
// is 0.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

extern "C" {
#include "kmod/decode.h"
}

namespace pcilens::test {

inline std::string register_name(unsigned reg, unsigned size, bool high) {
  constexpr const char* kNames[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
  if (high) return fmt::format("{}h", kNames[reg][0]);
  if (reg >= 8)
    return fmt::format("r{}{}", reg, size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
  if (size == 1)
    return reg < 4 ? fmt::format("{}l", kNames[reg][0]) : fmt::format("{}l", kNames[reg]);
  return fmt::format("{}{}", size == 8 ? "r" : size == 4 ? "e" : "", kNames[reg]);
}

inline std::string hexadecimal(std::int64_t value, unsigned size) {
  const auto bits = static_cast<std::uint64_t>(value);
  return fmt::format("{:#x}", size == 8 ? bits : bits & ((std::uint64_t{1} << 8 * size) - 1));
}

inline std::string printed_address(const lens_insn& insn) {
  const unsigned size = insn.address32 ? 4 : 8;
  std::string sum;
  const auto add = [&](const std::string& term) { sum += (sum.empty() ? "" : "+") + term; };
  if (insn.rip) add(insn.address32 ? "eip" : "rip");
  if (insn.base != LENS_NO_REGISTER) add(register_name(insn.base, size, false));
  if (insn.index != LENS_NO_REGISTER)
    add(fmt::format("{}*{}", register_name(insn.index, size, false), 1 << insn.scale));
  if (insn.displacement != 0 || sum.empty()) add(hexadecimal(insn.displacement, size));
  return "[" + sum + "]";
}

inline std::string size_name(unsigned size) {
  return size == 8   ? "QWORD PTR "
         : size == 4 ? "DWORD PTR "
         : size == 2 ? "WORD PTR "
                     : "BYTE PTR ";
}

// Opcode and operands of the instructions that name their registers.
inline std::string printed_operation(const lens_insn& insn) {
  constexpr const char* kAlu[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
  constexpr const char* kBit[] = {"bt", "bts", "btr", "btc"};
  constexpr const char* kCount[] = {"bsf", "bsr", "tzcnt", "lzcnt", "popcnt"};
  constexpr const char* kCondition[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                        "s", "ns", "p", "np", "l", "ge", "le", "g"};
  const std::string memory = size_name(insn.size) + printed_address(insn);
  const std::string reg = register_name(insn.reg, insn.reg_size, insn.high);
  // A bit's number is a byte.
  const unsigned immediate_size = insn.op == LENS_OP_BIT ? 1 : insn.size;
  const std::string source = insn.immediate ? hexadecimal(insn.value, immediate_size) : reg;
  const auto to_memory = [&](const std::string& name) {
    return fmt::format("{} {},{}", name, memory, source);
  };
  const auto to_register = [&](const std::string& name) {
    return fmt::format("{} {},{}", name, reg, memory);
  };
  switch (insn.op) {
    case LENS_OP_LOAD: return to_register(insn.sign ? "movsx" : "mov");
    case LENS_OP_STORE: return to_memory("mov");
    case LENS_OP_ALU:
      return insn.to_memory ? to_memory(kAlu[insn.sub]) : to_register(kAlu[insn.sub]);
    case LENS_OP_TEST: return to_memory("test");
    case LENS_OP_XCHG: return to_memory("xchg");
    case LENS_OP_BIT: return to_memory(kBit[insn.sub]);
    case LENS_OP_CMPXCHG: return to_memory("cmpxchg");
    case LENS_OP_XADD: return to_memory("xadd");
    case LENS_OP_INC: return "inc " + memory;
    case LENS_OP_DEC: return "dec " + memory;
    case LENS_OP_NOT: return "not " + memory;
    case LENS_OP_NEG: return "neg " + memory;
    case LENS_OP_CMOV: return to_register(std::string("cmov") + kCondition[insn.sub]);
    case LENS_OP_SET: return std::string("set") + kCondition[insn.sub] + " " + memory;
    case LENS_OP_IMUL: return to_register("imul") + (insn.immediate ? "," + source : "");
    case LENS_OP_COUNT: return to_register(kCount[insn.sub]);
    case LENS_OP_FLUSH: return "flush " + printed_address(insn);
    case LENS_OP_MOVDIR64B:
      return fmt::format("movdir64b {},{}", register_name(insn.reg, insn.address32 ? 4 : 8, false),
                         printed_address(insn));
    default: return "nothing that is emulated";
  }
}

inline std::string printed_string_operation(const lens_insn& insn) {
  const std::string size = size_name(insn.size);
  const std::string to = size + (insn.address32 ? "[edi]" : "[rdi]");
  const std::string from = size + (insn.address32 ? "[esi]" : "[rsi]");
  const std::string accumulator = register_name(LENS_AX, insn.size, false);
  const std::string rep = insn.rep ? "rep " : "";
  if (insn.op == LENS_OP_MOVS) return rep + "movs " + to + "," + from;
  if (insn.op == LENS_OP_STOS) return rep + "stos " + to + "," + accumulator;
  return rep + "lods " + accumulator + "," + from;
}

inline std::string printed(const lens_insn& insn) {
  const bool is_string =
      insn.op == LENS_OP_MOVS || insn.op == LENS_OP_STOS || insn.op == LENS_OP_LODS;
  return (insn.lock ? "lock " : "") +
         (is_string ? printed_string_operation(insn) : printed_operation(insn));
}

}  // namespace pcilens::test
