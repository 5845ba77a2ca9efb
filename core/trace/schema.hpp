// The trace's tables (docs/trace.md explains each). Once released, nothing in them moves.
#pragma once

#include <cstdint>

namespace pcilens {

inline constexpr std::int32_t kTraceApplicationId = 0x50434c54;  // "PCLT"
inline constexpr std::int32_t kTraceVersion = 1;                 // PRAGMA user_version

extern const char kTraceSchema[];

}  // namespace pcilens
