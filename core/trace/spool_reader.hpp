// The consumer's end of the spool. Nothing the producer wrote is trusted: it may be a broken or
// hostile guest, so every index is clamped and every record copied before it is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/trace/record.hpp"
#include "core/trace/spool_layout.hpp"

namespace pcilens {

struct SpoolRecord {
  enum class What : std::uint8_t { Event, Completion, Edit, Blob, Lost } what = What::Lost;
  union {
    EventRecord event;
    CompletionRecord completion;
    EditRecord edit;
    BlobRecord blob;
  };
  std::span<const std::byte> bytes;  // of a blob; valid until the next call
  std::uint64_t lost_slots = 0;      // of Lost: claimed but never published, or not a record
  SpoolRecord() : event{} {}
};

class SpoolReader {
 public:
  // The memory outlives the reader. One reader a spool.
  static Result<std::unique_ptr<SpoolReader>> open(std::span<std::byte> memory);

  // The next record in order; false where the producers have not published further. `ended`: no
  // producer lives, so that what is claimed and unpublished is Lost instead of waited for.
  bool next(SpoolRecord& record, bool ended = false);

  // Everything taken so far is safe (committed): its slots may be used again.
  void release();
  // Nothing since the last release is safe: begin there again.
  void rewind() { position_ = released_; }
  // Begins at a position that an earlier reader of the same spool had reached; ignored unless it
  // lies between tail and head.
  void skip_to(std::uint64_t position);

  std::uint64_t position() const { return position_; }
  std::uint64_t head() const;  // claimed so far, as far as it is believable
  std::uint64_t id() const { return id_; }
  std::uint64_t capacity() const { return capacity_; }
  bool closed() const;  // the producer has said its last word

 private:
  SpoolReader(std::span<std::byte> memory, std::uint64_t capacity);
  std::byte* slot(std::uint64_t position) const {
    return slots_ + (position & (capacity_ - 1)) * kSlotSize;
  }
  std::uint32_t word_at(std::uint64_t position) const;
  bool lost(SpoolRecord& record, std::uint64_t slots);

  SpoolHeader* header_;
  std::byte* slots_;
  std::uint64_t capacity_, id_;
  std::uint64_t position_ = 0, released_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace pcilens
