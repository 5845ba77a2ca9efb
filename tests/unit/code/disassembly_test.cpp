#include "core/code/disassembly.hpp"

#include <array>

#include "catch.hpp"

using namespace pcilens;

namespace {

template <typename... Bytes>
std::vector<std::string> texts(Bytes... bytes) {
  const std::array code{static_cast<std::byte>(bytes)...};
  std::vector<std::string> all;
  for (const Instruction& i : disassemble(code, 0)) all.push_back(i.text);
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("code ends where the padding behind its function begins") {
  CHECK(texts(0x90, 0xc3, 0xcc, 0xcc, 0xcc) == Texts{"nop", "ret"});
  CHECK(texts(0x90, 0xc3, 0xcc) == Texts{"nop", "ret"});
  // One int3 behind a ret is no padding where the function goes on.
  CHECK(texts(0xc3, 0xcc, 0x90) == Texts{"ret", "int3", "nop"});
}

TEST_CASE("an int3 that is looked at itself is shown") {
  CHECK(texts(0xcc, 0x90) == Texts{"int3", "nop"});
  CHECK(texts(0xcc) == Texts{"int3"});
}
