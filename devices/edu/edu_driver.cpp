// What a driver does with edu, from the first look at it to the last byte copied. Plain sequential
// code: each call is an access on the link, and a stop holds it right there.
#include "devices/edu/edu_driver.hpp"

#include <algorithm>
#include <string>

#include "devices/edu/edu_registers.hpp"

namespace pcilens::edu {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kTestPattern = 0x12345678;
constexpr std::uint64_t kPage = 4096;

Result<void> check_liveness(sim::Mmio& regs) {
  regs.write(kLiveness, kTestPattern);
  if (regs.read(kLiveness) != (~kTestPattern & kLiveness.mask()))
    return fail("edu: LIVENESS does not read back inverted; this is no working edu device");
  return {};
}

// Waits for the interrupt, looks why it came, and acknowledges it.
Result<void> await_interrupt(sim::Device& device, sim::Mmio& regs, std::uint32_t expected) {
  if (!device.wait_interrupt(0, 2000ms))
    return fail("edu: no interrupt came within 2 s; is it masked, or was it lost?");
  const auto why = static_cast<std::uint32_t>(regs.read(kIrqStatus));
  regs.write(kIrqAck, why);
  if ((why & expected) == 0)
    return fail("edu: the interrupt came for another reason than the one waited for");
  return {};
}

Result<void> compute_factorial(sim::Device& device, sim::Mmio& regs) {
  regs.write(kStatus, kStatus["IRQ"].field->mask());
  regs.write(kFactorial, 10);
  if (auto came = await_interrupt(device, regs, kFactorialReady); !came) return came;
  const std::uint64_t result = regs.read(kFactorial);
  device.log("10! = " + std::to_string(result));
  if (result != 3628800) return fail("edu: 10! came out wrong");
  return {};
}

Result<void> copy_once(sim::Device& device, sim::Mmio& regs, std::uint64_t source,
                       std::uint64_t destination, bool to_host) {
  regs.write(kDmaSource, source);
  regs.write(kDmaDestination, destination);
  regs.write(kDmaCount, kPage);
  const std::uint64_t direction = to_host ? kDmaCommand["DIR"].field->mask() : 0;
  regs.write(kDmaCommand,
             kDmaCommand["START"].field->mask() | direction | kDmaCommand["IRQ"].field->mask());
  return await_interrupt(device, regs, kDmaFinished);
}

Result<void> copy_there_and_back(sim::Device& device, sim::Mmio& regs) {
  // edu reaches 28 bits of address space.
  auto there = device.alloc_dma(kPage, DmaDirection::ToDevice, 28);
  if (!there) return tl::unexpected(there.error());
  auto back = device.alloc_dma(kPage, DmaDirection::FromDevice, 28);
  if (!back) return tl::unexpected(back.error());
  for (std::size_t i = 0; i < kPage; ++i) there->bytes()[i] = std::byte(i * 7 & 0xff);
  if (auto r = copy_once(device, regs, there->iova(), kBuffer.offset, false); !r) return r;
  if (auto r = copy_once(device, regs, kBuffer.offset, back->iova(), true); !r) return r;
  if (!std::ranges::equal(there->bytes(), back->bytes()))
    return fail("edu: the page that came back differs from the one that was sent");
  device.log("DMA: 4096 bytes to the device and back, equal");
  return {};
}

}  // namespace

Result<void> drive(sim::Device& device) {
  device.enable();
  sim::Mmio regs = device.map(0);
  const auto id = static_cast<std::uint32_t>(regs.read(kId));
  if (kIdFields[2].extract(id) != 0xed) return fail("edu: ID does not end in 0xed");
  device.log("edu version " + std::to_string(kIdFields[0].extract(id)) + "." +
             std::to_string(kIdFields[1].extract(id)));
  if (auto r = check_liveness(regs); !r) return r;
  if (auto vectors = device.enable_interrupts(1); !vectors) return tl::unexpected(vectors.error());
  if (auto r = compute_factorial(device, regs); !r) return r;
  return copy_there_and_back(device, regs);
}

}  // namespace pcilens::edu
