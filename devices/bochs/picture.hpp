// What a display shows, from its mode and its video memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/result.hpp"

namespace pcilens::bochs {

struct Mode {
  std::uint32_t width = 0, height = 0;  // of the picture, pixels
  std::uint32_t bits = 0;               // of a pixel; 32 is the one that can be shown
  std::uint32_t line = 0;               // pixels from one line to the next
  std::uint32_t x = 0, y = 0;           // the first pixel shown
  bool big_endian = false;              // a pixel is XRGB in memory, else BGRX
};

// Why nothing can be shown, of `memory` bytes; nothing if it can.
std::optional<std::string> fault_of(const Mode& mode, std::uint64_t memory);

// Writes it as a binary PPM, 24 bits a pixel. Who reads the file sees a whole picture at any time:
// it is written beside and moved there. A mode that cannot be shown leaves the last picture.
Result<void> save_picture(const std::string& path, const Mode& mode,
                          std::span<const std::byte> memory);

}  // namespace pcilens::bochs
