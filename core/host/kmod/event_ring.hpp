// The reader's side of the ring through which the module reports a function's events.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kmod/uapi/pcilens.h"

namespace pcilens::kmod {

class EventRing {
 public:
  // `memory`: the mapping PCILENS_MMAP_RING.
  explicit EventRing(std::span<std::byte> memory);

  // The next event of the ring, and its stack if it has one: how many records they take, 0 for
  // none. Any thread, also while another one consumes.
  std::uint32_t peek(pcilens_event& event, pcilens_stack& stack) const;
  // Takes the next event out, if its number is this one. One thread at a time, for these two.
  bool consume(std::uint64_t seq);
  void consume(std::uint32_t records);
  // Whether there is one; any thread.
  bool has_events() const;

 private:
  const pcilens_event& record(std::uint64_t number) const;

  std::span<std::byte> memory_;
  // Ours alone: what the mapping says is never read back.
  std::atomic<std::uint64_t> tail_;
  std::uint32_t capacity_, first_record_;
};

}  // namespace pcilens::kmod
