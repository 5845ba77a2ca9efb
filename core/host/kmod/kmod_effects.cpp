// From the link to the kernel: DMA, interrupts, which ranges wait, and the kernel's copies.
#include <algorithm>
#include <cstring>

#include "core/host/kmod/kmod_host.hpp"
#include "core/host/kmod/monotonic.hpp"
#include "core/host/kmod/policy_ranges.hpp"

namespace pcilens::kmod {
namespace {

// How soon a repeated interrupt follows the one before, and how often one is tried that finds the
// one before not yet taken.
constexpr std::uint64_t kRepeatNs = 1'000'000;
constexpr int kTries = 100;

// The part of the pool behind an IOVA range; empty outside.
std::span<std::byte> in_pool(const KmodFunction& function, std::uint64_t iova, std::size_t length) {
  const std::uint64_t base = function.iova_base();
  const std::span<std::byte> pool = function.pool();
  if (iova < base || iova - base > pool.size() || length > pool.size() - (iova - base)) return {};
  return pool.subspan(iova - base, length);
}

// One store of the register's width: a driver may read it now.
void put(std::span<std::byte> memory, std::uint64_t offset, std::uint32_t width,
         std::uint64_t value) {
  if (offset > memory.size() || width > memory.size() - offset) return;
  std::byte* const at = memory.data() + offset;
  switch (width) {
    case 1: *at = static_cast<std::byte>(value); break;
    case 2:
      *reinterpret_cast<volatile std::uint16_t*>(at) = static_cast<std::uint16_t>(value);
      break;
    case 4:
      *reinterpret_cast<volatile std::uint32_t*>(at) = static_cast<std::uint32_t>(value);
      break;
    case 8: *reinterpret_cast<volatile std::uint64_t*>(at) = value; break;
    default: std::memcpy(at, &value, std::min<std::uint32_t>(width, 8));
  }
}

}  // namespace

// The part of the pool, if the driver has mapped it so.
Status KmodHost::reach(std::uint8_t function, std::uint64_t iova, std::size_t length,
                       DmaDirection direction, std::span<std::byte>& memory) {
  const Status status = link_.mappings().allows(function, iova, length, direction);
  memory = in_pool(*served_[function]->function, iova, length);
  return status == Status::SC && memory.empty() ? Status::UR : status;
}

Status KmodHost::dma_read(std::uint8_t function, std::uint64_t iova, std::span<std::byte> data) {
  std::span<std::byte> memory;
  const Status status = reach(function, iova, data.size(), DmaDirection::ToDevice, memory);
  if (status == Status::SC) std::memcpy(data.data(), memory.data(), data.size());
  return status;
}

Status KmodHost::dma_write(std::uint8_t function, std::uint64_t iova,
                           std::span<const std::byte> data) {
  std::span<std::byte> memory;
  const Status status = reach(function, iova, data.size(), DmaDirection::FromDevice, memory);
  if (status == Status::SC) std::memcpy(memory.data(), data.data(), data.size());
  return status;
}

// As far as one mapping reaches, whatever its direction.
std::size_t KmodHost::look(std::uint8_t function, std::uint64_t iova,
                           std::span<std::byte> data) const {
  if (function >= served_.size()) return 0;
  std::size_t size = 0;
  link_.mappings().for_each([&](const DmaMappings::Mapping& m) {
    if (m.function == function && iova >= m.iova && iova - m.iova < m.size)
      size = std::min<std::uint64_t>(data.size(), m.size - (iova - m.iova));
  });
  const auto memory = in_pool(*served_[function]->function, iova, size);
  if (!memory.empty()) std::memcpy(data.data(), memory.data(), memory.size());
  return memory.size();
}

// ---- interrupts --------------------------------------------------------------------------------

// Under the link's lock. The handler may read the device at once, on another CPU: it is answered as
// soon as the lock is free. Where no CPU would be left to answer it, it is kept for later.
Status KmodHost::interrupt(std::uint8_t function, std::uint64_t vector, std::uint64_t value) {
  refresh_shadow(function);
  const Interrupt asked{function, vector, value};
  const std::lock_guard lock(kept_mutex_);
  if (!kept_.empty() || inject(asked) == PCILENS_IRQ_BUSY) {
    kept_.push_back(asked);
    keeps_ = true;
  }
  return Status::SC;
}

// The first of them too comes after the one that they repeat.
void KmodHost::interrupt_again(std::uint8_t function, std::uint64_t vector, std::uint64_t value,
                               std::uint64_t times) {
  const std::lock_guard lock(kept_mutex_);
  repeated_.push_back({.interrupt = {function, vector, value},
                       .left = times,
                       .next_ns = monotonic_ns() + kRepeatNs,
                       .tries = kTries});
  keeps_ = true;
}

// PCILENS_IRQ_* of what became of it; delivered, for a function that has gone.
std::uint32_t KmodHost::inject(const Interrupt& asked) {
  const bool intx = asked.vector == kIntxVector;
  const auto sent = served_[asked.function]->function->inject(
      intx ? 0 : static_cast<std::uint32_t>(asked.vector), intx && asked.value == 0);
  return sent ? sent->result : std::uint32_t{PCILENS_IRQ_DELIVERED};
}

void KmodHost::send_kept_interrupts() {
  // Whoever sends just now sends these too, or the second thread does soon.
  const std::unique_lock lock(kept_mutex_, std::try_to_lock);
  if (!lock) return;
  auto next = kept_.begin();
  while (next != kept_.end() && inject(*next) != PCILENS_IRQ_BUSY) ++next;
  kept_.erase(kept_.begin(), next);
  const std::uint64_t now = monotonic_ns();
  std::erase_if(repeated_, [&](Repeated& r) {
    if (now < r.next_ns) return false;
    r.next_ns = now + kRepeatNs;
    const std::uint32_t result = inject(r.interrupt);
    if (result == PCILENS_IRQ_BUSY || result == PCILENS_IRQ_COALESCED) return --r.tries == 0;
    r.tries = kTries;
    return --r.left == 0;
  });
  keeps_ = !kept_.empty() || !repeated_.empty();
}

// ---- the slot ----------------------------------------------------------------------------------

void KmodHost::present(std::uint8_t function, bool is_there) {
  served_[function]->function->set_present(is_there);
  if (is_there) refresh_shadow(function);
}

// ---- what the kernel answers by itself ---------------------------------------------------------

// What a breakpoint, a rule or a step can match waits for us; all else goes on as it is.
void KmodHost::synchronous(std::span<const Range> ranges) {
  for (std::size_t i = 0; i < served_.size(); ++i) {
    Served& served = *served_[i];
    const auto set = [&](const Range& range) { return served.function->set_policy(range); };
    if (!hold(served.held,
              disjoint(ranges, static_cast<std::uint8_t>(i), served.function->bar_sizes()), set))
      link_.finding_within(link_.last_seq(), "kmod",
                           "the kernel keeps no more places at which a driver waits: some "
                           "breakpoints or rules do not hold it; delete some");
  }
}

// The kernel's copy of the registers, for reads that cannot wait at all. Under the link's lock,
// which makes this the only one who asks a bank for its changes.
void KmodHost::refresh_shadow(std::uint8_t index) {
  Served& served = *served_[index];
  served.shadow_is_old = false;
  const Function* function = link_.function(index);
  if (function == nullptr) return;
  for (int bar = 0; bar < PCILENS_BARS; ++bar) {
    const RegisterBank* bank = function->bank(bar);
    const std::span<std::byte> memory = served.function->shadow(bar);
    if (bank == nullptr || memory.empty()) continue;
    bank->peek_changes([&](const RegisterRef& ref, std::uint64_t value) {
      put(memory, ref.offset(), ref.reg->width, value);
    });
  }
}

// When nothing comes for a while.
void KmodHost::refresh_old_shadow(std::uint8_t index) {
  if (!served_[index]->shadow_is_old.exchange(false)) return;
  link_.post([this, index] { refresh_shadow(index); });
}

}  // namespace pcilens::kmod
