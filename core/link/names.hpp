// The names that a person may use on one link: its functions and their registers. Expressions,
// decode and completion look here; it is built from live functions or from a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/link/transaction.hpp"
#include "core/pci/config_space.hpp"
#include "core/registers/lookup.hpp"

namespace pcilens {

// The registers of one function's config space by name and by offset, with the values that they had
// when the function appeared.
class ConfigNames {
 public:
  // `image`: the first 4096 bytes of config space, or none: then the standard header has names
  // (PCIe 5.0, 7.5.1), capabilities have not, and no first value is known.
  explicit ConfigNames(std::span<const std::byte> image = {});
  // The one without an image.
  static const ConfigNames& standard_header();

  const std::vector<ConfigItem>& items() const { return items_; }  // by offset
  // The item that holds the byte at `offset`, or null.
  const ConfigItem* at(std::uint64_t offset) const;
  const ConfigItem* find(std::string_view name) const;
  // Its value when the function appeared; nothing without an image.
  std::optional<std::uint64_t> first_value(std::uint64_t offset, std::uint32_t size) const;
  // Whether that byte of a BAR lies in the MSI-X table or in its pending bits.
  bool msix_at(std::int8_t bar, std::uint64_t offset) const;
  // Whether it is a config write that starts a function level reset (PCIe 5.0, 7.5.3.4).
  bool starts_flr(const Transaction& t) const;

 private:
  std::vector<ConfigItem> items_;
  std::vector<std::byte> image_;
  std::uint64_t flr_at_ = 0;  // the byte whose highest bit starts one; 0: there is none
  struct Part {               // of a BAR
    std::int8_t bar;
    std::uint64_t begin, end;  // bytes
  };
  std::vector<Part> msix_;
};

// What keeps an access from any effect.
enum class Ignored : std::uint8_t {
  No,          // nothing
  ReadOnly,    // a write of registers in which no write can change a bit
  WriteOnly,   // a read of registers in which only writes reach one
  Reserved,    // either, where all bits are reserved
  NoRegister,  // of bytes at which there is neither a register nor memory
};
// "read-only" "write-only" "reserved" "no register"; empty for No.
std::string_view in_words(Ignored ignored);

struct FunctionNames {
  std::string instance;  // "edu0": device name and a number
  std::string bdf;       // "00:01.0"
  std::vector<std::shared_ptr<const RegisterLookup>>
      bars;  // those that have a map; maps outlive it
  // Made from the config image that the function had when it appeared. Null: the standard header.
  std::shared_ptr<const ConfigNames> config = nullptr;
};

class Names {
 public:
  std::vector<FunctionNames> functions;  // by Transaction::function
  std::shared_ptr<const void> keeps;     // whatever owns the maps, when they are not static

  // Null where that BAR has no map.
  const RegisterLookup* bar(std::uint8_t function, std::int8_t bar) const;
  // Never null: the standard header where nothing better is known.
  const ConfigNames& config(std::uint8_t function) const;
  // The register that a memory access (or a State or Force record of one) touches first; none for
  // other kinds.
  RegisterRef at(const Transaction& t) const;
  // Of a memory access by the register map alone, whatever its value. Nothing of other kinds, and
  // where a BAR has no register map.
  std::optional<Ignored> ignored(const Transaction& t) const;
  // As begins_anew(), and also by a driver that writes a function level reset.
  bool resets(const Transaction& t) const {
    return begins_anew(t) || (t.kind == Kind::CfgWrite && config(t.function).starts_flr(t));
  }
  // How every screen writes the place of a transaction; with several functions the instance stands
  // before it ("edu0:CSTS").
  //   a register "CSTS", "SQ[3].TDBL"; two of them "INTMS+INTMC", more "INTMS..CC"; from its third
  //   byte on "CC+2"; a memory region "BUFFER+0x10"; any other byte "BAR0+0x40"
  //   config space "COMMAND", "config+0x40"; an interrupt "vector 3", "INTx"; DMA "IOVA 0x1000"
  //   "timer 2", "input 1", "FLR"; empty where there is no place
  std::string place(const Transaction& t) const;
  // "EN=1 IOSQES=6": the fields of a register's value, the enum name where there is one. A register
  // without fields gives its value, "0x1f"; reserved fields show only when they are not 0.
  static std::string decode(const Register& r, std::uint64_t value);
  static std::string decode(std::span<const Field> fields, std::uint64_t value);
  // The fields that an access carries whole: of "CAP+4" those of the upper half. Empty where it
  // reaches past the register, and of a register without fields.
  std::string decode(const Transaction& t) const;
};

}  // namespace pcilens
