// The registers of QEMU's bochs-display (docs/specs/standard-vga.rst: "MMIO bar") and its video
// memory: what Linux's bochs.ko drives.
#pragma once

#include "core/registers/register.hpp"

namespace pcilens::bochs {

// Names after Bochs' DISPI interface: 16-bit registers, number N at 0x500 + 2 N.
constexpr Register dispi(unsigned number, std::string_view name, std::string_view doc,
                         Access access = Access::RW) {
  return {.name = name,
          .offset = 0x500 + 2 * number,
          .width = 2,
          .access = access,
          .doc = doc,
          .spec = "standard-vga, MMIO 0x500"};
}

inline constexpr Register kEdid{.name = "EDID",
                                .offset = 0x000,
                                .width = 4,
                                .access = Access::RO,
                                .doc = "what the monitor can show (VESA E-EDID 1.4)",
                                .spec = "standard-vga, MMIO 0x000",
                                .count = 32,
                                .stride = 4};

inline constexpr Register kId = dispi(0, "ID", "0xb0c0 and the interface's version", Access::RO);
inline constexpr Register kXres = dispi(1, "XRES", "width of the picture, pixels");
inline constexpr Register kYres = dispi(2, "YRES", "height of the picture, pixels");
inline constexpr Register kBpp = dispi(3, "BPP", "bits of a pixel; only 32 is shown");

inline constexpr Field kEnableFields[] = {
    {.name = "ENABLED", .high = 0, .low = 0, .access = Access::RW, .doc = "the picture is shown"},
    {.name = "GETCAPS", .high = 1, .low = 1, .access = Access::RW, .doc = "of no effect here"},
    {.name = "DAC8", .high = 5, .low = 5, .access = Access::RW, .doc = "of no effect here"},
    {.name = "LFB",
     .high = 6,
     .low = 6,
     .access = Access::RW,
     .doc = "of no effect: always linear"},
    {.name = "NOCLEAR", .high = 7, .low = 7, .access = Access::RW, .doc = "of no effect here"},
};
inline constexpr Register kEnable{.name = "ENABLE",
                                  .offset = 0x508,
                                  .width = 2,
                                  .access = Access::Reserved,
                                  .fields = kEnableFields,
                                  .doc = "switches the picture on and off",
                                  .spec = "standard-vga, MMIO 0x500"};
inline constexpr Register kBank = dispi(5, "BANK", "of no effect: all memory is mapped");
inline constexpr Register kVirtWidth =
    dispi(6, "VIRT_WIDTH", "pixels from one line to the next; below XRES: XRES");
inline constexpr Register kVirtHeight = dispi(7, "VIRT_HEIGHT", "lines in memory");
inline constexpr Register kXoffset = dispi(8, "X_OFFSET", "first pixel shown of each line");
inline constexpr Register kYoffset = dispi(9, "Y_OFFSET", "first line shown");
inline constexpr Register kMemory64k =
    dispi(10, "VIDEO_MEMORY_64K", "size of the video memory, 65,536 bytes", Access::RO);

inline constexpr Register kExtensions{.name = "EXTENSIONS",
                                      .offset = 0x600,
                                      .width = 4,
                                      .reset = 8,
                                      .access = Access::RO,
                                      .doc = "bytes of QEMU's extension registers",
                                      .spec = "standard-vga, MMIO 0x600"};
inline constexpr EnumValue kByteOrders[] = {
    {.value = 0x1e1e1e1e, .name = "LITTLE", .doc = "blue is a pixel's first byte"},
    {.value = 0xbebebebe, .name = "BIG", .doc = "blue is a pixel's last byte"}};
inline constexpr Field kByteOrderFields[] = {{.name = "ORDER",
                                              .high = 31,
                                              .low = 0,
                                              .access = Access::RW,
                                              .doc = "byte order of a pixel",
                                              .values = kByteOrders}};
inline constexpr Register kByteOrder{.name = "BYTE_ORDER",
                                     .offset = 0x604,
                                     .width = 4,
                                     .reset = 0x1e1e1e1e,
                                     .access = Access::Reserved,
                                     .fields = kByteOrderFields,
                                     .doc = "byte order of the video memory",
                                     .spec = "standard-vga, MMIO 0x604"};

inline constexpr const Register* kRegisters[] = {
    &kEdid,      &kId,         &kXres,    &kYres,    &kBpp,       &kEnable,     &kBank,
    &kVirtWidth, &kVirtHeight, &kXoffset, &kYoffset, &kMemory64k, &kExtensions, &kByteOrder};
inline constexpr RegisterMap kMap{
    .name = "bochs", .bar = 2, .size = 0x1000, .registers = kRegisters};
static_assert(well_formed(kMap));

inline constexpr MemoryRegion kVideoMemory{.name = "VRAM",
                                           .offset = 0,
                                           .size = 16u << 20,
                                           .doc = "the picture, a pixel after the other",
                                           .direct = true};
inline constexpr const MemoryRegion* kRegions[] = {&kVideoMemory};
inline constexpr RegisterMap kVideoMemoryMap{
    .name = "bochs_memory", .bar = 0, .size = kVideoMemory.size, .regions = kRegions};
static_assert(well_formed(kVideoMemoryMap));

}  // namespace pcilens::bochs
