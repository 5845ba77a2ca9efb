// The rules of well_formed() for maps that come from outside (SVD, a trace), with a sentence that
// says what is wrong, in time that a hostile map cannot stretch.
#pragma once

#include <optional>
#include <string>

#include "core/registers/register.hpp"

namespace pcilens {

// A map from outside may have this many registers, each element of an array counted.
inline constexpr std::uint64_t kMaxElements = 1u << 20;
inline constexpr std::size_t kMaxRegions = 256;

struct MapFault {
  std::string message;            // one sentence: where, what, what to do next
  const Register* reg = nullptr;  // the register that is wrong, if it is one; may be gone by now
};

// The first thing that is wrong; nothing if well_formed(map) and within these limits.
std::optional<MapFault> find_fault(const RegisterMap& map);

}  // namespace pcilens
