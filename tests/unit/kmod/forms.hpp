// Instructions to decode: every opcode that the decoder knows and every operand form, put together
// byte by byte from the tables of the Intel SDM, volume 2.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace pcilens::test {

using Bytes = std::vector<std::uint8_t>;

inline std::string shown(const Bytes& code) {
  return fmt::format("{:02x} ", fmt::join(code, " "));
}

// How the memory operand is written. The first five mean a place near the address in rbx or r13;
// Scaled and Absolute have an address in the instruction, and Rip is relative to its end.
enum class Operand { Base, Displaced8, Displaced32, Indexed, HighBase, Scaled, Absolute, Rip };
inline constexpr Operand kOperands[] = {
    Operand::Base,     Operand::Displaced8, Operand::Displaced32, Operand::Indexed,
    Operand::HighBase, Operand::Scaled,     Operand::Absolute,    Operand::Rip};

// How far behind the instruction Operand::Rip is, and a little more or less.
inline constexpr std::uint32_t kRipDistance = 0x1000;

// What CPUID has to name before the CPU can execute it.
enum class Feature { None, Movdiri, Movdir64b, Clflush, Clflushopt, Clwb, Bmi1, Lzcnt, Popcnt };

inline const char* name(Feature feature) {
  constexpr const char* kNames[] = {"",     "movdiri", "movdir64b", "clflush", "clflushopt",
                                    "clwb", "tzcnt",   "lzcnt",     "popcnt"};
  return kNames[static_cast<int>(feature)];
}

struct Opcode {
  Bytes bytes;              // opcode, without prefixes
  int field = -1;           // what ModRM.reg has to be; -1: any register
  unsigned immediate = 0;   // bytes; 4 becomes 2 with the operand size prefix
  bool lockable = false;    // F0 is allowed
  bool sized = true;        // takes 66
  bool apart = false;       // the register operand is an address or an offset, so not rbx, rdx, ...
  std::uint8_t prefix = 0;  // that belongs to the opcode
  Feature feature = Feature::None;
};

inline std::vector<Opcode> opcodes() {
  std::vector<Opcode> all;
  for (std::uint8_t sub = 0; sub < 8; ++sub) {
    for (std::uint8_t form = 0; form < 4; ++form)
      all.push_back(
          {.bytes = {static_cast<std::uint8_t>(sub * 8 + form)}, .lockable = form < 2 && sub != 7});
    all.push_back({.bytes = {0x80}, .field = sub, .immediate = 1, .lockable = sub != 7});
    all.push_back({.bytes = {0x81}, .field = sub, .immediate = 4, .lockable = sub != 7});
    all.push_back({.bytes = {0x83}, .field = sub, .immediate = 1, .lockable = sub != 7});
  }
  for (std::uint8_t op = 0x84; op <= 0x8b; ++op)
    all.push_back({.bytes = {op}, .lockable = op == 0x86 || op == 0x87});
  all.push_back({.bytes = {0x63}});
  all.push_back({.bytes = {0xc6}, .field = 0, .immediate = 1});
  all.push_back({.bytes = {0xc7}, .field = 0, .immediate = 4});
  for (const int field : {0, 1}) {
    all.push_back({.bytes = {0xf6}, .field = field, .immediate = 1});
    all.push_back({.bytes = {0xf7}, .field = field, .immediate = 4});
  }
  for (const std::uint8_t op : {0xf6, 0xf7})
    for (const int field : {2, 3}) all.push_back({.bytes = {op}, .field = field, .lockable = true});
  for (const std::uint8_t op : {0xfe, 0xff})
    for (const int field : {0, 1}) all.push_back({.bytes = {op}, .field = field, .lockable = true});
  for (const std::uint8_t op : {0xb6, 0xb7, 0xbe, 0xbf}) all.push_back({.bytes = {0x0f, op}});
  for (const std::uint8_t op : {0xa3, 0xab, 0xb3, 0xbb})
    all.push_back({.bytes = {0x0f, op}, .lockable = op != 0xa3, .apart = true});
  for (int field = 4; field < 8; ++field)
    all.push_back({.bytes = {0x0f, 0xba}, .field = field, .immediate = 1, .lockable = field > 4});
  for (const std::uint8_t op : {0xb0, 0xb1, 0xc0, 0xc1})
    all.push_back({.bytes = {0x0f, op}, .lockable = true});
  for (std::uint8_t code = 0; code < 16; ++code) {
    all.push_back({.bytes = {0x0f, static_cast<std::uint8_t>(0x40 + code)}});  // cmov
    all.push_back({.bytes = {0x0f, static_cast<std::uint8_t>(0x90 + code)}});  // set
  }
  all.push_back({.bytes = {0x0f, 0xaf}});  // imul
  all.push_back({.bytes = {0x69}, .immediate = 4});
  all.push_back({.bytes = {0x6b}, .immediate = 1});
  all.push_back({.bytes = {0x0f, 0xbc}});                                            // bsf
  all.push_back({.bytes = {0x0f, 0xbd}});                                            // bsr
  all.push_back({.bytes = {0x0f, 0xbc}, .prefix = 0xf3, .feature = Feature::Bmi1});  // tzcnt
  all.push_back({.bytes = {0x0f, 0xbd}, .prefix = 0xf3, .feature = Feature::Lzcnt});
  all.push_back({.bytes = {0x0f, 0xb8}, .prefix = 0xf3, .feature = Feature::Popcnt});
  all.push_back({.bytes = {0x0f, 0xc3}, .sized = false});  // movnti
  all.push_back({.bytes = {0x0f, 0x38, 0xf9}, .sized = false, .feature = Feature::Movdiri});
  all.push_back({.bytes = {0x0f, 0x38, 0xf8},
                 .sized = false,
                 .apart = true,
                 .prefix = 0x66,
                 .feature = Feature::Movdir64b});
  const auto flush = [&](std::uint8_t prefix, int field, Feature feature) {
    all.push_back({.bytes = {0x0f, 0xae},
                   .field = field,
                   .sized = false,
                   .prefix = prefix,
                   .feature = feature});
  };
  flush(0, 7, Feature::Clflush);
  flush(0x66, 7, Feature::Clflushopt);
  flush(0x66, 6, Feature::Clwb);
  return all;
}

struct Form {
  Bytes code;
  Feature feature = Feature::None;
};

struct Prefixes {
  bool wide, narrow, lock, address32;
};

// One instruction of that form; registers and immediates as the dice fall. rsp is no operand.
inline Bytes assemble(const Opcode& opcode, Operand operand, Prefixes prefixes,
                      std::uint32_t address, std::mt19937& dice) {
  const auto roll = [&](unsigned below) { return static_cast<std::uint8_t>(dice() % below); };
  const auto taken = [&](unsigned reg) {
    return reg == 4 || (opcode.apart && (reg == 2 || reg == 3 || reg == 10 || reg == 13));
  };
  std::uint8_t reg = opcode.field >= 0 ? static_cast<std::uint8_t>(opcode.field) : roll(16);
  while (opcode.field < 0 && taken(reg)) reg = roll(16);
  Bytes code;
  if (prefixes.lock) code.push_back(0xf0);
  if (prefixes.address32) code.push_back(0x67);
  if (prefixes.narrow) code.push_back(0x66);
  if (opcode.prefix != 0) code.push_back(opcode.prefix);
  std::uint8_t rex = prefixes.wide ? 0x48 : 0;
  if (opcode.field < 0 && reg >= 8) rex |= 0x44;
  if (operand == Operand::HighBase) rex |= 0x41;  // r13
  const bool indexed = operand == Operand::Indexed || operand == Operand::Scaled;
  if (indexed && roll(2)) rex |= 0x42;  // index r10 instead of rdx
  if (rex == 0 && roll(4) == 0) rex = 0x40;
  if (rex != 0) code.push_back(rex);
  code.insert(code.end(), opcode.bytes.begin(), opcode.bytes.end());
  const auto put = [&](std::uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) code.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  };
  const auto sib = [&](unsigned index, unsigned base) {
    code.push_back(static_cast<std::uint8_t>(roll(4) << 6 | index << 3 | base));
  };
  const auto modrm = [&](unsigned mod, unsigned rm) {
    code.push_back(static_cast<std::uint8_t>(mod << 6 | (reg & 7u) << 3 | rm));
  };
  const auto near = [&] { return static_cast<std::uint32_t>(-48 + roll(64)); };
  switch (operand) {
    case Operand::Base: modrm(0, 3); break;
    case Operand::Displaced8: modrm(1, 3), put(near(), 1); break;
    case Operand::Displaced32: modrm(2, 3), put(near(), 4); break;
    case Operand::Indexed: modrm(1, 4), sib(2, 3), put(near(), 1); break;
    case Operand::HighBase: modrm(1, 5), put(near(), 1); break;
    case Operand::Scaled: modrm(0, 4), sib(2, 5), put(address + near(), 4); break;
    case Operand::Absolute: modrm(0, 4), sib(4, 5), put(address + near(), 4); break;
    case Operand::Rip: modrm(0, 5), put(kRipDistance + near(), 4); break;
  }
  const unsigned immediate =
      opcode.immediate == 4 && prefixes.narrow && !prefixes.wide ? 2 : opcode.immediate;
  put(static_cast<std::uint32_t>(dice()), immediate);
  return code;
}

// Every form, with addresses near that one where they stand in the instruction.
inline std::vector<Form> all_forms(std::uint32_t address = 0x12345678) {
  std::mt19937 dice(1);
  std::vector<Form> forms;
  for (const Opcode& opcode : opcodes())
    for (const Operand operand : kOperands)
      for (unsigned bits = 0; bits < 16; ++bits) {
        const Prefixes prefixes{.wide = (bits & 1) != 0,
                                .narrow = (bits & 2) != 0,
                                .lock = (bits & 4) != 0,
                                .address32 = (bits & 8) != 0};
        if ((prefixes.lock && !opcode.lockable) || (prefixes.narrow && !opcode.sized)) continue;
        forms.push_back({assemble(opcode, operand, prefixes, address, dice), opcode.feature});
      }
  return forms;
}

// movs, stos and lods of every size.
inline std::vector<Form> string_forms() {
  std::vector<Form> forms;
  for (const std::uint8_t op : {0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad})
    for (const std::uint8_t repeat : {0, 0xf3, 0xf2})
      for (const std::uint8_t address : {0, 0x67})
        for (const std::uint8_t size : {0, 0x66, 0x48}) {
          Bytes code;
          for (const std::uint8_t byte : {repeat, address, size})
            if (byte != 0) code.push_back(byte);
          code.push_back(op);
          forms.push_back({code});
        }
  return forms;
}

// mov between the accumulator and an address that stands in the instruction.
inline std::vector<Form> absolute_forms(std::uint64_t address = 0xffff888812345678) {
  std::vector<Form> forms;
  for (const std::uint8_t op : {0xa0, 0xa1, 0xa2, 0xa3})
    for (const std::uint8_t size : {0, 0x66, 0x48})
      for (const unsigned bytes : {8u, 4u}) {
        Bytes code;
        if (bytes == 4) code.push_back(0x67);
        if (size != 0) code.push_back(size);
        code.push_back(op);
        for (unsigned i = 0; i < bytes; ++i)
          code.push_back(static_cast<std::uint8_t>(address >> 8 * i));
        forms.push_back({code});
      }
  return forms;
}

}  // namespace pcilens::test
