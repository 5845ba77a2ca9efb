// The module's decoder, built here: objdump says what instructions are and how long they are.
#include <algorithm>
#include <iterator>

#include "catch.hpp"
#include "forms.hpp"
#include "objdump.hpp"
#include "printed.hpp"

using namespace pcilens::test;

namespace {

constexpr std::uint8_t kPrefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e};

int decode(const Bytes& code, lens_insn& insn) {
  return lens_decode(code.data(), static_cast<unsigned>(code.size()), &insn);
}

std::vector<Bytes> all_bytes() {
  std::vector<Bytes> all;
  for (const auto& forms : {all_forms(), string_forms(), absolute_forms()})
    for (const Form& form : forms) all.push_back(form.code);
  return all;
}

// How an opcode of another map than the first begins, as these are rare otherwise. Most of VEX and
// EVEX is there only with the bits that are fixed here.
Bytes random_map(unsigned kind, std::mt19937& dice) {
  const auto bits = [&](unsigned random, unsigned fixed) {
    return static_cast<std::uint8_t>((dice() & random) | fixed);
  };
  switch (kind) {
    case 0: return {0x0f};
    case 1: return {0x0f, 0x38};
    case 2: return {0x0f, 0x3a};
    case 3: return {0x0f, 0x38, bits(1, 0xf8)};
    case 4: return {0xc5, bits(0x87, 0x78)};
    case 5: return {0xc4, bits(0xe0, 1 + dice() % 3), bits(0x87, 0x78)};
    case 6: return {0x62, bits(0xf0, 1 + dice() % 3), bits(0x83, 0x7c), bits(0x60, 0x08)};
    default: return {};
  }
}

// Fifteen bytes, of which the first are prefixes half of the time.
Bytes random_bytes(unsigned kind, std::mt19937& dice) {
  Bytes bytes(15);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(dice());
  auto at = bytes.begin();
  if (dice() % 2) {
    while (at < bytes.begin() + 4 && dice() % 2) *at++ = kPrefixes[dice() % std::size(kPrefixes)];
    if (dice() % 2) *at++ = static_cast<std::uint8_t>(0x40 | dice() % 16);
  }
  const Bytes map = random_map(kind, dice);
  std::copy(map.begin(), map.end(), at);
  return bytes;
}

bool is_evex(const Bytes& code) {
  const auto opcode = std::find_if(code.begin(), code.end(), [](std::uint8_t byte) {
    return std::find(std::begin(kPrefixes), std::end(kPrefixes), byte) == std::end(kPrefixes);
  });
  return opcode != code.end() && *opcode == 0x62;
}

std::string without_displacement(const std::string& address) {
  return address.substr(0, address.find("0x"));
}

}  // namespace

TEST_CASE("the module's decoder says of every form what objdump says of it") {
  const std::vector<Bytes> forms = all_bytes();
  REQUIRE(forms.size() > 4000);
  const auto oracle = objdump(forms);
  for (std::size_t i = 0; i < forms.size(); ++i) {
    lens_insn insn{};
    INFO(shown(forms[i]) << oracle[i].text);
    REQUIRE(decode(forms[i], insn) == 0);
    CHECK(insn.length == oracle[i].length);
    CHECK(printed(insn) == canonical(oracle[i].text));
  }
}

// All of them are compared: there is none of which objdump says that the CPU refuses it.
TEST_CASE("the module's decoder says of random bytes that it takes what objdump says of them") {
  std::mt19937 dice(2);
  std::vector<Bytes> taken;
  lens_insn insn{};
  while (taken.size() < 20000) {
    const Bytes bytes = random_bytes(dice() % 12, dice);
    if (decode(bytes, insn) == 0) taken.push_back(bytes);
  }
  const auto oracle = objdump(taken);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    decode(taken[i], insn);
    INFO(shown(taken[i]) << oracle[i].text);
    CHECK(insn.length == oracle[i].length);
    CHECK(printed(insn) == canonical(oracle[i].text));
  }
}

TEST_CASE("the module's decoder finds length and operand of random bytes that it passes over") {
  std::mt19937 dice(3);
  std::vector<Bytes> passed_over;
  lens_insn insn{};
  while (passed_over.size() < 40000) {
    const Bytes bytes = random_bytes(dice() % 9, dice);
    if (decode(bytes, insn) == -EOPNOTSUPP && insn.op == LENS_OP_REFUSED)
      passed_over.push_back(bytes);
  }
  const auto oracle = objdump(passed_over);
  unsigned compared = 0;
  for (std::size_t i = 0; i < passed_over.size(); ++i) {
    const std::string& text = oracle[i].text;
    // What the CPU refuses raises #UD and never comes here: most of the maps is empty.
    if (text.find("(bad)") != std::string::npos) continue;
    decode(passed_over[i], insn);
    INFO(shown(passed_over[i]) << text);
    CHECK(insn.length == oracle[i].length);
    if (text.find("mm", text.find('[')) < text.find(']')) continue;  // gathers: many addresses
    ++compared;
    auto found = canonical_addresses(text);
    auto expected = printed_address(insn);
    if (is_evex(passed_over[i])) {  // lens_decode() does not scale its displacement
      expected = without_displacement(expected);
      for (auto& address : found) address = without_displacement(address);
    }
    CHECK(std::find(found.begin(), found.end(), expected) != found.end());
  }
  CHECK(compared > 6000);
}

TEST_CASE("the module's decoder refuses every form through fs and gs, and does not pass over it") {
  for (const Bytes& form : all_bytes())
    for (const std::uint8_t segment : {0x64, 0x65}) {
      Bytes code = {segment};
      code.insert(code.end(), form.begin(), form.end());
      if (code.size() > LENS_INSN_MAX) continue;
      lens_insn insn{};
      INFO(shown(code));
      CHECK(decode(code, insn) == -EOPNOTSUPP);
      CHECK(insn.op == LENS_OP_NONE);
    }
}

TEST_CASE("the module's decoder knows no instruction with the registers from r16 on") {
  lens_insn insn{};
  // vmovdqu32 zmm0, [rax], with a base of r16, then with an index of r16 and on
  CHECK(decode({0x62, 0xf1, 0x7e, 0x48, 0x6f, 0x00}, insn) == -EOPNOTSUPP);
  CHECK(decode({0x62, 0xf9, 0x7e, 0x48, 0x6f, 0x00}, insn) == -EINVAL);
  CHECK(decode({0x62, 0xf1, 0x7a, 0x48, 0x6f, 0x04, 0x08}, insn) == -EINVAL);
}

TEST_CASE("the module's decoder reads no byte behind those that it was given") {
  for (const Bytes& form : all_bytes())
    for (unsigned length = 0; length < form.size(); ++length) {
      // On the heap, exactly as long: the sanitizers see a byte too many.
      const Bytes cut(form.begin(), form.begin() + length);
      lens_insn insn{};
      INFO(shown(form) << "cut to " << length);
      CHECK(decode(cut, insn) != 0);
    }
}
