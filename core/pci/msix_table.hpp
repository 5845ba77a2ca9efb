// The MSI-X table and pending bits of one function (PCIe 5.0, 7.7.2), for hosts that do not keep
// them themselves: memory inside a BAR that the driver writes and the function looks up.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/pci/config_space.hpp"

namespace pcilens {

class MsixTable {
 public:
  explicit MsixTable(const ConfigSpace::MsixTable& where);

  // Whether any byte of the access lies in the table or in the pending bits.
  bool covers(std::int8_t bar, std::uint64_t offset, std::uint32_t size) const;
  std::uint64_t read(std::int8_t bar, std::uint64_t offset, std::uint32_t size) const;
  void write(std::int8_t bar, std::uint64_t offset, std::uint32_t size, std::uint64_t value);

  // Whether the message may go out now (a vector past the end: never); if not (masked, disabled)
  // its pending bit is set.
  bool raise(std::uint32_t vector, const ConfigSpace& config);
  // The vectors that are pending and no longer masked; their pending bits are cleared.
  std::vector<std::uint32_t> take_unmasked(const ConfigSpace& config);
  unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }
  std::uint64_t address(std::uint32_t vector) const;
  std::uint32_t data(std::uint32_t vector) const;
  void reset();

 private:
  struct Entry {
    std::uint32_t word[4] = {0, 0, 0, 1};  // address low, high, data, vector control (masked)
    bool pending = false;
  };
  ConfigSpace::MsixTable where_;
  std::vector<Entry> entries_;
};

}  // namespace pcilens
