// From a place in a BAR to the register that lies there, and from a name to the register.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/registers/register.hpp"

namespace pcilens {

// One element of a register: index is 0 for a plain one.
struct RegisterRef {
  const Register* reg = nullptr;
  std::uint32_t index = 0;

  std::uint64_t offset() const { return reg->offset_of(index); }
  explicit operator bool() const { return reg != nullptr; }
  bool operator==(const RegisterRef&) const = default;
};

// "CSTS", "GPR[3]", "SQ[3].TDBL".
std::string name_of(const RegisterRef& ref);

// Answers in constant time for the registers of one map. Keeps a pointer to the map.
class RegisterLookup {
 public:
  explicit RegisterLookup(const RegisterMap& map);

  const RegisterMap& map() const { return *map_; }
  // The register that holds the byte at `offset`, if any.
  RegisterRef at(std::uint64_t offset) const;
  // Every register that an access of `size` bytes at `offset` touches, in order.
  std::vector<RegisterRef> covering(std::uint64_t offset, std::uint32_t size) const;
  // By name, with an index for an array ("GPR[3]"); nothing if there is none or it is out of range.
  std::optional<RegisterRef> find(std::string_view name) const;
  const MemoryRegion* region_at(std::uint64_t offset) const;

 private:
  const RegisterMap* map_;
  std::vector<std::uint32_t> order_;  // indices of map_->registers, by offset
};

}  // namespace pcilens
