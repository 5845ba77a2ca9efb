#include "core/pci/config_space.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace pcilens {
namespace {

constexpr std::uint16_t kStatusCapabilities = 1 << 4;
// Master data parity error, signaled and received aborts, signaled and detected errors (7.5.1.1.4).
constexpr std::uint16_t kStatusW1c = 0xf900;
constexpr std::uint16_t kCommandParity = 1 << 6, kCommandSerr = 1 << 8;
constexpr std::uint32_t kBarIs64 = 2u << 1, kBarPrefetchable = 1u << 3;
constexpr std::uint16_t kFirstExtended = 0x100;

std::uint8_t byte_at(std::span<const std::byte> bytes, std::uint32_t i) {
  return std::to_integer<std::uint8_t>(bytes[i]);
}

void put(std::span<std::byte> bytes, std::uint32_t offset, std::uint32_t size,
         std::uint32_t value) {
  for (std::uint32_t i = 0; i < size; ++i) bytes[offset + i] = std::byte(value >> (i * 8));
}

void check_bar(const Bar& bar, unsigned taken) {
  const auto bad = [&](const char* why) {
    throw std::logic_error("BAR" + std::to_string(bar.index) + ": " + why);
  };
  if (bar.index > 5) bad("a type 0 header has BAR0 to BAR5");
  if (!std::has_single_bit(bar.size) || bar.size < 16)
    bad("its size must be a power of two, 16 bytes at least");
  if (bar.is_64bit && bar.index == 5) bad("a 64-bit BAR needs the next one too; use BAR4 or lower");
  if (!bar.is_64bit && bar.size > 1ull << 31) bad("over 2 GiB it must be a 64-bit BAR");
  if ((taken & (bar.is_64bit ? 3u : 1u) << bar.index) != 0) bad("it is taken already");
}

}  // namespace

ConfigSpace::ConfigSpace(const Identity& identity, std::span<const Bar> bars) {
  define(cfg::kVendor, 2, {.value = identity.vendor});
  define(cfg::kDevice, 2, {.value = identity.device});
  define(cfg::kRevision, 1, {.value = identity.revision});
  define(cfg::kClass, 1, {.value = identity.class_code & 0xff});
  define(cfg::kClass + 1, 2, {.value = identity.class_code >> 8 & 0xffff});
  define(cfg::kCacheLine, 1, {.writable = 0xff});
  define(cfg::kSubsystemVendor, 2, {.value = identity.subsystem_vendor});
  define(cfg::kSubsystem, 2, {.value = identity.subsystem});
  define(cfg::kStatus, 2, {.w1c = kStatusW1c});
  // An enable bit for what the function has not is hardwired to 0 (7.5.1.1.3); there is no I/O BAR.
  std::uint32_t command = cfg::kCommandMaster | kCommandParity | kCommandSerr;

  unsigned taken = 0;
  for (const Bar& bar : bars) {
    if (bar.size == 0) continue;
    check_bar(bar, taken);
    taken |= (bar.is_64bit ? 3u : 1u) << bar.index;
    command |= cfg::kCommandMemory;
    const std::uint64_t address = ~(bar.size - 1) & ~0xfull;
    const std::uint32_t flags =
        (bar.is_64bit ? kBarIs64 : 0) | (bar.prefetchable ? kBarPrefetchable : 0);
    const std::uint32_t at = cfg::kBar0 + 4u * bar.index;
    define(at, 4, {.value = flags, .writable = static_cast<std::uint32_t>(address)});
    if (bar.is_64bit) define(at + 4, 4, {.writable = static_cast<std::uint32_t>(address >> 32)});
    bars_.push_back(bar);
  }
  define(cfg::kCommand, 2, {.writable = command});
}

void ConfigSpace::define(std::uint32_t offset, std::uint32_t size, const Rules& rules) {
  put(bytes_, offset, size, rules.value);
  put(reset_, offset, size, rules.value);
  put(write_mask_, offset, size, rules.writable);
  put(w1c_mask_, offset, size, rules.w1c);
  put(sticky_, offset, size, rules.sticky);
  put(flr_keep_, offset, size, rules.flr_keep);
}

void ConfigSpace::set_interrupt_pin(std::uint8_t pin) {
  if (pin > 4)
    throw std::logic_error("interrupt pin " + std::to_string(pin) +
                           ": 1 is INTA, 4 is INTD, 0 is none");
  define(cfg::kInterruptPin, 1, {.value = pin});
  define(cfg::kInterruptLine, 1, {.writable = pin != 0 ? 0xffu : 0});
  std::uint32_t command =
      byte_at(write_mask_, cfg::kCommand) | byte_at(write_mask_, cfg::kCommand + 1) << 8;
  command = pin != 0 ? command | cfg::kCommandIntxDisable : command & ~cfg::kCommandIntxDisable;
  put(write_mask_, cfg::kCommand, 2, command);
}

std::uint16_t ConfigSpace::add_capability(std::uint8_t id, std::uint16_t size) {
  const std::uint16_t at = next_free_;
  if (at + size > kFirstExtended)
    throw std::logic_error("capability " + std::to_string(id) + " needs " + std::to_string(size) +
                           " bytes; config space has " + std::to_string(kFirstExtended - at) +
                           " left below 0x100");
  next_free_ = static_cast<std::uint16_t>((at + size + 3) & ~3);
  define(at, 2, {.value = id});
  const std::uint32_t link = last_capability_ == 0 ? cfg::kCapabilities : last_capability_ + 1u;
  define(link, 1, {.value = at});
  set_initial(cfg::kStatus, 1, byte_at(bytes_, cfg::kStatus) | kStatusCapabilities);
  last_capability_ = at;
  return at;
}

std::uint16_t ConfigSpace::add_extended(std::uint16_t id, std::uint8_t version,
                                        std::uint16_t size) {
  const std::uint16_t at = next_extended_;
  if (at + size > static_cast<int>(kConfigSize))
    throw std::logic_error("extended capability " + std::to_string(id) + " needs " +
                           std::to_string(size) + " bytes; config space has " +
                           std::to_string(kConfigSize - at) + " left");
  next_extended_ = static_cast<std::uint16_t>((at + size + 3) & ~3);
  define(at, 4, {.value = id | std::uint32_t{version} << 16});
  if (last_extended_ != 0)
    set_initial(last_extended_ + 2, 2,
                (load(last_extended_ + 2u, 2) & 0xf) | std::uint32_t{at} << 4);
  last_extended_ = at;
  return at;
}

std::uint32_t ConfigSpace::load(std::uint32_t offset, std::uint32_t size) const {
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < size && offset + i < kConfigSize; ++i)
    value |= std::uint32_t{byte_at(bytes_, offset + i)} << (i * 8);
  return value;
}

std::uint32_t ConfigSpace::read(std::uint16_t offset, std::uint32_t size) const {
  return load(offset, size < 4 ? size : 4);
}

ConfigSpace::Change ConfigSpace::write(std::uint16_t offset, std::uint32_t size,
                                       std::uint32_t value) {
  Change change;
  change.command_before = static_cast<std::uint16_t>(load(cfg::kCommand, 2));
  std::byte before[4] = {};
  const std::uint32_t end = std::min<std::uint32_t>(offset + std::min(size, 4u), kConfigSize);
  for (std::uint32_t i = offset; i < end; ++i) {
    const auto written = static_cast<std::byte>(value >> ((i - offset) * 8));
    before[i - offset] = bytes_[i];
    bytes_[i] = (bytes_[i] & ~write_mask_[i]) | (written & write_mask_[i]);
    bytes_[i] &= ~(written & w1c_mask_[i]);
  }
  const auto touches = [&](std::uint32_t at, std::uint32_t bytes) {
    return offset < at + bytes && at < end;
  };
  const auto differs = [&](std::uint32_t at, std::uint32_t bytes) {
    for (std::uint32_t i = offset; i < end; ++i)
      if (i >= at && i < at + bytes && bytes_[i] != before[i - offset]) return true;
    return false;
  };

  if (pm_ != 0 && touches(pm_ + 4u, 1)) {
    // D1 and D2 are not offered: writing them is accepted and changes nothing (7.5.2.2).
    std::byte& pmcsr = bytes_[pm_ + 4u];
    const std::byte old = before[pm_ + 4u - offset], state_bits{3};
    const std::byte state = pmcsr & state_bits;
    if (state == std::byte{1} || state == std::byte{2})
      pmcsr = (pmcsr & ~state_bits) | (old & state_bits);
    change.power_state = ((pmcsr ^ old) & state_bits) != std::byte{0};
  }
  if (pcie_ != 0 && touches(pcie_ + 9u, 1)) {
    // Initiate FLR always reads as 0 (7.5.3.4), so it is no bit of the write mask.
    const std::uint32_t written = value >> ((pcie_ + 9u - offset) * 8);
    const bool capable = (byte_at(bytes_, pcie_ + 7u) & 0x10) != 0;
    change.flr = capable && (written & 0x80) != 0;
  }
  if (msi_ != 0) {
    // As long as its two optional parts make it: what follows is another capability (7.7.1).
    const std::uint32_t control = load(msi_ + 2u, 2);
    const std::uint32_t length =
        10 + ((control & 1 << 7) != 0 ? 4 : 0) + ((control & 1 << 8) != 0 ? 10 : 0);
    change.interrupts |= differs(msi_, length);
  }
  if (msix_ != 0) change.interrupts |= differs(msix_, 12);
  change.command_after = static_cast<std::uint16_t>(load(cfg::kCommand, 2));
  change.bars = differs(cfg::kBar0, 24) ||
                ((change.command_before ^ change.command_after) & cfg::kCommandMemory) != 0;
  return change;
}

void ConfigSpace::reset(bool flr) {
  for (std::uint32_t i = 0; i < kConfigSize; ++i) {
    const std::byte keep = flr ? sticky_[i] | flr_keep_[i] : sticky_[i];
    bytes_[i] = (reset_[i] & ~keep) | (bytes_[i] & keep);
  }
}

void ConfigSpace::set(std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
  if (offset < kConfigSize) put(bytes_, offset, std::min({size, 4u, kConfigSize - offset}), value);
}

void ConfigSpace::set_initial(std::uint16_t offset, std::uint32_t size, std::uint32_t value) {
  set(offset, size, value);
  if (offset < kConfigSize) put(reset_, offset, std::min({size, 4u, kConfigSize - offset}), value);
}

std::span<const std::byte, kConfigSize> ConfigSpace::bytes() const {
  return bytes_;
}
std::span<const std::byte, kConfigSize> ConfigSpace::write_mask() const {
  return write_mask_;
}
std::span<const std::byte, kConfigSize> ConfigSpace::w1c_mask() const {
  return w1c_mask_;
}

std::uint64_t ConfigSpace::bar_address(std::uint8_t index) const {
  for (const Bar& bar : bars_) {
    if (bar.index != index) continue;
    const std::uint32_t at = cfg::kBar0 + 4u * index;
    std::uint64_t address = load(at, 4) & ~0xfu;
    if (bar.is_64bit) address |= std::uint64_t{load(at + 4, 4)} << 32;
    return address;
  }
  return 0;
}

bool ConfigSpace::memory_enabled() const {
  return (load(cfg::kCommand, 2) & cfg::kCommandMemory) != 0 && power_state() == 0;
}

bool ConfigSpace::bus_master() const {
  return (load(cfg::kCommand, 2) & cfg::kCommandMaster) != 0 && power_state() == 0;
}

bool ConfigSpace::intx_disabled() const {
  return (load(cfg::kCommand, 2) & cfg::kCommandIntxDisable) != 0;
}

unsigned ConfigSpace::power_state() const {
  return pm_ == 0 ? 0 : load(pm_ + 4u, 1) & 3;
}

}  // namespace pcilens
