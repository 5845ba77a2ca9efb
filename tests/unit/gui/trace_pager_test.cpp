#include "inspector-ui/models/trace_pager.hpp"

#include <deque>

#include "catch.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

// A trace that answers when told to.
struct Trace {
  std::deque<std::pair<std::uint64_t, TraceRequest>> asked;
  test::FakeTarget target;
  TracePager pager{[this](std::uint64_t ticket, TraceRequest r) { asked.push_back({ticket, r}); }};
  std::uint64_t version = 1;

  explicit Trace(int rows) {
    for (int i = 1; i < rows; ++i) add(i % 2 == 0 ? Kind::MemRead : Kind::MemWrite);
    pager.set_visible(10);
  }
  void add(Kind kind, Status status = Status::SC) {
    TraceRow row;
    row.transaction.kind = kind;
    row.transaction.status = status;
    target.add_row(row);
  }
  void answer_one() {
    REQUIRE_FALSE(asked.empty());
    const auto [ticket, request] = asked.front();
    asked.pop_front();
    target.trace_page(request, [&, t = ticket](auto page) { pager.answer(t, std::move(page)); });
  }
  void settle() {
    for (int i = 0; i < 50; ++i) {
      pager.update(target.snapshot()->seq, version);
      if (asked.empty()) return;
      answer_one();
    }
  }
  std::uint64_t first() const { return pager.visible().front().transaction.seq; }
  std::uint64_t last() const { return pager.visible().back().transaction.seq; }
};

}  // namespace

TEST_CASE("following shows the newest rows and goes on with them") {
  Trace t(1000);
  t.settle();
  REQUIRE(t.pager.visible().size() == 10);
  CHECK(t.last() == 1000);
  t.add(Kind::Irq);
  ++t.version;
  t.settle();
  CHECK(t.last() == 1001);
}

TEST_CASE("a screen that grows or shrinks keeps the newest row and leaves none empty") {
  Trace t(1000);
  t.settle();
  for (const std::size_t rows : {3u, 25u, 10u}) {
    t.pager.set_visible(rows);
    CHECK(t.pager.visible().size() == rows);
    CHECK(t.last() == 1000);
  }
}

TEST_CASE("scrolling up ends following, and reaching the end by hand resumes it") {
  Trace t(1000);
  t.settle();
  t.pager.scroll(-5);
  CHECK_FALSE(t.pager.follow());
  CHECK(t.last() == 995);
  t.add(Kind::Irq);
  ++t.version;
  t.settle();
  CHECK(t.last() == 995);
  t.pager.scroll(100);
  CHECK(t.pager.follow());
  CHECK(t.last() == 1001);
}

TEST_CASE("scrolling up fetches earlier pages until the first row, none twice and none missing") {
  Trace t(3000);
  t.settle();
  std::uint64_t expected = t.first();
  while (expected > 1) {
    const auto step = std::min<std::uint64_t>(7, expected - 1);
    t.pager.scroll(-static_cast<std::int64_t>(step));
    t.settle();
    expected -= step;
    REQUIRE(t.first() == expected);
    std::uint64_t seq = expected;
    for (const TraceRow& row : t.pager.visible()) REQUIRE(row.transaction.seq == seq++);
  }
}

TEST_CASE("going to a transaction shows it and its neighbours") {
  Trace t(20000);
  t.settle();
  for (const std::uint64_t seq : {5000u, 1u, 19999u, 12345u}) {
    t.pager.go_to(seq);
    t.settle();
    CAPTURE(seq);
    CHECK(t.first() <= seq);
    CHECK(t.last() >= seq);
    CHECK(t.pager.visible().size() == 10);
  }
  t.pager.go_to(9'999'999);
  t.settle();
  CHECK(t.last() == 20000);
}

TEST_CASE("a filter shows only what matches, and a wrong one says why and keeps quiet") {
  Trace t(1000);
  t.settle();
  t.pager.set_filter("mem_read");
  t.settle();
  REQUIRE(t.pager.visible().size() == 10);
  for (const TraceRow& row : t.pager.visible()) CHECK(row.transaction.kind == Kind::MemRead);
  t.pager.set_filter("nonsense ===");
  t.settle();
  CHECK(t.pager.error() == "column 10: expected a register, a kind or a value");
  CHECK(t.asked.empty());
  t.pager.set_filter("");
  t.settle();
  CHECK(t.pager.error().empty());
  CHECK(t.last() == 1000);
}

TEST_CASE("an answer to a question that is no longer asked is ignored") {
  Trace t(1000);
  t.pager.update(1000, 1);
  REQUIRE(t.asked.size() == 1);
  const auto [ticket, request] = t.asked.front();
  t.asked.clear();
  t.pager.set_filter("mem_read");
  TracePage stale;
  stale.rows.resize(3);
  t.pager.answer(ticket, stale);
  CHECK(t.pager.visible().empty());
  t.settle();
  CHECK(t.pager.visible().size() == 10);
}

TEST_CASE("a pending row is read again when the snapshot changes, and not for ever otherwise") {
  Trace t(50);
  t.add(Kind::MemRead, Status::Pending);
  for (int i = 0; i < 100; ++i) t.settle();
  CHECK(t.pager.impatient() == 0);
  t.target.step({}, [](auto) {});  // completes it
  ++t.version;
  for (int i = 0; i < 10; ++i) t.settle();
  const auto rows = t.pager.visible();
  REQUIRE(rows.size() == 10);
  CHECK(rows[8].transaction.status == Status::SC);
}

TEST_CASE("far behind, following jumps to the newest instead of reading everything between") {
  Trace t(100);
  t.settle();
  for (int i = 0; i < 5000; ++i) t.add(Kind::MemWrite);
  ++t.version;
  t.pager.update(t.target.snapshot()->seq, t.version);
  REQUIRE(t.asked.size() == 1);
  CHECK(t.asked.front().second.from == 0);
  t.settle();
  CHECK(t.last() == 5100);
}

TEST_CASE("a restarted target's rows replace the old ones") {
  Trace t(100);
  t.settle();
  t.pager.update(3, 99);
  CHECK(t.pager.visible().empty());
}

TEST_CASE("a filter that takes long shows how far it is, and can be cancelled") {
  Trace t(100);
  t.pager.set_filter("mem_write");
  t.pager.update(t.target.snapshot()->seq, t.version);
  REQUIRE(t.asked.size() == 1);
  CHECK(t.asked.front().second.budget != 0);
  TracePage partial;
  partial.partial = true;
  partial.looked_at = 40;
  partial.last_seq = 100;
  const auto ticket = t.asked.front().first;
  t.asked.pop_front();
  t.pager.answer(ticket, partial);
  REQUIRE(t.asked.size() == 1);  // the same question, to go on
  CHECK(t.asked.front().second.filter == "mem_write");
  REQUIRE(t.pager.progress());
  CHECK(t.pager.progress()->looked_at == 40);
  t.pager.cancel();
  CHECK_FALSE(t.pager.progress());
  CHECK(t.pager.error().find("40") != std::string::npos);
  t.asked.clear();
  t.pager.update(t.target.snapshot()->seq, ++t.version);
  CHECK(t.asked.empty());
  t.pager.set_filter("mem_write");  // Enter
  t.settle();
  CHECK(t.pager.error().empty());
  CHECK(t.pager.visible().size() == 10);
}
