// A producer that is killed at any moment: nothing that it recorded is lost, and another goes on.
// PCILENS_ROUNDS=200 kills more of them.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "catch.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/spool_reader.hpp"
#include "core/trace/writer.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

Transaction event(std::uint64_t seq, std::span<const std::byte> payload = {}) {
  Transaction t{.seq = seq, .t_ns = seq * 10, .size = 4, .kind = Kind::MemWrite, .bar = 0};
  t.status = Status::SC;
  t.payload = payload;
  return t;
}

// Writes events, every third with bytes, until it is killed; `done` is the last that was recorded.
[[noreturn]] void produce(const std::string& spool_path, const std::string& trace,
                          std::atomic<std::uint64_t>& done) {
  auto memory = SpoolMemory::create_file(spool_path, 1024);
  if (!memory) _exit(1);
  auto spool = Spool::create(memory->bytes());
  auto reader = SpoolReader::open(memory->bytes());
  if (!spool || !reader) _exit(1);
  TraceWriterOptions options;
  options.commit_interval = std::chrono::milliseconds(2);
  options.poll_interval = std::chrono::milliseconds(1);
  auto writer = TraceWriter::create(trace, **reader, options);
  if (!writer) _exit(1);
  const std::vector<std::byte> bytes(300, std::byte{0xff});
  for (std::uint64_t seq = 1;; ++seq) {
    if (seq % 3 == 0)
      (*spool)->event(event(seq, bytes));
    else
      (*spool)->event(event(seq));
    done = seq;
  }
}

int rounds() {
  const char* asked = std::getenv("PCILENS_ROUNDS");
  return asked == nullptr ? 20 : std::atoi(asked);
}

}  // namespace

TEST_CASE("a killed producer loses nothing it recorded, and the next goes on in its trace") {
  std::mt19937 random(7);
  auto* done = static_cast<std::atomic<std::uint64_t>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (int round = 0; round < rounds(); ++round) {
    Folder folder;
    const std::string trace = folder / "run.db", spool_path = folder / "spool";
    *done = 0;
    const pid_t child = fork();
    if (child == 0) produce(spool_path, trace, *done);
    while (*done < 10) std::this_thread::sleep_for(std::chrono::microseconds(200));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::uint64_t recorded = *done;

    auto memory = SpoolMemory::open_file(spool_path);
    REQUIRE(memory.has_value());
    auto spool = Spool::attach(memory->bytes());
    REQUIRE(spool.has_value());
    const std::uint64_t last = (*spool)->last_seq();
    // It may have been killed while it wrote one more.
    CHECK(last >= recorded);
    CHECK(last <= recorded + 1);
    CHECK((*spool)->last_ns() == last * 10);
    auto reader = SpoolReader::open(memory->bytes());
    REQUIRE(reader.has_value());
    auto writer = TraceWriter::resume(trace, **reader);
    REQUIRE(writer.has_value());
    for (std::uint64_t seq = last + 1; seq <= last + 100; ++seq) (*spool)->event(event(seq));
    REQUIRE((*writer)->flush());
    REQUIRE((*writer)->close());

    INFO("round " << round << ", killed after " << recorded);
    CHECK(ask(trace, "PRAGMA integrity_check") == "ok");
    CHECK(ask(trace, "SELECT count(*) FROM event WHERE kind = 3 AND seq <= " +
                         std::to_string(recorded)) == std::to_string(recorded));
    CHECK(ask(trace, "SELECT count(*) FROM event WHERE kind = 3 AND seq > " +
                         std::to_string(last)) == "100");
    CHECK(ask(trace, "SELECT count(*) FROM event e WHERE kind = 3 AND seq % 3 = 0 AND seq <= " +
                         std::to_string(recorded) +
                         " AND NOT EXISTS(SELECT 1 FROM payload p WHERE p.seq = e.seq AND "
                         "length(p.data) = 300)") == "0");
    CHECK(ask(trace, "SELECT count(*) FROM finding WHERE rule = 'trace.duplicate'") == "0");
  }
  munmap(done, 4096);
}

TEST_CASE("what a dead producer claimed is given up, and the reader passes it at once") {
  auto memory = *SpoolMemory::anonymous(64);
  auto first = *Spool::create(memory.bytes());
  first->event(event(1));
  // As if killed between claiming three slots and writing them.
  auto* header = reinterpret_cast<SpoolHeader*>(memory.bytes().data());
  header->head += 3;
  header->last_seq = 2;
  first.reset();
  auto second = *Spool::attach(memory.bytes());
  CHECK(second->last_seq() == 2);
  second->event(event(3));
  auto reader = *SpoolReader::open(memory.bytes());
  SpoolRecord record;
  REQUIRE(reader->next(record));
  CHECK(record.event.seq == 1);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(reader->next(record));
    CHECK(record.what == SpoolRecord::What::Lost);
  }
  REQUIRE(reader->next(record));
  CHECK(record.event.seq == 3);
}

TEST_CASE("a full ring whose writer was killed after its commit has room again") {
  Folder folder;
  const std::string trace = folder / "run.db";
  auto memory = *SpoolMemory::anonymous(64);
  auto* header = reinterpret_cast<SpoolHeader*>(memory.bytes().data());
  {
    auto spool = *Spool::create(memory.bytes());
    auto reader = *SpoolReader::open(memory.bytes());
    auto writer = *TraceWriter::create(trace, *reader);
    for (std::uint64_t seq = 1; seq <= spool->capacity(); ++seq) spool->event(event(seq));
    REQUIRE(writer->close());
  }
  // As if killed before it could say that the slots may be used again.
  header->tail = 0;
  SpoolOptions options;
  options.wait_limit = std::chrono::seconds(10);
  auto spool = *Spool::attach(memory.bytes(), options);
  auto reader = *SpoolReader::open(memory.bytes());
  auto writer = *TraceWriter::resume(trace, *reader);
  spool->event(event(spool->last_seq() + 1));
  CHECK(spool->lost_events() == 0);
  REQUIRE(writer->close());
  CHECK(ask(trace, "SELECT count(*) FROM event WHERE kind = 3") ==
        std::to_string(spool->capacity() + 1));
}
