// A map with one of everything, for the tests of lookup and bank.
#pragma once

#include "core/registers/register.hpp"

namespace sample {

using pcilens::Access;

inline constexpr pcilens::Field kStatusFields[] = {
    {.name = "READY", .high = 0, .low = 0, .access = Access::RO},
    {.name = "ERROR", .high = 7, .low = 4, .access = Access::W1C},
    {.name = "COUNT", .high = 15, .low = 8, .access = Access::RC},
    {.name = "ARM", .high = 17, .low = 16, .access = Access::RW1S},
    {.name = "KEY", .high = 23, .low = 20, .access = Access::WO},
    {.name = "MODE", .high = 31, .low = 28, .access = Access::RW},
};
inline constexpr pcilens::Register kStatus{.name = "STATUS",
                                           .offset = 0x00,
                                           .width = 4,
                                           .reset = 0x5000'0001,
                                           .access = Access::Reserved,
                                           .fields = kStatusFields};
inline constexpr pcilens::Register kData{.name = "DATA", .offset = 0x04, .reset = 0xabcd};
inline constexpr pcilens::Register kWide{.name = "WIDE", .offset = 0x08, .width = 8};
inline constexpr pcilens::Register kByte{.name = "BYTE", .offset = 0x10, .width = 1};
inline constexpr pcilens::Register kHalf{.name = "HALF", .offset = 0x12, .width = 2};
inline constexpr pcilens::Register kGpr{
    .name = "GPR", .offset = 0x20, .width = 4, .count = 4, .stride = 4};
inline constexpr pcilens::Register kTail{.name = "TDBL",
                                         .offset = 0x100,
                                         .width = 4,
                                         .count = 8,
                                         .stride = 8,
                                         .element_name = "SQ[%].TDBL"};
inline constexpr pcilens::Register kHead{.name = "HDBL",
                                         .offset = 0x104,
                                         .width = 4,
                                         .count = 8,
                                         .stride = 8,
                                         .element_name = "CQ[%].HDBL"};
// Beyond what the lookup indexes by dword, and interleaved there too.
inline constexpr pcilens::Register kFarA{
    .name = "FARA", .offset = 0x100000, .width = 4, .count = 1000, .stride = 16};
inline constexpr pcilens::Register kFarB{
    .name = "FARB", .offset = 0x100008, .width = 4, .count = 1000, .stride = 16};
inline constexpr pcilens::MemoryRegion kBuffer{.name = "BUFFER", .offset = 0x800, .size = 0x100};

inline constexpr const pcilens::Register* kRegisters[] = {&kStatus, &kData, &kWide, &kByte, &kHalf,
                                                          &kGpr,    &kTail, &kHead, &kFarA, &kFarB};
inline constexpr const pcilens::MemoryRegion* kRegions[] = {&kBuffer};
inline constexpr pcilens::RegisterMap kMap{
    .name = "sample", .bar = 0, .size = 0x200000, .registers = kRegisters, .regions = kRegions};
static_assert(well_formed(kMap));

}  // namespace sample
