#include "core/link/armed_places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace pcilens {

bool ArmedPlaces::in_wide(std::uint32_t bit, std::uint8_t function, std::int8_t bar,
                          std::uint64_t offset, std::uint32_t size) const {
  constexpr std::size_t kMany = 16;  // then the candidates are looked at one by one anyway
  if (wide_.size() > kMany) return true;
  const std::uint64_t last = last_byte(offset, size);
  return std::ranges::any_of(
      wide_, [&](const Entry& e) { return e.touched_by(bit, function, bar, offset, last); });
}

void ArmedPlaces::rebuild(const std::vector<const Reach*>& reaches) {
  constexpr std::uint64_t kWide = 4096;  // bytes: wider ranges are compared, not entered
  kinds_everywhere_ = kinds_wide_ = kinds_narrow_ = 0;
  std::fill(filter_.begin(), filter_.end(), 0);
  everywhere_.clear();
  wide_.clear();
  for (auto& bucket : buckets_) bucket.clear();
  for (std::uint32_t index = 0; index < reaches.size(); ++index) {
    const Reach& reach = *reaches[index];
    if (reach.everywhere) {
      kinds_everywhere_ |= reach.kinds;
      everywhere_.push_back({index, reach.kinds, -1, 0, 0, ~0ull});
      continue;
    }
    for (const Reach::Range& range : reach.ranges) {
      const Entry entry{
          index, reach.kinds & range.kinds, range.function, range.bar, range.begin, range.last()};
      if (entry.last - entry.begin >= kWide) {
        kinds_wide_ |= entry.kinds;
        wide_.push_back(entry);
        continue;
      }
      kinds_narrow_ |= entry.kinds;
      for (std::uint64_t dword = entry.begin / 4; dword <= entry.last / 4; ++dword) {
        const std::size_t bit = hash(range.bar, dword);
        filter_[bit / 64] |= 1ull << (bit % 64);
        buckets_[bit % buckets_.size()].push_back(entry);
      }
    }
  }
  found_.reserve(reaches.size() * 2);  // the path allocates nothing
}

const std::vector<std::uint32_t>& ArmedPlaces::candidates(Kind kind, std::uint8_t function,
                                                          std::int8_t bar, std::uint64_t offset,
                                                          std::uint32_t size) const {
  found_.clear();
  const auto bit = 1u << static_cast<unsigned>(kind);
  const std::uint64_t last = last_byte(offset, size);
  const auto take = [&](const std::vector<Entry>& entries) {
    for (const Entry& e : entries)
      if (e.touched_by(bit, function, bar, offset, last)) found_.push_back(e.index);
  };
  for (const Entry& e : everywhere_)
    if ((e.kinds & bit) != 0) found_.push_back(e.index);
  take(wide_);
  // A long DMA may touch every bucket; then each is looked at once.
  const std::uint64_t dwords = last / 4 - offset / 4 + 1;
  if (dwords >= buckets_.size()) {
    for (const auto& bucket : buckets_) take(bucket);
  } else {
    for (std::uint64_t d = 0; d < dwords; ++d)
      take(buckets_[hash(bar, offset / 4 + d) % buckets_.size()]);
  }
  std::sort(found_.begin(), found_.end());
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  return found_;
}

// ---- in words ----------------------------------------------------------------------------------

namespace {

constexpr std::uint32_t bits(std::initializer_list<Kind> kinds) {
  std::uint32_t all = 0;
  for (const Kind kind : kinds) all |= 1u << static_cast<unsigned>(kind);
  return all;
}

struct Words {
  std::uint32_t kinds;
  std::string_view text;
};

// The first that fit are taken, each kind once.
constexpr Words kWords[] = {
    {bits({Kind::CfgRead, Kind::CfgWrite, Kind::MemRead, Kind::MemWrite}), "access"},
    {bits({Kind::CfgRead, Kind::MemRead}), "read"},
    {bits({Kind::CfgWrite, Kind::MemWrite}), "write"},
    {bits({Kind::CfgRead, Kind::CfgWrite}), "config access"},
    {bits({Kind::MemRead, Kind::MemWrite}), "memory access"},
    {bits({Kind::CfgRead}), "config read"},
    {bits({Kind::CfgWrite}), "config write"},
    {bits({Kind::MemRead}), "memory read"},
    {bits({Kind::MemWrite}), "memory write"},
    {bits({Kind::DmaRead, Kind::DmaWrite}), "DMA"},
    {bits({Kind::DmaRead}), "DMA read"},
    {bits({Kind::DmaWrite}), "DMA write"},
    {bits({Kind::Irq}), "interrupt"},
    {bits({Kind::DmaMap, Kind::DmaUnmap}), "DMA mapping or unmapping"},
    {bits({Kind::DmaMap}), "DMA mapping"},
    {bits({Kind::DmaUnmap}), "DMA unmapping"},
    {bits({Kind::Reset}), "reset"},
    {bits({Kind::Timer}), "timer"},
    {bits({Kind::Input}), "input"},
    {bits({Kind::State}), "change by the device itself"},
    {bits({Kind::Force}), "force"},
    {bits({Kind::Control}), "control"},
    {bits({Kind::Gap}), "gap"},
};

std::string every(std::uint32_t kinds) {
  constexpr std::uint32_t kAll = (1u << kKinds) - 1;
  if ((kinds & kAll) == kAll) return "everything";
  std::string text;
  for (const Words& words : kWords) {
    if ((kinds & words.kinds) != words.kinds) continue;
    kinds &= ~words.kinds;
    text += (text.empty() ? "every " : ", ") + std::string(words.text);
  }
  return text.empty() ? "nothing" : text;
}

std::string place(const Reach::Range& range) {
  std::string text;
  switch (range.bar) {
    case kBarConfig: text = "config"; break;
    case kBarDma: text = "DMA"; break;
    case kBarInterrupt: text = "interrupts"; break;
    case kBarNone: text = every(range.kinds); break;
    default: text = fmt::format("BAR{}", range.bar);
  }
  if (range.begin == 0 && range.end == ~0ull) return text;
  if (range.begin == range.last() && range.bar < kBarConfig)
    return text + fmt::format(" {:#x}", range.begin);
  return text +
         fmt::format("{}{:#x}..{:#x}", range.bar >= 0 ? "+" : " ", range.begin, range.last());
}

}  // namespace

std::string describe(const Reach& reach) {
  if (reach.everywhere) return every(reach.kinds);
  std::string text;
  for (const Reach::Range& range : reach.ranges) {
    text += (text.empty() ? "" : ", ") + place(range);
    if (text.size() > 120) return text + ", ...";
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace pcilens
