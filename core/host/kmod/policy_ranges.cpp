#include "core/host/kmod/policy_ranges.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

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

bool has(std::span<const Host::Range> pieces, const Host::Range& range) {
  const auto place = [](const Host::Range& r) { return std::pair(r.bar, r.begin); };
  const auto it = std::ranges::lower_bound(pieces, place(range), {}, place);
  return it != pieces.end() && *it == range;
}

bool overlap(const Host::Range& a, const Host::Range& b) {
  return a.bar == b.bar && a.begin < b.end && b.begin < a.end;
}

}  // namespace

std::vector<Host::Range> disjoint(std::span<const Host::Range> ranges, std::uint8_t function) {
  std::map<std::int8_t, std::map<std::uint64_t, Count>> bars;  // what begins there, less what ends
  for (const Host::Range& range : ranges) {
    if (range.function != function || range.bar < kBarConfig || range.begin >= range.end) continue;
    bars[range.bar][range.begin].add(range, 1);
    bars[range.bar][range.end].add(range, -1);
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

}  // namespace pcilens::kmod
