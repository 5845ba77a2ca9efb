#include "core/registers/bank.hpp"

#include <stdexcept>
#include <tuple>

#include "catch.hpp"
#include "registers/sample_map.hpp"

using namespace pcilens;

TEST_CASE("a fresh bank reads the reset values as far as they can be read") {
  RegisterBank bank(sample::kMap);
  CHECK(bank.read(0x00, 4) == 0x5000'0001);
  CHECK(bank.read(0x04, 4) == 0xabcd);
}

TEST_CASE("each field takes a write by its own access type") {
  RegisterBank bank(sample::kMap);
  bank.set(sample::kStatus, 0x0000'05f0);
  bank.write(0x00, 4, 0xffff'ff3f);
  CHECK(bank.get(sample::kStatus["READY"]) == 0);    // RO
  CHECK(bank.get(sample::kStatus["ERROR"]) == 0xc);  // W1C: 1s cleared
  CHECK(bank.get(sample::kStatus["COUNT"]) == 5);    // RC: not written
  CHECK(bank.get(sample::kStatus["ARM"]) == 3);      // RW1S
  CHECK(bank.get(sample::kStatus["KEY"]) == 0xf);    // WO: stored
  CHECK(bank.get(sample::kStatus["MODE"]) == 0xf);   // RW
  CHECK(bank.read(0x00, 4) == 0xf003'05c0);          // WO and reserved read 0
  bank.write(0x00, 4, 0);
  CHECK(bank.get(sample::kStatus["ERROR"]) == 0xc);  // writing 0 clears nothing
  CHECK(bank.get(sample::kStatus["ARM"]) == 3);      // nor unsets
}

TEST_CASE("a read clears RC fields, once, and tells it") {
  RegisterBank bank(sample::kMap);
  std::vector<std::tuple<std::string, std::uint64_t, std::uint64_t>> changes;
  bank.set(sample::kStatus["COUNT"], 7);
  bank.on_change([&](const RegisterRef& ref, std::uint64_t before, std::uint64_t after) {
    changes.emplace_back(name_of(ref), before, after);
  });
  CHECK(bank.peek(0x00, 4) == 0x5000'0701);
  CHECK(bank.peek(0x00, 4) == 0x5000'0701);
  CHECK(changes.empty());
  CHECK(bank.read(0x00, 1) == 0x01);  // not the byte that holds COUNT
  CHECK(changes.empty());
  CHECK(bank.read(0x00, 4) == 0x5000'0701);
  CHECK(bank.read(0x00, 4) == 0x5000'0001);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0] == std::make_tuple(std::string("STATUS"), 0x5000'0701u, 0x5000'0001u));
}

TEST_CASE("a partial write keeps the bytes it does not carry") {
  RegisterBank bank(sample::kMap);
  bank.write(0x08, 8, 0x1122'3344'5566'7788);
  bank.write(0x0a, 1, 0xee);
  CHECK(bank.read(0x08, 8) == 0x1122'3344'55ee'7788);
  bank.write(0x0c, 4, 0xaaaa'bbbb);
  CHECK(bank.read(0x08, 8) == 0xaaaa'bbbb'55ee'7788);
  CHECK(bank.read(0x0e, 2) == 0xaaaa);
  bank.set(sample::kStatus["ERROR"], 0xf);
  bank.write(0x01, 1, 0xff);  // W1C bits lie in byte 0
  CHECK(bank.get(sample::kStatus["ERROR"]) == 0xf);
}

TEST_CASE("one access over two registers reaches both") {
  RegisterBank bank(sample::kMap);
  bank.write(0x00, 8, 0x1234'5678'7000'0000);
  CHECK(bank.get(sample::kStatus["MODE"]) == 7);
  CHECK(bank.get(sample::kData) == 0x1234'5678);
  CHECK(bank.read(0x00, 8) == 0x1234'5678'7000'0001);
  bank.write(0x10, 4, 0xbbbb'ccdd);  // BYTE, a hole, HALF
  CHECK(bank.get(sample::kByte) == 0xdd);
  CHECK(bank.get(sample::kHalf) == 0xbbbb);
  CHECK(bank.read(0x10, 4) == 0xbbbb'00dd);
}

TEST_CASE("bytes that no register covers read 0 and ignore writes") {
  RegisterBank bank(sample::kMap);
  bank.write(0x30, 4, ~0u);
  bank.write(0x1ffff8, 8, ~0ull);
  bank.write(~0ull - 7, 8, ~0ull);
  CHECK(bank.read(0x30, 4) == 0);
  CHECK(bank.read(0x1ffff8, 8) == 0);
  CHECK(bank.read(~0ull - 7, 8) == 0);
}

TEST_CASE("elements of an array are stored apart") {
  RegisterBank bank(sample::kMap);
  for (std::uint32_t i = 0; i < 8; ++i) {
    bank.write(0x100 + i * 8, 4, 100 + i);
    bank.write(0x104 + i * 8, 4, 200 + i);
  }
  bank.write(0x103e70, 4, 0x77);
  for (std::uint32_t i = 0; i < 8; ++i) {
    CHECK(bank.get(sample::kTail, i) == 100 + i);
    CHECK(bank.get(sample::kHead, i) == 200 + i);
  }
  CHECK(bank.get(sample::kFarA, 999) == 0x77);
}

TEST_CASE("a write handler sees what was written, what is stored, and the lanes") {
  RegisterBank bank(sample::kMap);
  std::vector<RegisterWrite> seen;
  bank.set(sample::kStatus["ERROR"], 0xf);
  bank.on_write(sample::kStatus, [&](const RegisterWrite& w) {
    CHECK(bank.get(sample::kStatus) == w.after);  // already stored
    seen.push_back(w);
  });
  bank.write(0x00, 1, 0x30);
  bank.write(0x04, 4, 1);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].ref == RegisterRef{&sample::kStatus, 0});
  CHECK(seen[0].written == 0x5000'0030);
  CHECK(seen[0].before == 0x5000'00f1);
  CHECK(seen[0].after == 0x5000'00c1);
  CHECK(seen[0].lanes == 0xff);
}

TEST_CASE("handlers of one access run in the order of the registers") {
  RegisterBank bank(sample::kMap);
  std::string order;
  bank.on_write(sample::kData, [&](const RegisterWrite&) { order += 'D'; });
  bank.on_write(sample::kStatus, [&](const RegisterWrite&) {
    CHECK(bank.get(sample::kData) == 0xabcd);  // the second register comes after
    order += 'S';
  });
  bank.write(0x00, 8, 0);
  CHECK(order == "SD");
}

TEST_CASE("a read handler gives the value to reads and peeks, an effect runs for reads only") {
  RegisterBank bank(sample::kMap);
  int effects = 0;
  bank.on_read(sample::kGpr, [](const RegisterRef& ref) { return 0x1000u + ref.index; });
  bank.on_read_effect(sample::kGpr, [&](const RegisterRef& ref) {
    CHECK(ref.index == 2);
    ++effects;
  });
  CHECK(bank.peek(0x28, 4) == 0x1002);
  CHECK(bank.peek(RegisterRef{&sample::kGpr, 2}) == 0x1002);
  CHECK(bank.peek(0x29, 1) == 0x10);
  CHECK(effects == 0);
  CHECK(bank.read(0x28, 4) == 0x1002);
  CHECK(bank.read(0x29, 1) == 0x10);
  CHECK(effects == 2);
}

TEST_CASE("a device's set tells the listener only if the value changed") {
  RegisterBank bank(sample::kMap);
  std::vector<std::uint64_t> values;
  bank.on_change(
      [&](const RegisterRef&, std::uint64_t, std::uint64_t now) { values.push_back(now); });
  bank.set(sample::kData, 0xabcd);
  bank.set(sample::kData, 0x1'0000'0005);  // beyond the width: dropped
  bank.set(sample::kStatus["MODE"], 5);
  bank.set(sample::kStatus["MODE"], 0x16);
  bank.write(0x04, 4, 9);  // the driver's write is no change by the device
  CHECK(values == std::vector<std::uint64_t>{5, 0x6000'0001});
}

TEST_CASE("force sets bytes that no write may set, and runs no handler") {
  RegisterBank bank(sample::kMap);
  bank.on_write(sample::kStatus, [](const RegisterWrite&) { FAIL("a handler ran"); });
  int told = 0;
  bank.on_change([&](const RegisterRef&, std::uint64_t, std::uint64_t) { ++told; });
  CHECK(bank.force(0x01, 1, 0x42));
  CHECK(bank.get(sample::kStatus) == 0x5000'4201);
  CHECK(bank.force(0x00, 4, 0));
  CHECK(bank.get(sample::kStatus["READY"]) == 0);
  CHECK(told == 2);
  CHECK(bank.force(0x810, 2, 0xbeef));
  CHECK(bank.peek(0x810, 2) == 0xbeef);
  CHECK_FALSE(bank.force(0x30, 4, 1));
}

TEST_CASE("a memory region is bytes, also across its edge") {
  RegisterBank bank(sample::kMap);
  bank.write(0x800, 8, 0x8877'6655'4433'2211);
  CHECK(bank.read(0x803, 1) == 0x44);
  CHECK(bank.peek(0x804, 4) == 0x8877'6655);
  auto bytes = bank.memory(sample::kBuffer);
  REQUIRE(bytes.size() == 0x100);
  CHECK(bytes[2] == std::byte{0x33});
  bytes[0xff] = std::byte{0x5a};
  CHECK(bank.read(0x8ff, 1) == 0x5a);
  CHECK(bank.read(0x8fe, 4) == 0x5a00);
}

TEST_CASE("reset brings registers back and runs no handler") {
  RegisterBank bank(sample::kMap);
  bank.on_write(sample::kData, [](const RegisterWrite&) {});
  bank.write(0x04, 4, 1);
  bank.write(0x100, 4, 2);
  bank.write(0x800, 4, 3);
  bank.on_change([](const RegisterRef&, std::uint64_t, std::uint64_t) { FAIL("told of a reset"); });
  bank.reset();
  CHECK(bank.get(sample::kData) == 0xabcd);
  CHECK(bank.get(sample::kTail, 0) == 0);
  CHECK(bank.read(0x800, 4) == 3);
}

namespace {
constexpr Register kForeign{.name = "FOREIGN", .offset = 0x04};
constexpr MemoryRegion kForeignRegion{.name = "FOREIGN", .offset = 0x800, .size = 0x100};
}  // namespace

TEST_CASE("who keeps a copy is told each change once, and of what is computed each time") {
  RegisterBank bank(sample::kMap);
  bank.on_read(sample::kWide, [](const RegisterRef&) { return 0x77u; });
  const auto changes = [&] {
    std::vector<std::pair<std::string, std::uint64_t>> seen;
    bank.peek_changes([&](const RegisterRef& ref, std::uint64_t value) {
      seen.emplace_back(name_of(ref), value);
    });
    return seen;
  };
  using Seen = std::vector<std::pair<std::string, std::uint64_t>>;
  CHECK(changes().size() > 2000);  // all of them, the arrays' elements too
  CHECK(changes() == Seen{{"WIDE", 0x77}});
  bank.write(0x04, 4, 0x1234);
  bank.set(sample::kByte, 5);
  CHECK(changes() == Seen{{"DATA", 0x1234}, {"WIDE", 0x77}, {"BYTE", 5}});
  bank.set(sample::kStatus["COUNT"], 7);
  CHECK(changes().front().first == "STATUS");
  bank.read(0x00, 4);  // clears COUNT
  CHECK(changes().front() == std::pair<std::string, std::uint64_t>{"STATUS", 0x5000'0001});
  bank.force(0x12, 2, 9);
  CHECK(changes().back() == std::pair<std::string, std::uint64_t>{"HALF", 9});
  bank.reset();
  CHECK(changes().size() > 2000);
}

TEST_CASE("behaviour cannot be attached wrongly") {
  RegisterBank bank(sample::kMap);
  CHECK_THROWS_AS(bank.on_write(kForeign, [](const RegisterWrite&) {}), std::logic_error);
  CHECK_THROWS_AS(bank.get(kForeign), std::logic_error);
  CHECK_THROWS_AS(bank.get(sample::kGpr, 4), std::logic_error);
  CHECK_THROWS_AS(bank.memory(kForeignRegion), std::logic_error);
  bank.on_write(sample::kData, [](const RegisterWrite&) {});
  CHECK_THROWS_AS(bank.on_write(sample::kData, [](const RegisterWrite&) {}), std::logic_error);
}

namespace {
constexpr MemoryRegion kPlain{.name = "PLAIN", .offset = 0x1000, .size = 0x1000, .direct = true};
constexpr MemoryRegion kTable{.name = "TABLE", .offset = 0x2000, .size = 0x1000};
constexpr const MemoryRegion* kSharedRegions[] = {&kPlain, &kTable};
constexpr RegisterMap kShared{.name = "shared", .size = 0x4000, .regions = kSharedRegions};
static_assert(well_formed(kShared));
constexpr MemoryRegion kOdd{.name = "ODD", .offset = 0x800, .size = 0x1000, .direct = true};
constexpr const MemoryRegion* kOddRegions[] = {&kOdd};
static_assert(!well_formed(RegisterMap{.name = "odd", .size = 0x4000, .regions = kOddRegions}));
constexpr MemoryRegion kSecond{.name = "SECOND", .offset = 0x3000, .size = 0x1000, .direct = true};
constexpr const MemoryRegion* kTwoDirect[] = {&kPlain, &kSecond};
static_assert(!well_formed(RegisterMap{.name = "two", .size = 0x4000, .regions = kTwoDirect}));
}  // namespace

TEST_CASE("a direct region moves into memory that others see") {
  RegisterBank bank(kShared);
  bank.write(0x1004, 4, 0x11223344);
  bank.write(0x2004, 4, 0x55667788);
  std::vector<std::byte> bar(0x2000);
  bank.share(bar);
  INFO("what it held is there, at its place in the BAR; the other region stays");
  CHECK(std::to_integer<int>(bar[0x1004]) == 0x44);
  CHECK(bank.read(0x2004, 4) == 0x55667788);
  bar[0x1007] = std::byte{0xaa};
  CHECK(bank.read(0x1004, 4) == 0xaa223344);
  CHECK(bank.peek(0x1004, 4) == 0xaa223344);
  bank.write(0x1ffc, 4, 0x01020304);
  CHECK(std::to_integer<int>(bar[0x1fff]) == 0x01);
  CHECK(bank.memory(kPlain).data() == bar.data() + 0x1000);
  CHECK(bank.force(0x1000, 1, 0x5a));
  CHECK(std::to_integer<int>(bar[0x1000]) == 0x5a);
}

TEST_CASE("memory that does not reach as far as the region is not taken") {
  RegisterBank bank(kShared);
  std::vector<std::byte> bar(0x1800);
  bank.share(bar);
  bank.write(0x1004, 4, 0x11223344);
  CHECK(bank.read(0x1004, 4) == 0x11223344);
  CHECK(bar[0x1004] == std::byte{0});
}
