// What the module's ring holds, taken by several threads: here in their order, one at a time.
#include "core/host/kmod/event_queue.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace pcilens::kmod;

namespace {

// The kernel's side, in memory.
struct Kernel {
  std::uint32_t records;
  std::vector<pcilens_event> memory = std::vector<pcilens_event>(2 + records);
  pcilens_ring& header = *reinterpret_cast<pcilens_ring*>(memory.data());

  explicit Kernel(std::uint32_t capacity = 16) : records(capacity) {
    header.capacity = records;
    header.record_bytes = sizeof(pcilens_event);
    header.first_record = 2 * sizeof(pcilens_event);
  }
  void report(const pcilens_event& event) {
    memory[2 + header.head % records] = event;
    std::atomic_ref(header.head).fetch_add(1, std::memory_order_release);
  }
  std::span<std::byte> ring() { return std::as_writable_bytes(std::span(memory)); }
};

pcilens_event event(std::uint64_t seq, std::uint16_t kind, std::uint32_t flags = 0) {
  pcilens_event event{};
  event.seq = seq;
  event.time_ns = 1000 * seq;
  event.kind = kind;
  event.flags = flags;
  return event;
}

pcilens_event expired(std::uint64_t seq, std::uint64_t of, std::uint64_t value) {
  pcilens_event record = event(seq, PCILENS_EXPIRED, PCILENS_F_PASSED_STOP);
  record.aux = of;
  record.value = value;
  return record;
}

}  // namespace

TEST_CASE("each event is claimed once, from the ring and from memory") {
  Kernel kernel;
  EventRing ring(kernel.ring());
  EventQueue queue(ring);
  for (std::uint64_t seq = 1; seq <= 40; ++seq) {
    kernel.report(event(seq, PCILENS_MEM_WRITE));
    if (seq % 3 == 0) queue.absorb();
    Reported next;
    REQUIRE(queue.front(next));
    CHECK(next.event.seq == seq);
    CHECK(queue.claim(seq));
    CHECK_FALSE(queue.claim(seq));
    CHECK_FALSE(queue.has_events());
  }
}

TEST_CASE("that the kernel let a driver go is known until its access is claimed") {
  Kernel kernel;
  EventRing ring(kernel.ring());
  EventQueue queue(ring);
  kernel.report(event(7, PCILENS_MEM_READ, PCILENS_F_ANSWER));
  CHECK_FALSE(queue.expired(7).has_value());
  kernel.report(event(8, PCILENS_MEM_WRITE));
  kernel.report(expired(9, 7, 0x77));
  // Two threads look at it, or one whose first try comes during a delay.
  for (int tries = 0; tries < 2; ++tries) {
    const auto record = queue.expired(7);
    REQUIRE(record.has_value());
    CHECK(record->value == 0x77);
    CHECK(record->seq == 9);
  }
  CHECK(queue.claim(7));
  CHECK(queue.claim(9));
  CHECK_FALSE(queue.expired(7).has_value());
  Reported next;
  REQUIRE(queue.front(next));
  CHECK(next.event.seq == 8);
}

TEST_CASE("of two functions' events the earlier one is found, in the ring and in memory") {
  Kernel kernel, other_kernel;
  EventRing ring(kernel.ring()), other_ring(other_kernel.ring());
  EventQueue queue(ring), other(other_ring);
  kernel.report(event(11, PCILENS_MEM_READ, PCILENS_F_ANSWER));
  Reported next;
  REQUIRE(queue.front(next));
  CHECK_FALSE(other.front_before(next.event.seq, next));
  other_kernel.report(event(10, PCILENS_MEM_WRITE));
  other_kernel.report(event(12, PCILENS_MEM_WRITE));
  REQUIRE(other.front_before(next.event.seq, next));
  CHECK(next.event.seq == 10);
  CHECK(other.claim(10));
  other.absorb();
  REQUIRE(queue.front(next));
  CHECK_FALSE(other.front_before(next.event.seq, next));
  CHECK(next.event.seq == 11);
  CHECK(queue.claim(11));
  CHECK(other.front_before(13, next));
  CHECK(next.event.seq == 12);
}

TEST_CASE("threads that take events while another empties the ring find each once, in order") {
  constexpr std::uint64_t kEvents = 20'000;
  Kernel kernel(1u << 15);  // nothing is written over
  EventRing ring(kernel.ring());
  EventQueue queue(ring);
  std::mutex link;  // as the link's: who claims under it has claimed before the next
  std::vector<std::uint64_t> claimed;
  std::atomic<bool> over{false};
  const auto take = [&] {
    Reported next;
    while (!over) {
      if (!queue.front(next)) continue;
      const std::lock_guard lock(link);
      if (!queue.claim(next.event.seq)) continue;
      claimed.push_back(next.event.seq);
      over = claimed.size() == kEvents;
    }
  };
  std::thread first(take), second(take);
  std::thread absorbs([&] {
    while (!over) {
      queue.absorb();
      std::this_thread::yield();
    }
  });
  for (std::uint64_t seq = 1; seq <= kEvents; ++seq) kernel.report(event(seq, PCILENS_MEM_WRITE));
  first.join();
  second.join();
  absorbs.join();
  std::vector<std::uint64_t> expected(kEvents);
  for (std::uint64_t i = 0; i < kEvents; ++i) expected[i] = i + 1;
  CHECK(claimed == expected);
}
