// What a device may reach under the kmod host, and what is said where it may not.
#include "core/host/kmod/dma_mappings.hpp"

#include "catch.hpp"

using namespace pcilens;
using kmod::DmaMappings;

namespace {

constexpr auto kTo = DmaDirection::ToDevice;
constexpr auto kFrom = DmaDirection::FromDevice;

// [0x1000, 0x1200) to the device, [0x3000, 0x4000) from it; [0x2000, 0x2800) was and is no more.
DmaMappings three() {
  DmaMappings mappings;
  mappings.map(0x1000, 0x200, kTo, 7, 1);
  mappings.map(0x2000, 0x800, kFrom, 8, 2);
  mappings.map(0x3000, 0x1000, kFrom, 9, 0);
  mappings.unmap(0x2000, 12);
  return mappings;
}

// Of the third nobody knows who made it.
std::string symbol(std::uint32_t site) {
  return site == 1 ? "edu_dma" : site == 2 ? "edu_probe" : "";
}

}  // namespace

TEST_CASE("DMA is allowed to the last byte of a mapping and not one further") {
  const DmaMappings mappings = three();
  CHECK(mappings.allows(0x1000, 0x200, kTo) == Status::SC);
  CHECK(mappings.allows(0x11ff, 1, kTo) == Status::SC);
  CHECK(mappings.allows(0x1000, 0x201, kTo) == Status::UR);
  CHECK(mappings.allows(0x1200, 1, kTo) == Status::UR);
  CHECK(mappings.allows(0xfff, 2, kTo) == Status::UR);
  CHECK(mappings.allows(~0ull, 2, kTo) == Status::UR);
  CHECK(mappings.why_not(0x1000, 0x201, kTo, symbol) ==
        "DMA of 513 bytes to the device at IOVA 0x1000: not all of it lies in 0x1000+0x200 (mapped "
        "to the device at #7 by edu_dma)");
}

TEST_CASE("DMA against the direction of its mapping is aborted and the mapping named") {
  const DmaMappings mappings = three();
  CHECK(mappings.allows(0x1000, 16, kFrom) == Status::CA);
  CHECK(mappings.allows(0x3000, 16, kTo) == Status::CA);
  CHECK(mappings.why_not(0x3010, 16, kTo, symbol) ==
        "DMA of 16 bytes to the device at IOVA 0x3010: against the direction of 0x3000+0x1000 "
        "(mapped from the device at #9)");
}

TEST_CASE("DMA after an unmap names the mapping that was there and who unmapped it") {
  DmaMappings mappings = three();
  CHECK(mappings.allows(0x2000, 64, kFrom) == Status::UR);
  CHECK(mappings.why_not(0x2040, 64, kFrom, symbol) ==
        "DMA of 64 bytes from the device at IOVA 0x2040: after the unmap (#12) of 0x2000+0x800 "
        "(mapped from the device at #8 by edu_probe)");
  mappings.map(0x2000, 0x800, kTo, 20, 1);
  CHECK(mappings.allows(0x2000, 64, kTo) == Status::SC);
}

TEST_CASE("DMA outside every mapping names the nearest one") {
  CHECK(three().why_not(0x9000, 4, kTo, symbol) ==
        "DMA of 4 bytes to the device at IOVA 0x9000: nothing is mapped there; the nearest is "
        "0x3000+0x1000 (mapped from the device at #9)");
  CHECK(three().why_not(0x10, 4, kTo, symbol) ==
        "DMA of 4 bytes to the device at IOVA 0x10: nothing is mapped there; the nearest is "
        "0x1000+0x200 (mapped to the device at #7 by edu_dma)");
  CHECK(DmaMappings().why_not(0x10, 4, kFrom, symbol) ==
        "DMA of 4 bytes from the device at IOVA 0x10: nothing is mapped");
}
