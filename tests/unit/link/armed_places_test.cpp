#include "core/link/armed_places.hpp"

#include "link/expression_fixture.hpp"

using namespace example;

namespace {

constexpr std::uint64_t kTop = ~0ull;

// Whether an event of `size` bytes at `offset` is looked at, where `expression` alone is armed.
bool looked_at(const std::string& expression, Kind kind, std::int8_t bar, std::uint64_t offset,
               std::uint32_t size) {
  const Expression compiled_one = compiled(expression);
  ArmedPlaces armed;
  armed.rebuild({&compiled_one.reach()});
  const bool candidate = !armed.candidates(kind, 0, bar, offset, size).empty();
  // The quick test may say yes too often, never too seldom.
  CHECK((armed.may_match(kind, 0, bar, offset, size) || !candidate));
  return candidate;
}

}  // namespace

TEST_CASE("a place at the top of the address space is armed, with its last byte") {
  const auto dma = [](const std::string& expression, std::uint64_t offset, std::uint32_t size) {
    return looked_at(expression, Kind::DmaWrite, kBarDma, offset, size);
  };
  const std::string last = "dma_write and iova == 0xffffffffffffffff";
  CHECK(dma(last, kTop, 1));
  CHECK(dma(last, kTop, 64));  // as long as a broken device asks
  CHECK_FALSE(dma(last, kTop - 8, 8));
  // A page, which is entered dword by dword, and one more, which is compared.
  for (const std::uint64_t pages : {1, 2}) {
    const std::uint64_t first = kTop - pages * 4096 + 1;
    const std::string upper = "iova >= " + std::to_string(first);
    CHECK(dma(upper, first, 4));
    CHECK(dma(upper, first - 4, 8));
    CHECK(dma(upper, kTop, 1));
    CHECK_FALSE(dma(upper, first - 8, 8));
    CHECK_FALSE(dma(upper, 0, 8));
  }
  const std::string bytes = "write BAR0[0xfffffffffffffffc..0xfffffffffffffffd]";
  CHECK(looked_at(bytes, Kind::MemWrite, 0, kTop - 3, 4));
  CHECK_FALSE(looked_at(bytes, Kind::MemWrite, 0, kTop - 1, 2));
}
