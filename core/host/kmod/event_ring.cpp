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

// The module publishes an event and its stack together.
std::uint32_t EventRing::peek(pcilens_event& event, pcilens_stack& stack) const {
  if (!has_events()) return 0;
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const auto record = [&](std::uint64_t number) {
    return memory_.data() + first_record_ + (number & (capacity_ - 1)) * sizeof(event);
  };
  std::memcpy(&event, record(tail), sizeof(event));
  if ((event.flags & PCILENS_F_STACK) == 0) return 1;
  std::memcpy(&stack, record(tail + 1), sizeof(stack));
  return 2;
}

void EventRing::consume(std::uint32_t records) {
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed) + records;
  tail_.store(tail, std::memory_order_release);
  std::atomic_ref(header(memory_).tail).store(tail, std::memory_order_release);
}

}  // namespace pcilens::kmod
