#include "core/pci/config_space.hpp"

#include <stdexcept>

#include "catch.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

namespace {

// As firmware and Linux find a BAR's size (PCIe 5.0, 7.5.1.2.1).
std::uint32_t size_bits(ConfigSpace& config, std::uint16_t offset) {
  const std::uint32_t before = config.read(offset, 4);
  config.write(offset, 4, ~0u);
  const std::uint32_t found = config.read(offset, 4);
  config.write(offset, 4, before);
  return found;
}

}  // namespace

TEST_CASE("the identity reads back and cannot be written") {
  ConfigSpace config = sample::full();
  for (std::uint16_t at : {cfg::kVendor, cfg::kRevision, cfg::kSubsystemVendor}) {
    const std::uint32_t before = config.read(at & ~3, 4);
    config.write(at & ~3, 4, ~before);
    CHECK(config.read(at & ~3, 4) == before);
  }
  CHECK(config.read(cfg::kVendor, 2) == 0x1b36);
  CHECK(config.read(cfg::kDevice, 2) == 0x0010);
  CHECK(config.read(8, 4) == 0x01080202);
  CHECK(config.read(0x2c, 4) == 0x11001af4);
}

TEST_CASE("writing all ones to a BAR shows its size") {
  ConfigSpace config = sample::full();
  CHECK(size_bits(config, 0x10) == 0xffffc004);
  CHECK(size_bits(config, 0x14) == 0xffffffff);
  CHECK(size_bits(config, 0x18) == 0xfffff008);
  CHECK(size_bits(config, 0x1c) == 0);
  CHECK(size_bits(config, 0x20) == 0x0000000c);  // 8 GiB: all in the upper half
  CHECK(size_bits(config, 0x24) == 0xfffffffe);
  CHECK(size_bits(config, cfg::kRom) == 0);
}

TEST_CASE("a BAR's address is what the driver wrote, aligned to its size") {
  ConfigSpace config = sample::full();
  CHECK(config.bar_address(0) == 0);
  CHECK(config.write(0x10, 4, 0xfebf1234).bars);
  CHECK(config.write(0x14, 4, 0x00000001).bars);
  CHECK_FALSE(config.write(0x14, 4, 0x00000001).bars);
  CHECK(config.bar_address(0) == 0x1'febf'0000);
  CHECK(config.bar_address(1) == 0);
  config.write(0x1a, 2, 0xc000);  // the upper half of BAR2 alone
  CHECK(config.bar_address(2) == 0xc000'0000);
}

TEST_CASE("COMMAND takes the bits that the function has") {
  ConfigSpace config = sample::full();
  const auto change = config.write(cfg::kCommand, 2, 0xffff);
  CHECK(config.read(cfg::kCommand, 2) == 0x0546);  // no I/O: there is no I/O BAR
  CHECK(change.command_before == 0);
  CHECK(change.command_after == 0x0546);
  CHECK(change.bars);
  CHECK(config.memory_enabled());
  CHECK(config.bus_master());
  CHECK(config.intx_disabled());

  ConfigSpace bare({.vendor = 1, .device = 2}, {});
  bare.write(cfg::kCommand, 2, 0xffff);
  CHECK(bare.read(cfg::kCommand, 2) == 0x0144);  // neither memory nor an INTx to disable
  CHECK(bare.read(cfg::kStatus, 2) == 0);
}

TEST_CASE("STATUS bits clear by writing 1 to them and stay otherwise") {
  ConfigSpace config = sample::full();
  config.set(cfg::kStatus, 2, 0xf910);
  config.write(cfg::kStatus, 2, 0x0000);
  CHECK(config.read(cfg::kStatus, 2) == 0xf910);
  config.write(cfg::kStatus, 2, 0x2010);
  CHECK(config.read(cfg::kStatus, 2) == 0xd910);
  config.write(cfg::kStatus + 1, 1, 0xff);  // its upper byte alone
  CHECK(config.read(cfg::kStatus, 2) == 0x0010);
}

TEST_CASE("byte, word and dword reads agree everywhere") {
  ConfigSpace config = sample::full();
  for (std::uint16_t at = 0; at < kConfigSize; at += 4) {
    std::uint32_t bytes = 0, words = 0;
    for (std::uint16_t i = 0; i < 4; ++i) bytes |= config.read(at + i, 1) << (i * 8);
    for (std::uint16_t i = 0; i < 4; i += 2) words |= config.read(at + i, 2) << (i * 8);
    REQUIRE(config.read(at, 4) == bytes);
    REQUIRE(config.read(at, 4) == words);
  }
}

TEST_CASE("the write mask and the W1C mask say what every bit does") {
  ConfigSpace config = sample::full();
  const auto pm = *config.find_capability(1);
  for (unsigned at = 0; at < kConfigSize; ++at) {
    if (at == pm + 4u) continue;  // D-states are no plain bits
    const auto value = [&] { return config.bytes()[at]; };
    const auto offset = static_cast<std::uint16_t>(at);
    const std::byte mask = config.write_mask()[at], w1c = config.w1c_mask()[at];
    INFO("offset " << at);
    REQUIRE((mask & w1c) == std::byte{0});
    config.set(offset, 1, 0xff);
    config.write(offset, 1, 0);
    REQUIRE(value() == ~mask);
    config.write(offset, 1, 0xff);
    REQUIRE(value() == ~w1c);
  }
}

TEST_CASE("a BAR that cannot be is a programmer's error") {
  const auto make = [](Bar bar) { return ConfigSpace({.vendor = 1}, std::span(&bar, 1)); };
  CHECK_THROWS_AS(make({.index = 6, .size = 16}), std::logic_error);
  CHECK_THROWS_AS(make({.index = 0, .size = 24}), std::logic_error);
  CHECK_THROWS_AS(make({.index = 0, .size = 8}), std::logic_error);
  CHECK_THROWS_AS(make({.index = 5, .size = 16, .is_64bit = true}), std::logic_error);
  CHECK_THROWS_AS(make({.index = 0, .size = 1ull << 32}), std::logic_error);
  const Bar clash[] = {{.index = 0, .size = 16, .is_64bit = true}, {.index = 1, .size = 16}};
  CHECK_THROWS_AS(ConfigSpace({.vendor = 1}, clash), std::logic_error);
}

TEST_CASE("a read or write outside 4096 bytes touches nothing") {
  ConfigSpace config = sample::full();
  CHECK(config.read(4096, 4) == 0);
  CHECK(config.read(0xffff, 4) == 0);
  config.write(0xfffe, 4, ~0u);
  config.write(4094, 4, ~0u);
  config.set(0xffff, 4, ~0u);
  CHECK(config.read(4092, 4) == 0);
}
