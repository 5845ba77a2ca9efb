// Reads CMSIS-SVD (Arm's XML description of a chip's registers, CMSIS 5 "SVD File Format") into
// register maps: one map a peripheral. Peripherals, clusters, registers, fields, arrays (dim),
// derivedFrom, enumerated values, reset values and access types come over; what a register map
// cannot say is left out or simplified, with a note.
//
// The file may be hostile: it is read within fixed limits of size, depth and count, and refused
// with its line and the reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/registers/owned_map.hpp"
#include "core/result.hpp"

namespace pcilens {

struct SvdPeripheral {
  std::string name;
  std::string doc;
  std::uint64_t base_address = 0;  // where the chip has it; offsets in the map count from it
  std::shared_ptr<const OwnedRegisterMap> map;  // bar 0; size: the next power of two
};

struct SvdDevice {
  std::string name;
  std::string doc;
  std::vector<SvdPeripheral> peripherals;
  std::vector<std::string> notes;  // "uart.svd:12: UART.IIR: ..."; what came over changed, or not
};

// `source` stands before the line in errors and notes: usually the file's name.
Result<SvdDevice> read_svd(std::string_view xml, std::string_view source);
Result<SvdDevice> read_svd_file(const std::filesystem::path& file);

}  // namespace pcilens
