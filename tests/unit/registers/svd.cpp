#include "core/registers/svd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "catch.hpp"
#include "core/registers/bank.hpp"

using namespace pcilens;

namespace {

const std::string kUart = PCILENS_SOURCE_DIR "/tests/unit/registers/uart.svd";

const SvdDevice& uart() {
  static const SvdDevice device = [] {
    auto read = read_svd_file(kUart);
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    return std::move(*read);
  }();
  return device;
}

const RegisterMap& map_of(const SvdDevice& device, std::string_view name) {
  for (const SvdPeripheral& p : device.peripherals)
    if (p.name == name) return *p.map;
  FAIL("no peripheral " << name);
  std::abort();
}

// As svd_oracle.py prints it.
std::vector<std::string> lines_of(const SvdPeripheral& p) {
  std::vector<std::string> lines;
  for (const Register* r : p.map->map().registers)
    for (std::uint32_t i = 0; i < r->count; ++i) {
      std::string line =
          fmt::format("{}.{} at {:#x} bits {} reset {:#x} {}\n", p.name, name_of(RegisterRef{r, i}),
                      r->offset_of(i), r->width * 8, r->reset, name_of(r->access));
      for (const Field& f : r->fields) {
        line += fmt::format("  {} {}:{} {}", f.name, f.high, f.low, name_of(f.access));
        for (const EnumValue& v : f.values) line += fmt::format(" {}={}", v.value, v.name);
        line += '\n';
      }
      lines.push_back(line);
    }
  lines.push_back(fmt::format("{} base {:#x}\n", p.name, p.base_address));
  return lines;
}

}  // namespace

TEST_CASE("an SVD file gives the registers that an independent reading of it gives") {
  const std::string command =
      "python3 " PCILENS_SOURCE_DIR "/tests/unit/registers/svd_oracle.py " + kUart;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::vector<std::string> expected;
  std::array<char, 1000> text{};
  while (std::fgets(text.data(), text.size(), pipe)) {
    if (text[0] == ' ')
      expected.back() += text.data();
    else
      expected.emplace_back(text.data());
  }
  INFO("needs python3");
  REQUIRE(::pclose(pipe) == 0);
  REQUIRE(expected.size() > 60);

  std::vector<std::string> found;
  for (const SvdPeripheral& p : uart().peripherals)
    for (std::string& line : lines_of(p)) found.push_back(std::move(line));
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i < std::min(expected.size(), found.size()); ++i)
    CHECK(found[i] == expected[i]);
  CHECK(found.size() == expected.size());
}

TEST_CASE("an SVD file's maps are well-formed, as large as their address block, and described") {
  REQUIRE(uart().peripherals.size() == 4);
  for (const SvdPeripheral& p : uart().peripherals) CHECK(well_formed(p.map->map()));
  CHECK(uart().name == "TESTCHIP");
  CHECK(uart().doc == "A chip for tests");
  const RegisterMap& map = map_of(uart(), "UART0");
  CHECK(map.size == 0x400);
  CHECK(map.registers[0]->doc == "Control, of all things");
  const Field* en = map.registers[0]->find("EN");
  REQUIRE(en);
  CHECK(en->values[1].doc == "running");
}

TEST_CASE("an array of clusters is an array of each of its registers") {
  const RegisterLookup lookup(map_of(uart(), "UART0"));
  const auto status = lookup.find("CH[2].STAT");
  REQUIRE(status);
  CHECK(status->offset() == 0x124);
  CHECK(status->reg->count == 4);
  CHECK(status->reg->find("OVERRUN")->access == Access::W1C);
  CHECK(lookup.find("Q[1].SLOT[2]")->offset() == 0x230);
  CHECK(lookup.find("DMA2.INNER.ID")->offset() == 0xd4);
  CHECK(lookup.find("LINEB_CFG")->offset() == 0x28);
}

TEST_CASE("what a register map cannot say is left out with a note") {
  const RegisterLookup lookup(map_of(uart(), "UART0"));
  CHECK(lookup.find("RXDATA")->reg->peek_has_effect);
  CHECK_FALSE(lookup.find("TXDATA"));
  CHECK_FALSE(lookup.find("BAUD_ALT"));
  const auto noted = [](std::string_view part) {
    return std::any_of(uart().notes.begin(), uart().notes.end(), [&](const std::string& note) {
      return note.find(part) != std::string::npos;
    });
  };
  CHECK(noted("uart.svd:83: UART0.TXDATA: it shares its address with RXDATA"));
  CHECK(noted("UART0.BAUD_ALT: it shares its address with BAUD"));
  CHECK(noted("UART0.TOGGLE: oneToToggle has no counterpart"));
}

TEST_CASE("a bank works over an imported map") {
  RegisterBank bank(map_of(uart(), "UART0"));
  CHECK(bank.read(0x00, 4) == 0x301);
  CHECK(bank.read(0x40, 8) == 0xfedc'ba98'7654'3210);
  bank.write(0x134, 4, 0x10000);
  CHECK(bank.read(0x134, 4) == 0x10020);  // RW1S of CH[3].STAT; bit 6 is in no field
}
