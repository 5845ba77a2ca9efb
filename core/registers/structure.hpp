// Reading and writing a structure in memory by its declaration: names are checked by the compiler,
// and offsets and masks stand nowhere else.
//
//   const std::uint64_t nsid = load(entry, part(kSqe, "NSID"));
//   store(completion, part(kCqe, "STATUS.P"), phase);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/registers/register.hpp"

namespace pcilens {

// A member of a structure, or one field of a member.
struct StructurePart {
  const StructureField* member;
  const Field* field;  // null: the whole member
};

// "MEMBER" or "MEMBER.FIELD"; a name that does not exist does not compile.
consteval StructurePart part(const Structure& s, std::string_view name) {
  for (const StructureField& m : s.members) {
    if (m.name == name) return {&m, nullptr};
    if (!name.starts_with(m.name) || name[m.name.size()] != '.') continue;
    for (const Field& f : m.fields)
      if (f.name == name.substr(m.name.size() + 1)) return {&m, &f};
  }
  throw "no member or field of this name in this structure";
}

// Little-endian; bytes past the end of `bytes` read as 0 and are not written.
constexpr std::uint64_t load(std::span<const std::byte> bytes, const StructureField& member) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < member.width && member.offset + i < bytes.size(); ++i)
    value |= std::to_integer<std::uint64_t>(bytes[member.offset + i]) << (8 * i);
  return value;
}
constexpr std::uint64_t load(std::span<const std::byte> bytes, const StructurePart& p) {
  const std::uint64_t value = load(bytes, *p.member);
  return p.field == nullptr ? value : p.field->extract(value);
}
constexpr void store(std::span<std::byte> bytes, const StructurePart& p, std::uint64_t value) {
  if (p.field != nullptr) value = p.field->insert(load(bytes, *p.member), value);
  for (unsigned i = 0; i < p.member->width && p.member->offset + i < bytes.size(); ++i)
    bytes[p.member->offset + i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace pcilens
