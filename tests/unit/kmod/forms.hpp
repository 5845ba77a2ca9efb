// Instructions to decode: every opcode that the decoder knows and every operand form, put together
// byte by byte from the tables of the Intel SDM, volume 2.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace pcilens::test {

using Bytes = std::vector<std::uint8_t>;

// How the memory operand is written. All mean a place near the address in rbx or r13, but for the
// last, which is relative to rip.
enum class Operand { Base, Displaced8, Displaced32, Indexed, HighBase, Rip };
inline constexpr Operand kOperands[] = {Operand::Base,    Operand::Displaced8, Operand::Displaced32,
                                        Operand::Indexed, Operand::HighBase,   Operand::Rip};

struct Opcode {
  Bytes bytes;             // opcode, without prefixes
  int field = -1;          // what ModRM.reg has to be; -1: any register
  unsigned immediate = 0;  // bytes; 4 becomes 2 with the operand size prefix
  bool lockable = false;   // F0 is allowed
  bool sized = true;       // takes 66 and REX.W
};

inline std::vector<Opcode> opcodes() {
  std::vector<Opcode> all;
  for (std::uint8_t sub = 0; sub < 8; ++sub) {
    for (std::uint8_t form = 0; form < 4; ++form)
      all.push_back(
          {{static_cast<std::uint8_t>(sub * 8 + form)}, -1, 0, form < 2 && sub != 7, true});
    all.push_back({{0x80}, sub, 1, sub != 7, true});
    all.push_back({{0x81}, sub, 4, sub != 7, true});
    all.push_back({{0x83}, sub, 1, sub != 7, true});
  }
  for (std::uint8_t op = 0x84; op <= 0x8b; ++op)
    all.push_back({{op}, -1, 0, op == 0x86 || op == 0x87, true});
  all.push_back({{0x63}, -1, 0, false, true});
  all.push_back({{0xc6}, 0, 1, false, true});
  all.push_back({{0xc7}, 0, 4, false, true});
  all.push_back({{0xf6}, 0, 1, false, true});
  all.push_back({{0xf7}, 0, 4, false, true});
  for (const std::uint8_t op : {0xf6, 0xf7})
    for (const int field : {2, 3}) all.push_back({{op}, field, 0, true, true});
  for (const std::uint8_t op : {0xfe, 0xff})
    for (const int field : {0, 1}) all.push_back({{op}, field, 0, true, true});
  for (const std::uint8_t op : {0xb6, 0xb7, 0xbe, 0xbf})
    all.push_back({{0x0f, op}, -1, 0, false, true});
  all.push_back({{0x0f, 0xc3}, -1, 0, false, false});  // movnti: 66 is another instruction
  for (int field = 4; field < 8; ++field) all.push_back({{0x0f, 0xba}, field, 1, field > 4, true});
  for (const std::uint8_t op : {0xb0, 0xb1, 0xc0, 0xc1})
    all.push_back({{0x0f, op}, -1, 0, true, true});
  return all;
}

// One instruction of that form; registers and immediates as the dice fall. rsp is no operand.
inline Bytes assemble(const Opcode& opcode, Operand operand, bool wide, bool narrow, bool lock,
                      std::mt19937& dice) {
  const auto roll = [&](unsigned below) { return static_cast<std::uint8_t>(dice() % below); };
  std::uint8_t reg = opcode.field >= 0 ? static_cast<std::uint8_t>(opcode.field) : roll(16);
  while (opcode.field < 0 && reg == 4) reg = roll(16);
  Bytes code;
  if (lock) code.push_back(0xf0);
  if (narrow) code.push_back(0x66);
  std::uint8_t rex = wide ? 0x48 : 0;
  if (opcode.field < 0 && reg >= 8) rex |= 0x44;
  if (operand == Operand::HighBase) rex |= 0x41;            // r13
  if (operand == Operand::Indexed && roll(2)) rex |= 0x42;  // index r10 instead of rdx
  if (rex == 0 && roll(4) == 0) rex = 0x40;
  if (rex != 0) code.push_back(rex);
  code.insert(code.end(), opcode.bytes.begin(), opcode.bytes.end());
  const auto put = [&](std::uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) code.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  };
  const auto modrm = [&](unsigned mod, unsigned rm) {
    code.push_back(static_cast<std::uint8_t>(mod << 6 | (reg & 7u) << 3 | rm));
  };
  switch (operand) {
    case Operand::Base: modrm(0, 3); break;
    case Operand::Displaced8: modrm(1, 3), put(roll(64), 1); break;
    case Operand::Displaced32:
      modrm(2, 3), put(static_cast<std::uint32_t>(-48 + roll(64)), 4);
      break;
    case Operand::Indexed:
      modrm(1, 4), code.push_back(static_cast<std::uint8_t>(roll(4) << 6 | 2 << 3 | 3)), put(8, 1);
      break;
    case Operand::HighBase: modrm(1, 5), put(roll(32), 1); break;
    case Operand::Rip: modrm(0, 5), put(0x100, 4); break;
  }
  const unsigned immediate = opcode.immediate == 4 && narrow && !wide ? 2 : opcode.immediate;
  put(static_cast<std::uint32_t>(dice()), immediate);
  return code;
}

}  // namespace pcilens::test
