// The producer's end of the spool: what the link writes on the driver's thread. No allocation and
// no system call, but for waiting on a full ring. Any number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "core/result.hpp"
#include "core/trace/record.hpp"
#include "core/trace/spool_layout.hpp"

namespace pcilens {

struct SpoolOptions {
  // How long a full ring is waited for. The consumer may live in another process or on the host of
  // our VM, so it is bounded; what then finds no room is counted and becomes a gap row. While the
  // ring stays full nothing waits a second time.
  std::chrono::milliseconds wait_limit{2000};
  // Bytes of a payload that are kept. Say so in `meta` when it is less than everything.
  std::uint64_t payload_limit = ~0ull;
};

class Spool final : public Recorder {
 public:
  // Formats `memory` as an empty spool; uses as many slots as the largest power of two that fits.
  // The memory outlives the spool.
  static Result<std::unique_ptr<Spool>> create(std::span<std::byte> memory,
                                               SpoolOptions options = {});
  // Goes on where an existing one stands: one that the other side formatted, or whose producer was
  // killed. There must be no other producer: what is claimed and not published is given up, and
  // becomes a gap row.
  static Result<std::unique_ptr<Spool>> attach(std::span<std::byte> memory,
                                               SpoolOptions options = {});

  void event(const Transaction& t) override;
  void completion(const Transaction& t) override;
  void edit(std::uint64_t seq, std::uint64_t sent, std::uint64_t delivered, std::uint64_t answered,
            std::uint64_t returned, std::uint32_t rule) override;
  void blob(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) override;

  // The producer has said its last word. Writes the last gap, if one is owed and there is room.
  void close();

  std::uint64_t id() const { return header_->id; }
  std::uint64_t capacity() const { return capacity_; }
  // The last event that any producer of this spool began, and its time; 0 for none.
  std::uint64_t last_seq() const { return header_->last_seq; }
  std::uint64_t last_ns() const { return header_->last_ns; }
  std::uint64_t waits() const { return header_->waits; }
  std::uint64_t lost_events() const { return header_->lost_events; }
  std::uint64_t lost_records() const { return header_->lost_records; }

 private:
  static constexpr std::uint64_t kNoRoom = ~0ull;

  Spool(std::span<std::byte> memory, std::uint64_t capacity, SpoolOptions options);
  std::uint64_t claim(std::uint64_t slots);
  std::uint64_t try_claim(std::uint64_t slots);
  std::uint64_t claim_slow(std::uint64_t slots);
  std::byte* slot(std::uint64_t position) const {
    return slots_ + (position & (capacity_ - 1)) * kSlotSize;
  }
  void publish(std::uint64_t position, std::uint32_t type);
  template <typename Record>
  void put(std::uint64_t position, const Record& record, std::uint32_t type);
  void put_event(std::uint64_t position, const Transaction& t);
  void put_blob(std::uint64_t position, BlobKind what, std::uint64_t key,
                std::span<const std::byte> bytes, bool more);
  void lose(std::uint64_t seq, bool is_event);
  void report_loss();
  void give_up_dead();

  SpoolHeader* header_;
  std::byte* slots_;
  std::uint64_t capacity_;  // our own copy: the header may change under us
  SpoolOptions options_;
  std::atomic_ref<std::uint64_t> head_;
  std::atomic<std::uint64_t> known_tail_;  // at most the consumer's tail
  std::atomic<bool> owes_gap_ = false;
  std::atomic<bool> dropping_ = false;

  std::mutex loss_mutex_;
  struct Loss {
    std::uint64_t events = 0, first_event = 0;
    std::uint64_t records = 0, first_record = 0;
  } loss_;
};

}  // namespace pcilens
