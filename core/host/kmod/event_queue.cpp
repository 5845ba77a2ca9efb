#include "core/host/kmod/event_queue.hpp"

#include <algorithm>

namespace pcilens::kmod {

// But in a stop nothing is in memory, and no lock is taken. Memory is looked at last: what has left
// the ring by then, for memory, shows there.
bool EventQueue::front(Reported& next) {
  if (!has_events()) return false;
  if (ring_.peek(next.event, next.stack) != 0 && in_memory_.load(std::memory_order_acquire) == 0)
    return true;
  const std::lock_guard lock(mutex_);
  if (memory_.empty()) return ring_.peek(next.event, next.stack) != 0;
  next = memory_.front();
  return true;
}

bool EventQueue::front_before(std::uint64_t seq, Reported& next) {
  Reported first;
  if (!has_events() || !front(first) || first.event.seq > seq) return false;
  next = first;
  return true;
}

// The ring first: what is moved to memory is seen in one of them.
bool EventQueue::has_events() const {
  return ring_.has_events() || in_memory_.load(std::memory_order_relaxed) != 0;
}

bool EventQueue::claim(std::uint64_t seq) {
  const std::lock_guard lock(mutex_);
  if (memory_.empty()) return ring_.consume(seq);
  const auto it = std::ranges::find(memory_, seq, [](const Reported& r) { return r.event.seq; });
  if (it == memory_.end()) return false;
  if (it->spins()) std::erase(spinning_, it->event.time_ns);
  memory_.erase(it);
  in_memory_ = memory_.size();
  return true;
}

void EventQueue::absorb() {
  const std::lock_guard lock(mutex_);
  absorb_locked();
}

void EventQueue::absorb_locked() {
  Reported next;
  while (const std::uint32_t records = ring_.peek(next.event, next.stack)) {
    memory_.push_back(next);
    if (next.spins()) spinning_.push_back(next.event.time_ns);
    in_memory_ = memory_.size();
    ring_.consume(records);
  }
}

std::vector<Reported> EventQueue::overdue(std::uint64_t before) {
  const std::lock_guard lock(mutex_);
  if (spinning_.empty() || std::ranges::min(spinning_) >= before) return {};
  const auto late = [&](const Reported& r) { return r.spins() && r.event.time_ns < before; };
  const auto last = std::find_if(memory_.rbegin(), memory_.rend(), late);
  std::vector<Reported> due;
  for (auto it = memory_.begin(); it != last.base(); ++it)
    if (!it->waits() || it->spins()) due.push_back(*it);
  return due;
}

std::optional<pcilens_event> EventQueue::expired(std::uint64_t seq) {
  const std::lock_guard lock(mutex_);
  absorb_locked();
  const auto it = std::ranges::find_if(memory_, [&](const Reported& r) {
    return r.event.kind == PCILENS_EXPIRED && r.event.aux == seq;
  });
  return it == memory_.end() ? std::nullopt : std::optional(it->event);
}

}  // namespace pcilens::kmod
