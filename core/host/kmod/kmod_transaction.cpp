// What the kernel reports, in the link's words: transactions, call sites, notes and findings.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/host/kmod/kmod_event.hpp"
#include "core/host/kmod/kmod_host.hpp"

namespace pcilens::kmod {
namespace {

DmaDirection direction_of(std::uint64_t aux) {
  const bool to = (aux & PCILENS_DMA_TO_DEVICE) != 0, from = (aux & PCILENS_DMA_FROM_DEVICE) != 0;
  if (to == from) return DmaDirection::Bidirectional;
  return to ? DmaDirection::ToDevice : DmaDirection::FromDevice;
}

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

// COMMAND.MEM is off, the BAR has another address, or the slot is empty.
bool is_unclaimed(const pcilens_event& event) {
  return event.kind <= PCILENS_MEM_WRITE && (event.flags & PCILENS_F_KERNEL) != 0 &&
         event.aux == PCILENS_STATUS_UR;
}

AnsweredBy answered_by(const pcilens_event& event) {
  const bool waits = (event.flags & PCILENS_F_ANSWER) != 0;
  if (is_unclaimed(event)) return AnsweredBy::Nobody;
  if ((event.flags & (PCILENS_F_SHADOWED | PCILENS_F_KERNEL)) != 0) return AnsweredBy::Shadow;
  // A write that was to be held and could not: the function sees it all the same.
  if ((event.flags & PCILENS_F_PASSED_STOP) != 0) return AnsweredBy::PassedStop;
  const bool config = event.kind == PCILENS_CFG_READ || event.kind == PCILENS_CFG_WRITE;
  return config && !waits ? AnsweredBy::Shadow : AnsweredBy::Function;
}

}  // namespace

Kind kind_of(const pcilens_event& event) {
  switch (event.kind) {
    case PCILENS_CFG_READ: return Kind::CfgRead;
    case PCILENS_CFG_WRITE: return Kind::CfgWrite;
    case PCILENS_MEM_READ: return Kind::MemRead;
    case PCILENS_MEM_WRITE: return Kind::MemWrite;
    case PCILENS_DMA_MAP: return Kind::DmaMap;
    case PCILENS_DMA_UNMAP: return Kind::DmaUnmap;
    default: return Kind::Gap;
  }
}

std::uint32_t status_for_kernel(Status status) {
  switch (status) {
    case Status::SC: return PCILENS_STATUS_SC;
    case Status::UR: return PCILENS_STATUS_UR;
    case Status::CA: return PCILENS_STATUS_CA;
    default: return PCILENS_STATUS_TIMEOUT;
  }
}

// All others the link has by other ways: interrupts, resets, changes of a BAR.
bool KmodHost::on_the_road(const pcilens_event& event) const {
  return (event.kind >= PCILENS_CFG_READ && event.kind <= PCILENS_DMA_UNMAP) ||
         event.kind == PCILENS_GAP;
}

Transaction KmodHost::transaction_of(std::uint8_t index, const Reported& reported,
                                     std::uint32_t site) const {
  const pcilens_event& event = reported.event;
  Transaction t{.offset = event.offset,
                .value = event.value,
                .size = event.size,
                .thread = event.tid,
                .site = site,
                .cpu = event.cpu,
                .kind = kind_of(event),
                .answered_by = answered_by(event),
                .bar = event.bar,
                .function = index};
  const std::int64_t since = static_cast<std::int64_t>(event.time_ns) - epoch_ns_;
  t.t_ns = since > 0 ? static_cast<std::uint64_t>(since) : 1;
  if (is_read(t.kind) && reported.waits()) t.value = 0;
  if (t.kind == Kind::DmaMap || t.kind == Kind::DmaUnmap) {
    t.size = static_cast<std::uint32_t>(event.value);
    t.value = static_cast<std::uint64_t>(direction_of(event.aux));
  }
  if (t.kind == Kind::Gap) t.bar = kBarNone;
  return t;
}

// Under the link's lock. False: another thread has taken it.
bool KmodHost::claim(std::uint8_t index, const pcilens_event& event) {
  Served& served = *served_[index];
  if (!served.queue.claim(event.seq)) return false;
  served.claimed.fetch_add(1, std::memory_order_relaxed);
  served.shadow_is_old.store(true, std::memory_order_relaxed);
  return true;
}

void KmodHost::tell(std::uint8_t index, const pcilens_event& event) {
  Served& served = *served_[index];
  switch (event.kind) {
    case PCILENS_UNBOUND: return link_.driver_left(index);
    case PCILENS_REFUSED:
      return link_.host_finding(
          0, "refused-instruction",
          fmt::format("BAR{}+{:#x}: an instruction that is not emulated touched it: {}; {}",
                      event.bar, event.offset, hex(event.code, event.instruction_bytes),
                      (event.flags & PCILENS_F_USER) != 0
                          ? "the process got SIGBUS"
                          : "it was passed over, nothing was written or loaded"));
    case PCILENS_EXPIRED: {
      std::uint64_t seq = 0;
      {
        const std::lock_guard lock(served.answered_mutex);
        for (const auto& answered : served.answered)
          if (answered.kernel_seq == event.aux) seq = answered.seq;
      }
      return link_.host_finding(
          seq, "expired",
          (event.flags & PCILENS_F_USER) != 0
              ? fmt::format("BAR{}+{:#x}: the process was killed while it waited for the answer",
                            event.bar, event.offset)
              : fmt::format("BAR{}+{:#x}: no answer came while the driver could wait; it went on "
                            "with {:#x}, the kernel's copy",
                            event.bar, event.offset, event.value));
    }
    case PCILENS_IRQ:
      switch (event.aux) {
        case PCILENS_IRQ_COALESCED:
          return link_.host_note(fmt::format(
              "vector {} is coalesced: the one before has not been taken yet", event.offset));
        case PCILENS_IRQ_PENDING:
          return link_.host_note(
              fmt::format("vector {} is masked: it stays pending", event.offset));
        case PCILENS_IRQ_LATE:
          return link_.host_note(
              fmt::format("vector {} is delivered late, now that it is unmasked", event.offset));
        case PCILENS_IRQ_DISABLED:
          return link_.host_note(
              fmt::format("vector {} is lost: the driver has no interrupts or no bus mastering on",
                          event.offset));
        case PCILENS_IRQ_NO_HANDLER:
          return link_.host_note(
              fmt::format("vector {} is lost: no driver has requested it", event.offset));
        default: return;
      }
    default: return;
  }
}

}  // namespace pcilens::kmod
