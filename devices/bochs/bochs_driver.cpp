// What a driver does with the display: it looks whether one is there, sets a mode and draws.
#include <string>

#include "core/host/sim/device.hpp"
#include "devices/bochs/bochs_registers.hpp"

namespace pcilens::bochs {
namespace {

constexpr std::uint32_t kWidth = 32, kHeight = 16;

// Red grows to the right, green downwards.
constexpr std::uint32_t colour(std::uint32_t x, std::uint32_t y) {
  return (x * 255 / (kWidth - 1)) << 16 | (y * 255 / (kHeight - 1)) << 8;
}

}  // namespace

Result<void> drive(sim::Device& device) {
  device.enable();
  sim::Mmio regs = device.map(2), memory = device.map(0);
  const std::uint64_t id = regs.read(kId);
  if ((id & 0xfff0) != 0xb0c0) return fail("bochs: ID is not 0xb0c.; this is no such display");
  const std::uint64_t bytes = regs.read(kMemory64k) << 16;
  if (bytes < std::uint64_t{kWidth} * kHeight * 4) return fail("bochs: too little video memory");
  regs.write(kEnable, 0);
  regs.write(kXres, kWidth);
  regs.write(kYres, kHeight);
  regs.write(kBpp, 32);
  regs.write(kVirtWidth, kWidth);
  regs.write(kVirtHeight, bytes / (kWidth * 4));
  regs.write(kXoffset, 0);
  regs.write(kYoffset, 0);
  regs.write(kEnable, kEnable["ENABLED"].field->mask() | kEnable["LFB"].field->mask());
  for (std::uint32_t y = 0; y < kHeight; ++y)
    for (std::uint32_t x = 0; x < kWidth; ++x)
      memory.write32(std::uint64_t{y * kWidth + x} * 4, colour(x, y));
  if (memory.read32((kWidth * kHeight - 1) * 4) != colour(kWidth - 1, kHeight - 1))
    return fail("bochs: the last pixel does not read back");
  device.log("a picture of " + std::to_string(kWidth) + " x " + std::to_string(kHeight));
  return {};
}

}  // namespace pcilens::bochs
