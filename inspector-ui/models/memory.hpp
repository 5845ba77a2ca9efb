// Host memory as the Memory panel shows it: bytes in hex, or the entries of a queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/registers/structure.hpp"
#include "core/target/target.hpp"

namespace pcilens::gui {

inline constexpr std::uint64_t kHexRow = 16;  // bytes

struct HexRow {
  std::string address;  // "0x00100040"
  std::string bytes;    // "00 11 .. 77  88 .. ff"
  std::string text;     // printable ASCII, else '.'
};
// The row at `address`; `bytes` are up to 16 from there.
HexRow hex_row(std::uint64_t address, std::span<const std::byte> bytes);

struct MemberRow {
  std::string name, offset, value, meaning, doc;
};
// Every member of a structure in `bytes`; those that do not fit into `bytes` are left out.
std::vector<MemberRow> member_rows(const Structure& structure, std::span<const std::byte> bytes);
// "OPC=6 CID=3 NSID=1": members that are not 0; "all 0" for none.
std::string entry_line(const Structure& structure, std::span<const std::byte> bytes);

// The structures that a function declares, over all of its BARs.
std::vector<const Structure*> structures_of(const Snapshot& snapshot, std::uint8_t function);
// Which of them DMA of `size` bytes carries, if exactly one has that size; null otherwise.
const Structure* structure_of_size(const std::vector<const Structure*>& structures,
                                   std::uint64_t size);

// "Mapped to the device at #8, 4.034 ms, by edu_probe".
std::string mapped_text(const DmaMapping& mapping);
// "edu0  0x00100000  4.0 KiB".
std::string size_text(std::uint64_t bytes);

}  // namespace pcilens::gui
