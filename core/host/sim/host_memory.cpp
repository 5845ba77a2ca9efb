#include "core/host/sim/host_memory.hpp"

#include <algorithm>
#include <cstring>

namespace pcilens::sim {
namespace {

constexpr std::uint64_t kPage = 4096;
// IOVAs start low, so that devices which reach few address bits work, but not at 0, so that a
// forgotten address is seen as one.
constexpr std::uint64_t kFirstIova = 0x10'0000;

}  // namespace

std::optional<HostMemory::Allocation> HostMemory::allocate(std::uint8_t function,
                                                           std::uint64_t size,
                                                           DmaDirection direction,
                                                           unsigned address_bits) {
  if (size == 0 || size > 1ull << 32) return std::nullopt;
  const std::uint64_t bytes = (size + kPage - 1) / kPage * kPage;
  const std::lock_guard lock(mutex_);
  // The first gap that is large enough; a page stays free behind each mapping, to catch overruns.
  std::uint64_t iova = kFirstIova;
  for (const auto& [begin, mapping] : mappings_) {
    if (begin >= iova + bytes + kPage) break;
    iova = begin + mapping.size + kPage;
  }
  const std::uint64_t limit = address_bits >= 64 ? ~0ull : 1ull << address_bits;
  if (iova + bytes > limit) return std::nullopt;
  auto memory = std::make_unique<std::byte[]>(bytes);
  const std::span<std::byte> span(memory.get(), size);
  mappings_.emplace(iova, Mapping{function, direction, bytes, std::move(memory)});
  return Allocation{iova, span};
}

void HostMemory::release(std::uint64_t iova) {
  const std::lock_guard lock(mutex_);
  mappings_.erase(iova);
}

const HostMemory::Mapping* HostMemory::find(std::uint8_t function, std::uint64_t iova,
                                            std::uint64_t size, std::uint64_t& begin) const {
  auto it = mappings_.upper_bound(iova);
  if (it == mappings_.begin()) return nullptr;
  --it;
  begin = it->first;
  const Mapping& mapping = it->second;
  const std::uint64_t from = iova - begin;
  if (mapping.function != function || from > mapping.size || size > mapping.size - from)
    return nullptr;
  return &mapping;
}

Status HostMemory::read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) {
  const std::lock_guard lock(mutex_);
  std::uint64_t begin = 0;
  const Mapping* mapping = find(function, iova, data.size(), begin);
  if (mapping == nullptr) return Status::UR;
  if (mapping->direction == DmaDirection::FromDevice) return Status::CA;
  std::memcpy(data.data(), mapping->bytes.get() + (iova - begin), data.size());
  return Status::SC;
}

Status HostMemory::write(std::uint8_t function, std::uint64_t iova,
                         std::span<const std::byte> data) {
  const std::lock_guard lock(mutex_);
  std::uint64_t begin = 0;
  const Mapping* mapping = find(function, iova, data.size(), begin);
  if (mapping == nullptr) return Status::UR;
  if (mapping->direction == DmaDirection::ToDevice) return Status::CA;
  std::memcpy(mapping->bytes.get() + (iova - begin), data.data(), data.size());
  return Status::SC;
}

std::size_t HostMemory::look(std::uint8_t function, std::uint64_t iova,
                             std::span<std::byte> data) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t begin = 0;
  const Mapping* mapping = find(function, iova, 1, begin);
  if (mapping == nullptr) return 0;
  const std::uint64_t from = iova - begin;
  const std::size_t size = std::min<std::uint64_t>(data.size(), mapping->size - from);
  std::memcpy(data.data(), mapping->bytes.get() + from, size);
  return size;
}

}  // namespace pcilens::sim
