#include "core/host/kmod/event_ring.hpp"

#include <cstring>

namespace pcilens::kmod {
namespace {

pcilens_ring& header(std::span<std::byte> memory) {
  return *reinterpret_cast<pcilens_ring*>(memory.data());
}

}  // namespace

EventRing::EventRing(std::span<std::byte> memory)
    : memory_(memory),
      tail_(header(memory).tail),
      capacity_(header(memory).capacity),
      first_record_(header(memory).first_record) {}

bool EventRing::has_events() const {
  return std::atomic_ref(header(memory_).head).load(std::memory_order_acquire) !=
         tail_.load(std::memory_order_acquire);
}

const pcilens_event& EventRing::record(std::uint64_t number) const {
  return *reinterpret_cast<const pcilens_event*>(
      memory_.data() + first_record_ + (number & (capacity_ - 1)) * sizeof(pcilens_event));
}

namespace {

// The module publishes an event and its stack together.
std::uint32_t records_of(const pcilens_event& event) {
  return (event.flags & PCILENS_F_STACK) != 0 ? 2 : 1;
}

}  // namespace

// The module writes over a record once it is consumed: what was copied counts if it is not yet.
std::uint32_t EventRing::peek(pcilens_event& event, pcilens_stack& stack) const {
  for (;;) {
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);
    if (!has_events()) return 0;
    std::memcpy(&event, &record(tail), sizeof event);
    const std::uint32_t records = records_of(event);
    if (records == 2) std::memcpy(&stack, &record(tail + 1), sizeof stack);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (tail_.load(std::memory_order_relaxed) == tail) return records;
  }
}

bool EventRing::consume(std::uint64_t seq) {
  if (!has_events()) return false;
  const pcilens_event& next = record(tail_.load(std::memory_order_relaxed));
  if (next.seq != seq) return false;
  consume(records_of(next));
  return true;
}

void EventRing::consume(std::uint32_t records) {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed) + records;
  tail_.store(tail, std::memory_order_release);
  std::atomic_ref(header(memory_).tail).store(tail, std::memory_order_release);
}

}  // namespace pcilens::kmod
