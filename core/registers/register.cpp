#include "core/registers/register.hpp"

namespace pcilens {

std::string_view name_of(Access access) {
  switch (access) {
    case Access::RO: return "RO";
    case Access::RW: return "RW";
    case Access::W1C: return "W1C";
    case Access::RC: return "RC";
    case Access::RW1S: return "RW1S";
    case Access::WO: return "WO";
    case Access::Reserved: return "reserved";
  }
  return "?";
}

std::optional<Access> access_named(std::string_view name) {
  for (unsigned i = 0; i <= static_cast<unsigned>(Access::Reserved); ++i)
    if (name_of(static_cast<Access>(i)) == name) return static_cast<Access>(i);
  return std::nullopt;
}

}  // namespace pcilens
