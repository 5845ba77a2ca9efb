// A register is declared once, as constexpr data; offsets, masks and names stand nowhere else.
//
//   inline constexpr Field kStatusFields[] = {
//       {.name = "COMPUTING", .high = 0, .low = 0, .access = Access::RO, .doc = "..."},
//   };
//   inline constexpr Register kStatus{.name = "STATUS", .offset = 0x20, .width = 4,
//                                     .fields = kStatusFields, .doc = "...", .spec = "..."};
//   inline constexpr const Register* kRegisters[] = {&kStatus};
//   inline constexpr RegisterMap kMap{.name = "edu", .bar = 0, .size = 0x100000,
//                                     .registers = kRegisters};
//   static_assert(well_formed(kMap));
//
//   bank.get(kStatus["COMPUTING"])   // a name that does not exist does not compile
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pcilens {

// How a field answers the driver. Names as in PCIe 5.0, 7.4 and common register manuals.
enum class Access : std::uint8_t {
  RO,        // reads the stored value, writes are ignored
  RW,        // reads and writes
  W1C,       // writing 1 clears the bit, 0 leaves it
  RC,        // reading clears it
  RW1S,      // writing 1 sets the bit, 0 leaves it
  WO,        // writes act, reads give 0
  Reserved,  // reads give 0, writes are ignored
};

std::string_view name_of(Access access);  // "RO" "RW" "W1C" "RC" "RW1S" "WO" "reserved"
std::optional<Access> access_named(std::string_view name);

// A value of a field that has a name of its own.
struct EnumValue {
  std::uint64_t value;
  std::string_view name;
  std::string_view doc = {};
};

struct Field {
  std::string_view name;
  std::uint8_t high = 0;  // most significant bit, 0..63
  std::uint8_t low = 0;   // least significant bit, 0..high
  Access access = Access::RW;
  std::string_view doc = {};
  std::string_view spec = {};  // where the specification says so, if not where the register is
  std::span<const EnumValue> values = {};

  constexpr unsigned bits() const { return high - low + 1u; }
  constexpr std::uint64_t mask() const {
    return (bits() >= 64 ? ~0ull : (1ull << bits()) - 1) << low;
  }
  constexpr std::uint64_t extract(std::uint64_t value) const { return (value & mask()) >> low; }
  constexpr std::uint64_t insert(std::uint64_t value, std::uint64_t field) const {
    return (value & ~mask()) | ((field << low) & mask());
  }
};

struct Register;

// A field together with its register: what bank.get(kStatus["COMPUTING"]) takes.
struct FieldOf {
  const Register* reg;
  const Field* field;
};

struct Register {
  std::string_view name;       // as the specification spells it
  std::uint64_t offset = 0;    // bytes from the start of the BAR, a multiple of the width
  std::uint8_t width = 4;      // bytes: 1, 2, 4 or 8
  std::uint64_t reset = 0;     // value after reset
  Access access = Access::RW;  // of the bits that no field covers; with fields: Reserved is usual
  std::span<const Field> fields = {};
  std::string_view doc = {};   // one line
  std::string_view spec = {};  // "NVMe 1.4, 3.1.5"
  std::uint32_t count = 1;     // an array when > 1: NAME[i] at offset + i * stride
  std::uint32_t stride = 0;    // bytes between elements of an array
  // NAME of an element of an array whose elements belong to something: "SQ[%].TDBL" puts the index
  // where % stands. Empty: NAME[i].
  std::string_view element_name = {};
  bool peek_has_effect = false;  // reserved for registers whose value cannot be computed silently

  constexpr std::uint64_t mask() const { return width >= 8 ? ~0ull : (1ull << (width * 8)) - 1; }
  constexpr std::uint64_t end() const {
    return offset + (count > 1 ? std::uint64_t{stride} * (count - 1) : 0) + width;
  }
  constexpr std::uint64_t offset_of(std::uint32_t index) const {
    return offset + std::uint64_t{stride} * index;
  }
  const Field* find(std::string_view field) const {
    for (const Field& f : fields)
      if (f.name == field) return &f;
    return nullptr;
  }
  consteval FieldOf operator[](std::string_view field) const {
    for (const Field& f : fields)
      if (f.name == field) return {this, &f};
    throw "no field of this name in this register";
  }
};

// Memory behind a BAR that is not registers: a buffer, a frame buffer, a table.
struct MemoryRegion {
  std::string_view name;
  std::uint64_t offset = 0;  // bytes from the start of the BAR
  std::uint64_t size = 0;    // bytes
  std::string_view doc = {};
  // Plain memory between a real driver and the device: no access to it is trapped, held or
  // recorded. Whole pages (kPage); one region of a BAR at most. The sim host records all the same.
  bool direct = false;
};
inline constexpr std::uint64_t kPage = 4096;  // bytes

// A structure in host memory that the function reads or writes by DMA (a queue entry, a
// descriptor). Field positions are bits from the start of the structure.
struct StructureField {
  std::string_view name;
  std::uint16_t offset = 0;  // bytes from the start of the structure
  std::uint8_t width = 4;    // bytes: 1, 2, 4 or 8, little-endian
  std::span<const Field> fields = {};
  std::string_view doc = {};
};

struct Structure {
  std::string_view name;
  std::uint32_t size = 0;  // bytes
  std::span<const StructureField> members = {};
  std::string_view doc = {};
  std::string_view spec = {};
};

// All that one BAR shows. Registers are ordered by offset; arrays that interleave (doorbells) are
// ordered by the offset of their first element.
struct RegisterMap {
  std::string_view name;
  std::int8_t bar = 0;     // 0..5
  std::uint64_t size = 0;  // bytes, the BAR's size: a power of two, 16 at least
  std::span<const Register* const> registers = {};
  std::span<const MemoryRegion* const> regions = {};
  std::span<const Structure* const> structures = {};
};

namespace detail {

constexpr bool power_of_two(std::uint64_t n) {
  return n != 0 && (n & (n - 1)) == 0;
}

// Whether any element of a shares a byte with any element of b.
constexpr bool overlap(const Register& a, const Register& b) {
  if (a.end() <= b.offset || b.end() <= a.offset) return false;
  const Register& few = a.count <= b.count ? a : b;
  const Register& many = a.count <= b.count ? b : a;
  for (std::uint32_t i = 0; i < few.count; ++i) {
    // Of the elements that begin before this one ends, the last one reaches furthest.
    const auto begin = few.offset_of(i), end = begin + few.width;
    if (end <= many.offset) continue;
    std::uint64_t last = 0;
    if (many.count > 1) last = (end - 1 - many.offset) / many.stride;
    if (last >= many.count) last = many.count - 1;
    if (many.offset_of(static_cast<std::uint32_t>(last)) + many.width > begin) return true;
  }
  return false;
}

}  // namespace detail

// Ordered, aligned, no overlap, fields inside their register and apart from each other, reset
// values that fit, everything inside the BAR. `static_assert(well_formed(map))` beside each map.
constexpr bool well_formed(const Register& r) {
  if (r.name.empty()) return false;
  if (r.width != 1 && r.width != 2 && r.width != 4 && r.width != 8) return false;
  if (r.offset % r.width != 0 || (r.reset & ~r.mask()) != 0) return false;
  if (r.count == 0 || (r.count > 1 && (r.stride < r.width || r.stride % r.width != 0)))
    return false;
  std::uint64_t seen = 0;
  for (const Field& f : r.fields) {
    if (f.name.empty() || f.high < f.low || f.high >= r.width * 8) return false;
    if ((seen & f.mask()) != 0) return false;
    for (const Field* other = r.fields.data(); other != &f; ++other)
      if (other->name == f.name) return false;
    seen |= f.mask();
    for (const EnumValue& v : f.values)
      if (f.bits() < 64 && v.value >> f.bits() != 0) return false;
  }
  return true;
}

constexpr bool well_formed(const RegisterMap& m) {
  if (!detail::power_of_two(m.size) || m.size < 16 || m.bar < 0 || m.bar > 5) return false;
  for (std::size_t i = 0; i < m.registers.size(); ++i) {
    const Register& r = *m.registers[i];
    if (!well_formed(r) || r.end() > m.size) return false;
    if (i > 0 && m.registers[i - 1]->offset > r.offset) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (detail::overlap(*m.registers[j], r) || m.registers[j]->name == r.name) return false;
    for (const MemoryRegion* region : m.regions)
      if (r.offset < region->offset + region->size && region->offset < r.end()) return false;
  }
  unsigned direct = 0;
  for (const MemoryRegion* region : m.regions) {
    if (region->direct && ((region->offset | region->size) % kPage != 0 || direct++ != 0))
      return false;
    if (region->name.empty() || region->size == 0 || region->size > m.size ||
        region->offset > m.size - region->size)
      return false;
    for (const MemoryRegion* other : m.regions)
      if (other != region && region->offset < other->offset + other->size &&
          other->offset < region->offset + region->size)
        return false;
  }
  for (const Structure* s : m.structures)
    for (const StructureField& f : s->members)
      if (f.offset + f.width > s->size) return false;
  return true;
}

}  // namespace pcilens
