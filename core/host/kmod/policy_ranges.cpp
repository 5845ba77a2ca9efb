#include "core/host/kmod/policy_ranges.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "core/pci/config_space.hpp"

namespace pcilens::kmod {
namespace {

// How many ranges that ask for it cover a place.
struct Count {
  int reads = 0, writes = 0, posted = 0;

  void add(const Host::Range& range, int n) {
    reads += range.reads ? n : 0;
    writes += range.writes ? n : 0;
    posted += range.posted ? n : 0;
  }
  void add(const Count& other) {
    reads += other.reads;
    writes += other.writes;
    posted += other.posted;
  }
  bool any() const { return reads + writes + posted != 0; }
};

std::pair<std::int8_t, std::uint64_t> place(const Host::Range& range) {
  return {range.bar, range.begin};
}

bool has(std::span<const Host::Range> pieces, const Host::Range& range) {
  const auto it = std::ranges::lower_bound(pieces, place(range), {}, place);
  return it != pieces.end() && *it == range;
}

bool asks(const Host::Range& range) {
  return range.reads || range.writes || range.posted;
}

bool overlap(const Host::Range& a, const Host::Range& b) {
  return a.bar == b.bar && a.begin < b.end && b.begin < a.end;
}

std::uint64_t size_of(std::int8_t bar, const BarSizes& sizes) {
  if (bar == kBarConfig) return kConfigSize;
  return bar >= 0 && bar < 6 ? sizes[static_cast<unsigned>(bar)] : 0;
}

}  // namespace

std::vector<Host::Range> disjoint(std::span<const Host::Range> ranges, std::uint8_t function,
                                  const BarSizes& sizes) {
  std::map<std::int8_t, std::map<std::uint64_t, Count>> bars;  // what begins there, less what ends
  for (const Host::Range& range : ranges) {
    const std::uint64_t end = std::min(range.end, size_of(range.bar, sizes));
    if (range.function != function || range.begin >= end) continue;
    bars[range.bar][range.begin].add(range, 1);
    bars[range.bar][end].add(range, -1);
  }
  std::vector<Host::Range> pieces;
  for (const auto& [bar, edges] : bars) {
    Count now;
    for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
      now.add(edge->second);
      if (now.any())
        pieces.push_back({function, bar, edge->first, std::next(edge)->first, now.reads != 0,
                          now.writes != 0, now.posted != 0});
    }
  }
  return pieces;
}

std::vector<Host::Range> changes(std::span<const Host::Range> held,
                                 std::span<const Host::Range> wanted) {
  std::vector<Host::Range> gone;
  for (Host::Range old : held)
    if (!has(wanted, old)) {
      old.reads = old.writes = old.posted = false;
      gone.push_back(old);
    }
  std::vector<Host::Range> all = gone;
  for (const Host::Range& range : wanted) {
    // Of what is taken back a part may stay.
    const auto cuts = [&](const Host::Range& old) { return overlap(old, range); };
    if (!has(held, range) || std::ranges::any_of(gone, cuts)) all.push_back(range);
  }
  return all;
}

bool hold(std::vector<Host::Range>& held, std::span<const Host::Range> wanted,
          const std::function<bool(const Host::Range&)>& set) {
  std::vector<Host::Range> now(wanted.begin(), wanted.end());
  for (Host::Range range : changes(held, wanted)) {
    if (set(range)) continue;
    std::erase(now, range);
    // Nobody knows what is there now: the next call clears the place before it sets anything.
    range.reads = range.writes = range.posted = false;
    now.push_back(range);
  }
  std::ranges::sort(now, {}, place);
  held = std::move(now);
  return std::ranges::all_of(held, asks);
}

}  // namespace pcilens::kmod
