// Recorded IOVAs in a pool of other addresses.
#include "core/host/kmod/placed_memory.hpp"

#include "catch.hpp"

using pcilens::kmod::PlacedMemory;

namespace {

constexpr std::uint64_t kPage = 4096, kBase = 0x10'0000;

std::vector<std::byte> counting(std::size_t size, unsigned from) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(from + i);
  return bytes;
}

}  // namespace

TEST_CASE("bytes placed at the pool's own IOVAs lie where the pool has them") {
  std::vector<std::byte> pool(4 * kPage);
  PlacedMemory memory(pool, kBase);
  const auto bytes = counting(100, 1);
  REQUIRE(memory.place(kBase + kPage + 50, bytes));
  CHECK(std::equal(bytes.begin(), bytes.end(), pool.begin() + kPage + 50));
  std::vector<std::byte> got(100);
  REQUIRE(memory.look(kBase + kPage + 50, got));
  CHECK(got == bytes);
}

TEST_CASE("bytes across pages of any IOVA are found again") {
  std::vector<std::byte> pool(4 * kPage);
  PlacedMemory memory(pool, kBase);
  const auto bytes = counting(2 * kPage, 7);
  const std::uint64_t far = 0x7000'0000'0ff0;
  REQUIRE(memory.place(far, bytes));
  std::vector<std::byte> got(2 * kPage);
  REQUIRE(memory.look(far, got));
  CHECK(got == bytes);
}

TEST_CASE("an IOVA of the pool's own gets another page where that is taken") {
  std::vector<std::byte> pool(2 * kPage);
  PlacedMemory memory(pool, kBase);
  const auto first = counting(16, 1), second = counting(16, 100);
  REQUIRE(memory.place(0x7000'0000, first));  // takes the last page
  REQUIRE(memory.place(kBase + kPage, second));
  std::vector<std::byte> got(16);
  REQUIRE(memory.look(0x7000'0000, got));
  CHECK(got == first);
  REQUIRE(memory.look(kBase + kPage, got));
  CHECK(got == second);
}

TEST_CASE("where nothing was placed there is nothing to look at, and a full pool says so") {
  std::vector<std::byte> pool(2 * kPage);
  PlacedMemory memory(pool, kBase);
  std::vector<std::byte> got(16);
  CHECK_FALSE(memory.look(kBase, got));
  REQUIRE(memory.place(kBase, counting(16, 1)));
  CHECK_FALSE(memory.look(kBase + kPage - 8, got));
  REQUIRE(memory.place(0x9000'0000, counting(16, 1)));
  CHECK_FALSE(memory.place(0xa000'0000, counting(1, 1)));
  CHECK(memory.place(kBase + 100, counting(16, 3)));
}
