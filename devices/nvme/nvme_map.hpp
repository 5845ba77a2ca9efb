// The controller's BAR0 as a whole, for each doorbell stride that it can have.
#pragma once

#include "devices/nvme/nvme_registers.hpp"
#include "devices/nvme/nvme_structures.hpp"

namespace pcilens::nvme {

template <unsigned DSTRD>
inline constexpr RegisterMap kMap{.name = "nvme",
                                  .bar = 0,
                                  .size = kBarSize,
                                  .registers = kRegisters<DSTRD>,
                                  .structures = kStructures};
static_assert(well_formed(kMap<0>) && well_formed(kMap<1>) && well_formed(kMap<2>));

struct Layout {
  const RegisterMap* map;
  const Register *tail, *head;  // of the submission and of the completion queues
};
// `dstrd` 0..2: with 65 queues a wider stride would reach the MSI-X table.
inline Layout layout(unsigned dstrd) {
  switch (dstrd) {
    case 1: return {&kMap<1>, &kSqTail<1>, &kCqHead<1>};
    case 2: return {&kMap<2>, &kSqTail<2>, &kCqHead<2>};
    default: return {&kMap<0>, &kSqTail<0>, &kCqHead<0>};
  }
}

}  // namespace pcilens::nvme
