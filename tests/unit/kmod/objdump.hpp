// What objdump makes of instructions, and that in the words of printed.hpp.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "forms.hpp"
#include "printed.hpp"

namespace pcilens::test {

struct Disassembled {
  unsigned length = 0;
  std::string text;
};

// One for each of the instructions, which lie in 32 bytes of their own, filled up with nop.
// intel64: movsxd to 16 bits reads 16 (SDM), where AMD's manual has 32.
inline std::vector<Disassembled> objdump(const std::vector<Bytes>& instructions) {
  char path[] = "/tmp/pcilens-decode-XXXXXX";
  const int fd = ::mkstemp(path);
  Bytes file(instructions.size() * 32, 0x90);
  for (std::size_t i = 0; i < instructions.size(); ++i)
    std::copy(instructions[i].begin(), instructions[i].end(),
              file.begin() + static_cast<std::ptrdiff_t>(i * 32));
  const bool written = ::write(fd, file.data(), file.size()) == static_cast<ssize_t>(file.size());
  ::close(fd);
  if (!written) throw std::runtime_error("no room for what objdump is to read");
  const std::string command =
      fmt::format("LC_ALL=C objdump -D -w -z -b binary -m i386:x86-64 -M intel,intel64 {}", path);
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("objdump does not start");
  std::vector<Disassembled> found(instructions.size());
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    unsigned at = 0;
    int after = 0;
    if (std::sscanf(line, " %x:\t%n", &at, &after) != 1 || at % 32 != 0) continue;
    Disassembled d;
    const char* p = line + after;
    for (; p[0] != '\0' && p[0] != '\t' && p[0] != ' '; p += 3) ++d.length;
    d.text = p;
    found.at(at / 32) = d;
  }
  ::pclose(pipe);
  ::unlink(path);
  return found;
}

// A sum as objdump writes it, without the index registers riz and eiz, which mean none.
inline std::string canonical_address(const std::string& sum, bool address32) {
  static const std::regex term("([+-]?)([^+-]+)");
  static const std::regex narrow_register("(e|r[0-9]+d).*");
  std::string registers;
  std::uint64_t displacement = 0;
  bool narrow = address32;
  for (std::sregex_iterator i(sum.begin(), sum.end(), term), end; i != end; ++i) {
    const std::string name = (*i)[2];
    narrow |= std::regex_match(name, narrow_register);
    if (name.substr(1, 2) == "iz") continue;
    if (name.substr(0, 2) != "0x") {
      registers += (registers.empty() ? "" : "+") + name;
      continue;
    }
    const std::uint64_t value = std::stoull(name, nullptr, 16);
    displacement += (*i)[1] == "-" ? -value : value;
  }
  const std::string number = hexadecimal(static_cast<std::int64_t>(displacement), narrow ? 4 : 8);
  if (registers.empty()) return "[" + number + "]";
  return "[" + registers + (displacement == 0 ? "" : "+" + number) + "]";
}

// The mnemonic that stands for all those that a lens_insn does not tell apart: they read, extend,
// write or flush in the same way, from and to what their operands say.
inline std::string plain(const std::string& mnemonic) {
  static const std::map<std::string, std::string> names = {
      {"movabs", "mov"},    {"movzx", "mov"},     {"movnti", "mov"}, {"movdiri", "mov"},
      {"movsxd", "movsx"},  {"clflush", "flush"}, {"clwb", "flush"}, {"clflushopt", "flush"},
      {"xchg", "lock xchg"}};  // SDM: locked with or without the prefix
  const auto found = names.find(mnemonic);
  return found == names.end() ? mnemonic : found->second;
}

inline const std::regex kAddress("(?:[cdes]s:)?\\[([^\\]]*)\\]|[cdes]s:(0x[0-9a-f]+)");

// The addresses of operands, in the words of printed.hpp.
inline std::vector<std::string> canonical_addresses(const std::string& text) {
  std::vector<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), kAddress), end; i != end; ++i)
    found.push_back(canonical_address((*i)[1].matched ? (*i)[1] : (*i)[2],
                                      text.find("addr32") != std::string::npos));
  return found;
}

// Operands in the words of printed.hpp. An address that is a number alone has its size from the
// other operand, the accumulator or, in front of it, the words DWORD PTR.
inline std::string canonical_operands(const std::string& operands, bool address32) {
  static const std::regex accumulator("\\b([er]?)a([lx])\\b");
  std::string result;
  auto done = operands.begin();
  for (std::sregex_iterator i(done, operands.end(), kAddress), end; i != end; ++i) {
    result.append(done, (*i)[0].first);
    std::smatch reg;
    if ((*i)[2].matched && operands.find("PTR") == std::string::npos &&
        std::regex_search(operands, reg, accumulator))
      result += size_name(reg[2] == "l" ? 1 : reg[1] == "e" ? 4 : reg[1] == "r" ? 8 : 2);
    result += canonical_address((*i)[1].matched ? (*i)[1] : (*i)[2], address32);
    done = (*i)[0].second;
  }
  return result.append(done, operands.end());
}

// objdump's text in the words of printed.hpp. The names of prefixes that stand in front of the
// mnemonic are those without a meaning to the instruction, but for lock and, before a string
// instruction, rep: SDM volume 2, 2.1.1 and 2.2.1. What they could have changed (sizes, registers,
// the address) is in the rest of the text.
inline std::string canonical(const std::string& text) {
  static const std::regex prefix(
      "[cdes]s|data16|addr32|rex(\\.W?R?X?B?)?|xacquire|xrelease|lock|rep|repz|repnz");
  static const std::regex wide_from_word("^(r[a-z]+|r[0-9]+),WORD");
  std::istringstream words(text.substr(0, text.find('#')));
  std::string word, operands, locked, repeated;
  bool address32 = false;
  while (words >> word && std::regex_match(word, prefix)) {
    address32 |= word == "addr32";
    if (word == "lock") locked = "lock ";
    if (word.substr(0, 3) == "rep") repeated = "rep ";
  }
  const bool movsxd = word == "movsxd";
  const std::string mnemonic = plain(word);
  for (bool first = true; words >> word; first = false) operands += (first ? "" : " ") + word;
  if (mnemonic == "flush") operands.erase(0, std::string("BYTE PTR ").size());
  if (movsxd)  // objdump 2.40 forgets that REX.W outweighs 66: SDM volume 2, 2.2.1.2
    operands = std::regex_replace(operands, wide_from_word, "$1,DWORD");
  if (mnemonic != "movs" && mnemonic != "stos" && mnemonic != "lods") repeated.clear();
  if (mnemonic.substr(0, 4) == "lock") locked.clear();
  return locked + repeated + mnemonic + " " + canonical_operands(operands, address32);
}

}  // namespace pcilens::test
