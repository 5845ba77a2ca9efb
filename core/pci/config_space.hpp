// Type 0 configuration space (PCIe 5.0, 7.5): 4096 bytes with the rules of each bit, built by
// adding capabilities, and read and written as a driver does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/registers/register.hpp"

namespace pcilens {

inline constexpr std::uint32_t kConfigSize = 4096;

struct Bar {
  std::uint8_t index = 0;  // 0..5; a 64-bit BAR takes index and index + 1
  std::uint64_t size = 0;  // bytes, a power of two, 16 at least; 0: no BAR
  bool is_64bit = false;
  bool prefetchable = false;
};

// What identifies a function; PCI Code and ID Assignment gives the class codes.
struct Identity {
  std::uint16_t vendor = 0xffff;
  std::uint16_t device = 0xffff;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem = 0;
  std::uint32_t class_code = 0xff0000;  // base, sub, interface: 24 bits
  std::uint8_t revision = 0;
};

// Offsets of what every function has (PCIe 5.0, 7.5.1).
namespace cfg {
inline constexpr std::uint16_t kVendor = 0x00, kDevice = 0x02, kCommand = 0x04, kStatus = 0x06,
                               kRevision = 0x08, kClass = 0x09, kCacheLine = 0x0c,
                               kHeaderType = 0x0e, kBar0 = 0x10, kSubsystemVendor = 0x2c,
                               kSubsystem = 0x2e, kRom = 0x30, kCapabilities = 0x34,
                               kInterruptLine = 0x3c, kInterruptPin = 0x3d;
inline constexpr std::uint16_t kCommandIo = 1 << 0, kCommandMemory = 1 << 1,
                               kCommandMaster = 1 << 2, kCommandIntxDisable = 1 << 10;
}  // namespace cfg

class ConfigSpace {
 public:
  ConfigSpace(const Identity& identity, std::span<const Bar> bars);

  // Capabilities, in the order in which they shall be linked. Each returns its offset; a bad
  // argument or no room is a programmer's error (std::logic_error).
  std::uint16_t add_power_management();  // PCIe 5.0, 7.5.2
  // vectors: 1, 2, 4, 8, 16 or 32
  std::uint16_t add_msi(unsigned vectors, bool address64 = true,
                        bool per_vector_mask = true);  // 7.7.1
  // vectors: 1..2048; offsets: multiples of 8, table and PBA inside their BARs
  std::uint16_t add_msix(unsigned vectors, std::uint8_t table_bar, std::uint32_t table_offset,
                         std::uint8_t pba_bar, std::uint32_t pba_offset);  // 7.7.2
  std::uint16_t add_pcie_endpoint(bool flr = true);                        // 7.5.3
  // body: what follows id, next pointer and length; up to 189 bytes
  std::uint16_t add_vendor(std::span<const std::byte> body, bool writable = false);  // 7.9.4
  std::uint16_t add_serial_number(std::uint64_t dsn);  // 7.9.3, extended
  void set_interrupt_pin(std::uint8_t pin);            // 1: INTA .. 4: INTD; 0: none

  // As a driver: size 1, 2 or 4 aligned to itself, offset below 4096.
  std::uint32_t read(std::uint16_t offset, std::uint32_t size) const;
  // Applies write masks and W1C; returns what changed, for the function to act on.
  struct Change {
    std::uint16_t command_before = 0, command_after = 0;
    bool bars = false;         // a BAR's address or COMMAND.MEM changed
    bool flr = false;          // PCIe device control, initiate function level reset was written
    bool interrupts = false;   // MSI or MSI-X control or message changed
    bool power_state = false;  // PMCSR D-state changed
  };
  Change write(std::uint16_t offset, std::uint32_t size, std::uint32_t value);

  // Function level reset or conventional reset: what the specification says survives, survives.
  void reset(bool flr);

  // The function's own side, past the write masks: state, which a reset takes back.
  void set(std::uint16_t offset, std::uint32_t size, std::uint32_t value);
  // The same for what is fixed while the function is made (HwInit, PCIe 5.0, 7.4): also the value
  // after every reset.
  void set_initial(std::uint16_t offset, std::uint32_t size, std::uint32_t value);

  std::span<const std::byte, kConfigSize> bytes() const;
  std::span<const std::byte, kConfigSize> write_mask() const;  // 1: the driver may write this bit
  std::span<const std::byte, kConfigSize> w1c_mask() const;    // 1: writing 1 clears this bit

  const std::vector<Bar>& bars() const { return bars_; }
  std::uint64_t bar_address(std::uint8_t index) const;  // 0 while unassigned
  // COMMAND.MEM and COMMAND.BME, as far as the power state lets them act: outside D0 a function
  // answers no memory request and sends none (7.5.2.2).
  bool memory_enabled() const;
  bool bus_master() const;
  bool intx_disabled() const;
  unsigned power_state() const;  // 0: D0 .. 3: D3hot
  std::optional<std::uint16_t> find_capability(std::uint8_t id) const;
  std::optional<std::uint16_t> find_extended(std::uint16_t id) const;

  // MSI and MSI-X as the driver set them up.
  struct Msi {
    bool enabled;
    unsigned vectors_enabled;
    std::uint64_t address;
    std::uint16_t data;
    std::uint32_t mask;
  };
  std::optional<Msi> msi() const;
  struct MsixTable {
    bool enabled;
    bool function_mask;
    unsigned vectors;
    std::uint8_t table_bar;
    std::uint32_t table_offset;
    std::uint8_t pba_bar;
    std::uint32_t pba_offset;
  };
  std::optional<MsixTable> msix() const;

 private:
  std::uint16_t add_capability(std::uint8_t id, std::uint16_t size);
  std::uint16_t add_extended(std::uint16_t id, std::uint8_t version, std::uint16_t size);

  // Sets initial value and rules of `size` bytes at once.
  struct Rules {
    std::uint32_t value = 0, writable = 0, w1c = 0;
    std::uint32_t sticky = 0;    // survives every reset but power loss
    std::uint32_t flr_keep = 0;  // survives FLR alone (PCIe 5.0, 6.6.2)
  };
  void define(std::uint32_t offset, std::uint32_t size, const Rules& rules);
  std::uint32_t load(std::uint32_t offset, std::uint32_t size) const;

  std::array<std::byte, kConfigSize> bytes_{}, reset_{}, write_mask_{}, w1c_mask_{}, sticky_{},
      flr_keep_{};
  std::vector<Bar> bars_;
  std::uint16_t last_capability_ = 0, next_free_ = 0x40;
  std::uint16_t last_extended_ = 0, next_extended_ = 0x100;
  std::uint16_t pm_ = 0, pcie_ = 0, msi_ = 0, msix_ = 0;  // where these lie; 0: not there
};

// A hex dump as `lspci -xxxx` prints it and `lspci -F` reads it; `bdf` such as "00:04.0".
std::string lspci_dump(std::span<const std::byte> config, std::string_view bdf);

// Names and fields of config space as a register map would have them, for decode and screens: the
// header, then each capability found in these bytes, by offset. Of a capability without a table
// here only its ID and next pointer. A pointer that loops or leads outside ends the walk.
struct ConfigItem {
  std::uint16_t offset;
  std::uint8_t width;             // bytes
  std::string name;               // "COMMAND", "MSIX.CTRL"
  std::span<const Field> fields;  // static
  std::string capability;         // "header", "PM", "MSI-X", ...
  std::string_view doc, spec;     // static
};
std::vector<ConfigItem> describe_config(std::span<const std::byte> config);

}  // namespace pcilens
