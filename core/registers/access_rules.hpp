// What the access rules of a register's fields make of a read or a write, as masks of its bits: for
// the bank that serves it, and for whoever has to tell it beforehand.
#pragma once

#include <cstdint>
#include <span>

#include "core/registers/register.hpp"

namespace pcilens {

struct AccessRules {
  std::uint64_t readable = 0;  // a read gives what is stored; other bits read as 0
  std::uint64_t writable = 0;  // RW and WO
  std::uint64_t w1c = 0, w1s = 0, rc = 0;

  constexpr void add(Access access, std::uint64_t mask) {
    if (access != Access::WO && access != Access::Reserved) readable |= mask;
    if (access == Access::RW || access == Access::WO) writable |= mask;
    if (access == Access::W1C) w1c |= mask;
    if (access == Access::RW1S) w1s |= mask;
    if (access == Access::RC) rc |= mask;
  }
  // The bits at which a write can do anything.
  constexpr std::uint64_t acts() const { return writable | w1c | w1s; }
  // What is stored after a write of `value` that carries the bits in `lanes`.
  constexpr std::uint64_t written(std::uint64_t stored, std::uint64_t value,
                                  std::uint64_t lanes) const {
    const std::uint64_t plain = writable & lanes;
    std::uint64_t after = (stored & ~plain) | (value & plain);
    after &= ~(value & w1c & lanes);
    after |= value & w1s & lanes;
    return after;
  }
};

// Of the bits in `mask`; those that no field covers are `rest`.
constexpr AccessRules rules_of(std::span<const Field> fields, Access rest, std::uint64_t mask) {
  AccessRules rules;
  for (const Field& f : fields) {
    rules.add(f.access, f.mask() & mask);
    mask &= ~f.mask();
  }
  rules.add(rest, mask);
  return rules;
}
constexpr AccessRules rules_of(const Register& r) {
  return rules_of(r.fields, r.access, r.mask());
}

}  // namespace pcilens
