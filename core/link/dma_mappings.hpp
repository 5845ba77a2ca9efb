// Which host memory functions may reach, as their drivers' map and unmap transactions tell: the
// same on a link that lives and from a trace.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/link/transaction.hpp"

namespace pcilens {

// "to the device" "from the device" "both ways".
std::string_view in_words(DmaDirection direction);

class DmaMappings {
 public:
  struct Mapping {
    std::uint8_t function = 0;
    DmaDirection direction = DmaDirection::Bidirectional;
    std::uint32_t site = 0;            // where in the driver; 0: not known
    std::uint64_t iova = 0, size = 0;  // bytes
    std::uint64_t seq = 0, t_ns = 0;   // of the transaction that mapped it
  };
  // The name of a driver's function, by its site; empty where it is not known.
  using Symbol = std::function<std::string_view(std::uint32_t site)>;

  // A map or an unmap; other kinds change nothing.
  void record(const Transaction& t);
  // Calls with each Mapping that there is now, by function and IOVA.
  template <typename Each>
  void for_each(Each each) const {
    for (const auto& [key, mapping] : mappings_) each(mapping);
  }

  // SC if one mapping holds all of it in this direction; UR if none does, CA against the direction.
  Status allows(std::uint8_t function, std::uint64_t iova, std::uint64_t size,
                DmaDirection wanted) const;
  // Why that refuses it: what was mapped, unmapped or missed, and by whom.
  //   "unmapped at #12 by edu_dma; it was 0x2000+0x800 (mapped to the device at #8 by edu_probe)"
  std::string why_not(std::uint8_t function, std::uint64_t iova, std::uint64_t size,
                      DmaDirection wanted, const Symbol& symbol) const;

 private:
  using Key = std::pair<std::uint8_t, std::uint64_t>;  // function, IOVA
  struct Past {
    Mapping was;
    std::uint64_t seq;   // of the transaction that unmapped it
    std::uint32_t site;  // of that
  };
  static constexpr std::size_t kPast = 256;

  std::map<Key, Mapping> mappings_;
  std::deque<Past> past_;  // the last that were unmapped, newest first
};

// "0x2000+0x800 (mapped to the device at #8 by edu_probe)".
std::string describe(const DmaMappings::Mapping& mapping, const DmaMappings::Symbol& symbol);

}  // namespace pcilens
