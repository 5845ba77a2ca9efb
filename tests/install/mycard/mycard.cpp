// A device outside the tree: a counter that its example driver reads back.
#include <core/function/device.hpp>
#include <core/host/sim/device.hpp>

namespace {

using namespace pcilens;

constexpr Register kCounter{
    .name = "COUNTER", .offset = 0x0, .width = 4, .reset = 41, .doc = "counts the writes to ADD"};
constexpr Register kAdd{
    .name = "ADD", .offset = 0x4, .width = 4, .access = Access::WO, .doc = "adds to COUNTER"};
constexpr const Register* kRegisters[] = {&kCounter, &kAdd};
constexpr RegisterMap kMap{.name = "mycard", .bar = 0, .size = 4096, .registers = kRegisters};
static_assert(well_formed(kMap));
constexpr const RegisterMap* kMaps[] = {&kMap};
constexpr Bar kBars[] = {Bar{.index = 0, .size = 4096}};

class MyCard final : public Function {
 public:
  MyCard() : Function(ConfigSpace({.vendor = 0x1234, .device = 0x0001}, kBars), kMaps) {
    bank(0).on_write(kAdd, [this](const RegisterWrite& w) {
      bank(0).set(kCounter, bank(0).get(kCounter) + w.written);
    });
  }
};

Result<std::unique_ptr<Function>> create(const DeviceOptions&) {
  return std::make_unique<MyCard>();
}

Result<void> drive(sim::Device& device) {
  device.enable();
  sim::Mmio regs = device.map(0);
  regs.write(kAdd, 1);
  const auto counted = regs.read(kCounter);
  device.log("COUNTER is " + std::to_string(counted));
  return {};
}

PCILENS_DEVICE(Device{.name = "mycard", .summary = "counts", .create = &create, .drive = &drive})

}  // namespace
