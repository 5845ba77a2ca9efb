// Which ranges of IOVA the driver has mapped for one function, as its map and unmap records say.
#pragma once

#include <cstdint>
#include <map>

#include "core/link/transaction.hpp"

namespace pcilens::kmod {

class DmaMappings {
 public:
  void map(std::uint64_t iova, std::uint64_t length, DmaDirection direction) {
    mappings_[iova] = {length, direction};
  }
  void unmap(std::uint64_t iova) { mappings_.erase(iova); }
  void clear() { mappings_.clear(); }
  // Calls with (iova, length, direction) for each, by IOVA.
  template <typename Each>
  void for_each(Each each) const {
    for (const auto& [iova, mapping] : mappings_) each(iova, mapping.length, mapping.direction);
  }

  // SC if one mapping holds all of it in this direction; UR if none does, CA against the direction.
  Status allows(std::uint64_t iova, std::uint64_t length, DmaDirection wanted) const {
    auto it = mappings_.upper_bound(iova);
    if (it == mappings_.begin()) return Status::UR;
    --it;
    const std::uint64_t from = iova - it->first;
    if (from > it->second.length || length > it->second.length - from) return Status::UR;
    const DmaDirection is = it->second.direction;
    return is == DmaDirection::Bidirectional || is == wanted ? Status::SC : Status::CA;
  }

 private:
  struct Mapping {
    std::uint64_t length;
    DmaDirection direction;
  };
  std::map<std::uint64_t, Mapping> mappings_;  // by IOVA
};

}  // namespace pcilens::kmod
