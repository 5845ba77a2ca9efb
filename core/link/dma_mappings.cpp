#include "core/link/dma_mappings.hpp"

#include <fmt/format.h>

#include <iterator>

namespace pcilens {
namespace {

bool overlaps(std::uint64_t iova, std::uint64_t size, const DmaMappings::Mapping& m) {
  return iova < m.iova + m.size && m.iova < iova + size;
}

bool holds(const DmaMappings::Mapping& m, std::uint64_t iova, std::uint64_t size) {
  return iova >= m.iova && iova - m.iova <= m.size && size <= m.size - (iova - m.iova);
}

// " at #7 by edu_dma".
std::string done_at(std::uint64_t seq, std::uint32_t site, const DmaMappings::Symbol& symbol) {
  const std::string_view by = symbol(site);
  return fmt::format(" at #{}{}{}", seq, by.empty() ? "" : " by ", by);
}

}  // namespace

std::string_view in_words(DmaDirection direction) {
  switch (direction) {
    case DmaDirection::ToDevice: return "to the device";
    case DmaDirection::FromDevice: return "from the device";
    case DmaDirection::Bidirectional: break;
  }
  return "both ways";
}

std::string describe(const DmaMappings::Mapping& m, const DmaMappings::Symbol& symbol) {
  return fmt::format("{:#x}+{:#x} (mapped {}{})", m.iova, m.size, in_words(m.direction),
                     done_at(m.seq, m.site, symbol));
}

void DmaMappings::record(const Transaction& t) {
  const Key key{t.function, t.offset};
  if (t.kind == Kind::DmaMap) {
    mappings_[key] = {.function = t.function,
                      .direction = static_cast<DmaDirection>(t.value),
                      .site = t.site,
                      .iova = t.offset,
                      .size = t.size,
                      .seq = t.seq,
                      .t_ns = t.t_ns};
  } else if (t.kind == Kind::DmaUnmap) {
    const auto it = mappings_.find(key);
    if (it == mappings_.end()) return;
    past_.push_front({it->second, t.seq, t.site});
    if (past_.size() > kPast) past_.pop_back();
    mappings_.erase(it);
  }
}

Status DmaMappings::allows(std::uint8_t function, std::uint64_t iova, std::uint64_t size,
                           DmaDirection wanted) const {
  auto it = mappings_.upper_bound({function, iova});
  if (it == mappings_.begin()) return Status::UR;
  --it;
  const Mapping& m = it->second;
  if (m.function != function || !holds(m, iova, size)) return Status::UR;
  return m.direction == DmaDirection::Bidirectional || m.direction == wanted ? Status::SC
                                                                             : Status::CA;
}

std::string DmaMappings::why_not(std::uint8_t function, std::uint64_t iova, std::uint64_t size,
                                 DmaDirection wanted, const Symbol& symbol) const {
  const auto first = mappings_.lower_bound({function, 0});
  const auto last = function == 0xff
                        ? mappings_.end()
                        : mappings_.lower_bound({static_cast<std::uint8_t>(function + 1), 0});
  for (auto it = first; it != last; ++it) {
    const Mapping& m = it->second;
    if (!overlaps(iova, size, m)) continue;
    if (!holds(m, iova, size)) return "not all of it lies in " + describe(m, symbol);
    return fmt::format("{}, which is against the direction of {}", in_words(wanted),
                       describe(m, symbol));
  }
  for (const Past& past : past_)
    if (past.was.function == function && overlaps(iova, size, past.was))
      return fmt::format("unmapped{}; it was {}", done_at(past.seq, past.site, symbol),
                         describe(past.was, symbol));
  if (first == last) return "nothing is mapped";
  // The nearest tells an address that is a little wrong from one that is none.
  const auto next = mappings_.lower_bound({function, iova});
  const auto before = next == first ? next : std::prev(next);
  const auto gap = [&](const Mapping& m) {
    return m.iova > iova ? m.iova - iova : iova - m.iova - m.size;
  };
  const auto nearest = next == last || gap(before->second) <= gap(next->second) ? before : next;
  return "nothing is mapped there; the nearest is " + describe(nearest->second, symbol);
}

}  // namespace pcilens
