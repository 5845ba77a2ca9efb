// From a place in a BAR to the register that lies there, and from a name to the register.
#pragma once

#include <cstddef>
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
  friend class RegisterBank;
  static constexpr std::uint32_t kNone = ~0u, kMixed = ~0u - 1;

  // The place in map().registers of the register that holds the byte at `offset`, and the element;
  // kNone if there is none. The bank keeps its slots in the same order.
  struct Place {
    std::uint32_t reg = kNone;
    std::uint32_t index = 0;
  };
  Place place_of(std::uint64_t offset) const {
    const std::uint64_t dword = offset >> 2;
    if (dword >= dwords_.size()) return search(offset);
    const std::uint32_t found = dwords_[dword];
    if (found == kNone) return {};
    return found == kMixed ? search(offset) : element(found, offset);
  }
  Place element(std::uint32_t reg, std::uint64_t offset) const {
    const Register& r = *map_->registers[reg];
    std::uint64_t rest = offset - r.offset;
    if (rest < r.width) return {reg, 0};
    if (r.count <= 1 || offset < r.offset || offset >= r.end()) return {};
    // The narrow division is several times faster on older processors.
    const std::uint64_t index =
        rest >> 32 ? rest / r.stride : static_cast<std::uint32_t>(rest) / r.stride;
    rest -= index * r.stride;
    if (rest >= r.width) return {};
    return {reg, static_cast<std::uint32_t>(index)};
  }
  Place search(std::uint64_t offset) const;

  const RegisterMap* map_;
  std::vector<std::uint32_t> order_;   // indices of map_->registers, by offset
  std::vector<std::uint64_t> ends_;    // parallel to order_: highest end() so far
  std::vector<std::uint32_t> dwords_;  // who holds each dword of the BAR's first part
};

}  // namespace pcilens
