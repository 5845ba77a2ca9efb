// A function as a recording shows it bit by bit: ids, config space, BARs, MSI-X table. Importers
// keep these to tell which function and BAR an address belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/pci/config_space.hpp"
#include "core/trace/import.hpp"

namespace pcilens {

class ImportedFunction {
 public:
  struct Place {
    std::int8_t bar;
    std::uint64_t offset;
  };

  ImportedFunction(std::uint8_t id, std::string device, std::string instance, std::string bdf)
      : id_(id), device_(std::move(device)), instance_(std::move(instance)), bdf_(std::move(bdf)) {}

  std::uint8_t id() const { return id_; }
  const std::string& device() const { return device_; }
  const std::string& bdf() const { return bdf_; }

  // A config access as it went by. Sizing (PCIe 5.0, 7.5.1.2.1), moves and capabilities follow.
  void config_read(std::uint16_t offset, std::uint32_t size, std::uint32_t value);
  void config_write(std::uint16_t offset, std::uint32_t size, std::uint32_t value);
  // The width of the register that stands there, as far as alignment, value and what else was read
  // allow it: for recordings that do not tell the size of config accesses.
  std::uint32_t likely_size(std::uint16_t offset, std::uint32_t value, bool write);

  // A BAR known from elsewhere.
  void set_bar(unsigned index, std::uint64_t address, std::uint64_t size, std::uint32_t flags);
  void set_config(std::uint16_t offset, std::uint32_t size, std::uint32_t value);

  // Where an address of `size` bytes lies in this function's BARs.
  std::optional<Place> place_of(std::uint64_t address, std::uint32_t size) const;
  // To be told of each access inside a BAR: the MSI-X table lies there, and unsized BARs grow.
  void bar_access(const Place& place, std::uint32_t size, bool write, std::uint64_t value);
  // The vector whose MSI-X entry or MSI message this is.
  std::optional<std::uint32_t> vector_of(std::uint64_t address, std::uint32_t data) const;

  // The trace's description of it (record.hpp, BlobKind::Function).
  std::string json(const KnownDevice& known) const;
  std::uint32_t first(std::uint16_t offset, std::uint32_t size) const;  // of the first image

 private:
  struct Bar {
    std::uint64_t address = 0, size = 0, extent = 0;  // extent: as far as accesses went
    std::uint32_t flags = 0;                          // the low bits of the register
    std::uint32_t low_mask = 0, high_mask = ~0u;
    bool sizing = false, is_upper = false;
    bool is_io() const { return (flags & 1) != 0; }
    bool is_64bit() const { return !is_io() && (flags & 6) == 4; }
  };
  void bar_register(unsigned index, std::uint32_t value, bool write);
  void learn_size(unsigned index);
  std::uint32_t now(std::uint16_t offset, std::uint32_t size) const;
  std::optional<std::uint16_t> capability(std::uint8_t id) const;

  std::uint8_t id_;
  std::string device_, instance_, bdf_;
  std::array<std::uint8_t, kConfigSize> first_{}, now_{};
  std::array<bool, kConfigSize> seen_{};            // read once at least
  std::array<bool, kConfigSize> confirmed_{};       // read after it was last written
  std::array<std::uint8_t, kConfigSize> widths_{};  // of the register that begins there, or 0
  bool layout_changed_ = true;
  std::array<Bar, 6> bars_;
  std::map<std::uint32_t, std::array<std::uint32_t, 4>> msix_;  // vector -> entry
};

}  // namespace pcilens
