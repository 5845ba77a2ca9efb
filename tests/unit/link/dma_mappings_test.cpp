// What a function may reach, as the road tells it, and what is said where it may not.
#include "core/link/dma_mappings.hpp"

#include "catch.hpp"

using namespace pcilens;

namespace {

constexpr auto kTo = DmaDirection::ToDevice;
constexpr auto kFrom = DmaDirection::FromDevice;

Transaction map(std::uint64_t iova, std::uint32_t size, DmaDirection direction, std::uint64_t seq,
                std::uint32_t site = 0, std::uint8_t function = 0) {
  return {.seq = seq,
          .offset = iova,
          .value = static_cast<std::uint64_t>(direction),
          .size = size,
          .site = site,
          .kind = Kind::DmaMap,
          .bar = kBarDma,
          .function = function};
}

Transaction unmap(std::uint64_t iova, std::uint64_t seq, std::uint32_t site = 0) {
  return {.seq = seq, .offset = iova, .site = site, .kind = Kind::DmaUnmap, .bar = kBarDma};
}

// [0x1000, 0x1200) to the device, [0x3000, 0x4000) from it; [0x2000, 0x2800) was and is no more.
DmaMappings three() {
  DmaMappings mappings;
  mappings.record(map(0x1000, 0x200, kTo, 7, 1));
  mappings.record(map(0x2000, 0x800, kFrom, 8, 2));
  mappings.record(map(0x3000, 0x1000, kFrom, 9));
  mappings.record(unmap(0x2000, 12, 1));
  return mappings;
}

// Of the third nobody knows who made it.
std::string_view symbol(std::uint32_t site) {
  return site == 1 ? "edu_dma" : site == 2 ? "edu_probe" : "";
}

}  // namespace

TEST_CASE("DMA is allowed to the last byte of a mapping and not one further") {
  const DmaMappings mappings = three();
  CHECK(mappings.allows(0, 0x1000, 0x200, kTo) == Status::SC);
  CHECK(mappings.allows(0, 0x11ff, 1, kTo) == Status::SC);
  CHECK(mappings.allows(0, 0x1000, 0x201, kTo) == Status::UR);
  CHECK(mappings.allows(0, 0x1200, 1, kTo) == Status::UR);
  CHECK(mappings.allows(0, 0xfff, 2, kTo) == Status::UR);
  CHECK(mappings.allows(0, ~0ull, 2, kTo) == Status::UR);
  CHECK(mappings.why_not(0, 0x1000, 0x201, kTo, symbol) ==
        "not all of it lies in 0x1000+0x200 (mapped to the device at #7 by edu_dma)");
}

TEST_CASE("DMA against the direction of its mapping is aborted and the mapping named") {
  const DmaMappings mappings = three();
  CHECK(mappings.allows(0, 0x1000, 16, kFrom) == Status::CA);
  CHECK(mappings.allows(0, 0x3000, 16, kTo) == Status::CA);
  CHECK(mappings.why_not(0, 0x3010, 16, kTo, symbol) ==
        "to the device, which is against the direction of 0x3000+0x1000 (mapped from the device at "
        "#9)");
}

TEST_CASE("DMA after an unmap names the mapping that was there and who unmapped it") {
  DmaMappings mappings = three();
  CHECK(mappings.allows(0, 0x2000, 64, kFrom) == Status::UR);
  CHECK(mappings.why_not(0, 0x2040, 64, kFrom, symbol) ==
        "unmapped at #12 by edu_dma; it was 0x2000+0x800 (mapped from the device at #8 by "
        "edu_probe)");
  mappings.record(map(0x2000, 0x800, kTo, 20, 1));
  CHECK(mappings.allows(0, 0x2000, 64, kTo) == Status::SC);
}

TEST_CASE("DMA outside every mapping names the nearest one") {
  CHECK(three().why_not(0, 0x9000, 4, kTo, symbol) ==
        "nothing is mapped there; the nearest is 0x3000+0x1000 (mapped from the device at #9)");
  CHECK(three().why_not(0, 0x10, 4, kTo, symbol) ==
        "nothing is mapped there; the nearest is 0x1000+0x200 (mapped to the device at #7 by "
        "edu_dma)");
  CHECK(DmaMappings().why_not(0, 0x10, 4, kFrom, symbol) == "nothing is mapped");
}

TEST_CASE("each function reaches its own mappings and no other's") {
  DmaMappings mappings = three();
  mappings.record(map(0x1000, 0x200, kFrom, 30, 0, 255));
  CHECK(mappings.allows(255, 0x1000, 0x200, kFrom) == Status::SC);
  CHECK(mappings.allows(0, 0x1000, 0x200, kFrom) == Status::CA);
  CHECK(mappings.allows(1, 0x1000, 4, kTo) == Status::UR);
  CHECK(mappings.why_not(1, 0x1000, 4, kTo, symbol) == "nothing is mapped");
  CHECK(mappings.why_not(1, 0x2000, 4, kTo, symbol) == "nothing is mapped");
  CHECK(mappings.why_not(255, 0x9000, 4, kTo, symbol) ==
        "nothing is mapped there; the nearest is 0x1000+0x200 (mapped from the device at #30)");
  std::vector<std::uint64_t> all;
  mappings.for_each([&](const DmaMappings::Mapping& m) { all.push_back(m.seq); });
  CHECK(all == std::vector<std::uint64_t>{7, 9, 30});
}
