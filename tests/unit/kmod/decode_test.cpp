// The module's decoder, built here: objdump says how long instructions are and what they are
// called, and the CPU itself what they do to registers, flags and memory.
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "catch.hpp"
#include "forms.hpp"
#include "sanitized.hpp"
extern "C" {
#include "kmod/decode.h"
}

using namespace pcilens::test;

namespace {

std::string shown(const Bytes& code) {
  std::string text;
  for (const std::uint8_t byte : code) text += fmt::format("{:02x} ", byte);
  return text;
}

std::vector<Bytes> all_forms() {
  std::mt19937 dice(1);
  std::vector<Bytes> forms;
  for (const Opcode& opcode : opcodes())
    for (const Operand operand : kOperands)
      for (const bool wide : {false, true})
        for (const bool narrow : {false, true})
          for (const bool lock : {false, true}) {
            if ((lock && !opcode.lockable) || (narrow && !opcode.sized)) continue;
            forms.push_back(assemble(opcode, operand, wide, narrow, lock, dice));
          }
  return forms;
}

struct Disassembled {
  unsigned length = 0;
  std::string text;
};

// Each instruction in 32 bytes of its own, filled up with nop.
std::map<unsigned, Disassembled> objdump(const std::vector<Bytes>& forms) {
  char path[] = "/tmp/pcilens-decode-XXXXXX";
  const int fd = ::mkstemp(path);
  Bytes file(forms.size() * 32, 0x90);
  for (std::size_t i = 0; i < forms.size(); ++i)
    std::copy(forms[i].begin(), forms[i].end(), file.begin() + static_cast<std::ptrdiff_t>(i * 32));
  REQUIRE(::write(fd, file.data(), file.size()) == static_cast<ssize_t>(file.size()));
  ::close(fd);
  const std::string command =
      fmt::format("LC_ALL=C objdump -D -w -z -b binary -m i386:x86-64 {}", path);
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::map<unsigned, Disassembled> found;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    unsigned at = 0;
    int after = 0;
    if (std::sscanf(line, " %x:\t%n", &at, &after) != 1 || at % 32 != 0) continue;
    Disassembled d;
    const char* p = line + after;
    for (; p[0] != '\0' && p[0] != '\t' && p[0] != ' '; p += 3) ++d.length;
    d.text = p;
    found[at / 32] = d;
  }
  ::pclose(pipe);
  ::unlink(path);
  return found;
}

// ---- the CPU ------------------------------------------------------------------------------------

constexpr std::size_t kMemory = 256;
struct Machine {
  std::uint64_t gp[16], flags, saved[16];
  std::uint8_t memory[kMemory];
};

// A page that code can run in and name by 32-bit addresses, and the machine's state beside it.
class Cpu {
 public:
  Cpu() {
    void* page = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (page == MAP_FAILED) throw std::runtime_error("no page to run code in");
    code_ = static_cast<std::uint8_t*>(page);
    machine = reinterpret_cast<Machine*>(code_ + 4096);
  }
  ~Cpu() { ::munmap(code_, 8192); }

  void run(const Bytes& instruction) {
    Bytes code;
    const auto move = [&](bool load, unsigned reg, const std::uint64_t* at) {
      code.push_back(static_cast<std::uint8_t>(0x48 | (reg >= 8 ? 4 : 0)));
      code.insert(code.end(), {static_cast<std::uint8_t>(load ? 0x8b : 0x89),
                               static_cast<std::uint8_t>((reg & 7) << 3 | 4), 0x25});
      address(code, at);
    };
    for (unsigned i = 0; i < 16; ++i) move(false, i, &machine->saved[i]);
    code.insert(code.end(), {0xff, 0x34, 0x25});
    address(code, &machine->flags);
    code.push_back(0x9d);  // popfq
    for (unsigned i = 0; i < 16; ++i)
      if (i != LENS_SP) move(true, i, &machine->gp[i]);
    code.insert(code.end(), instruction.begin(), instruction.end());
    for (unsigned i = 0; i < 16; ++i)
      if (i != LENS_SP) move(false, i, &machine->gp[i]);
    code.insert(code.end(), {0x9c, 0x8f, 0x04, 0x25});  // pushfq, pop
    address(code, &machine->flags);
    code.push_back(0xfc);  // cld
    for (unsigned i = 0; i < 16; ++i) move(true, i, &machine->saved[i]);
    code.push_back(0xc3);
    std::memcpy(code_, code.data(), code.size());
    reinterpret_cast<void (*)()>(code_)();
  }

  Machine* machine;

 private:
  static void address(Bytes& code, const void* at) {
    const auto value = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(at));
    for (unsigned i = 0; i < 4; ++i) code.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  std::uint8_t* code_;
};

// The emulation's memory: a copy, at the same addresses.
struct Copy {
  std::uint64_t from;
  std::uint8_t bytes[kMemory];
};
int read_copy(void* context, u64 address, u8 size, u64* value) {
  auto& copy = *static_cast<Copy*>(context);
  if (address < copy.from || address + size > copy.from + kMemory) return -EFAULT;
  *value = 0;
  std::memcpy(value, copy.bytes + (address - copy.from), size);
  return 0;
}
int write_copy(void* context, u64 address, u8 size, u64 value) {
  auto& copy = *static_cast<Copy*>(context);
  if (address < copy.from || address + size > copy.from + kMemory) return -EFAULT;
  std::memcpy(copy.bytes + (address - copy.from), &value, size);
  return 0;
}
constexpr lens_memory kCopy = {.read = read_copy, .write = write_copy, .again = nullptr};

constexpr std::uint64_t kArithmetic = 0x8d5;  // CF PF AF ZF SF OF

// SDM volume 2: these leave some flags undefined.
std::uint64_t defined_flags(const lens_insn& insn) {
  if (insn.op == LENS_OP_BIT) return 0x1 | 0x40;
  const bool logical =
      insn.op == LENS_OP_TEST ||
      (insn.op == LENS_OP_ALU && (insn.sub == 1 || insn.sub == 4 || insn.sub == 6));
  return logical ? kArithmetic & ~std::uint64_t{0x10} : kArithmetic;
}

// Runs it on the CPU and in the emulation; what differs, or nothing.
std::string differs(Cpu& cpu, const Bytes& code, std::mt19937_64& dice) {
  lens_insn insn{};
  if (lens_decode(code.data(), static_cast<unsigned>(code.size()), &insn) != 0)
    return "not decoded";
  Machine& m = *cpu.machine;
  for (auto& reg : m.gp) reg = dice();
  for (auto& byte : m.memory) byte = static_cast<std::uint8_t>(dice());
  const auto middle = reinterpret_cast<std::uint64_t>(m.memory) + 96;
  m.gp[LENS_BX] = m.gp[13] = middle;
  m.gp[LENS_DX] = dice() % 8;
  m.gp[10] = dice() % 8;
  if (insn.op == LENS_OP_MOVS || insn.op == LENS_OP_STOS || insn.op == LENS_OP_LODS) {
    m.gp[LENS_SI] = middle - 32 + dice() % 16;
    m.gp[LENS_DI] = middle + 32 + dice() % 16;
    m.gp[LENS_CX] = dice() % 5;
  }
  // A bit offset in a register reaches far beyond the operand.
  if (insn.op == LENS_OP_BIT && !insn.immediate) m.gp[insn.reg] = dice() % 128;
  m.gp[LENS_BX] = m.gp[13] = middle;
  // A compare that finds its value now and then.
  if (insn.op == LENS_OP_CMPXCHG && dice() % 2) std::memcpy(&m.gp[LENS_AX], m.memory + 96, 8);
  m.flags = 0x202 | (dice() & kArithmetic);

  Copy copy{.from = reinterpret_cast<std::uint64_t>(m.memory), .bytes = {}};
  std::memcpy(copy.bytes, m.memory, kMemory);
  lens_regs regs{};
  std::memcpy(regs.gp, m.gp, sizeof regs.gp);
  regs.flags = m.flags;
  if (lens_emulate(&insn, &regs, &kCopy, &copy) != 0) return "not emulated";
  cpu.run(code);

  const std::uint64_t flags = (regs.flags ^ m.flags) & defined_flags(insn);
  if (flags != 0) return fmt::format("flags {:x} instead of {:x}", regs.flags, m.flags);
  for (int i = 0; i < 16; ++i)
    if (i != LENS_SP && regs.gp[i] != m.gp[i])
      return fmt::format("register {} {:x} instead of {:x}", i, regs.gp[i], m.gp[i]);
  if (std::memcmp(copy.bytes, m.memory, kMemory) != 0) return "memory";
  if (regs.ip != code.size()) return "its length";
  return "";
}

}  // namespace

TEST_CASE("the module's decoder finds the length that objdump finds, for every form") {
  const std::vector<Bytes> forms = all_forms();
  REQUIRE(forms.size() > 1500);
  const auto oracle = objdump(forms);
  REQUIRE(oracle.size() == forms.size());
  for (std::size_t i = 0; i < forms.size(); ++i) {
    lens_insn insn{};
    const Disassembled& expected = oracle.at(static_cast<unsigned>(i));
    INFO(shown(forms[i]) << expected.text);
    REQUIRE(lens_decode(forms[i].data(), static_cast<unsigned>(forms[i].size()), &insn) == 0);
    REQUIRE(expected.text.find("(bad)") == std::string::npos);
    CHECK(insn.length == expected.length);
  }
}

TEST_CASE("the module's decoder and objdump agree on random bytes that it takes or passes over") {
  std::mt19937 dice(2);
  std::vector<Bytes> taken;
  unsigned passed_over = 0;
  while (taken.size() < 12000) {
    Bytes bytes(15);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(dice());
    // Vector instructions are rare otherwise.
    if (taken.size() % 3 == 1) bytes[0] = 0x0f;
    if (taken.size() % 3 == 2) bytes[0] = dice() % 2 ? 0xc5 : 0xc4, bytes[1] &= 0xe3;
    lens_insn insn{};
    const int result = lens_decode(bytes.data(), 15, &insn);
    passed_over += insn.op == LENS_OP_REFUSED;
    if (result == 0 || insn.op == LENS_OP_REFUSED) taken.push_back(bytes);
  }
  CHECK(passed_over > 2000);
  const auto oracle = objdump(taken);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    lens_insn insn{};
    lens_decode(taken[i].data(), 15, &insn);
    const Disassembled& expected = oracle.at(static_cast<unsigned>(i));
    // What the CPU refuses raises #UD and never comes here; objdump may stop at a prefix of it.
    if (expected.text.find("(bad)") != std::string::npos || expected.length <= 1 ||
        expected.text.find("rex") != std::string::npos)
      continue;
    INFO(shown(taken[i]) << expected.text);
    CHECK(insn.length == expected.length);
  }
}

// Code that runs with all registers of its own is not for a build that checks what it does.
constexpr bool kMayRunAnything = PCILENS_SANITIZED == 0;

TEST_CASE("the module emulates every form as the CPU executes it on ordinary memory") {
  if (!kMayRunAnything) return;
  Cpu cpu;
  std::mt19937_64 dice(3);
  for (const Bytes& form : all_forms()) {
    lens_insn insn{};
    if (lens_decode(form.data(), static_cast<unsigned>(form.size()), &insn) == 0 && insn.rip)
      continue;
    for (int round = 0; round < 20; ++round) {
      const std::string wrong = differs(cpu, form, dice);
      INFO(shown(form) << wrong);
      REQUIRE(wrong.empty());
    }
  }
}

TEST_CASE("the module emulates string instructions with and without rep, of every size") {
  if (!kMayRunAnything) return;
  Cpu cpu;
  std::mt19937_64 dice(4);
  for (const std::uint8_t op : {0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad})
    for (const Bytes& prefix :
         {Bytes{}, Bytes{0xf3}, Bytes{0x66}, Bytes{0xf3, 0x66}, Bytes{0x48}, Bytes{0xf3, 0x48}})
      for (int round = 0; round < 50; ++round) {
        Bytes code = prefix;
        code.push_back(op);
        const std::string wrong = differs(cpu, code, dice);
        INFO(shown(code) << wrong);
        REQUIRE(wrong.empty());
      }
}
TEST_CASE("the module's decoder reads no byte behind those that it was given") {
  for (const Bytes& form : all_forms())
    for (unsigned length = 0; length < form.size(); ++length) {
      // On the heap, exactly as long: the sanitizers see a byte too many.
      const Bytes cut(form.begin(), form.begin() + length);
      lens_insn insn{};
      INFO(shown(form) << "cut to " << length);
      CHECK(lens_decode(cut.data(), length, &insn) != 0);
    }
}
