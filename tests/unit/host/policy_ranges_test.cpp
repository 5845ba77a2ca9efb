#include "core/host/kmod/policy_ranges.hpp"

#include <map>
#include <random>
#include <tuple>

#include "catch.hpp"

using namespace pcilens;
using kmod::changes;
using kmod::disjoint;
using kmod::hold;

namespace {

constexpr kmod::BarSizes kBars{1 << 16, 64, 64};  // and no other

using Asked = std::tuple<bool, bool, bool>;  // reads, writes, posted

// The kernel's side: a policy for each byte, of a small BAR.
struct Kernel {
  std::map<std::pair<int, std::uint64_t>, Asked> bytes;
  unsigned calls = 0;

  void set(const Host::Range& range) {
    ++calls;
    REQUIRE((range.bar >= 0 && range.end <= kBars[static_cast<unsigned>(range.bar)]));
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
  unsigned refused = 0;
  for (int round = 0; round < 500; ++round) {
    if (!ranges.empty() && draw(3) == 0) ranges.erase(ranges.begin() + draw(ranges.size()));
    const std::uint64_t begin = draw(60);
    ranges.push_back({static_cast<std::uint8_t>(draw(2)), static_cast<std::int8_t>(draw(4)), begin,
                      begin + draw(12), draw(2) != 0, draw(2) != 0, draw(2) != 0});
    if (ranges.size() > 12) ranges.clear();
    const auto wanted = disjoint(ranges, 1, kBars);
    for (std::size_t i = 1; i < wanted.size(); ++i)
      REQUIRE((wanted[i - 1].bar < wanted[i].bar || wanted[i - 1].end <= wanted[i].begin));
    // Now and then the kernel refuses one, whether it is to be set or to be taken back.
    const bool all = hold(held, wanted, [&](const Host::Range& range) {
      if (draw(8) == 0) return false;
      kernel.set(range);
      return true;
    });
    refused += all ? 0 : 1;
    for (int bar = 0; all && bar < 3; ++bar)
      for (std::uint64_t at = 0; at < 64; ++at)
        REQUIRE(kernel.at(bar, at) == asked(ranges, bar, at));
  }
  CHECK(refused > 20);
}

TEST_CASE("a range is held as far as its BAR goes, and nothing of a BAR that is not there") {
  const std::vector<Host::Range> ranges{{1, kBarConfig, 0, ~0ull, true, true, false},
                                        {1, 1, 0, ~0ull, true, true, false},
                                        {1, 2, 16, 0x10000, false, true, false},
                                        {1, 2, 64, 128, true, false, false},
                                        {1, 3, 0, ~0ull, true, true, false}};
  CHECK(disjoint(ranges, 1, kBars) ==
        std::vector<Host::Range>{{1, kBarConfig, 0, 4096, true, true, false},
                                 {1, 1, 0, 64, true, true, false},
                                 {1, 2, 16, 64, false, true, false}});
}

TEST_CASE("what the kernel had no place for is set once others have gone") {
  std::vector<Host::Range> ranges{{1, 0, 0, 4, false, true, false},
                                  {1, 0, 8, 12, false, true, false}};
  std::vector<Host::Range> held;
  Kernel kernel;
  unsigned places = 1;
  const auto set = [&](const Host::Range& range) {
    if (range.writes && places == 0) return false;
    places += range.writes ? -1 : kernel.at(0, range.begin) != Asked{};
    kernel.set(range);
    return true;
  };
  CHECK_FALSE(hold(held, disjoint(ranges, 1, kBars), set));
  CHECK(kernel.at(0, 8) == Asked{});
  ranges.erase(ranges.begin());
  CHECK(hold(held, disjoint(ranges, 1, kBars), set));
  CHECK(kernel.at(0, 8) == asked(ranges, 0, 8));
}

TEST_CASE("the thousandth breakpoint is one call, and so is its end") {
  std::vector<Host::Range> ranges;
  for (std::uint64_t i = 0; i < 1000; ++i)
    ranges.push_back({1, 0, 8 * i, 8 * i + 4, false, true, false});
  const auto without = disjoint(std::span(ranges).first(999), 1, kBars);
  const auto with = disjoint(ranges, 1, kBars);
  CHECK(changes({}, with).size() == 1000);
  CHECK(changes(without, with).size() == 1);
  CHECK(changes(with, without).size() == 1);
  CHECK(changes(with, with).empty());
}
