#include "core/link/breakpoints.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pcilens {

// ---- which places are armed --------------------------------------------------------------------

bool ArmedPlaces::in_filter(std::uint8_t, std::int8_t bar, std::uint64_t offset,
                            std::uint32_t size) const {
  if (filter_full_) return true;
  const std::uint64_t last = (offset + (size == 0 ? 0 : size - 1)) / 4;
  for (std::uint64_t dword = offset / 4; dword <= last; ++dword) {
    const std::size_t bit = hash(bar, dword);
    if ((filter_[bit / 64] >> (bit % 64) & 1) != 0) return true;
    if (dword - offset / 4 > 16) return true;  // a long DMA: let the ranges decide
  }
  return false;
}

void ArmedPlaces::rebuild(const std::vector<const Reach*>& reaches) {
  constexpr std::uint64_t kWide = 4096;  // bytes: wider ranges are compared, not entered
  kinds_everywhere_ = kinds_ranged_ = 0;
  filter_full_ = false;
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
    kinds_ranged_ |= reach.kinds;
    for (const Reach::Range& range : reach.ranges) {
      const Entry entry{index,    reach.kinds & range.kinds, range.function, range.bar, range.begin,
                        range.end};
      if (range.end - range.begin > kWide) {
        filter_full_ = true;
        wide_.push_back(entry);
        continue;
      }
      for (std::uint64_t dword = range.begin / 4; dword * 4 < range.end; ++dword) {
        const std::size_t bit = hash(range.bar, dword);
        filter_[bit / 64] |= 1ull << (bit % 64);
        buckets_[bit % buckets_.size()].push_back(entry);
      }
    }
  }
}

const std::vector<std::uint32_t>& ArmedPlaces::candidates(Kind kind, std::uint8_t function,
                                                          std::int8_t bar, std::uint64_t offset,
                                                          std::uint32_t size) const {
  found_.clear();
  const auto bit = 1u << static_cast<unsigned>(kind);
  const std::uint64_t end = offset + std::max<std::uint64_t>(size, 1);
  const auto take = [&](const std::vector<Entry>& entries) {
    for (const Entry& e : entries)
      if ((e.kinds & bit) != 0 && (e.function < 0 || e.function == function) && e.bar == bar &&
          e.begin < end && offset < e.end)
        found_.push_back(e.index);
  };
  for (const Entry& e : everywhere_)
    if ((e.kinds & bit) != 0) found_.push_back(e.index);
  take(wide_);
  // A long DMA may touch every bucket; then each is looked at once.
  const std::uint64_t dwords = (end - 1) / 4 - offset / 4 + 1;
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

std::string describe(const Reach& reach) {
  if (reach.everywhere) return "every access";
  std::string text;
  for (const Reach::Range& range : reach.ranges) {
    if (!text.empty()) text += ", ";
    if (range.bar >= 0)
      text += fmt::format("BAR{}", range.bar);
    else
      text += range.bar == kBarConfig ? "config" : range.bar == kBarDma ? "DMA" : "interrupts";
    if (range.begin == 0 && range.end == ~0ull) continue;
    text += fmt::format("{}{:#x}..{:#x}", range.bar >= 0 ? "+" : " ", range.begin, range.end - 1);
    if (text.size() > 120) return text + ", ...";
  }
  return text;
}

// ---- the table ---------------------------------------------------------------------------------

namespace {

Error no_breakpoint(std::uint32_t number) {
  return {fmt::format("there is no breakpoint {}; `breaks` lists them", number)};
}

}  // namespace

void BreakpointTable::rearm() {
  std::vector<const Reach*> reaches;
  armed_items_.clear();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].state.enabled) continue;
    reaches.push_back(&items_[i].expression.reach());
    armed_items_.push_back(i);
  }
  armed_.rebuild(reaches);
}

Result<std::uint32_t> BreakpointTable::add(Breakpoint breakpoint,
                                           std::shared_ptr<const Names> names) {
  auto expression = Expression::compile(breakpoint.expression, std::move(names));
  if (!expression) return tl::unexpected(expression.error());
  // A condition on what the function answers can only be judged then.
  if (expression->needs_completion()) breakpoint.phase = Phase::After;
  Item item{.state = {.number = next_++, .breakpoint = breakpoint},
            .expression = std::move(*expression),
            .to_ignore = breakpoint.ignore};
  item.state.synchronous = describe(item.expression.reach());
  items_.push_back(std::move(item));
  rearm();
  return items_.back().state.number;
}

Result<void> BreakpointTable::enable(std::uint32_t number, bool enabled) {
  for (Item& item : items_) {
    if (item.state.number != number) continue;
    item.state.enabled = enabled;
    rearm();
    return {};
  }
  return tl::unexpected(no_breakpoint(number));
}

Result<void> BreakpointTable::remove(std::uint32_t number) {
  if (std::erase_if(items_, [&](const Item& i) { return i.state.number == number; }) == 0)
    return tl::unexpected(no_breakpoint(number));
  rearm();
  return {};
}

std::vector<BreakpointState> BreakpointTable::list() const {
  std::vector<BreakpointState> states;
  for (const Item& item : items_) states.push_back(item.state);
  return states;
}

const BreakpointState* BreakpointTable::find(std::uint32_t number) const {
  for (const Item& item : items_)
    if (item.state.number == number) return &item.state;
  return nullptr;
}

std::vector<Reach> BreakpointTable::reaches() const {
  std::vector<Reach> all;
  for (const Item& item : items_)
    if (item.state.enabled) all.push_back(item.expression.reach());
  return all;
}

void BreakpointTable::match(const EventView& event, std::vector<std::uint32_t>& stops,
                            std::vector<std::uint32_t>& logged) {
  const Transaction& t = event.t;
  // What has no Before (a state change is seen once it has happened) is judged After.
  const bool only_after = t.kind == Kind::State || t.kind == Kind::Timer;
  bool disarm = false;
  for (const std::uint32_t candidate :
       armed_.candidates(t.kind, t.function, t.bar, t.offset, t.size)) {
    Item& item = items_[armed_items_[candidate]];
    const bool wants_after = only_after || item.state.breakpoint.phase == Phase::After;
    if (wants_after != (event.phase == Phase::After) || !item.expression.matches(event)) continue;
    ++item.state.hits;
    if (item.to_ignore > 0) {
      --item.to_ignore;
    } else if (item.state.breakpoint.log_only) {
      logged.push_back(item.state.number);
    } else {
      stops.push_back(item.state.number);
      if (item.state.breakpoint.once) {
        item.state.enabled = false;
        disarm = true;
      }
    }
  }
  if (disarm) rearm();
}

}  // namespace pcilens
