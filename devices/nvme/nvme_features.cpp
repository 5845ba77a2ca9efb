#include "devices/nvme/nvme_features.hpp"

#include <algorithm>

namespace pcilens::nvme {
namespace {

constexpr std::uint64_t kMask48 = (1ull << 48) - 1;

// 5.21.1.4: which threshold; the controller has the composite temperature only.
struct Threshold {
  std::uint32_t sensor, under;
};
Threshold threshold_of(std::uint64_t dw11) {
  return {static_cast<std::uint32_t>(dw11 >> 16 & 0xf),
          static_cast<std::uint32_t>(dw11 >> 20 & 0x3)};
}

bool known(std::uint64_t id) {
  switch (id) {
    case kArbitration:
    case kPowerManagement:
    case kTemperatureThreshold:
    case kErrorRecovery:
    case kWriteCache:
    case kNumberOfQueues:
    case kInterruptCoalescing:
    case kInterruptVector:
    case kWriteAtomicity:
    case kAsyncEvents:
    case kTimestamp:
    case kHostBehavior:
    case kCommandSetProfile: return true;
    default: return false;
  }
}

}  // namespace

Task<Outcome> Nvme::set_feature(const Command& command) {
  const std::uint64_t id = command.get(part(kSetFeaturesEntry, "CDW10.FID"));
  const auto value = static_cast<std::uint32_t>(command.get(part(kSetFeaturesEntry, "CDW11")));
  if (!known(id)) co_return Outcome{kInvalidField};
  if (command.get(part(kSetFeaturesEntry, "CDW10.SV")) != 0) co_return Outcome{kNotSaveable};
  Features& f = *features_;
  switch (id) {
    case kArbitration: f.arbitration = value; break;
    case kPowerManagement:
      if ((value & 0x1f) != 0) co_return Outcome{kInvalidField};  // there is one power state
      f.power = value;
      break;
    case kTemperatureThreshold: {
      const Threshold which = threshold_of(value);
      if ((which.sensor != 0 && which.sensor != 0xf) || which.under > 1)
        co_return Outcome{kInvalidField};
      (which.under != 0 ? f.under : f.over) = static_cast<std::uint16_t>(value);
      const bool hot = kTemperatureKelvin >= f.over || kTemperatureKelvin <= f.under;
      if (hot && (f.async_events >> 1 & 1) != 0) raise_event(1, 1, 2);
      break;
    }
    case kErrorRecovery: f.error_recovery = value; break;
    case kWriteCache:
      f.write_cache = (value & 1) != 0;
      // What was acknowledged while it was on must not be lost now that it is off.
      if (!f.write_cache && !store_->flush()) co_return Outcome{kInternalError};
      break;
    case kNumberOfQueues: {
      // 5.21.1.7: 0-based; 65535 is no number, and not after queues were made.
      if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff) co_return Outcome{kInvalidField};
      const bool made = std::ranges::any_of(
          cqs_, [&](const CompletionQueue& cq) { return cq.entries != 0 && &cq != cqs_.data(); });
      if (made) co_return Outcome{kCommandSequence};
      const std::uint32_t there = settings_.io_queues - 1;
      co_return Outcome{kSuccess, there | there << 16};
    }
    case kInterruptCoalescing: f.coalescing = value & 0xffff; break;
    case kInterruptVector:
      if ((value & 0xffff) >= kQueues) co_return Outcome{kInvalidField};
      f.vector_flags[value & 0xffff] = value & 1u << 16;
      break;
    case kWriteAtomicity: f.atomicity = value & 1; break;
    case kAsyncEvents: f.async_events = value; break;
    case kTimestamp: {
      std::array<std::byte, 8> bytes{};
      if (const auto status = co_await move(command, bytes, false); status != kSuccess)
        co_return Outcome{status};
      f.timestamp_ms = load(bytes, StructureField{.name = "TIMESTAMP", .width = 8}) & kMask48;
      f.timestamp_set_ns = now();
      f.timestamp_was_set = true;
      break;
    }
    case kHostBehavior:
      if (const auto status = co_await move(command, f.host_behavior, false); status != kSuccess)
        co_return Outcome{status};
      break;
    case kCommandSetProfile:
      if ((value & 0x1ff) != 0) co_return Outcome{kInvalidField};  // there is one combination
      break;
    default: break;
  }
  co_return Outcome{};
}

Task<Outcome> Nvme::get_feature(const Command& command) {
  const std::uint64_t id = command.get(part(kGetFeaturesEntry, "CDW10.FID"));
  const auto select = command.get(part(kGetFeaturesEntry, "CDW10.SEL"));
  const std::uint64_t dw11 = command.get(part(kGetFeaturesEntry, "CDW11"));
  if (!known(id) || select > 3) co_return Outcome{kInvalidField};
  if (select == 3) {
    // 5.13: not saveable, not of a namespace, changeable.
    co_return Outcome{kSuccess, id == kNumberOfQueues || id == kCommandSetProfile ? 0u : 1u << 2};
  }
  // Nothing is saved, so the saved value is the default.
  const Features defaults;
  const Features& f = select == 0 ? *features_ : defaults;
  std::uint32_t value = 0;
  switch (id) {
    case kArbitration: value = f.arbitration; break;
    case kPowerManagement: value = f.power; break;
    case kTemperatureThreshold: {
      const Threshold which = threshold_of(dw11);
      if (which.sensor != 0 || which.under > 1) co_return Outcome{kInvalidField};
      value = which.under != 0 ? f.under : f.over;
      break;
    }
    case kErrorRecovery: value = f.error_recovery; break;
    case kWriteCache: value = f.write_cache; break;
    case kNumberOfQueues: value = (settings_.io_queues - 1) * 0x10001u; break;
    case kInterruptCoalescing: value = f.coalescing; break;
    case kInterruptVector:
      if ((dw11 & 0xffff) >= kQueues) co_return Outcome{kInvalidField};
      value = f.vector_flags[dw11 & 0xffff] | (dw11 & 0xffff);
      break;
    case kWriteAtomicity: value = f.atomicity; break;
    case kAsyncEvents: value = f.async_events; break;
    case kTimestamp: {
      // 5.21.1.14: set by the host, and counted on without a stop (origin 1).
      std::array<std::byte, 8> bytes{};
      const std::uint64_t ms = f.timestamp_ms + (now() - f.timestamp_set_ns) / 1'000'000;
      std::uint64_t stamp = ms & kMask48;
      if (f.timestamp_was_set) stamp |= 1ull << 49;
      for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(stamp >> (8 * i));
      co_return Outcome{co_await move(command, bytes, true)};
    }
    case kHostBehavior: {
      auto bytes = f.host_behavior;
      co_return Outcome{co_await move(command, bytes, true)};
    }
    default: break;
  }
  co_return Outcome{kSuccess, value};
}

}  // namespace pcilens::nvme
