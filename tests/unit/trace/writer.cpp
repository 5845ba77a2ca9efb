#include "core/trace/writer.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "catch.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::ask;
using pcilens::test::mem_write;

namespace {

struct Recording {
  SpoolMemory memory;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<SpoolReader> reader;
  std::unique_ptr<TraceWriter> writer;
};

Recording record(const std::string& path, TraceWriterOptions options = {},
                 std::uint64_t slots = 4096, SpoolOptions spool_options = {}) {
  auto memory = SpoolMemory::anonymous(slots);
  REQUIRE(memory);
  auto spool = Spool::create(memory->bytes(), spool_options);
  REQUIRE(spool);
  auto reader = SpoolReader::open(memory->bytes());
  REQUIRE(reader);
  auto writer = TraceWriter::create(path, **reader, options);
  REQUIRE(writer);
  return {std::move(*memory), std::move(*spool), std::move(*reader), std::move(*writer)};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

TEST_CASE("sqlite3 reads the trace while it grows") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  for (std::uint64_t seq = 1; seq <= 100; ++seq) r.spool->event(mem_write(seq, 0, seq));
  REQUIRE(r.writer->flush());
  CHECK(ask(path, "SELECT count(*), max(value) FROM event") == "100|100");
  for (std::uint64_t seq = 101; seq <= 250; ++seq) r.spool->event(mem_write(seq, 0, seq));
  REQUIRE(r.writer->flush());
  CHECK(ask(path, "SELECT count(*), max(value) FROM event") == "250|250");
  REQUIRE(r.writer->close());
  CHECK(ask(path, "PRAGMA integrity_check; PRAGMA user_version; PRAGMA application_id") ==
        "ok\n1\n1346587732");
}

TEST_CASE("without a flush the trace is at most a moment behind") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  r.spool->event(mem_write(1, 0, 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  CHECK(ask(path, "SELECT count(*) FROM event") == "1");
}

TEST_CASE("every column of a transaction arrives") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  Transaction t;
  t.seq = 12;
  t.t_ns = 1000;
  t.done_ns = 1500;
  t.offset = 0x1c;
  t.value = 0xfedcba9876543210;
  t.cause = 5;
  t.size = 8;
  t.thread = 4321;
  t.site = 77;
  t.cpu = 3;
  t.kind = Kind::MemRead;
  t.status = Status::CA;
  t.origin = Origin::Poke;
  t.answered_by = AnsweredBy::Rule;
  t.bar = 2;
  t.function = 9;
  r.spool->event(t);
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT * FROM event") ==
        "12|1000|1500|2|9|2|28|8|-81985529216486896|4|2|5|77|4321|3|2");
  CHECK(ask(path,
            "SELECT value, value_unsigned, kind, status, origin, answered_by, place FROM "
            "accesses") ==
        "0xfedcba9876543210|18364758544493064720|mem_read|CA|poke|rule|BAR2+0x1c");
}

TEST_CASE("a pending transaction is a row at once and is completed later") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  auto t = mem_write(1, 8, 0);
  t.kind = Kind::MemRead;
  t.status = Status::Pending;
  t.done_ns = 0;
  r.spool->event(t);
  r.spool->event(mem_write(2, 0, 0));
  REQUIRE(r.writer->flush());
  CHECK(ask(path, "SELECT done_ns IS NULL, status FROM event WHERE seq=1") == "1|15");
  t.status = Status::SC;
  t.done_ns = 65'000'000'000;
  t.value = 0xabcd;
  t.answered_by = AnsweredBy::User;
  r.spool->completion(t);
  REQUIRE(r.writer->flush());
  CHECK(ask(path, "SELECT done_ns, status, value, answered_by FROM event WHERE seq=1") ==
        "65000000000|0|43981|3");
  CHECK(ask(path, "SELECT count(*) FROM event") == "2");
}

TEST_CASE("a completion longer than 32 bits of nanoseconds is exact") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  auto t = mem_write(1, 0, 0);
  t.done_ns = t.t_ns + 5'000'000'123;
  r.spool->event(t);
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT done_ns - t_ns FROM event") == "5000000123");
}

TEST_CASE("edits, payloads, notes, sites, stacks and findings arrive") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  auto t = mem_write(1, 0x1000, 0);
  t.kind = Kind::DmaWrite;
  t.payload = bytes_of("sixteen bytes...");
  r.spool->event(t);
  r.spool->edit(1, 1, 2, ~0ull, 4, 3);
  r.spool->blob(BlobKind::Note, 1, bytes_of("probe start"));
  r.spool->blob(BlobKind::Meta, 0, bytes_of(std::string_view("host\0sim", 8)));
  r.spool->blob(BlobKind::Site, 5,
                bytes_of(R"({"module":"edu","symbol":"edu_probe","displacement":28,)"
                         R"("code":"8b4208","file":"edu.c","line":12})"));
  r.spool->blob(BlobKind::Stack, 1, bytes_of("[5,6]"));
  r.spool->blob(BlobKind::Finding, 1, bytes_of(R"({"rule":"x","text":"y"})"));
  r.spool->blob(BlobKind::Site, 6, bytes_of("{broken"));
  REQUIRE(r.writer->flush());
  r.writer->finding("kernel", "WARNING: \"here\"");
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT seq, data FROM payload") == "1|sixteen bytes...");
  CHECK(ask(path, "SELECT * FROM edits") == "1|0x1|0x2|0xffffffffffffffff|0x4|3");
  CHECK(ask(path, "SELECT seq, text FROM note") == "1|probe start");
  CHECK(ask(path, "SELECT value FROM meta WHERE name='host'") == "sim");
  CHECK(ask(path, "SELECT id, module, symbol, displacement, hex(code), file, line FROM site") ==
        "5|edu|edu_probe|28|8B4208|edu.c|12");
  CHECK(ask(path, "SELECT seq, sites FROM stack") == "1|[5,6]");
  CHECK(ask(path, "SELECT seq, rule, text FROM finding") ==
        "1|x|y\n6|trace.blob|a description of kind 4 could not be read and is left out\n"
        "1|kernel|WARNING: \"here\"");
}

TEST_CASE("a place in the driver that comes without a source line gets it from who knows") {
  test::Folder folder;
  const auto path = folder / "run.db";
  TraceWriterOptions options;
  options.source_lines = [](const ModulePlace& place) -> std::optional<SourceLine> {
    if (place.module != "mine") return std::nullopt;
    CHECK(place.build_id == "00ff");
    return SourceLine{std::string(place.symbol) + ".c",
                      static_cast<std::uint32_t>(place.displacement + (place.returns ? 1000 : 0))};
  };
  auto r = record(path, options);
  const auto site = [&](std::uint64_t id, std::string_view json) {
    r.spool->blob(BlobKind::Site, id, bytes_of(json));
  };
  site(1, R"({"module":"mine","build_id":"00ff","symbol":"peek","displacement":7,"code":"8b00"})");
  site(2, R"({"module":"mine","build_id":"00ff","symbol":"probe","displacement":8,"code":""})");
  site(3, R"({"module":"nvme","symbol":"nvme_probe","displacement":9,"code":"8b00"})");
  site(4, R"({"module":"mine","symbol":"x","displacement":1,"file":"own.c","line":5})");
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT id, file, line FROM site") ==
        "1|peek.c|7\n2|probe.c|1008\n3||0\n4|own.c|5");
}

TEST_CASE("a trace is never written over another file") {
  test::Folder folder;
  const auto path = folder / "run.db";
  std::ofstream(path) << "somebody's thesis";
  auto memory = SpoolMemory::anonymous(64);
  auto spool = Spool::create(memory->bytes());
  auto reader = SpoolReader::open(memory->bytes());
  auto writer = TraceWriter::create(path, **reader);
  REQUIRE_FALSE(writer);
  CHECK(writer.error().message ==
        path + ": exists already; choose another name or remove it first");
  TraceWriterOptions overwrite;
  overwrite.overwrite = true;
  writer = TraceWriter::create(path, **reader, overwrite);
  REQUIRE_FALSE(writer);
  CHECK(writer.error().message ==
        path + ": exists and is not a pcilens trace; it is left alone, choose another name");
  CHECK(test::output_of("cat " + path) == "somebody's thesis");
}

TEST_CASE("an earlier trace is replaced when that is asked for") {
  test::Folder folder;
  const auto path = folder / "run.db";
  {
    auto r = record(path);
    r.spool->event(mem_write(1, 0, 1));
  }
  TraceWriterOptions overwrite;
  overwrite.overwrite = true;
  auto r = record(path, overwrite);
  r.spool->event(mem_write(1, 0, 2));
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT value FROM event") == "2");
}

TEST_CASE("a place that cannot be written is refused with its reason") {
  auto memory = SpoolMemory::anonymous(64);
  auto spool = Spool::create(memory->bytes());
  auto reader = SpoolReader::open(memory->bytes());
  const auto writer = TraceWriter::create("/nonexistent/run.db", **reader);
  REQUIRE_FALSE(writer);
  CHECK(writer.error().message ==
        "/nonexistent/run.db: cannot create the trace: No such file or directory; choose a folder "
        "that you may write to");
}

TEST_CASE("claimed slots that were never published become a gap row") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto r = record(path);
  r.spool->event(mem_write(1, 0, 1));
  auto* header = reinterpret_cast<SpoolHeader*>(r.memory.bytes().data());
  std::atomic_ref(header->head).fetch_add(2);
  r.spool->event(mem_write(4, 0, 4));
  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT seq, kind, value FROM event") == "1|3|1\n2|15|2\n4|3|4");
  CHECK(ask(path, "SELECT seq, data FROM payload") ==
        "2|2 slots of the spool were never completed: its writer died or wrote no valid record");
}

TEST_CASE("a writer that was killed before it freed what it had committed writes nothing twice") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto memory = SpoolMemory::anonymous(1024);
  auto spool = Spool::create(memory->bytes());
  {
    auto reader = SpoolReader::open(memory->bytes());
    auto writer = TraceWriter::create(path, **reader);
    REQUIRE(writer);
    for (std::uint64_t seq = 1; seq <= 40; ++seq) (*spool)->event(mem_write(seq, 0, seq));
    (*spool)->blob(BlobKind::Note, 1, bytes_of("once"));
    REQUIRE((*writer)->close());
  }
  // Killed between commit and release: the tail still stands at the beginning.
  auto* header = reinterpret_cast<SpoolHeader*>(memory->bytes().data());
  header->tail = 0;
  auto reader = SpoolReader::open(memory->bytes());
  auto writer = TraceWriter::resume(path, **reader);
  REQUIRE(writer);
  (*spool)->event(mem_write(41, 0, 41));
  REQUIRE((*writer)->close());
  CHECK(ask(path, "SELECT count(*), sum(kind=3) FROM event") == "41|41");
  CHECK(ask(path, "SELECT count(*) FROM note") == "1");
  CHECK(ask(path, "SELECT count(*) FROM finding") == "0");
}

TEST_CASE("a full disk loses nothing that the spool can hold, and recording goes on after") {
  test::Folder folder;
  const auto path = folder / "run.db";
  std::mutex mutex;
  std::vector<std::string> troubles;
  TraceWriterOptions options;
  options.on_trouble = [&](const std::string& sentence) {
    const std::lock_guard lock(mutex);
    troubles.push_back(sentence);
  };
  auto r = record(path, options, 1 << 16);
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) r.spool->event(mem_write(seq, 0, seq));
  REQUIRE(r.writer->flush());

  // As a full disk does it, for this process: no file may grow any further.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  struct stat wal{};
  REQUIRE(stat((path + "-wal").c_str(), &wal) == 0);
  rlimit small = before;
  small.rlim_cur = static_cast<rlim_t>(wal.st_size);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  for (std::uint64_t seq = 1001; seq <= 30000; ++seq) r.spool->event(mem_write(seq, 0, seq));
  r.writer->finding("kernel", "said meanwhile");
  const auto flushed = r.writer->flush();
  const auto then = ask(path, "SELECT count(*) FROM event WHERE seq <= 1000");
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().message.find("make room on its disk") != std::string::npos);
  CHECK(then == "1000");

  REQUIRE(r.writer->close());
  CHECK(ask(path, "SELECT count(*), min(value), max(value) FROM event") == "30000|1|30000");
  CHECK(ask(path, "SELECT count(*) FROM finding WHERE text = 'said meanwhile'") == "1");
  REQUIRE(troubles.size() == 2);
  CHECK(troubles[0].find("run.db: ") != std::string::npos);
  CHECK(troubles[1].find("is written again") != std::string::npos);
}
