// Which places are armed, as the link asks for each transaction: a bit test where nothing is. For
// breakpoints and for fault rules alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/link/expression.hpp"
#include "core/link/transaction.hpp"

namespace pcilens {

class ArmedPlaces {
 public:
  // Replaces what is armed. Reaches are kept by index: match candidates come back as indices.
  void rebuild(const std::vector<const Reach*>& reaches);
  // Whether any reach may match; a false positive is allowed, a false negative is not.
  bool may_match(Kind kind, std::uint8_t function, std::int8_t bar, std::uint64_t offset,
                 std::uint32_t size) const {
    const auto bit = 1u << static_cast<unsigned>(kind);
    if (((kinds_everywhere_ | kinds_wide_ | kinds_narrow_) & bit) == 0) return false;
    if ((kinds_everywhere_ & bit) != 0) return true;
    if ((kinds_wide_ & bit) != 0 && in_wide(bit, function, bar, offset, size)) return true;
    return (kinds_narrow_ & bit) != 0 && in_filter(bar, offset, size);
  }
  // The indices that may match there, ascending.
  const std::vector<std::uint32_t>& candidates(Kind kind, std::uint8_t function, std::int8_t bar,
                                               std::uint64_t offset, std::uint32_t size) const;
  // Bit (1 << Kind) of each kind that anything is armed for.
  std::uint32_t kinds() const { return kinds_everywhere_ | kinds_wide_ | kinds_narrow_; }

 private:
  static constexpr std::size_t kFilterBits = 1 << 16;
  static std::size_t hash(std::int8_t bar, std::uint64_t dword) {
    return static_cast<std::size_t>(
        (dword + static_cast<std::uint64_t>(bar + 4) * 0x9e37u) * 0x9e3779b97f4a7c15ull >> 48);
  }
  struct Entry {
    std::uint32_t index;
    std::uint32_t kinds;
    int function;  // -1: each
    std::int8_t bar;
    std::uint64_t begin, last;  // inclusive, and so are the bytes of an event
    bool touched_by(std::uint32_t kind, std::uint8_t f, std::int8_t b, std::uint64_t from,
                    std::uint64_t to) const {
      return (kinds & kind) != 0 && (function < 0 || function == f) && bar == b && begin <= to &&
             from <= last;
    }
  };
  // The last byte of an event, which may lie at the very top of the address space.
  static std::uint64_t last_byte(std::uint64_t offset, std::uint32_t size) {
    const std::uint64_t more = size == 0 ? 0 : size - 1;
    return offset > ~0ull - more ? ~0ull : offset + more;
  }
  bool in_filter(std::int8_t bar, std::uint64_t offset, std::uint32_t size) const {
    const std::uint64_t first = offset / 4;
    const std::uint64_t last = last_byte(offset, size) / 4;
    if (last - first > 16) return true;  // a long DMA: let the ranges decide
    for (std::uint64_t dword = first; dword <= last; ++dword) {
      const std::size_t bit = hash(bar, dword);
      if ((filter_[bit / 64] >> (bit % 64) & 1) != 0) return true;
    }
    return false;
  }
  bool in_wide(std::uint32_t bit, std::uint8_t function, std::int8_t bar, std::uint64_t offset,
               std::uint32_t size) const;

  // Kinds that match anywhere, in ranges that are compared, in places that the filter knows.
  std::uint32_t kinds_everywhere_ = 0, kinds_wide_ = 0, kinds_narrow_ = 0;
  std::vector<std::uint64_t> filter_ = std::vector<std::uint64_t>(kFilterBits / 64);
  std::vector<Entry> everywhere_, wide_;
  std::vector<std::vector<Entry>> buckets_ = std::vector<std::vector<Entry>>(1024);
  mutable std::vector<std::uint32_t> found_;
};

// What a person sees of a reach: "BAR0+0x98..0x9b, config 0x4..0x5", "every interrupt".
std::string describe(const Reach& reach);

}  // namespace pcilens
