// What the monitor at this display says of itself: one 128-byte block (VESA E-EDID 1.4, 3).
#pragma once

#include <array>
#include <cstdint>

namespace pcilens::bochs {

// The block's bytes as little-endian dwords. `index` 0..31.
std::uint32_t edid_dword(std::uint32_t index);

}  // namespace pcilens::bochs
