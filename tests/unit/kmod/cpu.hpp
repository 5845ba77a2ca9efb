// The CPU that this runs on, executing single instructions on registers, flags and memory of their
// own.
#pragma once

#include <cpuid.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "forms.hpp"

namespace pcilens::test {

// Whether the CPU has an instruction: SDM volume 2, CPUID.
inline bool cpu_has(Feature feature) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (feature == Feature::None) return true;
  if (feature == Feature::Clflush) return __get_cpuid(1, &a, &b, &c, &d) && (d >> 19 & 1);
  if (feature == Feature::Popcnt) return __get_cpuid(1, &a, &b, &c, &d) && (c >> 23 & 1);
  if (feature == Feature::Lzcnt) return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c >> 5 & 1);
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  if (feature == Feature::Clflushopt) return b >> 23 & 1;
  if (feature == Feature::Bmi1) return b >> 3 & 1;
  if (feature == Feature::Clwb) return b >> 24 & 1;
  return c >> (feature == Feature::Movdiri ? 27 : 28) & 1;
}

inline constexpr std::size_t kMemory = 384;
// Where the operands' addresses are around; a multiple of 64, as movdir64b wants its destination.
inline constexpr std::size_t kMiddle = 128;

struct Machine {
  std::uint64_t gp[16];
  std::uint8_t memory[kMemory];
  std::uint64_t flags, saved[16];
};

// A page that code can run in and name by 32-bit addresses, and the machine's state kRipDistance
// behind it.
class Cpu {
 public:
  Cpu() {
    void* page = ::mmap(nullptr, 2 * kRipDistance, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (page == MAP_FAILED) throw std::runtime_error("no page to run code in");
    code_ = static_cast<std::uint8_t*>(page);
    machine = reinterpret_cast<Machine*>(code_ + kRipDistance);
  }
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;
  ~Cpu() { ::munmap(code_, 2 * kRipDistance); }

  // Where each instruction is executed.
  std::uint64_t ip() const { return reinterpret_cast<std::uint64_t>(code_) + kBefore; }
  std::uint64_t middle() const {
    return reinterpret_cast<std::uint64_t>(machine->memory) + kMiddle;
  }

  void run(const Bytes& instruction) {
    if (instruction != written_) write(instruction);
    reinterpret_cast<void (*)()>(code_)();
  }

  Machine* machine;

 private:
  static constexpr unsigned kStackPointer = 4;
  static constexpr std::size_t kBefore = 256;
  // What is relative to the end of the instruction is then near the middle of the memory.
  static_assert(offsetof(Machine, memory) + kMiddle == kBefore);

  void write(const Bytes& instruction) {
    Bytes code;
    for (unsigned i = 0; i < 16; ++i) move(code, 0x89, i, &machine->saved[i]);
    code.insert(code.end(), {0xff, 0x34, 0x25});  // pushq, popfq
    address(code, &machine->flags);
    code.push_back(0x9d);
    for (unsigned i = 0; i < 16; ++i)
      if (i != kStackPointer) move(code, 0x8b, i, &machine->gp[i]);
    if (code.size() != kBefore) throw std::logic_error("the code before the instruction has grown");
    code.insert(code.end(), instruction.begin(), instruction.end());
    for (unsigned i = 0; i < 16; ++i)
      if (i != kStackPointer) move(code, 0x89, i, &machine->gp[i]);
    code.insert(code.end(), {0x9c, 0x8f, 0x04, 0x25});  // pushfq, popq
    address(code, &machine->flags);
    code.push_back(0xfc);  // cld
    for (unsigned i = 0; i < 16; ++i) move(code, 0x8b, i, &machine->saved[i]);
    code.push_back(0xc3);
    std::memcpy(code_, code.data(), code.size());
    written_ = instruction;
  }

  // mov between a register and memory: 8b loads, 89 stores.
  static void move(Bytes& code, std::uint8_t opcode, unsigned reg, const std::uint64_t* at) {
    code.insert(code.end(), {static_cast<std::uint8_t>(0x48 | (reg >= 8 ? 4 : 0)), opcode,
                             static_cast<std::uint8_t>((reg & 7) << 3 | 4), 0x25});
    address(code, at);
  }
  static void address(Bytes& code, const void* at) {
    const auto value = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at));
    for (unsigned i = 0; i < 4; ++i) code.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  std::uint8_t* code_;
  Bytes written_;
};

}  // namespace pcilens::test
