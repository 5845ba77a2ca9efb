// The spool's bytes: a header page, then a ring of 64-byte slots. Position-independent, so that it
// may lie in a file on tmpfs, a memfd, or a VM's ivshmem BAR, mapped at different addresses by the
// two sides. Each side trusts only what it has checked: the other may be a broken guest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/trace/record.hpp"

namespace pcilens {

inline constexpr std::uint64_t kSpoolMagic = 0x6c6f6f70736c6370ull;  // "pclspool"
inline constexpr std::uint32_t kSpoolVersion = 2;
inline constexpr std::size_t kSlotSize = 64;
inline constexpr std::size_t kSpoolHeaderSize = 4096;

struct SpoolHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t closed;    // 1: the producer has said its last word
  std::uint64_t capacity;  // slots, a power of two
  std::uint64_t id;        // random: tells one spool from another
  std::uint8_t pad0[32];
  // Slots claimed so far; only producers write it.
  alignas(64) std::uint64_t head;
  // The last event that was begun, and its time: where another producer goes on.
  std::uint64_t last_seq;
  std::uint64_t last_ns;
  // Slots that the consumer has finished with; only the consumer writes it.
  alignas(64) std::uint64_t tail;
  // Counted by producers.
  alignas(64) std::uint64_t waits;  // how often a full ring was waited for
  std::uint64_t lost_events;        // not recorded, told of by gap rows
  std::uint64_t lost_records;       // completions, edits and blobs not recorded
};
static_assert(sizeof(SpoolHeader) <= kSpoolHeaderSize && alignof(SpoolHeader) == 64);
static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

// A slot's last word: the record's type below, the lap above, so that what an earlier lap left
// there is never taken for published. The first lap is 1: zeroed memory is unpublished.
// A blob under construction carries kBegun and its length, so that a drain after a crash can step
// over it without looking at its bytes.
inline constexpr std::uint32_t kBegun = 15;
// What a producer claimed and did not live to write, as its successor marks it.
inline constexpr std::uint32_t kGivenUp = 14;
inline constexpr unsigned kTypeBits = 4;

constexpr std::uint32_t publish_word(std::uint32_t type, std::uint64_t position,
                                     std::uint64_t capacity) {
  return type | static_cast<std::uint32_t>(position / capacity + 1) << kTypeBits;
}
constexpr std::uint64_t slots_of(std::uint64_t bytes) {
  return bytes / kSlotSize + (bytes % kSlotSize != 0);
}

}  // namespace pcilens
