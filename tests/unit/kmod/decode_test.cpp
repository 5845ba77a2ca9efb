// The module's decoder, built here: objdump says how long instructions are.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "catch.hpp"
#include "forms.hpp"
extern "C" {
#include "kmod/decode.h"
}

using namespace pcilens::test;

namespace {

std::vector<Bytes> all_bytes() {
  std::vector<Bytes> all;
  for (const auto& forms : {all_forms(), string_forms(), absolute_forms()})
    for (const Form& form : forms) all.push_back(form.code);
  return all;
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

}  // namespace

TEST_CASE("the module's decoder finds the length that objdump finds, for every form") {
  const std::vector<Bytes> forms = all_bytes();
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

TEST_CASE("the module's decoder reads no byte behind those that it was given") {
  for (const Bytes& form : all_bytes())
    for (unsigned length = 0; length < form.size(); ++length) {
      // On the heap, exactly as long: the sanitizers see a byte too many.
      const Bytes cut(form.begin(), form.begin() + length);
      lens_insn insn{};
      INFO(shown(form) << "cut to " << length);
      CHECK(lens_decode(cut.data(), length, &insn) != 0);
    }
}
