// Which ranges of IOVA the driver has mapped for one function, as its map and unmap records say.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "core/link/transaction.hpp"

namespace pcilens::kmod {

class DmaMappings {
 public:
  // `seq`: the transaction that told of it; `site`: where in the driver, 0 if it is not known.
  void map(std::uint64_t iova, std::uint64_t length, DmaDirection direction, std::uint64_t seq,
           std::uint32_t site) {
    mappings_[iova] = {length, direction, seq, site};
  }
  void unmap(std::uint64_t iova, std::uint64_t seq);
  void clear() { mappings_.clear(); }
  // Calls with (iova, length, direction) for each, by IOVA.
  template <typename Each>
  void for_each(Each each) const {
    for (const auto& [iova, mapping] : mappings_) each(iova, mapping.length, mapping.direction);
  }

  // SC if one mapping holds all of it in this direction; UR if none does, CA against the direction.
  Status allows(std::uint64_t iova, std::uint64_t length, DmaDirection wanted) const;

  // Why allows() refuses it, in one sentence with the mapping that it missed and who made that.
  // `symbol` names a site of map().
  std::string why_not(std::uint64_t iova, std::uint64_t length, DmaDirection wanted,
                      const std::function<std::string(std::uint32_t)>& symbol) const;

 private:
  struct Mapping {
    std::uint64_t length = 0;
    DmaDirection direction = DmaDirection::Bidirectional;
    std::uint64_t seq = 0;
    std::uint32_t site = 0;
  };
  struct Past {
    std::uint64_t iova;
    Mapping was;
    std::uint64_t unmapped;  // by this transaction
  };
  static constexpr std::size_t kPast = 256;

  std::map<std::uint64_t, Mapping> mappings_;  // by IOVA
  std::deque<Past> past_;                      // the last that were unmapped, newest first
};

}  // namespace pcilens::kmod
