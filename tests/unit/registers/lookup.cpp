#include "core/registers/lookup.hpp"

#include "catch.hpp"
#include "registers/sample_map.hpp"

using namespace pcilens;

TEST_CASE("every byte of a BAR leads to the register that declares it") {
  const RegisterLookup lookup(sample::kMap);
  // By hand over the declarations, with no index and no search.
  const auto expected = [](std::uint64_t at) -> RegisterRef {
    for (const Register* r : sample::kMap.registers)
      for (std::uint32_t i = 0; i < r->count; ++i)
        if (at >= r->offset_of(i) && at < r->offset_of(i) + r->width) return {r, i};
    return {};
  };
  const std::uint64_t ranges[][2] = {{0, 0x200},
                                     {0x3fff0, 0x40010},
                                     {0xffff0, 0x100100},
                                     {0x103e60, 0x103ea0},
                                     {0x1ffff0, 0x200010}};
  for (const auto& range : ranges)
    for (std::uint64_t at = range[0]; at < range[1]; ++at) {
      INFO("offset " << at);
      REQUIRE(lookup.at(at) == expected(at));
    }
  CHECK_FALSE(lookup.at(~0ull));
}

TEST_CASE("an access covers each register it touches once, in order") {
  const RegisterLookup lookup(sample::kMap);
  using Refs = std::vector<RegisterRef>;
  CHECK(lookup.covering(0x00, 8) == Refs{{&sample::kStatus, 0}, {&sample::kData, 0}});
  CHECK(lookup.covering(0x02, 1) == Refs{{&sample::kStatus, 0}});
  CHECK(lookup.covering(0x10, 4) == Refs{{&sample::kByte, 0}, {&sample::kHalf, 0}});
  CHECK(lookup.covering(0x108, 8) == Refs{{&sample::kTail, 1}, {&sample::kHead, 1}});
  CHECK(lookup.covering(0x30, 0xd0).empty());
  CHECK(lookup.covering(0x103e78, 0xffffffff) == Refs{{&sample::kFarB, 999}});
  CHECK(lookup.covering(~0ull - 3, 8).empty());
}

TEST_CASE("a name and its element lead to each other") {
  const RegisterLookup lookup(sample::kMap);
  CHECK(name_of(RegisterRef{&sample::kData, 0}) == "DATA");
  CHECK(name_of(RegisterRef{&sample::kGpr, 3}) == "GPR[3]");
  CHECK(name_of(RegisterRef{&sample::kTail, 5}) == "SQ[5].TDBL");
  for (const Register* r : sample::kMap.registers)
    for (std::uint32_t i = 0; i < r->count; ++i) {
      const RegisterRef ref{r, i};
      REQUIRE(lookup.find(name_of(ref)) == ref);
    }
  CHECK(lookup.find("TDBL[5]") == RegisterRef{&sample::kTail, 5});
  CHECK(lookup.find("GPR[0x2]") == RegisterRef{&sample::kGpr, 2});
}

TEST_CASE("a name that no register has is not found") {
  const RegisterLookup lookup(sample::kMap);
  for (const char* name :
       {"", "DAT", "DATAX", "GPR", "GPR[4]", "GPR[", "GPR[]", "GPR[-1]", "GPR[1", "GPR[1]x",
        "GPR[99999999999]", "DATA[0]", "SQ[8].TDBL", "SQ[].TDBL", "SQ[1].HDBL"}) {
    INFO(name);
    CHECK_FALSE(lookup.find(name));
  }
}

TEST_CASE("a memory region holds its bytes and none beside") {
  const RegisterLookup lookup(sample::kMap);
  CHECK(lookup.region_at(0x7ff) == nullptr);
  CHECK(lookup.region_at(0x800) == &sample::kBuffer);
  CHECK(lookup.region_at(0x8ff) == &sample::kBuffer);
  CHECK(lookup.region_at(0x900) == nullptr);
}

namespace {
constexpr Register kLow{.name = "LOW", .offset = 0, .count = 64, .stride = 8};
constexpr Register kLate{.name = "LATE", .offset = 0x100, .count = 64, .stride = 8};
constexpr Register kBetween{.name = "BETWEEN", .offset = 4, .count = 64, .stride = 8};
constexpr Register kOther{.name = "OTHER", .offset = 4, .count = 64, .stride = 12};
}  // namespace

TEST_CASE("arrays overlap only where their elements share a byte") {
  CHECK(detail::overlap(kLow, kLate));
  CHECK(detail::overlap(kLate, kLow));
  CHECK_FALSE(detail::overlap(kLow, kBetween));
  CHECK(detail::overlap(kLow, kOther));
}
