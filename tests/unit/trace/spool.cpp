#include "core/trace/spool.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/spool_reader.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::mem_write;
using What = SpoolRecord::What;

namespace {

struct Ends {
  SpoolMemory memory;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<SpoolReader> reader;
};

Ends make(std::uint64_t slots, SpoolOptions options = {}) {
  auto memory = SpoolMemory::anonymous(slots);
  REQUIRE(memory);
  auto spool = Spool::create(memory->bytes(), options);
  REQUIRE(spool);
  auto reader = SpoolReader::open(memory->bytes());
  REQUIRE(reader);
  return {std::move(*memory), std::move(*spool), std::move(*reader)};
}

std::vector<std::byte> bytes_of(std::size_t n) {
  std::vector<std::byte> bytes(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("records come out of the spool in order over many laps") {
  auto ends = make(64);
  std::uint64_t taken = 0;
  SpoolRecord r;
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) {
    ends.spool->event(mem_write(seq, seq * 4, seq << 40));
    if (seq % 7 != 0) continue;
    while (ends.reader->next(r)) {
      REQUIRE(r.what == What::Event);
      REQUIRE(r.event.seq == ++taken);
      REQUIRE(r.event.offset == taken * 4);
      REQUIRE(r.event.value == taken << 40);
      REQUIRE(r.event.duration_ns == 10);
    }
    ends.reader->release();
  }
  CHECK(taken == 994);
  CHECK(ends.spool->lost_events() == 0);
}

TEST_CASE("a payload that spans slots and the ring's end comes back byte for byte") {
  auto ends = make(64);
  SpoolRecord r;
  for (std::uint64_t seq = 1; seq <= 200; ++seq) {
    const auto data = bytes_of(1 + seq * 4);
    auto t = mem_write(seq, 0, 0);
    t.kind = Kind::DmaWrite;
    t.payload = data;
    ends.spool->event(t);
    REQUIRE(ends.reader->next(r));
    REQUIRE(r.what == What::Event);
    REQUIRE(ends.reader->next(r));
    REQUIRE(r.what == What::Blob);
    REQUIRE(r.blob.key == seq);
    REQUIRE(std::equal(r.bytes.begin(), r.bytes.end(), data.begin(), data.end()));
    REQUIRE_FALSE(ends.reader->next(r));
    ends.reader->release();
  }
}

TEST_CASE("a blob larger than a quarter of the ring arrives in parts") {
  auto ends = make(64);
  const auto data = bytes_of(15 * 64 * 3 + 5);
  ends.spool->blob(BlobKind::Note, 7, data);
  std::vector<std::byte> whole;
  SpoolRecord r;
  int parts = 0;
  for (bool more = true; more; ++parts) {
    REQUIRE(ends.reader->next(r));
    whole.insert(whole.end(), r.bytes.begin(), r.bytes.end());
    more = r.blob.more != 0;
  }
  CHECK(parts == 4);
  CHECK(whole == data);
}

TEST_CASE("a payload that imitates published slots is not taken for records in the next lap") {
  auto ends = make(64);
  // Every word of the payload looks like an event of the second lap.
  std::vector<std::byte> evil(15 * 64);
  const std::uint32_t word = publish_word(1, 64, 64);
  for (std::size_t i = 0; i < evil.size(); i += 4) std::memcpy(&evil[i], &word, 4);
  SpoolRecord r;
  for (int i = 0; i < 4; ++i) {
    ends.spool->blob(BlobKind::Note, 1, evil);
    REQUIRE(ends.reader->next(r));
  }
  ends.reader->release();
  // A claim without publication, as a killed thread leaves it.
  auto* header = reinterpret_cast<SpoolHeader*>(ends.memory.bytes().data());
  header->head += 10;
  CHECK_FALSE(ends.reader->next(r));
}

TEST_CASE("a full spool waits, then counts what it loses and writes one gap") {
  auto ends = make(64, {.wait_limit = std::chrono::milliseconds(20)});
  for (std::uint64_t seq = 1; seq <= 64; ++seq) ends.spool->event(mem_write(seq, 0, seq));
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seq = 65; seq <= 1064; ++seq) ends.spool->event(mem_write(seq, 0, seq));
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= std::chrono::milliseconds(20));
  CHECK(took < std::chrono::milliseconds(500));  // one wait, not a thousand
  CHECK(ends.spool->waits() == 1);
  CHECK(ends.spool->lost_events() == 1000);

  SpoolRecord r;
  std::uint64_t seq = 0;
  while (ends.reader->next(r)) CHECK(r.event.seq == ++seq);
  CHECK(seq == 64);
  ends.reader->release();
  ends.spool->event(mem_write(1065, 0, 0));
  REQUIRE(ends.reader->next(r));
  CHECK(r.event.kind == static_cast<std::uint8_t>(Kind::Gap));
  CHECK(r.event.seq == 65);
  CHECK(r.event.value == 1000);
  REQUIRE(ends.reader->next(r));
  CHECK(text_of(r.bytes) == "1000 events lost: the spool was full");
  REQUIRE(ends.reader->next(r));
  CHECK(r.event.seq == 1065);
}

TEST_CASE("a full spool goes on without loss when the consumer catches up in time") {
  auto ends = make(64, {.wait_limit = std::chrono::seconds(20)});
  constexpr std::uint64_t kEvents = 200000;
  std::thread producer([&] {
    for (std::uint64_t seq = 1; seq <= kEvents; ++seq) ends.spool->event(mem_write(seq, 0, seq));
  });
  SpoolRecord r;
  std::uint64_t seq = 0;
  bool in_order = true;
  while (seq < kEvents) {
    while (ends.reader->next(r)) in_order = in_order && r.event.seq == ++seq;
    ends.reader->release();
    std::this_thread::yield();
  }
  producer.join();
  CHECK(in_order);
  CHECK(ends.spool->lost_events() == 0);
}

TEST_CASE("two threads lose and duplicate nothing") {
  auto ends = make(1024, {.wait_limit = std::chrono::seconds(20)});
  constexpr std::uint64_t kEach = 100000;
  const auto produce = [&](std::uint64_t base) {
    const auto data = bytes_of(100);
    for (std::uint64_t i = 1; i <= kEach; ++i) {
      auto t = mem_write(base + i, 0, i);
      if (i % 5 == 0) t.payload = data;
      ends.spool->event(t);
    }
  };
  std::thread a(produce, 0), b(produce, kEach);
  std::vector<std::uint8_t> seen(2 * kEach + 1);
  std::uint64_t last[2] = {0, 0}, events = 0, blobs = 0;
  bool in_order = true;
  SpoolRecord r;
  while (events + blobs < 2 * kEach + 2 * kEach / 5) {
    while (ends.reader->next(r)) {
      if (r.what == What::Blob) {
        ++blobs;
        continue;
      }
      ++events;
      ++seen[r.event.seq];
      auto& before = last[r.event.seq > kEach ? 1 : 0];
      in_order = in_order && r.event.seq > before;
      before = r.event.seq;
    }
    ends.reader->release();
  }
  a.join();
  b.join();
  CHECK(in_order);
  CHECK(events == 2 * kEach);
  CHECK(std::count(seen.begin() + 1, seen.end(), 1) == static_cast<std::ptrdiff_t>(2 * kEach));
}

TEST_CASE("a spool file survives kill -9 of its producer and is drained then") {
  test::Folder folder;
  const auto path = folder / "spool";
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    auto memory = SpoolMemory::create_file(path, 1024);
    auto spool = Spool::create(memory->bytes());
    for (std::uint64_t seq = 1; seq <= 500; ++seq) (*spool)->event(mem_write(seq, 0, seq));
    (void)!write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char c;
  REQUIRE(read(ready[0], &c, 1) == 1);
  CHECK_FALSE(SpoolMemory::open_file(path));  // its owner lives
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  auto memory = SpoolMemory::open_file(path);
  REQUIRE(memory);
  auto reader = SpoolReader::open(memory->bytes());
  REQUIRE(reader);
  SpoolRecord r;
  std::uint64_t seq = 0;
  while ((*reader)->next(r, true)) CHECK(r.event.seq == ++seq);
  CHECK(seq == 500);
}

TEST_CASE("a slot that was claimed and never published stops the reader, and is lost at the end") {
  auto ends = make(64);
  ends.spool->event(mem_write(1, 0, 0));
  auto* header = reinterpret_cast<SpoolHeader*>(ends.memory.bytes().data());
  header->head += 1;
  ends.spool->event(mem_write(3, 0, 0));
  SpoolRecord r;
  REQUIRE(ends.reader->next(r));
  CHECK_FALSE(ends.reader->next(r));
  REQUIRE(ends.reader->next(r, true));
  CHECK(r.what == What::Lost);
  CHECK(r.lost_slots == 1);
  REQUIRE(ends.reader->next(r, true));
  CHECK(r.event.seq == 3);
  CHECK_FALSE(ends.reader->next(r, true));
}

TEST_CASE("the reader steps over a blob whose writer died in the middle") {
  auto ends = make(64);
  ends.spool->blob(BlobKind::Note, 1, bytes_of(600));
  ends.spool->event(mem_write(2, 0, 0));
  // As the writer leaves it between the first and the last store to the head slot.
  auto* word = reinterpret_cast<std::uint32_t*>(ends.memory.bytes().data() + kSpoolHeaderSize + 60);
  *word = publish_word(kBegun, 0, 64);
  SpoolRecord r;
  CHECK_FALSE(ends.reader->next(r));
  REQUIRE(ends.reader->next(r, true));
  CHECK(r.what == What::Lost);
  CHECK(r.lost_slots == 11);
  REQUIRE(ends.reader->next(r, true));
  CHECK(r.event.seq == 2);
}

TEST_CASE("a hostile producer's numbers are clamped") {
  auto ends = make(64);
  auto* header = reinterpret_cast<SpoolHeader*>(ends.memory.bytes().data());
  SpoolRecord r;
  SECTION("a head far ahead") {
    header->head = ~0ull;
    CHECK_FALSE(ends.reader->next(r, true));
  }
  SECTION("a blob longer than the ring") {
    ends.spool->blob(BlobKind::Note, 1, bytes_of(64));
    const std::uint64_t length = GENERATE(~0ull, 1ull << 40, 129ull);
    std::memcpy(ends.memory.bytes().data() + kSpoolHeaderSize + 8, &length, 8);
    REQUIRE(ends.reader->next(r));
    CHECK(r.what == What::Lost);
  }
  SECTION("a record of no known type") {
    ends.spool->event(mem_write(1, 0, 0));
    auto* word =
        reinterpret_cast<std::uint32_t*>(ends.memory.bytes().data() + kSpoolHeaderSize + 60);
    *word = publish_word(9, 0, 64);
    REQUIRE(ends.reader->next(r));
    CHECK(r.what == What::Lost);
  }
  SECTION("the header's capacity") {
    header->capacity = 1ull << 60;
    CHECK_FALSE(SpoolReader::open(ends.memory.bytes()));
    CHECK_FALSE(Spool::attach(ends.memory.bytes()));
    ends.spool->event(mem_write(1, 0, 0));
    REQUIRE(ends.reader->next(r));
    CHECK(r.event.seq == 1);
  }
  SECTION("a tail that a hostile consumer moves only loses events") {
    ends.spool = *Spool::attach(ends.memory.bytes(), {.wait_limit = std::chrono::milliseconds(1)});
    for (std::uint64_t seq = 1; seq <= 64; ++seq) ends.spool->event(mem_write(seq, 0, 0));
    header->tail = 1ull << 50;
    ends.spool->event(mem_write(65, 0, 0));
    CHECK(ends.spool->lost_events() == 1);
  }
}

TEST_CASE("memory that holds no spool is refused with a sentence") {
  std::vector<std::byte> memory(8192);
  const auto reader = SpoolReader::open(memory);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().message == "spool: there is none in this memory; create it first");
}
