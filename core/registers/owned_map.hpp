// A register map with storage of its own: for maps that are read from a file (SVD, a trace) instead
// of declared. Everything in it lives as long as the OwnedRegisterMap.
//
//   RegisterMapBuilder builder;
//   builder.add(Register{.name = name, .offset = 4});        // copies the name too
//   auto map = builder.finish("uart", 0, 0x1000);            // sorted and checked
//   RegisterLookup lookup(**map);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "core/registers/map_check.hpp"
#include "core/registers/register.hpp"
#include "core/result.hpp"

namespace pcilens {

class OwnedRegisterMap {
 public:
  const RegisterMap& map() const { return map_; }
  operator const RegisterMap&() const { return map_; }

 private:
  friend class RegisterMapBuilder;
  OwnedRegisterMap() = default;

  std::unique_ptr<std::pmr::monotonic_buffer_resource> storage_;
  RegisterMap map_;
};

// Collects copies of registers, regions and structures, with all texts, fields and named values.
class RegisterMapBuilder {
 public:
  RegisterMapBuilder();

  // The copy, at its final address. Nothing is checked yet.
  const Register* add(const Register& r);
  const MemoryRegion* add(const MemoryRegion& region);
  const Structure* add(const Structure& structure);

  // Sorts the registers by offset and checks them; the builder is spent, whatever comes out.
  // bar: 0..5; size: bytes, a power of two, 16 at least.
  using Map = std::shared_ptr<const OwnedRegisterMap>;
  Result<Map> finish(std::string_view name, std::int8_t bar, std::uint64_t size);
  // The same, with the register that is wrong among those that add() returned.
  tl::expected<Map, MapFault> finish_or_fault(std::string_view name, std::int8_t bar,
                                              std::uint64_t size);

 private:
  std::string_view keep(std::string_view text);
  template <typename T>
  T* allocate(std::size_t count);
  template <typename T, typename Copy>
  std::span<const T> keep_all(std::span<const T> from, Copy copy);
  Field keep(const Field& field);
  std::span<const Field> keep(std::span<const Field> fields);

  std::unique_ptr<std::pmr::monotonic_buffer_resource> storage_;
  std::vector<const Register*> registers_;
  std::vector<const MemoryRegion*> regions_;
  std::vector<const Structure*> structures_;
};

// A copy that outlives the map it was made from (a plug-in's, which may be unloaded). The error is
// that of a map which is not well-formed.
Result<std::shared_ptr<const OwnedRegisterMap>> copy_map(const RegisterMap& map);

}  // namespace pcilens
