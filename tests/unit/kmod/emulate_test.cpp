// The module's emulation, built here: the CPU itself says what instructions do to registers, flags
// and memory.
#include <fmt/format.h>

#include <set>
#include <string>

#include "catch.hpp"
#include "cpu.hpp"
#include "forms.hpp"
#include "sanitized.hpp"
extern "C" {
#include "kmod/decode.h"
}

using namespace pcilens::test;

namespace {

// Code that runs with all registers of its own is not for a build that checks what it does: there
// the emulation runs alone, and is checked.
constexpr bool kMayRunAnything = PCILENS_SANITIZED == 0;

// The emulation's memory: a copy, at the same addresses.
struct Copy {
  std::uint64_t from;
  std::uint8_t bytes[kMemory];

  bool has(std::uint64_t address, unsigned size) const {
    return address >= from && address + size <= from + kMemory;
  }
};
int read_copy(void* context, u64 address, u8 size, u64* value) {
  auto& copy = *static_cast<Copy*>(context);
  if (!copy.has(address, size)) return -EFAULT;
  *value = 0;
  std::memcpy(value, copy.bytes + (address - copy.from), size);
  return 0;
}
int write_copy(void* context, u64 address, u8 size, u64 value) {
  auto& copy = *static_cast<Copy*>(context);
  if (!copy.has(address, size)) return -EFAULT;
  std::memcpy(copy.bytes + (address - copy.from), &value, size);
  return 0;
}
constexpr lens_memory kCopy = {.read = read_copy, .write = write_copy, .again = nullptr};

constexpr std::uint64_t kArithmetic = 0x8d5;  // CF PF AF ZF SF OF
constexpr std::uint64_t kDirection = 0x400;

// SDM volume 2: these leave some flags undefined.
std::uint64_t defined_flags(const lens_insn& insn) {
  constexpr std::uint64_t kCarry = 0x1, kZero = 0x40, kOverflow = 0x800;
  if (insn.op == LENS_OP_BIT) return kCarry | kZero;
  if (insn.op == LENS_OP_IMUL) return kCarry | kOverflow;
  if (insn.op == LENS_OP_COUNT && insn.sub < 2) return kZero;
  if (insn.op == LENS_OP_COUNT && insn.sub < 4) return kCarry | kZero;
  const bool logical =
      insn.op == LENS_OP_TEST ||
      (insn.op == LENS_OP_ALU && (insn.sub == 1 || insn.sub == 4 || insn.sub == 6));
  return logical ? kArithmetic & ~std::uint64_t{0x10} : kArithmetic;
}

bool is_string(const lens_insn& insn) {
  return insn.op == LENS_OP_MOVS || insn.op == LENS_OP_STOS || insn.op == LENS_OP_LODS;
}

// Any, and often one at which flags change.
std::uint64_t value(std::mt19937_64& dice) {
  const std::uint64_t any = dice();
  switch (any % 8) {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~std::uint64_t{0};
    case 3: return 0x8080000080008080 << (any >> 8) % 2 * 8;
    case 4: return 0x7fffffff7fff7f7f;
    default: return dice();
  }
}

// Registers, flags and memory before the instruction: its operands lie in the memory.
void throw_dice(Cpu& cpu, const lens_insn& insn, std::mt19937_64& dice) {
  Machine& m = *cpu.machine;
  for (std::size_t i = 0; i < kMemory; i += 8) {
    const std::uint64_t bytes = dice();
    std::memcpy(m.memory + i, &bytes, sizeof bytes);
  }
  for (auto& reg : m.gp) reg = value(dice);
  m.flags = 0x202 | (dice() & kArithmetic);
  m.gp[LENS_DX] = dice() % 8;
  m.gp[10] = dice() % 8;
  if (is_string(insn)) {
    m.gp[LENS_SI] = cpu.middle() - 32 + dice() % 16;
    m.gp[LENS_DI] = cpu.middle() + 32 + dice() % 16;
    // The SDM does not say what 32-bit addresses make of the upper halves where nothing is
    // repeated.
    m.gp[LENS_CX] = insn.address32 ? 1 + dice() % 4 : dice() % 5;
    m.flags |= dice() & kDirection;
  }
  // A bit offset in a register reaches far beyond the operand, to both sides.
  if (insn.op == LENS_OP_BIT && !insn.immediate) m.gp[insn.reg] = dice() % 512 - 256;
  m.gp[LENS_BX] = m.gp[13] = cpu.middle();
  if (insn.address_register) m.gp[insn.reg] = cpu.middle() - 128 + dice() % 5 * 64;
  if (insn.address32) {  // the upper half of what makes an address must not matter
    for (const int reg : {static_cast<int>(LENS_DX), 10, static_cast<int>(LENS_BX), 13})
      m.gp[reg] |= dice() << 32;
    if (insn.address_register) m.gp[insn.reg] |= dice() << 32;
    if (is_string(insn))
      for (const int reg : {LENS_SI, LENS_DI, LENS_CX}) m.gp[reg] |= dice() << 32;
  }
}

// Runs it on the CPU and in the emulation; what differs, or nothing.
std::string differs(Cpu& cpu, const Bytes& code, std::mt19937_64& dice) {
  lens_insn insn{};
  if (lens_decode(code.data(), static_cast<unsigned>(code.size()), &insn) != 0)
    return "not decoded";
  throw_dice(cpu, insn, dice);
  Machine& m = *cpu.machine;
  lens_regs regs{};
  std::memcpy(regs.gp, m.gp, sizeof regs.gp);
  regs.flags = m.flags;
  regs.ip = cpu.ip();
  Copy copy{.from = cpu.middle() - kMiddle, .bytes = {}};
  if (const std::uint64_t address = lens_address(&insn, &regs); copy.has(address, 8)) {
    std::uint64_t operand = value(dice);
    // A compare that finds its value now and then.
    if (insn.op == LENS_OP_CMPXCHG && dice() % 2) operand = regs.gp[LENS_AX];
    std::memcpy(m.memory + (address - copy.from), &operand, sizeof operand);
  }
  std::memcpy(copy.bytes, m.memory, kMemory);

  if (lens_emulate(&insn, &regs, &kCopy, &copy) != 0) return "not emulated";
  if (!kMayRunAnything) return "";
  cpu.run(code);
  const std::uint64_t flags = (regs.flags ^ m.flags) & (defined_flags(insn) | kDirection);
  if (flags != 0) return fmt::format("flags {:x} instead of {:x}", regs.flags, m.flags);
  // A scan of 32 bits that finds none may clear the upper half on older processors: SDM, BSF.
  constexpr std::uint64_t kUpper = ~std::uint64_t{0} << 32;
  if (insn.op == LENS_OP_COUNT && insn.sub < 2 && insn.size == 4 && m.gp[insn.reg] <= ~kUpper)
    regs.gp[insn.reg] &= ~kUpper;
  for (int i = 0; i < 16; ++i)
    if (i != LENS_SP && regs.gp[i] != m.gp[i])
      return fmt::format("register {} {:x} instead of {:x}", i, regs.gp[i], m.gp[i]);
  if (std::memcmp(copy.bytes, m.memory, kMemory) != 0) return "memory";
  if (regs.ip != cpu.ip() + code.size()) return "its length";
  return "";
}

void check(Cpu& cpu, const std::vector<Form>& forms, int rounds) {
  std::mt19937_64 dice(3);
  std::set<Feature> missing;
  for (const Form& form : forms) {
    if (!cpu_has(form.feature)) {
      if (missing.insert(form.feature).second)
        WARN("not compared, this CPU does not have it: " << name(form.feature));
      continue;
    }
    std::string wrong;
    for (int round = 0; round < rounds && wrong.empty(); ++round)
      wrong = differs(cpu, form.code, dice);
    INFO(shown(form.code));
    REQUIRE(wrong == "");
  }
}

}  // namespace

TEST_CASE("the module emulates every form as the CPU executes it on ordinary memory") {
  Cpu cpu;
  check(cpu, all_forms(static_cast<std::uint32_t>(cpu.middle())), 20);
  check(cpu, absolute_forms(cpu.middle()), 20);
}

TEST_CASE("the module emulates string instructions with and without rep, of every size") {
  Cpu cpu;
  check(cpu, string_forms(), 50);
}

TEST_CASE("the module does not emulate movdir64b to a place that is no multiple of 64") {
  const Bytes code = {0x66, 0x0f, 0x38, 0xf8, 0x01};  // movdir64b rax, [rcx]
  Copy copy{};
  lens_insn insn{};
  REQUIRE(lens_decode(code.data(), static_cast<unsigned>(code.size()), &insn) == 0);
  lens_regs regs{};
  regs.gp[LENS_AX] = 128;
  CHECK(lens_emulate(&insn, &regs, &kCopy, &copy) == 0);
  regs.gp[LENS_AX] = 136;
  CHECK(lens_emulate(&insn, &regs, &kCopy, &copy) == -EINVAL);
}
