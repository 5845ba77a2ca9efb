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
  // none. One reader at a time, for these two.
  std::uint32_t peek(pcilens_event& event, pcilens_stack& stack) const;
  void consume(std::uint32_t records);
  // Whether there is one; any thread.
  bool has_events() const;

 private:
  std::span<std::byte> memory_;
  // Ours alone: what the mapping says is never read back.
  std::atomic<std::uint64_t> tail_;
  std::uint32_t capacity_, first_record_;
};

}  // namespace pcilens::kmod
