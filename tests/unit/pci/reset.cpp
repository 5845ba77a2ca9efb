// What a reset takes back and what it leaves: PCIe 5.0, 6.6.1 and 6.6.2.
#include "catch.hpp"
#include "core/pci/config_space.hpp"
#include "pci/sample_function.hpp"

using namespace pcilens;

namespace {

// Every writable bit at 1, and state in read-only status bits.
ConfigSpace used() {
  ConfigSpace config = sample::full();
  for (std::uint16_t at = 0; at < kConfigSize; at += 4)
    if (at != *config.find_capability(1) + 4) config.write(at, 4, ~0u);
  config.set(cfg::kStatus, 2, 0xf918);
  return config;
}

}  // namespace

TEST_CASE("FLR takes back all but sticky bits and the named fields of PCIe 6.6.2") {
  ConfigSpace config = used();
  const ConfigSpace fresh = sample::full();
  const std::uint16_t pcie = *config.find_capability(0x10);
  config.reset(true);
  CHECK(config.read(pcie + 8, 2) == 0x28f0);   // Max_Payload_Size stays
  CHECK(config.read(pcie + 16, 2) == 0x00c8);  // RCB, common clock, extended synch stay
  CHECK(config.read(pcie + 48, 2) == 0xffbf);  // target speed and compliance are sticky
  for (std::uint16_t at = 0; at < kConfigSize; ++at) {
    if (at == pcie + 8 || at == pcie + 16 || at == pcie + 48 || at == pcie + 49) continue;
    INFO("offset " << at);
    REQUIRE(config.read(at, 1) == fresh.read(at, 1));
  }
}

TEST_CASE("a conventional reset leaves sticky bits alone and takes back the rest") {
  ConfigSpace config = used();
  const ConfigSpace fresh = sample::full();
  const std::uint16_t pcie = *config.find_capability(0x10);
  config.reset(false);
  CHECK(config.read(pcie + 48, 2) == 0xff9f);
  for (std::uint16_t at = 0; at < kConfigSize; ++at) {
    if (at == pcie + 48 || at == pcie + 49) continue;
    INFO("offset " << at);
    REQUIRE(config.read(at, 1) == fresh.read(at, 1));
  }
}

TEST_CASE("what was fixed while the function was made survives a reset, its state does not") {
  ConfigSpace config = sample::full();
  const std::uint16_t pcie = *config.find_capability(0x10);
  config.set_initial(pcie + 18, 2, 0x1043);  // link status: x4, 8 GT/s
  config.set(pcie + 10, 2, 0x0020);          // transactions pending
  config.reset(true);
  CHECK(config.read(pcie + 18, 2) == 0x1043);
  CHECK(config.read(pcie + 10, 2) == 0);
}

TEST_CASE("after FLR the function has no address, no DMA and no interrupts") {
  ConfigSpace config = sample::full();
  config.write(0x10, 4, 0xfebf0000);
  config.write(cfg::kCommand, 2, 0x0006);
  config.write(*config.find_capability(0x11) + 2, 2, 0x8000);
  config.write(*config.find_capability(0x01) + 4, 2, 3);
  config.reset(true);
  CHECK(config.bar_address(0) == 0);
  CHECK_FALSE(config.memory_enabled());
  CHECK_FALSE(config.bus_master());
  CHECK_FALSE(config.msix()->enabled);
  CHECK(config.power_state() == 0);
}
