// What Set Features sets and Get Features gives (NVMe 1.4, 5.21). Nothing is saved over a reset.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "devices/nvme/nvme.hpp"

namespace pcilens::nvme {

enum FeatureId : std::uint8_t {
  kArbitration = 0x01,
  kPowerManagement = 0x02,
  kTemperatureThreshold = 0x04,
  kErrorRecovery = 0x05,
  kWriteCache = 0x06,
  kNumberOfQueues = 0x07,
  kInterruptCoalescing = 0x08,
  kInterruptVector = 0x09,
  kWriteAtomicity = 0x0a,
  kAsyncEvents = 0x0b,
  kTimestamp = 0x0e,
  kHostBehavior = 0x16,
  kCommandSetProfile = 0x19,
};

inline constexpr std::uint32_t kWarningKelvin = 343, kTemperatureKelvin = 311;

struct Nvme::Features {
  std::uint32_t arbitration = 0;
  std::uint32_t power = 0;
  std::uint16_t over = kWarningKelvin, under = 0;  // temperature thresholds, K
  std::uint32_t error_recovery = 0;
  bool write_cache = true;
  std::uint32_t coalescing = 0;
  std::uint32_t vector_flags[kQueues] = {};  // bit 16: coalescing disabled
  std::uint32_t atomicity = 0;
  std::uint32_t async_events = 0;
  std::uint64_t timestamp_ms = 0, timestamp_set_ns = 0;
  bool timestamp_was_set = false;
  std::array<std::byte, 512> host_behavior{};
};

}  // namespace pcilens::nvme
