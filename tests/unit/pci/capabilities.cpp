#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "core/pci/config_space.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

TEST_CASE("capabilities are linked in the order in which they were added") {
  const ConfigSpace config = sample::full();
  std::vector<unsigned> ids;
  for (unsigned at = config.read(cfg::kCapabilities, 1); at != 0;) {
    ids.push_back(config.read(static_cast<std::uint16_t>(at), 1));
    at = config.read(static_cast<std::uint16_t>(at + 1), 1);
    REQUIRE(ids.size() < 10);
  }
  CHECK(ids == std::vector<unsigned>{0x01, 0x05, 0x11, 0x10, 0x09});
  CHECK(config.find_capability(0x11).has_value());
  CHECK_FALSE(config.find_capability(0x12).has_value());
  CHECK(config.find_extended(3) == 0x100);
  CHECK_FALSE(config.find_extended(1).has_value());
}

TEST_CASE("MSI-X control has its enable in bit 15 and its function mask in bit 14") {
  ConfigSpace config = sample::full();
  const std::uint16_t control = *config.find_capability(0x11) + 2;
  CHECK(config.write(control, 2, 0x3fff).interrupts == false);
  CHECK(config.read(control, 2) == 64);  // N - 1, read-only
  CHECK(config.write(control, 2, 0x8000).interrupts);
  CHECK(config.msix()->enabled);
  CHECK_FALSE(config.msix()->function_mask);
  config.write(control + 1, 1, 0x40);
  CHECK_FALSE(config.msix()->enabled);
  CHECK(config.msix()->function_mask);
  CHECK(config.msix()->vectors == 65);
  CHECK(config.msix()->table_offset == 0x2000);
  CHECK(config.msix()->pba_offset == 0x3000);
  config.write(control + 2, 4, ~0u);
  CHECK(config.msix()->table_offset == 0x2000);
}

TEST_CASE("MSI gives what the driver set up, never more vectors than were offered") {
  ConfigSpace config = sample::full();
  const std::uint16_t at = *config.find_capability(0x05);
  CHECK_FALSE(config.msi()->enabled);
  CHECK(config.write(at + 4, 4, 0xfee0100f).interrupts);
  config.write(at + 8, 4, 0x1);
  config.write(at + 12, 2, 0x4041);
  config.write(at + 16, 4, ~0u);
  config.write(at + 2, 2, 0x0001 | 5 << 4);  // wants 32 of 4
  const auto msi = *config.msi();
  CHECK(msi.enabled);
  CHECK(msi.vectors_enabled == 4);
  CHECK(msi.address == 0x1'fee0'100c);
  CHECK(msi.data == 0x4041);
  CHECK(msi.mask == 0xf);
}

TEST_CASE("a 32-bit MSI without masks has its data eight bytes in") {
  ConfigSpace config({.vendor = 1}, {});
  const std::uint16_t at = config.add_msi(1, false, false);
  config.write(at + 4, 4, 0xfee00000);
  config.write(at + 8, 2, 0x22);
  CHECK(config.msi()->address == 0xfee00000);
  CHECK(config.msi()->data == 0x22);
  CHECK(config.msi()->mask == 0);
  // What lies behind it is not its own.
  const std::byte body[4] = {};
  const std::uint16_t vendor = config.add_vendor(body, true);
  CHECK_FALSE(config.write(vendor + 4, 1, 1).interrupts);
}

TEST_CASE("the power state is D0 or D3hot, and outside D0 memory and DMA are off") {
  ConfigSpace config = sample::full();
  const std::uint16_t pmcsr = *config.find_capability(0x01) + 4;
  config.write(cfg::kCommand, 2, cfg::kCommandMemory | cfg::kCommandMaster);
  CHECK(config.write(pmcsr, 2, 3).power_state);
  CHECK(config.power_state() == 3);
  CHECK_FALSE(config.memory_enabled());
  CHECK_FALSE(config.bus_master());
  CHECK_FALSE(config.write(pmcsr, 2, 1).power_state);  // D1: not offered, so nothing happens
  CHECK(config.power_state() == 3);
  CHECK(config.write(pmcsr, 1, 0).power_state);
  CHECK(config.memory_enabled());  // no soft reset: COMMAND is as it was
  CHECK(config.bus_master());
}

TEST_CASE("initiate FLR reads 0 and tells the function, if FLR is offered") {
  ConfigSpace config = sample::full();
  const std::uint16_t control = *config.find_capability(0x10) + 8;
  CHECK_FALSE(config.write(control, 2, 0x2810).flr);
  CHECK(config.write(control, 2, 0xa810).flr);
  CHECK(config.read(control, 2) == 0x2810);
  CHECK(config.write(control + 1, 1, 0xa8).flr);
  CHECK(config.write(control, 4, 0xa810).flr);
  CHECK_FALSE(config.write(control + 2, 2, 0x8000).flr);

  ConfigSpace without({.vendor = 1}, {});
  const std::uint16_t other = without.add_pcie_endpoint(false) + 8;
  CHECK_FALSE(without.write(other, 2, 0x8000).flr);
}

TEST_CASE("device status bits clear by writing 1") {
  ConfigSpace config = sample::full();
  const std::uint16_t status = *config.find_capability(0x10) + 10;
  config.set(status, 2, 0x002f);
  config.write(status, 2, 0xff08);
  CHECK(config.read(status, 2) == 0x0027);  // transactions pending is read-only
}

TEST_CASE("a vendor capability carries its length and, if asked, can be written") {
  ConfigSpace config = sample::full();
  const std::uint16_t at = *config.find_capability(0x09);
  CHECK(config.read(at + 2, 1) == 6);
  CHECK(config.read(at + 3, 1) == 0xde);
  config.write(at + 4, 2, 0x1234);
  CHECK(config.read(at + 4, 2) == 0x1234);
  config.write(at + 2, 1, 0);
  CHECK(config.read(at + 2, 1) == 6);
}

TEST_CASE("a capability that cannot be is a programmer's error") {
  const Bar bar{.index = 2, .size = 0x1000};
  ConfigSpace config({.vendor = 1}, std::span(&bar, 1));
  CHECK_THROWS_AS(config.add_msi(3), std::logic_error);
  CHECK_THROWS_AS(config.add_msi(64), std::logic_error);
  CHECK_THROWS_AS(config.add_msix(0, 2, 0, 2, 0x800), std::logic_error);
  CHECK_THROWS_AS(config.add_msix(2049, 2, 0, 2, 0x800), std::logic_error);
  CHECK_THROWS_AS(config.add_msix(4, 0, 0, 2, 0x800), std::logic_error);      // no BAR0
  CHECK_THROWS_AS(config.add_msix(4, 2, 0xfd0, 2, 0x800), std::logic_error);  // past its end
  CHECK_THROWS_AS(config.add_msix(4, 2, 4, 2, 0x800), std::logic_error);
  CHECK_THROWS_AS(config.add_vendor(std::vector<std::byte>(190)), std::logic_error);
  CHECK_THROWS_AS(config.set_interrupt_pin(5), std::logic_error);
  config.add_vendor(std::vector<std::byte>(180));
  CHECK_THROWS_AS(config.add_pcie_endpoint(), std::logic_error);  // no room
}
