#include "core/registers/owned_map.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace pcilens {

RegisterMapBuilder::RegisterMapBuilder()
    : storage_(std::make_unique<std::pmr::monotonic_buffer_resource>()) {}

// The storage frees bytes and calls no destructor.
template <typename T>
T* RegisterMapBuilder::allocate(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  return static_cast<T*>(storage_->allocate(count * sizeof(T), alignof(T)));
}

std::string_view RegisterMapBuilder::keep(std::string_view text) {
  if (text.empty()) return {};
  char* bytes = allocate<char>(text.size());
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

template <typename T, typename Copy>
std::span<const T> RegisterMapBuilder::keep_all(std::span<const T> from, Copy copy) {
  if (from.empty()) return {};
  T* to = allocate<T>(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) new (to + i) T(copy(from[i]));
  return {to, from.size()};
}

Field RegisterMapBuilder::keep(const Field& field) {
  Field copy = field;
  copy.name = keep(field.name);
  copy.doc = keep(field.doc);
  copy.spec = keep(field.spec);
  copy.values = keep_all(field.values, [&](const EnumValue& v) {
    return EnumValue{.value = v.value, .name = keep(v.name), .doc = keep(v.doc)};
  });
  return copy;
}

std::span<const Field> RegisterMapBuilder::keep(std::span<const Field> fields) {
  return keep_all(fields, [&](const Field& f) { return keep(f); });
}

const Register* RegisterMapBuilder::add(const Register& r) {
  Register* copy = new (allocate<Register>(1)) Register(r);
  copy->name = keep(r.name);
  copy->fields = keep(r.fields);
  copy->doc = keep(r.doc);
  copy->spec = keep(r.spec);
  copy->element_name = keep(r.element_name);
  registers_.push_back(copy);
  return copy;
}

const MemoryRegion* RegisterMapBuilder::add(const MemoryRegion& region) {
  MemoryRegion* copy = new (allocate<MemoryRegion>(1)) MemoryRegion(region);
  copy->name = keep(region.name);
  copy->doc = keep(region.doc);
  regions_.push_back(copy);
  return copy;
}

const Structure* RegisterMapBuilder::add(const Structure& structure) {
  Structure* copy = new (allocate<Structure>(1)) Structure(structure);
  copy->name = keep(structure.name);
  copy->doc = keep(structure.doc);
  copy->spec = keep(structure.spec);
  copy->members = keep_all(structure.members, [&](const StructureField& member) {
    StructureField kept = member;
    kept.name = keep(member.name);
    kept.fields = keep(member.fields);
    kept.doc = keep(member.doc);
    return kept;
  });
  structures_.push_back(copy);
  return copy;
}

tl::expected<RegisterMapBuilder::Map, MapFault> RegisterMapBuilder::finish_or_fault(
    std::string_view name, std::int8_t bar, std::uint64_t size) {
  std::stable_sort(registers_.begin(), registers_.end(),
                   [](const Register* a, const Register* b) { return a->offset < b->offset; });
  std::shared_ptr<OwnedRegisterMap> owned(new OwnedRegisterMap);
  const auto same = [](auto pointer) { return pointer; };
  owned->map_ = {.name = keep(name),
                 .bar = bar,
                 .size = size,
                 .registers = keep_all<const Register*>(registers_, same),
                 .regions = keep_all<const MemoryRegion*>(regions_, same),
                 .structures = keep_all<const Structure*>(structures_, same)};
  owned->storage_ = std::move(storage_);
  if (auto fault = find_fault(owned->map_)) return tl::unexpected<MapFault>(std::move(*fault));
  return owned;
}

Result<RegisterMapBuilder::Map> RegisterMapBuilder::finish(std::string_view name, std::int8_t bar,
                                                           std::uint64_t size) {
  auto map = finish_or_fault(name, bar, size);
  if (!map) return fail(std::move(map.error().message));
  return std::move(*map);
}

Result<std::shared_ptr<const OwnedRegisterMap>> copy_map(const RegisterMap& map) {
  RegisterMapBuilder builder;
  for (const Register* r : map.registers) builder.add(*r);
  for (const MemoryRegion* region : map.regions) builder.add(*region);
  for (const Structure* structure : map.structures) builder.add(*structure);
  return builder.finish(map.name, map.bar, map.size);
}

}  // namespace pcilens
