// What the kernel reported of one function and nobody has carried yet, in the kernel's order.
// Several threads take from it: each looks at the front, and claims it under the link's lock, so
// that what is claimed first is carried first. In a stop, one of them empties the ring into memory,
// for a ring that is full would make drivers wait that have nothing to do with the stop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "core/host/kmod/event_ring.hpp"

namespace pcilens::kmod {

// An event with the call stack that the kernel took for it, if it did.
struct Reported {
  pcilens_event event{};
  pcilens_stack stack{};  // valid with PCILENS_F_STACK

  bool waits() const { return (event.flags & PCILENS_F_ANSWER) != 0; }
  // Its driver spins for the answer; the kernel gives up at the cap.
  bool spins() const { return waits() && (event.flags & PCILENS_F_MAY_SLEEP) == 0; }
};

class EventQueue {
 public:
  explicit EventQueue(EventRing& ring) : ring_(ring) {}

  // The next one, which stays where it is. False if there is none.
  bool front(Reported& next);
  // The same, if it came before the event `seq`.
  bool front_before(std::uint64_t seq, Reported& next);
  // Whether there is one; takes no lock.
  bool has_events() const;
  // Takes that event out, which need not be the front. False: another thread has taken it.
  bool claim(std::uint64_t seq);
  // Moves what is in the ring to memory.
  void absorb();
  // What has to be carried now, in its order, so that no spinning driver made before `before` (ns,
  // CLOCK_MONOTONIC) runs into the cap: those, and all ahead of them but accesses that may wait.
  std::vector<Reported> overdue(std::uint64_t before);
  // The record that the kernel let this spinning driver go, at the cap, which stays where it is:
  // who claims the access takes it as well.
  std::optional<pcilens_event> expired(std::uint64_t seq);

 private:
  void absorb_locked();

  EventRing& ring_;
  std::mutex mutex_;  // under the link's lock or alone; nothing is called out of it
  std::deque<Reported> memory_;
  std::vector<std::uint64_t> spinning_;    // times of those in memory_ whose drivers spin
  std::atomic<std::size_t> in_memory_{0};  // its size
};

}  // namespace pcilens::kmod
