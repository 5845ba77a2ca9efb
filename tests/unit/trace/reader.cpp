#include "core/trace/reader.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "core/registers/map_json.hpp"
#include "core/trace/match_counter.hpp"
#include "core/trace/query.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/writer.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::ask;
using pcilens::test::mem_write;

namespace {

constexpr Field kControlFields[] = {
    {.name = "EN", .high = 0, .low = 0},
    {.name = "MODE", .high = 3, .low = 1},
    {.name = "DONE", .high = 8, .low = 8, .access = Access::W1C},
    {.name = "ID", .high = 31, .low = 16, .access = Access::RO},
};
constexpr Register kControl{.name = "CTRL",
                            .offset = 0x0,
                            .reset = 0xabcd0000,
                            .access = Access::Reserved,
                            .fields = kControlFields};
constexpr Register kData{.name = "DATA", .offset = 0x8, .width = 8};
constexpr const Register* kRegisters[] = {&kControl, &kData};
constexpr RegisterMap kMap{.name = "card", .bar = 0, .size = 4096, .registers = kRegisters};

struct Live {
  SpoolMemory memory;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<SpoolReader> reader;
  std::unique_ptr<TraceWriter> writer;
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// With PCI Express at 0x40, which can be reset alone.
std::string config_image() {
  std::string hex(2 * 0x50, '0');
  const auto put = [&](std::size_t at, const char* bytes) {
    hex.replace(2 * at, std::strlen(bytes), bytes);
  };
  put(0, "34127856");
  put(6, "10");
  put(0x34, "40");
  put(0x40, "10");
  put(0x47, "10");
  return hex;
}

Live record(const std::string& path) {
  auto memory = SpoolMemory::anonymous(1 << 16);
  auto spool = Spool::create(memory->bytes());
  auto reader = SpoolReader::open(memory->bytes());
  auto writer = TraceWriter::create(path, **reader);
  REQUIRE(writer);
  (*spool)->blob(BlobKind::Function, 0,
                 bytes_of(R"({"instance":"card0","device":"card","bdf":"00:01.0","config":")" +
                          config_image() +
                          R"(","bars":[{"index":0,"address":4096,"size":4096}],)"
                          R"("options":{"seed":"7"},"maps":[)" +
                          map_to_json(kMap) + "]}"));
  return {std::move(*memory), std::move(*spool), std::move(*reader), std::move(*writer)};
}

std::unique_ptr<TraceReader> read(const std::string& path) {
  auto reader = TraceReader::open(path);
  REQUIRE(reader);
  return std::move(*reader);
}

std::string why_not(const std::string& path) {
  const auto reader = TraceReader::open(path);
  return reader ? "opened" : reader.error().message;
}

std::vector<std::uint64_t> seqs(const TraceReader::Page& page) {
  std::vector<std::uint64_t> all;
  for (const auto& e : page.events) all.push_back(e.t.seq);
  return all;
}

using Seqs = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("what is no trace is refused with its reason") {
  test::Folder folder;
  const auto path = folder / "x";
  CHECK(why_not(path) == path + ": cannot open: No such file or directory");
  CHECK(why_not(folder.path()) == folder.path() + ": is not a file");
  std::ofstream(path) << "";
  CHECK(why_not(path) == path + ": is empty; it is not a trace");
  std::ofstream(path) << "VERSION 20070824\n";
  CHECK(why_not(path) ==
        path + ": is not a trace; recordings of other tools are taken in with \"pcilens import\"");
  ask(folder / "foreign.db", "CREATE TABLE event(seq)");
  CHECK(why_not(folder / "foreign.db") ==
        (folder / "foreign.db") + ": is a SQLite file, but no pcilens trace; give the trace");
}

TEST_CASE("a trace of a newer format is refused, and says which") {
  test::Folder folder;
  const auto path = folder / "run.db";
  REQUIRE(record(path).writer->close());
  ask(path, "PRAGMA user_version = 2");
  CHECK(why_not(path) ==
        path + ": is a trace of format 2, this pcilens knows up to 1; update pcilens");
}

TEST_CASE("a trace cut at any length is refused or read without a crash") {
  test::Folder folder;
  const auto path = folder / "run.db";
  {
    auto live = record(path);
    for (std::uint64_t seq = 1; seq <= 3000; ++seq) live.spool->event(mem_write(seq, 0, seq));
    REQUIRE(live.writer->close());
  }
  const auto size = std::filesystem::file_size(path);
  CHECK(why_not(path) == "opened");
  std::filesystem::resize_file(path, size - 1);
  CHECK(why_not(path) == path + ": is cut off: " + std::to_string(size - 1) + " bytes of " +
                             std::to_string(size) + "; copy it again");
  for (auto rest = size; rest > 5000; rest -= 4999) {
    INFO(why_not(path));
    std::filesystem::resize_file(path, rest - 4999);
    REQUIRE(why_not(path).find(": is cut off: ") != std::string::npos);
  }
  std::filesystem::resize_file(path, 50);
  CHECK(why_not(path) == path + ": is cut off after 50 bytes; copy it again");
}

TEST_CASE("a damaged page is an error with a sentence, not a crash") {
  test::Folder folder;
  const auto path = folder / "run.db";
  {
    auto live = record(path);
    for (std::uint64_t seq = 1; seq <= 20000; ++seq) live.spool->event(mem_write(seq, 0, seq));
    REQUIRE(live.writer->close());
  }
  // Everything behind the schema's page is overwritten.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = std::filesystem::file_size(path);
  file.seekp(16384);
  const std::string rubbish(size - 16384, '\x5a');
  file << rubbish;
  file.close();
  auto reader = TraceReader::open(path);
  if (!reader) {
    CHECK(reader.error().message.find(path) == 0);
    return;
  }
  const auto page = (*reader)->window({});
  REQUIRE_FALSE(page);
  CHECK(page.error().message == path + ": cannot be read: database disk image is malformed");
}

TEST_CASE("a view that poses as the event table is refused") {
  test::Folder folder;
  const auto path = folder / "run.db";
  REQUIRE(record(path).writer->close());
  ask(path,
      "DROP TABLE event; CREATE VIEW event AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
      "SELECT x+1 FROM n) SELECT x AS seq FROM n");
  CHECK(why_not(path) == path + ": is damaged (tables are missing); copy it again");
}

TEST_CASE("numbers that no transaction has become ones that exist") {
  test::Folder folder;
  const auto path = folder / "run.db";
  REQUIRE(record(path).writer->close());
  ask(path,
      "INSERT INTO event VALUES(1, 'x', NULL, 99, -5, 77, 0, -1, 'abc', 7, 9, 1, -1, -1, "
      "999999, 50)");
  auto reader = read(path);
  const auto event = reader->event(1);
  REQUIRE(event);
  REQUIRE(event->has_value());
  const auto& t = (*event)->t;
  CHECK(t.kind == Kind::Gap);
  CHECK(t.bar == kBarNone);
  CHECK(t.function == 0);
  CHECK(t.status == Status::Pending);
  CHECK(t.origin == Origin::Driver);
  CHECK(t.cpu == 0xffff);
}

TEST_CASE("a transaction comes back as it was recorded, above 2^63 too") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  auto t = mem_write(5, 8, 0xfedcba9876543210);
  t.size = 8;
  t.cause = 3;
  t.site = 4;
  t.thread = 77;
  t.cpu = 2;
  t.origin = Origin::Poke;
  t.answered_by = AnsweredBy::User;
  t.status = Status::UR;
  live.spool->event(t);
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  const auto event = reader->event(5);
  REQUIRE(event);
  REQUIRE(event->has_value());
  const auto& back = (*event)->t;
  CHECK(back.value == 0xfedcba9876543210);
  CHECK(back.cause == 3);
  CHECK(back.site == 4);
  CHECK(back.thread == 77);
  CHECK(back.cpu == 2);
  CHECK(back.origin == Origin::Poke);
  CHECK(back.answered_by == AnsweredBy::User);
  CHECK(back.status == Status::UR);
  CHECK(back.done_ns == t.done_ns);
  CHECK_FALSE(reader->event(6)->has_value());
}

TEST_CASE("functions and register names come out of the trace alone") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  REQUIRE(reader->functions().size() == 1);
  const auto& f = reader->functions()[0];
  CHECK(f.instance == "card0");
  CHECK(f.device == "card");
  CHECK(f.bars.at(0).size == 4096);
  CHECK(f.options.at(0) == std::pair<std::string, std::string>("seed", "7"));
  CHECK(reader->names()->place(mem_write(1, 0, 0)) == "CTRL");
}

TEST_CASE("pages go forward and backward, and say whether there is more") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  for (std::uint64_t seq = 1; seq <= 10; ++seq) live.spool->event(mem_write(seq, 0, seq));
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  auto page = *reader->window({.from = 3, .limit = 4});
  CHECK(seqs(page) == Seqs{3, 4, 5, 6});
  CHECK(page.more);
  page = *reader->window({.from = 8, .limit = 4});
  CHECK(seqs(page) == Seqs{8, 9, 10});
  CHECK_FALSE(page.more);
  page = *reader->window({.from = 8, .limit = 3, .backward = true});
  CHECK(seqs(page) == Seqs{5, 6, 7});
  CHECK(page.more);
  page = *reader->window({.limit = 3, .backward = true});
  CHECK(seqs(page) == Seqs{8, 9, 10});
  page = *reader->window({.from = 3, .limit = 3, .backward = true});
  CHECK(seqs(page) == Seqs{1, 2});
  CHECK_FALSE(page.more);
}

TEST_CASE("a filtered page finds what an expression says, past and old values included") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  // CTRL.EN is 1 at every third write.
  for (std::uint64_t seq = 1; seq <= 9000; ++seq)
    live.spool->event(mem_write(seq, 0, seq % 3 == 0 ? 1 : 0));
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  const auto filter = Expression::compile("CTRL.EN 0->1", reader->names());
  REQUIRE(filter);
  auto page = *reader->window({.from = 10, .limit = 3, .filter = &*filter});
  CHECK(seqs(page) == Seqs{12, 15, 18});
  CHECK(page.more);
  page = *reader->window({.limit = 2, .backward = true, .filter = &*filter});
  CHECK(seqs(page) == Seqs{8997, 9000});
  page = *reader->window({.from = 9, .limit = 5, .backward = true, .filter = &*filter});
  CHECK(seqs(page) == Seqs{3, 6});
  CHECK_FALSE(page.more);
  // It grows with the trace.
  live.spool->event(mem_write(9001, 0, 0));
  live.spool->event(mem_write(9002, 0, 1));
  REQUIRE(live.writer->flush());
  page = *reader->window({.from = 9000, .limit = 5, .filter = &*filter});
  CHECK(seqs(page) == Seqs{9000, 9002});
}

TEST_CASE("a filter looks again at what was pending when it looked first") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  auto t = mem_write(1, 0, 0);
  t.kind = Kind::MemRead;
  t.status = Status::Pending;
  live.spool->event(t);
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  const auto filter = Expression::compile("value == 7", reader->names());
  REQUIRE(filter);
  CHECK(reader->window({.filter = &*filter})->events.empty());
  t.status = Status::SC;
  t.value = 7;
  t.done_ns = 1000;
  live.spool->completion(t);
  REQUIRE(live.writer->flush());
  CHECK(reader->window({.filter = &*filter})->events.size() == 1);
}

TEST_CASE("what was edited is found by a filter, also when it is changed after that has looked") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  for (std::uint64_t seq = 1; seq <= 5000; ++seq) {
    if (seq == 4200) live.spool->edit(seq, 1, 2, 0, 0, 3);
    live.spool->event(mem_write(seq, 0, 1));
  }
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  const auto filter = Expression::compile("edited", reader->names());
  REQUIRE(filter);
  CHECK(seqs(*reader->window({.filter = &*filter})) == Seqs{4200});
  auto counter = MatchCounter::create(*reader, "edited");
  REQUIRE(counter);
  CHECK((*counter)->advance(10'000)->matches == 1);
  live.spool->edit(5000, 1, 2, 0, 0, 3);
  live.spool->edit(17, 1, 2, 0, 0, 3);
  live.spool->edit(17, 1, 3, 0, 0, 0);
  REQUIRE(live.writer->flush());
  CHECK(seqs(*reader->window({.filter = &*filter})) == Seqs{17, 4200, 5000});
  CHECK((*counter)->advance(10'000)->matches == 3);
  std::vector<std::uint64_t> told;
  REQUIRE(reader->for_each(1, ~0ull, [&](const Transaction& t) {
    if (t.edited) told.push_back(t.seq);
    return true;
  }));
  CHECK(told == Seqs{17, 4200, 5000});
}

TEST_CASE("a reader in use does not keep the writer's log from being folded back") {
  test::Folder folder;
  const auto path = folder / "run.db";
  auto live = record(path);
  for (std::uint64_t seq = 1; seq <= 10000; ++seq) live.spool->event(mem_write(seq, 0, seq));
  REQUIRE(live.writer->flush());
  auto reader = read(path);
  const auto filter = Expression::compile("value > 5000", reader->names());
  REQUIRE(reader->window({.filter = &*filter}));
  REQUIRE(reader->registers_at(9000));
  bool folded = false;
  REQUIRE(reader->for_each(1, 10000, [&](const Transaction& t) {
    if (t.seq == 5000) folded = ask(path, "PRAGMA wal_checkpoint(TRUNCATE)") == "0|0|0";
    return true;
  }));
  CHECK(folded);
}

TEST_CASE("the file alone is the whole trace once it is closed, though somebody reads it") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) live.spool->event(mem_write(seq, 0, seq));
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  REQUIRE(reader->count() == 1000);
  REQUIRE(live.writer->close());
  std::filesystem::copy_file(folder / "run.db", folder / "copy.db");
  CHECK(read(folder / "copy.db")->count() == 1000);
  reader = nullptr;
  CHECK(test::output_of("ls " + folder.path() + " | grep copy") == "copy.db");
}

TEST_CASE("iteration gives every event in order with its payload") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  for (std::uint64_t seq = 1; seq <= 10000; ++seq) {
    auto t = mem_write(seq, 0, seq);
    const std::string data(seq % 300, static_cast<char>(seq));
    t.payload = bytes_of(data);
    live.spool->event(t);
  }
  REQUIRE(live.writer->close());
  auto reader = read(folder / "run.db");
  std::uint64_t next = 100, good = 0;
  REQUIRE(reader->for_each(100, 9000, [&](const Transaction& t) {
    const std::string data(t.seq % 300, static_cast<char>(t.seq));
    const auto expected = bytes_of(data);
    good += t.seq == next++ &&
            std::equal(t.payload.begin(), t.payload.end(), expected.begin(), expected.end());
    return t.seq < 5000;
  }));
  CHECK(next == 5001);
  CHECK(good == 4901);
}

TEST_CASE("registers at an event follow writes by their access rules, reads, state and reset") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  std::uint64_t seq = 0;
  const auto add = [&](Kind kind, std::uint64_t offset, std::uint32_t size, std::uint64_t value) {
    auto t = mem_write(++seq, offset, value);
    t.kind = kind;
    t.size = size;
    if (kind == Kind::Reset || kind == Kind::Control) t.bar = kBarNone;
    if (kind == Kind::CfgWrite) t.bar = kBarConfig;
    live.spool->event(t);
  };
  add(Kind::MemWrite, 0, 4, 0xffff0007);   // 1: ID is read-only
  add(Kind::State, 0, 4, 0xabcd0107);      // 2: the device sets DONE
  add(Kind::MemWrite, 0, 4, 0x00000100);   // 3: DONE is cleared by 1, EN and MODE by 0
  add(Kind::MemWrite, 12, 4, 0x11112222);  // 4: the upper half of DATA
  add(Kind::MemRead, 8, 4, 0x33334444);    // 5: the lower half as it was read
  add(Kind::Reset, 0, 0, 0);               // 6
  add(Kind::MemWrite, 0, 4, 0x00000003);   // 7
  add(Kind::Control, static_cast<std::uint64_t>(Control::Pause), 0, 0);  // 8
  add(Kind::Control, static_cast<std::uint64_t>(Control::Plug), 0, 0);   // 9: as after a restart
  add(Kind::MemWrite, 0, 4, 0x00000005);                                 // 10
  add(Kind::CfgWrite, 0x48, 2, 0x2810);                                  // 11: device control
  add(Kind::CfgWrite, 0x48, 2, 0xa810);                                  // 12: the driver resets it
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  const auto at = [&](std::uint64_t n) {
    const auto all = reader->registers_at(n);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    return std::pair((*all)[0].value, (*all)[1].value);
  };
  CHECK(at(0) == std::pair<std::uint64_t, std::uint64_t>(0xabcd0000, 0));
  CHECK(at(1).first == 0xabcd0007);
  CHECK(at(2).first == 0xabcd0107);
  CHECK(at(3).first == 0xabcd0000);
  CHECK(at(4).second == 0x1111222200000000);
  CHECK(at(5).second == 0x1111222233334444);
  CHECK(reader->registers_at(5)->at(1).changed_seq == 5);
  // Which bits of it are facts: EN and MODE by the write, DATA's halves one after the other.
  const auto told = [&](std::uint64_t n, std::size_t i) {
    return reader->registers_at(n)->at(i).recorded;
  };
  CHECK(told(0, 0) == 0);
  CHECK((told(1, 0) & 0xffffffff) != 0xffffffff);
  CHECK((told(1, 0) & 1) == 1);
  CHECK((told(2, 0) & 0xffffffff) == 0xffffffff);
  CHECK(told(3, 1) == 0);
  CHECK(told(4, 1) == 0xffffffff00000000);
  CHECK(told(5, 1) == ~0ull);
  CHECK(told(6, 1) == 0);
  CHECK(at(6) == std::pair<std::uint64_t, std::uint64_t>(0xabcd0000, 0));
  CHECK(at(8).first == 0xabcd0003);
  CHECK(at(9).first == 0xabcd0000);
  CHECK(told(9, 0) == 0);
  CHECK(at(11).first == 0xabcd0005);
  CHECK(at(12).first == 0xabcd0000);
}

TEST_CASE("a trace in a folder that nobody may write to is read all the same") {
  test::Folder folder;
  const auto path = folder / "run.db";
  {
    auto live = record(path);
    live.spool->event(mem_write(1, 0, 1));
    REQUIRE(live.writer->close());
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  std::filesystem::permissions(
      folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  CHECK(read(path)->count() == 1);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

TEST_CASE("edits, notes, sites and stacks are read back") {
  test::Folder folder;
  auto live = record(folder / "run.db");
  live.spool->event(mem_write(1, 0, 1));
  live.spool->edit(1, 1, 2, 3, ~0ull, 9);
  live.spool->blob(BlobKind::Note, 1, bytes_of("hello"));
  live.spool->blob(BlobKind::Site, 5,
                   bytes_of(R"({"symbol":"probe","displacement":28,"code":"8b42"})"));
  live.spool->blob(BlobKind::Stack, 1, bytes_of("[5,6]"));
  REQUIRE(live.writer->flush());
  auto reader = read(folder / "run.db");
  REQUIRE(reader->event(1)->value().edit);
  CHECK(reader->event(1)->value().edit->answered == 3);
  CHECK(reader->window({.from = 1})->events.at(0).edit->delivered == 2);
  CHECK(reader->edits()->at(0).returned == ~0ull);
  CHECK(reader->edits()->at(0).rule == 9);
  CHECK(reader->notes()->at(0).text == "hello");
  const auto stack = reader->stack(1);
  REQUIRE(stack);
  REQUIRE(stack->size() == 1);  // 6 was never described
  CHECK(stack->at(0).symbol == "probe");
  CHECK(stack->at(0).displacement == 28);
  CHECK(stack->at(0).code.size() == 2);
}
