// A config space with every capability, for the tests.
#pragma once

#include "core/pci/config_space.hpp"

namespace sample {

inline pcilens::ConfigSpace full() {
  using namespace pcilens;
  const Bar bars[] = {{.index = 0, .size = 0x4000, .is_64bit = true},
                      {.index = 2, .size = 0x1000, .prefetchable = true},
                      {.index = 4, .size = 1ull << 33, .is_64bit = true, .prefetchable = true}};
  ConfigSpace config({.vendor = 0x1b36,
                      .device = 0x0010,
                      .subsystem_vendor = 0x1af4,
                      .subsystem = 0x1100,
                      .class_code = 0x010802,
                      .revision = 2},
                     bars);
  const std::byte vendor[] = {std::byte{0xde}, std::byte{0xad}, std::byte{0xbe}};
  config.add_power_management();
  config.add_msi(4);
  config.add_msix(65, 0, 0x2000, 0, 0x3000);
  config.add_pcie_endpoint();
  config.add_vendor(vendor, true);
  config.add_serial_number(0x0123'4567'89ab'cdef);
  config.set_interrupt_pin(1);
  return config;
}

}  // namespace sample
