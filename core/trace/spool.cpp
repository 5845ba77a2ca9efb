#include "core/trace/spool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <random>
#include <thread>

namespace pcilens {
namespace {

constexpr std::uint64_t kAhead = 8;  // slots

std::uint64_t random_id() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

}  // namespace

Spool::Spool(std::span<std::byte> memory, std::uint64_t capacity, SpoolOptions options)
    : header_(reinterpret_cast<SpoolHeader*>(memory.data())),
      slots_(memory.data() + kSpoolHeaderSize),
      capacity_(capacity),
      options_(options),
      head_(header_->head),
      known_tail_(std::atomic_ref(header_->tail).load(std::memory_order_acquire)) {}

Result<std::unique_ptr<Spool>> Spool::create(std::span<std::byte> memory, SpoolOptions options) {
  if (memory.size() < kSpoolHeaderSize + 64 * kSlotSize)
    return fail(fmt::format("spool: {} bytes are too few; give it {} at least", memory.size(),
                            kSpoolHeaderSize + 64 * kSlotSize));
  const auto capacity = std::bit_floor((memory.size() - kSpoolHeaderSize) / kSlotSize);
  // The magic comes last: who sees it sees a whole header.
  std::memset(memory.data(), 0, kSpoolHeaderSize);
  for (std::uint64_t i = 0; i < capacity; ++i)
    std::memset(memory.data() + kSpoolHeaderSize + i * kSlotSize + kSlotSize - 4, 0, 4);
  auto* header = reinterpret_cast<SpoolHeader*>(memory.data());
  header->version = kSpoolVersion;
  header->capacity = capacity;
  header->id = random_id();
  std::atomic_ref(header->magic).store(kSpoolMagic, std::memory_order_release);
  return std::unique_ptr<Spool>(new Spool(memory, capacity, options));
}

Result<std::unique_ptr<Spool>> Spool::attach(std::span<std::byte> memory, SpoolOptions options) {
  const auto* header = reinterpret_cast<const SpoolHeader*>(memory.data());
  if (memory.size() < kSpoolHeaderSize || header->magic != kSpoolMagic)
    return fail("spool: there is none in this memory; let the other side create it first");
  if (header->version != kSpoolVersion)
    return fail(
        fmt::format("spool: version {}, this pcilens knows {}; use the same pcilens on both "
                    "sides",
                    header->version, kSpoolVersion));
  const auto capacity = header->capacity;
  if (!std::has_single_bit(capacity) || capacity > (memory.size() - kSpoolHeaderSize) / kSlotSize)
    return fail(fmt::format("spool: {} slots do not fit into {} bytes", capacity, memory.size()));
  const auto head = header->head, tail = header->tail;
  if (head - tail > capacity)
    return fail(
        fmt::format("spool: its positions ({} to {}) contradict its {} slots; it is damaged", tail,
                    head, capacity));
  std::unique_ptr<Spool> spool(new Spool(memory, capacity, options));
  spool->give_up_dead();
  return spool;
}

// The consumer waits before a slot that was claimed and never published; nobody will publish it.
void Spool::give_up_dead() {
  std::atomic_ref(header_->closed).store(0, std::memory_order_release);
  const auto end = head_.load(std::memory_order_acquire);
  std::atomic_ref tail(header_->tail);
  for (auto at = tail.load(std::memory_order_acquire); at != end;) {
    auto* word = reinterpret_cast<std::uint32_t*>(slot(at) + kSlotSize - sizeof(std::uint32_t));
    const auto found = std::atomic_ref(*word).load(std::memory_order_acquire);
    // A consumer on the other side clears what it takes, and never passes what is not published.
    if (const auto taken = tail.load(std::memory_order_acquire);
        taken - at <= capacity_ && taken > at) {
      at = taken;
      continue;
    }
    const auto type = found & ((1u << kTypeBits) - 1);
    const bool published = found == publish_word(type, at, capacity_) && type != kBegun;
    std::uint64_t slots = 1;
    if (type == kBegun || type == static_cast<std::uint32_t>(RecordType::Blob)) {
      BlobRecord blob;
      std::memcpy(&blob, slot(at), sizeof blob);
      if (found == publish_word(type, at, capacity_))
        slots = std::min(end - at, 1 + slots_of(blob.length));
    }
    for (std::uint64_t i = 0; !published && i < slots; ++i) publish(at + i, kGivenUp);
    at += slots;
  }
}

// Claimed by compare-exchange, not by fetch_add: nobody ever holds a slot that the consumer has
// not freed, so that giving up leaves nothing half-claimed behind.
std::uint64_t Spool::try_claim(std::uint64_t slots) {
  auto head = head_.load(std::memory_order_relaxed);
  for (;;) {
    // Also true when the other side wrote nonsense into tail: then there is no room.
    if (head + slots - known_tail_.load(std::memory_order_acquire) > capacity_) return kNoRoom;
    if (head_.compare_exchange_weak(head, head + slots, std::memory_order_relaxed)) return head;
  }
}

std::uint64_t Spool::claim(std::uint64_t slots) {
  if (owes_gap_.load(std::memory_order_relaxed)) [[unlikely]]
    report_loss();
  const auto position = try_claim(slots);
  if (position != kNoRoom) [[likely]]
    return position;
  return claim_slow(slots);
}

std::uint64_t Spool::claim_slow(std::uint64_t slots) {
  std::atomic_ref tail(header_->tail);
  const auto refresh = [&] {
    known_tail_.store(tail.load(std::memory_order_acquire), std::memory_order_release);
    return try_claim(slots);
  };
  if (dropping_.load(std::memory_order_relaxed)) {
    // Some air first, else every other event would be a gap.
    const auto used = head_.load(std::memory_order_relaxed) - tail.load(std::memory_order_acquire);
    if (used > capacity_ - capacity_ / 4) return kNoRoom;
    dropping_.store(false, std::memory_order_relaxed);
  }
  if (const auto position = refresh(); position != kNoRoom) return position;
  std::atomic_ref(header_->waits).fetch_add(1, std::memory_order_relaxed);
  const auto deadline = std::chrono::steady_clock::now() + options_.wait_limit;
  for (unsigned turn = 0; std::chrono::steady_clock::now() < deadline; ++turn) {
    if (turn < 20)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    if (const auto position = refresh(); position != kNoRoom) return position;
  }
  dropping_.store(true, std::memory_order_relaxed);
  return kNoRoom;
}

void Spool::publish(std::uint64_t position, std::uint32_t type) {
  std::byte* at = slot(position) + kSlotSize - sizeof(std::uint32_t);
  std::atomic_ref(*reinterpret_cast<std::uint32_t*>(at))
      .store(publish_word(type, position, capacity_), std::memory_order_release);
}

template <typename Record>
void Spool::put(std::uint64_t position, const Record& record, std::uint32_t type) {
  std::memcpy(slot(position), &record, kSlotSize - sizeof(std::uint32_t));
  publish(position, type);
}

void Spool::put_event(std::uint64_t position, const Transaction& t) {
  // The line was last written by the consumer, on another CPU: fetch those to come ahead of time.
  __builtin_prefetch(slot(position + kAhead), 1);
  // In place: a copy through the stack costs a third more.
  fill(*reinterpret_cast<EventRecord*>(slot(position)), t);
  publish(position, static_cast<std::uint32_t>(RecordType::Event));
}

void Spool::put_blob(std::uint64_t position, BlobKind what, std::uint64_t key,
                     std::span<const std::byte> bytes, bool more) {
  BlobRecord r{};
  r.key = key;
  r.length = bytes.size();
  r.what = static_cast<std::uint8_t>(what);
  r.more = more ? 1 : 0;
  put(position, r, kBegun);
  for (std::uint64_t done = 0, at = position + 1; done < bytes.size(); done += kSlotSize, ++at)
    std::memcpy(slot(at), bytes.data() + done,
                std::min<std::uint64_t>(kSlotSize, bytes.size() - done));
  put(position, r, static_cast<std::uint32_t>(RecordType::Blob));
}

void Spool::event(const Transaction& t) {
  // First of all: what is killed from here on leaves its number free, for the gap row.
  std::atomic_ref(header_->last_seq).store(t.seq, std::memory_order_relaxed);
  std::atomic_ref(header_->last_ns).store(t.t_ns, std::memory_order_relaxed);
  const auto payload = t.payload.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(t.payload.size(), options_.payload_limit)));
  auto slots = std::uint64_t{1};
  const auto payload_slots = payload.empty() ? 0 : 1 + slots_of(payload.size());
  const bool together = payload_slots <= capacity_ / 4;
  if (together) slots += payload_slots;
  const auto position = claim(slots);
  if (position == kNoRoom) return lose(t.seq, true);
  // The payload first: who sees the event published sees its bytes as well.
  if (together && payload_slots != 0)
    put_blob(position + 1, BlobKind::Payload, t.seq, payload, false);
  put_event(position, t);
  if (!together) blob(BlobKind::Payload, t.seq, payload);
  if (t.done_ns > t.t_ns && t.done_ns - t.t_ns >= ~0u) [[unlikely]]
    completion(t);
}

void Spool::completion(const Transaction& t) {
  CompletionRecord r{};
  r.seq = t.seq;
  r.done_ns = t.done_ns;
  r.value = t.value;
  r.status = static_cast<std::uint8_t>(t.status);
  r.answered_by = static_cast<std::uint8_t>(t.answered_by);
  const auto position = claim(1);
  if (position == kNoRoom) return lose(t.seq, false);
  put(position, r, static_cast<std::uint32_t>(RecordType::Completion));
}

void Spool::edit(std::uint64_t seq, std::uint64_t sent, std::uint64_t delivered,
                 std::uint64_t answered, std::uint64_t returned, std::uint32_t rule) {
  EditRecord r{};
  r.seq = seq;
  r.sent = sent;
  r.delivered = delivered;
  r.answered = answered;
  r.returned = returned;
  r.rule = rule;
  const auto position = claim(1);
  if (position == kNoRoom) return lose(seq, false);
  put(position, r, static_cast<std::uint32_t>(RecordType::Edit));
}

void Spool::blob(BlobKind what, std::uint64_t key, std::span<const std::byte> bytes) {
  const auto largest = static_cast<std::size_t>((capacity_ / 4 - 1) * kSlotSize);
  do {
    const auto part = bytes.first(std::min(bytes.size(), largest));
    bytes = bytes.subspan(part.size());
    const auto position = claim(1 + slots_of(part.size()));
    if (position == kNoRoom) return lose(key, false);
    put_blob(position, what, key, part, !bytes.empty());
  } while (!bytes.empty());
}

void Spool::lose(std::uint64_t seq, bool is_event) {
  const std::lock_guard lock(loss_mutex_);
  if (is_event) {
    if (loss_.events++ == 0) loss_.first_event = seq;
    std::atomic_ref(header_->lost_events).fetch_add(1, std::memory_order_relaxed);
  } else {
    if (loss_.records++ == 0) loss_.first_record = seq;
    std::atomic_ref(header_->lost_records).fetch_add(1, std::memory_order_relaxed);
  }
  owes_gap_.store(true, std::memory_order_relaxed);
}

// Writes what was lost as soon as there is room. The gap takes the number of the first event lost,
// which no other row has.
void Spool::report_loss() {
  const std::unique_lock lock(loss_mutex_, std::try_to_lock);
  if (!lock || !owes_gap_) return;
  const auto used = head_.load(std::memory_order_relaxed) -
                    std::atomic_ref(header_->tail).load(std::memory_order_acquire);
  if (used > capacity_ - capacity_ / 4) return;
  known_tail_.store(std::atomic_ref(header_->tail).load(std::memory_order_acquire),
                    std::memory_order_release);
  dropping_.store(false, std::memory_order_relaxed);
  char text[160];
  if (loss_.events != 0) {
    const auto end =
        fmt::format_to_n(text, sizeof text, "{} events lost: the spool was full", loss_.events);
    const auto bytes = std::as_bytes(std::span(text, end.size));
    const auto position = try_claim(2 + slots_of(bytes.size()));
    if (position == kNoRoom) return;
    Transaction gap;
    gap.seq = loss_.first_event;
    gap.kind = Kind::Gap;
    gap.status = Status::SC;
    gap.value = loss_.events;
    put_blob(position + 1, BlobKind::Payload, gap.seq, bytes, false);
    put_event(position, gap);
    loss_.events = 0;
  }
  if (loss_.records != 0) {
    const auto end = fmt::format_to_n(
        text, sizeof text,
        R"({{"rule":"trace.lost","text":"{} completions, edits or texts lost: the spool was full"}})",
        loss_.records);
    const auto bytes = std::as_bytes(std::span(text, end.size));
    const auto position = try_claim(1 + slots_of(bytes.size()));
    if (position == kNoRoom) return;
    put_blob(position, BlobKind::Finding, loss_.first_record, bytes, false);
    loss_.records = 0;
  }
  owes_gap_.store(false, std::memory_order_relaxed);
}

void Spool::close() {
  if (owes_gap_) report_loss();
  std::atomic_ref(header_->closed).store(1, std::memory_order_release);
}

}  // namespace pcilens
