#include "core/registers/map_check.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>
#include <vector>

#include "core/registers/lookup.hpp"

namespace pcilens {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string bits(const Field& f) {
  return std::to_string(f.high) + ':' + std::to_string(f.low);
}

// What is wrong with one register by itself; empty if nothing is.
std::string fault_of(const Register& r) {
  if (r.name.empty()) return "a register at " + hex(r.offset) + " has no name; give it one";
  const std::string where = "register " + std::string(r.name) + ": ";
  if (r.width != 1 && r.width != 2 && r.width != 4 && r.width != 8)
    return where + "a width of " + std::to_string(r.width) + " bytes; it may be 1, 2, 4 or 8";
  if (r.offset % r.width != 0)
    return where + "its offset " + hex(r.offset) + " is no multiple of its width " +
           std::to_string(r.width) + "; align it";
  if ((r.reset & ~r.mask()) != 0)
    return where + "its reset value " + hex(r.reset) + " has more than its " +
           std::to_string(r.width * 8) + " bits; cut it";
  if (r.count == 0) return where + "an array of no elements; give it one at least";
  if (r.count > 1 && (r.stride < r.width || r.stride % r.width != 0))
    return where + "a stride of " + std::to_string(r.stride) +
           " bytes; it must be a multiple of its width " + std::to_string(r.width);
  std::uint64_t seen = 0;
  std::unordered_set<std::string_view> names;
  for (const Field& f : r.fields) {
    if (f.name.empty()) return where + "a field at bit " + std::to_string(f.low) + " has no name";
    const std::string field = where + "field " + std::string(f.name) + " ";
    if (f.high < f.low || f.high >= r.width * 8)
      return field + "has bits " + bits(f) + ", outside its " + std::to_string(r.width * 8) +
             " bits; correct them";
    if ((seen & f.mask()) != 0)
      return field + "has bits " + bits(f) + ", some of which another field has; correct one";
    if (!names.insert(f.name).second) return field + "is there twice; rename one";
    seen |= f.mask();
    for (const EnumValue& v : f.values)
      if (f.bits() < 64 && v.value >> f.bits() != 0)
        return field + "has a named value " + hex(v.value) + " that its " +
               std::to_string(f.bits()) + " bits cannot hold; correct it";
  }
  return {};
}

struct Element {
  std::uint64_t begin, end;
  const Register* reg;
  std::uint32_t index;
};

// In the order of offsets only neighbours can share a byte first.
std::optional<MapFault> find_overlap(const RegisterMap& map) {
  std::vector<Element> elements;
  for (const Register* r : map.registers)
    for (std::uint32_t i = 0; i < r->count; ++i)
      elements.push_back({r->offset_of(i), r->offset_of(i) + r->width, r, i});
  std::sort(elements.begin(), elements.end(),
            [](const Element& a, const Element& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < elements.size(); ++i) {
    const Element &a = elements[i - 1], &b = elements[i];
    if (a.end > b.begin)
      return MapFault{"registers " + name_of(RegisterRef{a.reg, a.index}) + " and " +
                          name_of(RegisterRef{b.reg, b.index}) + " overlap at " + hex(b.begin) +
                          "; move one",
                      b.reg};
  }
  return std::nullopt;
}

std::optional<MapFault> find_region_fault(const RegisterMap& map) {
  if (map.regions.size() > kMaxRegions)
    return MapFault{"register map " + std::string(map.name) + ": more than " +
                    std::to_string(kMaxRegions) + " memory regions; join some"};
  for (const MemoryRegion* region : map.regions) {
    const std::string where = "memory region " + std::string(region->name) + " ";
    if (region->name.empty()) return MapFault{"a memory region has no name; give it one"};
    if (region->size == 0) return MapFault{where + "has no bytes; give it a size"};
    if (region->size > map.size || region->offset > map.size - region->size)
      return MapFault{where + "ends past the BAR's " + hex(map.size) + " bytes; move or cut it"};
    if (region->direct && (region->offset | region->size) % kPage != 0)
      return MapFault{where + "is direct, so it must begin and end at a multiple of " + hex(kPage) +
                      "; move or cut it"};
    for (const MemoryRegion* other : map.regions) {
      if (other != region && region->direct && other->direct)
        return MapFault{where + "and " + std::string(other->name) +
                        " are both direct; a BAR has one such region: join them"};
      if (other != region && region->offset < other->offset + other->size &&
          other->offset < region->offset + region->size)
        return MapFault{where + "shares bytes with " + std::string(other->name) + "; move one"};
    }
    for (const Register* r : map.registers)
      if (r->offset < region->offset + region->size && region->offset < r->end())
        return MapFault{where + "and register " + std::string(r->name) + " overlap; move one", r};
  }
  return std::nullopt;
}

}  // namespace

std::optional<MapFault> find_fault(const RegisterMap& map) {
  const std::string where = "register map " + std::string(map.name) + ": ";
  if (!detail::power_of_two(map.size) || map.size < 16)
    return MapFault{where + "its size " + hex(map.size) +
                    " must be a power of two, 16 bytes at least"};
  if (map.bar < 0 || map.bar > 5)
    return MapFault{where + "BAR " + std::to_string(map.bar) + " is none of 0 to 5"};
  std::unordered_set<std::string_view> names;
  std::uint64_t elements = 0, last = 0;
  for (const Register* r : map.registers) {
    if (std::string fault = fault_of(*r); !fault.empty()) return MapFault{std::move(fault), r};
    const std::string name = "register " + std::string(r->name) + ": ";
    // First the offset alone: end() of a far one would wrap around.
    if (r->offset > map.size || r->end() > map.size)
      return MapFault{name + "it ends past the BAR's " + hex(map.size) + " bytes; move it", r};
    if (r->offset < last) return MapFault{name + "it is not in the order of offsets; sort them", r};
    last = r->offset;
    if (!names.insert(r->name).second)
      return MapFault{name + "another one has the same name; rename one", r};
    elements += r->count;
    if (elements > kMaxElements)
      return MapFault{name + "with it there are more than " + std::to_string(kMaxElements) +
                          " registers; make the arrays smaller or a memory region",
                      r};
  }
  if (auto fault = find_overlap(map)) return fault;
  if (auto fault = find_region_fault(map)) return fault;
  for (const Structure* s : map.structures)
    for (const StructureField& f : s->members)
      if (f.offset + f.width > s->size)
        return MapFault{"structure " + std::string(s->name) + ": member " + std::string(f.name) +
                        " ends past its " + std::to_string(s->size) + " bytes; move it"};
  return std::nullopt;
}

}  // namespace pcilens
