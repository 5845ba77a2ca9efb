// A device for tests/vm/rates_test.sh: what is added to it is given out once, by the read that
// clears it.
#include "core/function/device.hpp"

namespace {

using namespace pcilens;

constexpr Register kAdd{
    .name = "ADD", .offset = 0x0, .width = 4, .access = Access::WO, .doc = "adds to COUNT"};
constexpr Register kCount{.name = "COUNT",
                          .offset = 0x4,
                          .width = 4,
                          .access = Access::RC,
                          .doc = "what was added since the last read of it"};
constexpr const Register* kRegisters[] = {&kAdd, &kCount};
constexpr RegisterMap kMap{.name = "counter", .bar = 0, .size = 4096, .registers = kRegisters};
static_assert(well_formed(kMap));
constexpr const RegisterMap* kMaps[] = {&kMap};
constexpr Bar kBars[] = {Bar{.index = 0, .size = 4096}};

class Counter final : public Function {
 public:
  Counter() : Function(ConfigSpace({.vendor = 0x1234, .device = 0x11e9}, kBars), kMaps) {
    bank(0).on_write(kAdd, [this](const RegisterWrite& w) {
      bank(0).set(kCount, bank(0).get(kCount) + w.written);
    });
  }
};

Result<std::unique_ptr<Function>> create(const DeviceOptions&) {
  return std::make_unique<Counter>();
}

PCILENS_DEVICE(Device{
    .name = "counter", .summary = "counts, and clears when read", .create = &create})

}  // namespace
