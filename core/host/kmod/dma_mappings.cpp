#include "core/host/kmod/dma_mappings.hpp"

#include <fmt/format.h>

#include <iterator>

namespace pcilens::kmod {
namespace {

std::string_view words(DmaDirection direction) {
  switch (direction) {
    case DmaDirection::ToDevice: return "to the device";
    case DmaDirection::FromDevice: return "from the device";
    default: return "both ways";
  }
}

bool overlaps(std::uint64_t iova, std::uint64_t length, std::uint64_t begin, std::uint64_t size) {
  return iova < begin + size && begin < iova + length;
}

}  // namespace

void DmaMappings::unmap(std::uint64_t iova, std::uint64_t seq) {
  const auto it = mappings_.find(iova);
  if (it == mappings_.end()) return;
  past_.push_front({iova, it->second, seq});
  if (past_.size() > kPast) past_.pop_back();
  mappings_.erase(it);
}

Status DmaMappings::allows(std::uint64_t iova, std::uint64_t length, DmaDirection wanted) const {
  auto it = mappings_.upper_bound(iova);
  if (it == mappings_.begin()) return Status::UR;
  --it;
  const std::uint64_t from = iova - it->first;
  if (from > it->second.length || length > it->second.length - from) return Status::UR;
  const DmaDirection is = it->second.direction;
  return is == DmaDirection::Bidirectional || is == wanted ? Status::SC : Status::CA;
}

std::string DmaMappings::why_not(std::uint64_t iova, std::uint64_t length, DmaDirection wanted,
                                 const std::function<std::string(std::uint32_t)>& symbol) const {
  const std::string what =
      fmt::format("DMA of {} bytes {} at IOVA {:#x}", length, words(wanted), iova);
  const auto range = [&](std::uint64_t begin, const Mapping& m) {
    const std::string by = symbol(m.site);
    return fmt::format("{:#x}+{:#x} (mapped {} at #{}{}{})", begin, m.length, words(m.direction),
                       m.seq, by.empty() ? "" : " by ", by);
  };
  for (const auto& [begin, mapping] : mappings_) {
    if (!overlaps(iova, length, begin, mapping.length)) continue;
    if (iova >= begin && length <= mapping.length - (iova - begin))
      return fmt::format("{}: against the direction of {}", what, range(begin, mapping));
    return fmt::format("{}: not all of it lies in {}", what, range(begin, mapping));
  }
  for (const Past& past : past_)
    if (overlaps(iova, length, past.iova, past.was.length))
      return fmt::format("{}: after the unmap (#{}) of {}", what, past.unmapped,
                         range(past.iova, past.was));
  if (mappings_.empty()) return what + ": nothing is mapped";
  // The nearest tells an address that is a little wrong from one that is none.
  auto next = mappings_.lower_bound(iova);
  const auto before = next == mappings_.begin() ? next : std::prev(next);
  const auto gap = [&](auto it) {
    return it->first > iova ? it->first - iova : iova - it->first - it->second.length;
  };
  const auto nearest = next == mappings_.end() || gap(before) <= gap(next) ? before : next;
  return fmt::format("{}: nothing is mapped there; the nearest is {}", what,
                     range(nearest->first, nearest->second));
}

}  // namespace pcilens::kmod
