#include "core/trace/match_counter.hpp"

#include "catch.hpp"
#include "core/trace/spool.hpp"
#include "core/trace/spool_memory.hpp"
#include "core/trace/writer.hpp"
#include "trace/support.hpp"

using namespace pcilens;
using pcilens::test::mem_write;

namespace {

// 1000 writes of 0, 1, 2 ...; `open`: that one has not completed.
std::string trace_of(const test::Folder& folder, std::uint64_t open = 0) {
  const std::string path = folder / "run.db";
  auto memory = SpoolMemory::anonymous(1 << 16);
  auto spool = Spool::create(memory->bytes());
  auto reader = SpoolReader::open(memory->bytes());
  auto writer = TraceWriter::create(path, **reader);
  REQUIRE(writer);
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) {
    Transaction t = mem_write(seq, 0x10, seq % 4);
    if (seq == open) t.status = Status::Pending;
    (*spool)->event(t);
  }
  REQUIRE((*writer)->close());
  return path;
}

}  // namespace

TEST_CASE("matches are counted a stretch at a time, up to the whole trace") {
  test::Folder folder;
  auto reader = TraceReader::open(trace_of(folder));
  REQUIRE(reader);
  auto counter = MatchCounter::create(**reader, "write and value == 3");
  REQUIRE(counter);
  auto some = (*counter)->advance(400);
  REQUIRE(some);
  CHECK(some->matches == 100);
  CHECK(some->looked_at == 400);
  CHECK(some->of == 1000);
  some = (*counter)->advance(1000);
  REQUIRE(some);
  CHECK(some->matches == 250);
  CHECK(some->looked_at == some->of);
}

TEST_CASE("what has not completed is not counted yet, and does not keep a count from being whole") {
  test::Folder folder;
  auto reader = TraceReader::open(trace_of(folder, 1000));
  REQUIRE(reader);
  auto counter = MatchCounter::create(**reader, "write");
  const auto all = (*counter)->advance(5000);
  REQUIRE(all);
  CHECK(all->matches == 999);
  CHECK(all->looked_at == all->of);
}

TEST_CASE("a wrong expression is refused before anything is counted") {
  test::Folder folder;
  auto reader = TraceReader::open(trace_of(folder));
  REQUIRE(reader);
  CHECK_FALSE(MatchCounter::create(**reader, "write value ==").has_value());
}

TEST_CASE("a filter with a budget answers partly, and goes on when asked again") {
  test::Folder folder;
  auto reader = TraceReader::open(trace_of(folder));
  REQUIRE(reader);
  // Expressions and budgets work in stretches of some thousand events.
  const auto filter = Expression::compile("write and value == 3", (*reader)->names());
  REQUIRE(filter);
  const auto page = (*reader)->window({.limit = 500, .filter = &*filter, .budget = 1});
  REQUIRE(page);
  CHECK_FALSE(page->partial);  // a trace shorter than one stretch
  CHECK(page->events.size() == 250);
}
