// The replay by way of a bus: what the recorded driver did is done on it again, one access at a
// time, and what comes out of it is what the functions get. Interrupts stay here, at the
// comparison: there is no driver to take them.
#include <fmt/format.h>

#include "core/link/link.hpp"
#include "core/replay/replayer.hpp"

namespace pcilens {
namespace {

bool touches(const Transaction& t, std::uint64_t begin, std::uint64_t end) {
  return t.offset < end && t.offset + t.size > begin;
}

// The addresses of BARs and ROM are each bus' own.
bool is_address(const Transaction& t) {
  return touches(t, cfg::kBar0, cfg::kBar0 + 24) || touches(t, cfg::kRom, cfg::kRom + 4);
}

// A function level reset and a change of power state clear the kernel's config space, BARs and all;
// what a driver restores then are addresses of the recorded bus. The functions get it at the link.
bool is_reset(const ConfigSpace& config, const Transaction& t) {
  if (t.kind != Kind::CfgWrite) return false;
  constexpr std::uint8_t kPowerManagement = 0x01, kPciExpress = 0x10;
  constexpr std::uint64_t kPmcsr = 4, kDeviceControl = 8;
  const auto power = config.find_capability(kPowerManagement);
  const auto express = config.find_capability(kPciExpress);
  return (power && touches(t, *power + kPmcsr, *power + kPmcsr + 2)) ||
         (express && touches(t, *express + kDeviceControl, *express + kDeviceControl + 2));
}

std::uint64_t from_bytes(std::span<const std::byte> bytes, std::uint64_t offset,
                         std::uint32_t size) {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < size && offset + i < bytes.size(); ++i)
    value |= std::uint64_t{std::to_integer<std::uint8_t>(bytes[offset + i])} << (8 * i);
  return value;
}

}  // namespace

Result<void> Replayer::open_bus() {
  if (!options_.bus) return {};
  auto bus = options_.bus(*link_);
  if (!bus) return tl::unexpected(bus.error());
  bus_ = std::move(*bus);
  return {};
}

// What the driver did itself; the kernel's enumeration, up to the driver's first access to a BAR,
// was done anew when the function appeared on the bus. Where a function was taken away, nothing on
// the bus is like the place that it left.
bool Replayer::goes_over_bus(const Transaction& t) const {
  if (!bus_ || t.origin != Origin::Driver || link_->function(t.function) == nullptr) return false;
  const bool access =
      t.size == 1 || t.size == 2 || t.size == 4 || (t.size == 8 && is_memory(t.kind));
  if (!access || t.status == Status::Pending) return false;
  // What nobody claimed may have met a BAR that is set up here.
  if (is_memory(t.kind))
    return t.answered_by != AnsweredBy::PassedStop && t.answered_by != AnsweredBy::Nobody;
  return is_config(t.kind) && driven_[t.function] && t.offset % t.size == 0 && !is_address(t) &&
         !is_reset(link_->function(t.function)->config(), t);
}

void Replayer::send_over_bus(const Transaction& recorded, Transaction stimulus, bool aside) {
  const Function& function = *link_->function(recorded.function);
  if (!driven_[recorded.function]) {
    driven_[recorded.function] = true;
    if (auto done = bus_->set_up(recorded.function, function.config().bytes()); !done) {
      error_ = done.error();
      return;
    }
  }
  const auto arrived = bus_->make(recorded);
  if (!arrived) {
    error_ = arrived.error();
    return;
  }
  ++result_.on_bus;
  ++result_.compared;
  const Transaction& t = arrived->t;
  const bool write = !is_read(recorded.kind);
  if (t.kind != recorded.kind || t.bar != recorded.bar || t.offset != recorded.offset ||
      t.size != recorded.size || (write && t.value != recorded.value)) {
    Transaction sent = recorded, came = recorded;
    came.kind = t.kind;
    came.bar = t.bar;
    came.offset = t.offset;
    came.size = t.size;
    came.value = t.value;
    if (!write) sent.value = came.value = 0;
    diverge(recorded.seq, names_->place(recorded), describe(sent), describe(came), Reason::Bus);
  }
  stimulus.kind = t.kind;
  stimulus.bar = t.bar;
  stimulus.offset = t.offset;
  stimulus.size = t.size;
  if (write) stimulus.value = t.value;
  // A posted write is over for its requester.
  request(stimulus, aside, [this, came = *arrived, recorded](const Transaction& done) {
    came_back(came, recorded, done);
  });
}

void Replayer::came_back(const AccessBus::Arrived& arrived, const Transaction& sent,
                         const Transaction& done) {
  const auto got = bus_->complete(arrived, done.value, done.status);
  if (!got) {
    if (!error_) error_ = got.error();
    return;
  }
  if (!is_read(sent.kind)) return;
  const std::uint64_t mask = mask_of_size(sent.size);
  const std::uint64_t wanted = done.status == Status::SC ? done.value & mask : mask;
  if ((*got & mask) == wanted) return;
  Transaction expected = sent, now = sent;
  expected.value = wanted;
  now.value = *got & mask;
  // The kernel answers config reads by itself, from its own copy.
  diverge(sent.seq, names_->place(sent), describe(expected), describe(now),
          is_config(sent.kind) ? Reason::Identity : Reason::Bus);
}

// Not made on the bus; so the function's own config space is asked whether it agrees.
void Replayer::compare_config(const Transaction& recorded) {
  ++result_.at_link;
  if (recorded.kind != Kind::CfgRead || recorded.status != Status::SC ||
      recorded.answered_by != AnsweredBy::Shadow || link_->function(recorded.function) == nullptr)
    return;
  ++result_.compared;
  Transaction now = recorded;
  now.value = from_bytes(link_->function(recorded.function)->config().bytes(), recorded.offset,
                         recorded.size);
  if (now.value == recorded.value) return;
  diverge(recorded.seq, names_->place(recorded), describe(recorded), describe(now),
          Reason::Identity);
}

}  // namespace pcilens
