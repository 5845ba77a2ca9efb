// The registers of QEMU's edu device, as its documentation has them (QEMU, docs/specs/edu.rst).
#pragma once

#include "core/registers/register.hpp"

namespace pcilens::edu {

inline constexpr EnumValue kDirections[] = {
    {0, "TO_DEVICE", "from host memory to the buffer"},
    {1, "TO_HOST", "from the buffer to host memory"},
};

inline constexpr Field kIdFields[] = {
    {.name = "MAJOR", .high = 31, .low = 24, .access = Access::RO, .doc = "major version"},
    {.name = "MINOR", .high = 23, .low = 16, .access = Access::RO, .doc = "minor version"},
    {.name = "MAGIC", .high = 7, .low = 0, .access = Access::RO, .doc = "always 0xed"},
};
inline constexpr Register kId{.name = "ID",
                              .offset = 0x00,
                              .width = 4,
                              .reset = 0x010000ed,
                              .access = Access::Reserved,
                              .fields = kIdFields,
                              .doc = "identification: 0xRRrr00ed",
                              .spec = "edu, MMIO area 0x00"};

inline constexpr Register kLiveness{
    .name = "LIVENESS",
    .offset = 0x04,
    .width = 4,
    .access = Access::RW,
    .doc = "card liveness check: reads back the inverse of what was written",
    .spec = "edu, MMIO area 0x04"};

inline constexpr Register kFactorial{.name = "FACTORIAL",
                                     .offset = 0x08,
                                     .width = 4,
                                     .access = Access::RW,
                                     .doc = "write n, wait until STATUS.COMPUTING is 0, read n!",
                                     .spec = "edu, MMIO area 0x08"};

inline constexpr Field kStatusFields[] = {
    {.name = "COMPUTING",
     .high = 0,
     .low = 0,
     .access = Access::RO,
     .doc = "the factorial is being computed"},
    {.name = "IRQ",
     .high = 7,
     .low = 7,
     .access = Access::RW,
     .doc = "raise an interrupt when the factorial is ready"},
};
inline constexpr Register kStatus{.name = "STATUS",
                                  .offset = 0x20,
                                  .width = 4,
                                  .access = Access::Reserved,
                                  .fields = kStatusFields,
                                  .doc = "of the factorial",
                                  .spec = "edu, MMIO area 0x20"};

inline constexpr Field kIrqFields[] = {
    {.name = "FACTORIAL", .high = 0, .low = 0, .access = Access::RO, .doc = "a factorial is ready"},
    {.name = "DMA", .high = 8, .low = 8, .access = Access::RO, .doc = "a DMA has finished"},
};
inline constexpr Register kIrqStatus{.name = "IRQ_STATUS",
                                     .offset = 0x24,
                                     .width = 4,
                                     .access = Access::RO,
                                     .fields = kIrqFields,
                                     .doc = "what raised the interrupt; IRQ_ACK clears bits",
                                     .spec = "edu, MMIO area 0x24"};

inline constexpr Register kIrqRaise{.name = "IRQ_RAISE",
                                    .offset = 0x60,
                                    .width = 4,
                                    .access = Access::WO,
                                    .doc = "raise an interrupt: the value is ORed into IRQ_STATUS",
                                    .spec = "edu, MMIO area 0x60"};

inline constexpr Register kIrqAck{.name = "IRQ_ACK",
                                  .offset = 0x64,
                                  .width = 4,
                                  .access = Access::WO,
                                  .doc = "clear these bits of IRQ_STATUS",
                                  .spec = "edu, MMIO area 0x64"};

inline constexpr Register kDmaSource{.name = "DMA_SRC",
                                     .offset = 0x80,
                                     .width = 8,
                                     .access = Access::RW,
                                     .doc = "where the DMA reads: IOVA or buffer address",
                                     .spec = "edu, MMIO area 0x80"};

inline constexpr Register kDmaDestination{.name = "DMA_DST",
                                          .offset = 0x88,
                                          .width = 8,
                                          .access = Access::RW,
                                          .doc = "where the DMA writes: IOVA or buffer address",
                                          .spec = "edu, MMIO area 0x88"};

inline constexpr Register kDmaCount{.name = "DMA_COUNT",
                                    .offset = 0x90,
                                    .width = 8,
                                    .access = Access::RW,
                                    .doc = "bytes to transfer, 1 to 4096",
                                    .spec = "edu, MMIO area 0x90"};

inline constexpr Field kDmaCommandFields[] = {
    {.name = "START",
     .high = 0,
     .low = 0,
     .access = Access::RW,
     .doc = "start the transfer; reads 1 until it has finished"},
    {.name = "DIR",
     .high = 1,
     .low = 1,
     .access = Access::RW,
     .doc = "direction",
     .values = kDirections},
    {.name = "IRQ",
     .high = 2,
     .low = 2,
     .access = Access::RW,
     .doc = "raise an interrupt when it has finished"},
};
inline constexpr Register kDmaCommand{.name = "DMA_CMD",
                                      .offset = 0x98,
                                      .width = 8,
                                      .access = Access::Reserved,
                                      .fields = kDmaCommandFields,
                                      .doc = "starts and controls the transfer",
                                      .spec = "edu, MMIO area 0x98"};

inline constexpr MemoryRegion kBuffer{.name = "BUFFER",
                                      .offset = 0x40000,
                                      .size = 4096,
                                      .doc = "the device's own memory: reached by DMA only"};

// Bits of IRQ_STATUS.
inline constexpr std::uint32_t kFactorialReady = 0x001;
inline constexpr std::uint32_t kDmaFinished = 0x100;

inline constexpr const Register* kRegisters[] = {
    &kId,     &kLiveness,  &kFactorial,      &kStatus,   &kIrqStatus, &kIrqRaise,
    &kIrqAck, &kDmaSource, &kDmaDestination, &kDmaCount, &kDmaCommand};
inline constexpr const MemoryRegion* kRegions[] = {&kBuffer};

inline constexpr RegisterMap kMap{
    .name = "edu", .bar = 0, .size = 0x100000, .registers = kRegisters, .regions = kRegions};
static_assert(well_formed(kMap));

}  // namespace pcilens::edu
