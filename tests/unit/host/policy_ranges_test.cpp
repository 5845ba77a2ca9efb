#include "core/host/kmod/policy_ranges.hpp"

#include <map>
#include <random>
#include <tuple>

#include "catch.hpp"

using namespace pcilens;
using kmod::changes;
using kmod::disjoint;

namespace {

using Asked = std::tuple<bool, bool, bool>;  // reads, writes, posted

// The kernel's side: a policy for each byte, of a small BAR.
struct Kernel {
  std::map<std::pair<int, std::uint64_t>, Asked> bytes;
  unsigned calls = 0;

  void set(const Host::Range& range) {
    ++calls;
    for (std::uint64_t at = range.begin; at < range.end; ++at)
      bytes[{range.bar, at}] = {range.reads, range.writes, range.posted};
  }
  Asked at(int bar, std::uint64_t place) const {
    const auto it = bytes.find({bar, place});
    return it == bytes.end() ? Asked{} : it->second;
  }
};

Asked asked(std::span<const Host::Range> ranges, int bar, std::uint64_t place) {
  bool reads = false, writes = false, posted = false;
  for (const Host::Range& r : ranges) {
    if (r.function != 1 || r.bar != bar || place < r.begin || place >= r.end) continue;
    reads |= r.reads;
    writes |= r.writes;
    posted |= r.posted;
  }
  return {reads, writes, posted};
}

}  // namespace

TEST_CASE("any change of breakpoints leaves each byte with what was asked for it") {
  std::mt19937 random(11);
  const auto draw = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  Kernel kernel;
  std::vector<Host::Range> ranges, held;
  for (int round = 0; round < 500; ++round) {
    if (!ranges.empty() && draw(3) == 0) ranges.erase(ranges.begin() + draw(ranges.size()));
    const std::uint64_t begin = draw(60);
    ranges.push_back({static_cast<std::uint8_t>(draw(2)), static_cast<std::int8_t>(draw(3)), begin,
                      begin + draw(12), draw(2) != 0, draw(2) != 0, draw(2) != 0});
    if (ranges.size() > 12) ranges.clear();
    const auto wanted = disjoint(ranges, 1);
    for (std::size_t i = 1; i < wanted.size(); ++i)
      REQUIRE((wanted[i - 1].bar < wanted[i].bar || wanted[i - 1].end <= wanted[i].begin));
    for (const Host::Range& range : changes(held, wanted)) kernel.set(range);
    held = wanted;
    for (int bar = 0; bar < 3; ++bar)
      for (std::uint64_t at = 0; at < 72; ++at)
        REQUIRE(kernel.at(bar, at) == asked(ranges, bar, at));
  }
}

TEST_CASE("the thousandth breakpoint is one call, and so is its end") {
  std::vector<Host::Range> ranges;
  for (std::uint64_t i = 0; i < 1000; ++i)
    ranges.push_back({1, 0, 8 * i, 8 * i + 4, false, true, false});
  const auto without = disjoint(std::span(ranges).first(999), 1);
  const auto with = disjoint(ranges, 1);
  CHECK(changes({}, with).size() == 1000);
  CHECK(changes(without, with).size() == 1);
  CHECK(changes(with, without).size() == 1);
  CHECK(changes(with, with).empty());
}
