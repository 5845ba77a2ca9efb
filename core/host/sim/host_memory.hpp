// The memory of the simulated machine that functions may reach: what drivers allocated for DMA, and
// nothing else, as behind an IOMMU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "core/link/transaction.hpp"

namespace pcilens::sim {

class HostMemory {
 public:
  struct Allocation {
    std::uint64_t iova;
    std::span<std::byte> bytes;
  };
  // `size` bytes rounded up to pages, zeroed, at an IOVA below 2^address_bits; nothing when that
  // space is used up.
  std::optional<Allocation> allocate(std::uint8_t function, std::uint64_t size,
                                     DmaDirection direction, unsigned address_bits);
  void release(std::uint64_t iova);

  // UR where nothing is mapped for this function, CA against the mapping's direction.
  Status read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data);
  Status write(std::uint8_t function, std::uint64_t iova, std::span<const std::byte> data);

  // For screens: bytes whatever the direction; how many were there.
  std::size_t look(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) const;

 private:
  struct Mapping {
    std::uint8_t function;
    DmaDirection direction;
    std::uint64_t size;
    std::unique_ptr<std::byte[]> bytes;
  };
  // The mapping that holds all of [iova, iova + size), if there is one.
  const Mapping* find(std::uint8_t function, std::uint64_t iova, std::uint64_t size,
                      std::uint64_t& begin) const;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Mapping> mappings_;  // by IOVA
};

}  // namespace pcilens::sim
