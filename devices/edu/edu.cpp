// A teaching device, register-compatible with QEMU's edu: it computes factorials, raises interrupts
// and copies by DMA. Read it from top to bottom: it uses everything that a device model needs.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/function/device.hpp"
#include "devices/edu/edu_driver.hpp"
#include "devices/edu/edu_registers.hpp"

namespace pcilens::edu {
namespace {

using namespace std::chrono_literals;

constexpr Identity kIdentity{.vendor = 0x1234,
                             .device = 0x11e8,
                             .subsystem_vendor = 0x1af4,
                             .subsystem = 0x1100,
                             .class_code = 0x00ff00,
                             .revision = 0x10};

// BAR0 holds the registers, BAR2 the MSI-X table: QEMU's edu has MSI only, so its place is free.
constexpr std::array kBars = {Bar{.index = 0, .size = 0x100000}, Bar{.index = 2, .size = 0x1000}};
constexpr std::uint32_t kPendingBits = 0x800;

ConfigSpace config_space() {
  ConfigSpace config(kIdentity, kBars);
  config.add_power_management();
  config.add_msi(1);
  config.add_msix(1, 2, 0, 2, kPendingBits);
  config.add_pcie_endpoint();
  config.add_serial_number(0xed);
  config.set_interrupt_pin(1);
  return config;
}

constexpr const RegisterMap* kMaps[] = {&kMap};

class Edu final : public Function {
 public:
  explicit Edu(std::chrono::nanoseconds factorial_time, std::chrono::nanoseconds dma_time)
      : Function(config_space(), kMaps), factorial_time_(factorial_time), dma_time_(dma_time) {
    RegisterBank& regs = bank(0);
    regs.on_write(kLiveness, [&](const RegisterWrite& w) {
      regs.set(kLiveness, ~w.written & kLiveness.mask());
    });
    regs.on_write(kFactorial, [&](const RegisterWrite& w) {
      if (regs.get(kStatus["COMPUTING"])) return regs.set(kFactorial, w.before);  // ignored
      regs.set(kStatus["COMPUTING"], 1);
      start(compute_factorial(static_cast<std::uint32_t>(w.written)));
    });
    regs.on_write(kIrqRaise,
                  [this](const RegisterWrite& w) { raise(static_cast<std::uint32_t>(w.written)); });
    regs.on_write(kIrqAck, [&](const RegisterWrite& w) {
      regs.set(kIrqStatus, regs.get(kIrqStatus) & ~w.written);
      if (regs.get(kIrqStatus) == 0) intx(false);
    });
    regs.on_write(kDmaCommand, [&](const RegisterWrite& w) {
      const bool was_running = kDmaCommandFields[0].extract(w.before) != 0;
      if (was_running || regs.get(kDmaCommand["START"]) == 0) return;
      start(transfer());
    });
  }

 private:
  void raise(std::uint32_t bits) {
    RegisterBank& regs = bank(0);
    regs.set(kIrqStatus, regs.get(kIrqStatus) | bits);
    if (regs.get(kIrqStatus) == 0) return;
    interrupt(0);
    intx(true);
  }

  Task<> compute_factorial(std::uint32_t n) {
    co_await delay(factorial_time_);
    std::uint32_t product = 1;  // as in QEMU: 32 bits, wrapping
    // From 34! on the product is 0 modulo 2^32, whatever n is.
    for (std::uint32_t i = n; i > 0 && product != 0; --i) product *= i;
    RegisterBank& regs = bank(0);
    regs.set(kFactorial, product);
    regs.set(kStatus["COMPUTING"], 0);
    if (regs.get(kStatus["IRQ"])) raise(kFactorialReady);
  }

  Task<> transfer() {
    co_await delay(dma_time_);
    RegisterBank& regs = bank(0);
    const bool to_host = regs.get(kDmaCommand["DIR"]) != 0;
    const std::uint64_t source = regs.get(kDmaSource), destination = regs.get(kDmaDestination);
    const std::uint64_t count = regs.get(kDmaCount);
    const auto in_buffer = device_memory(to_host ? source : destination, count);
    if (in_buffer.empty())
      note("DMA outside the buffer at 0x40000..0x40fff: nothing is moved");
    else if (const Status status = to_host ? co_await dma_write(destination, in_buffer)
                                           : co_await dma_read(source, in_buffer);
             status != Status::SC)
      note("DMA failed: nothing answers at this IOVA, or bus mastering is off");
    regs.set(kDmaCommand["START"], 0);
    if (regs.get(kDmaCommand["IRQ"])) raise(kDmaFinished);
  }

  // The part of the buffer that a transfer names; empty if it leaves the buffer.
  std::span<std::byte> device_memory(std::uint64_t address, std::uint64_t count) {
    const std::span<std::byte> buffer = bank(0).memory(kBuffer);
    if (address < kBuffer.offset || count == 0 || count > buffer.size()) return {};
    const std::uint64_t from = address - kBuffer.offset;
    if (from > buffer.size() - count) return {};
    return buffer.subspan(from, count);
  }

  void on_reset(ResetKind) override { std::ranges::fill(bank(0).memory(kBuffer), std::byte{0}); }

  std::chrono::nanoseconds factorial_time_, dma_time_;
};

constexpr OptionDescription kOptions[] = {
    {"factorial_us", "10", "time that a factorial takes, in microseconds, 0 to 10000000"},
    {"dma_us", "100", "time before a DMA moves its bytes, in microseconds, 0 to 10000000"},
};

Result<std::unique_ptr<Function>> create(const DeviceOptions& options) {
  std::chrono::microseconds factorial{10}, dma{100};
  for (const DeviceOption& option : options) {
    std::int64_t us = -1;
    const auto* end = option.value.data() + option.value.size();
    const auto parsed = std::from_chars(option.value.data(), end, us);
    if (parsed.ptr != end || us < 0 || us > 10'000'000)
      return fail("edu: option " + option.name + "=" + option.value +
                  " is not a number of microseconds from 0 to 10000000");
    if (option.name == kOptions[0].name)
      factorial = std::chrono::microseconds(us);
    else if (option.name == kOptions[1].name)
      dma = std::chrono::microseconds(us);
    else
      return fail("edu: there is no option " + option.name + "; there are factorial_us and dma_us");
  }
  return std::make_unique<Edu>(factorial, dma);
}

PCILENS_DEVICE(Device{
    .name = "edu",
    .summary = "QEMU's teaching device: factorials, interrupts, DMA",
    .options = kOptions,
    .create = &create,
    .drive = &drive,
})

}  // namespace
}  // namespace pcilens::edu
