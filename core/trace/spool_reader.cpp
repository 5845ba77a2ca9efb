#include "core/trace/spool_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace pcilens {

SpoolReader::SpoolReader(std::span<std::byte> memory, std::uint64_t capacity)
    : header_(reinterpret_cast<SpoolHeader*>(memory.data())),
      slots_(memory.data() + kSpoolHeaderSize),
      capacity_(capacity),
      id_(header_->id) {
  position_ = released_ = std::atomic_ref(header_->tail).load(std::memory_order_acquire);
}

Result<std::unique_ptr<SpoolReader>> SpoolReader::open(std::span<std::byte> memory) {
  auto* header = reinterpret_cast<SpoolHeader*>(memory.data());
  if (memory.size() < kSpoolHeaderSize ||
      std::atomic_ref(header->magic).load(std::memory_order_acquire) != kSpoolMagic)
    return fail("spool: there is none in this memory; create it first");
  if (header->version != kSpoolVersion)
    return fail(
        fmt::format("spool: version {}, this pcilens knows {}; use the same pcilens on both "
                    "sides",
                    header->version, kSpoolVersion));
  const auto capacity = std::atomic_ref(header->capacity).load(std::memory_order_relaxed);
  if (!std::has_single_bit(capacity) || capacity < 64 ||
      capacity > (memory.size() - kSpoolHeaderSize) / kSlotSize)
    return fail(fmt::format("spool: {} slots do not fit into {} bytes; it is damaged", capacity,
                            memory.size()));
  auto reader = std::unique_ptr<SpoolReader>(new SpoolReader(memory, capacity));
  const auto head = std::atomic_ref(header->head).load(std::memory_order_acquire);
  if (head - reader->position_ > capacity)
    return fail(
        fmt::format("spool: its positions ({} to {}) contradict its {} slots; it is damaged",
                    reader->position_, head, capacity));
  return reader;
}

std::uint64_t SpoolReader::head() const {
  const auto head = std::atomic_ref(header_->head).load(std::memory_order_acquire);
  // Between what we took and one lap beyond what we freed: anything else is a lie.
  if (head - released_ > capacity_) return position_;
  return std::max(head, position_);
}

bool SpoolReader::closed() const {
  return std::atomic_ref(header_->closed).load(std::memory_order_acquire) != 0;
}

std::uint32_t SpoolReader::word_at(std::uint64_t position) const {
  auto* word = reinterpret_cast<std::uint32_t*>(slot(position) + kSlotSize - sizeof(std::uint32_t));
  return std::atomic_ref(*word).load(std::memory_order_acquire);
}

bool SpoolReader::lost(SpoolRecord& record, std::uint64_t slots) {
  record.what = SpoolRecord::What::Lost;
  record.lost_slots = slots;
  record.bytes = {};
  position_ += slots;
  return true;
}

bool SpoolReader::next(SpoolRecord& record, bool ended) {
  const auto end = head();
  if (position_ >= end) return false;
  const auto room = end - position_;
  const auto word = word_at(position_);
  const auto type = word & ((1u << kTypeBits) - 1);
  const bool this_lap = word == publish_word(type, position_, capacity_);
  if (!this_lap || type == kBegun) {
    if (!ended) return false;
    std::uint64_t slots = 1;
    if (this_lap) {
      BlobRecord begun;
      std::memcpy(&begun, slot(position_), sizeof begun);
      slots = std::min(room, 1 + slots_of(begun.length));
    }
    return lost(record, slots);
  }
  std::memcpy(&record.event, slot(position_), kSlotSize);
  record.bytes = {};
  switch (static_cast<RecordType>(type)) {
    case RecordType::Event: record.what = SpoolRecord::What::Event; break;
    case RecordType::Completion: record.what = SpoolRecord::What::Completion; break;
    case RecordType::Edit: record.what = SpoolRecord::What::Edit; break;
    case RecordType::Blob: {
      record.what = SpoolRecord::What::Blob;
      const auto length = record.blob.length;
      const auto slots = slots_of(length);
      if (slots >= room) return lost(record, 1);
      bytes_.resize(static_cast<std::size_t>(length));
      for (std::uint64_t i = 0; i < slots; ++i)
        std::memcpy(bytes_.data() + i * kSlotSize, slot(position_ + 1 + i),
                    std::min<std::uint64_t>(kSlotSize, length - i * kSlotSize));
      record.bytes = bytes_;
      position_ += slots;
      break;
    }
    default: return lost(record, 1);
  }
  ++position_;
  return true;
}

// The publish words are cleared, because a slot that held a blob's bytes could look published to
// the next lap.
void SpoolReader::release() {
  for (auto p = released_; p != position_; ++p)
    std::memset(slot(p) + kSlotSize - sizeof(std::uint32_t), 0, sizeof(std::uint32_t));
  released_ = position_;
  std::atomic_ref(header_->tail).store(released_, std::memory_order_release);
}

void SpoolReader::skip_to(std::uint64_t position) {
  if (position - released_ <= head() - released_) position_ = position;
}

}  // namespace pcilens
