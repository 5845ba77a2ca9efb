#include "inspector-ui/models/detail.hpp"

#include "catch.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

TraceRow row(Kind kind, std::uint64_t offset, std::uint64_t value) {
  TraceRow r;
  r.transaction.seq = 42;
  r.transaction.kind = kind;
  r.transaction.bar = 0;
  r.transaction.offset = offset;
  r.transaction.size = 4;
  r.transaction.value = value;
  r.transaction.status = Status::SC;
  r.transaction.t_ns = 1000;
  r.transaction.done_ns = 3500;
  return r;
}

DetailModel model_of(const TraceRow& r) {
  return detail_model(*test::FakeTarget().snapshot(), r);
}

}  // namespace

TEST_CASE("a write is told with its register, value, fields and how long it took") {
  const auto m = model_of(row(Kind::MemWrite, 4, 0x803));
  CHECK(m.headline == "write CONTROL");
  CHECK(m.value == "0x00000803");
  CHECK(m.outcome == "Delivered to fake0 after 2.500 µs");
  CHECK(m.spec == "Fake 1.0, 2.2");
  REQUIRE(m.fields.size() == 3);  // the reserved one is 0
  CHECK(m.fields[1].name == "MODE");
  CHECK(m.fields[1].bits == "2:1");
  CHECK(m.fields[1].value == "1 fast");
}

TEST_CASE("a failed read has no value and no fields, and says what failed") {
  auto r = row(Kind::MemRead, 4, ~0u);
  r.transaction.status = Status::CA;
  const auto m = model_of(r);
  CHECK(m.bad);
  CHECK(m.value.empty());
  CHECK(m.fields.empty());
  CHECK(m.outcome.find("Completer Abort") == 0);
}

TEST_CASE("an edit tells what was sent, what was delivered, and by whom") {
  auto r = row(Kind::MemWrite, 4, 5);
  r.edit = Edit{.sent = 10, .delivered = 5};
  CHECK(model_of(r).edits ==
        std::vector<std::string>{"Sent 0x0000000a, delivered 0x00000005  (by hand at a stop)"});
  r = row(Kind::MemRead, 0, 1);
  r.edit = Edit{.answered = 2, .returned = 3, .rule = 7};
  CHECK(model_of(r).edits ==
        std::vector<std::string>{"Answered 0x00000002, returned 0x00000003  (fault rule 7)"});
}

TEST_CASE("packets are addressed as the function's config space places its BAR") {
  const auto m = model_of(row(Kind::MemWrite, 4, 1));
  REQUIRE(m.tlp.packets.size() == 1);
  CHECK(m.tlp.packets[0].words[2] == 0xfe000004);
}

namespace {

// A function whose config space has one capability, at 0x40.
DetailModel interrupt_of(std::initializer_list<std::pair<unsigned, unsigned>> dwords) {
  auto snapshot = *test::FakeTarget().snapshot();
  std::vector<std::byte> config(4096);
  config[0x34] = std::byte{0x40};
  for (const auto& [at, value] : dwords)
    for (unsigned i = 0; i < 4; ++i) config[at + i] = static_cast<std::byte>(value >> (8 * i));
  snapshot.functions[0].config = std::make_shared<const std::vector<std::byte>>(config);
  auto r = row(Kind::Irq, 3, 0);
  r.transaction.bar = kBarInterrupt;
  return detail_model(snapshot, r);
}

}  // namespace

TEST_CASE("an MSI's packet has the address and data of config space, with the vector's number") {
  // 64-bit, 4 vectors granted, enabled.
  const auto m =
      interrupt_of({{0x40, 0x00a1'0005}, {0x44, 0xfee0'0000}, {0x48, 1}, {0x4c, 0x4030}});
  REQUIRE(m.tlp.packets.size() == 1);
  CHECK(m.tlp.packets[0].count == 4);
  CHECK(m.tlp.packets[0].words[2] == 1);
  CHECK(m.tlp.packets[0].words[3] == 0xfee00000);
  CHECK(m.tlp.packets[0].fields.back().value == "0x00004033");
}

TEST_CASE("an MSI-X message names its table entry") {
  const auto m = interrupt_of({{0x40, 0x8003'0011}, {0x44, 0x2002}});
  CHECK(m.tlp.packets.empty());
  CHECK(m.tlp.note.find("BAR2+0x2030") != std::string::npos);
}

TEST_CASE("effects are the transactions that name this one as their cause") {
  std::vector<TraceRow> rows(4, row(Kind::State, 8, 1));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].transaction.seq = 42 + i;
  rows[1].transaction.cause = rows[3].transaction.cause = 42;
  const auto effects = effects_of(42, rows);
  REQUIRE(effects.size() == 2);
  CHECK(effects[0].transaction.seq == 43);
  CHECK(effects[1].transaction.seq == 45);
}

TEST_CASE("what was done to the link is told in its own words") {
  TraceRow r;
  r.transaction.kind = Kind::Control;
  r.text = "breakpoint 1: write CMD";
  const auto m = model_of(r);
  CHECK(m.headline == "control");
  CHECK(m.outcome == "breakpoint 1: write CMD");
  CHECK(m.tlp.packets.empty());
}

TEST_CASE("a refused DMA says why, and another finding stands beside the outcome") {
  auto r = row(Kind::DmaWrite, 0x1000, 0);
  r.transaction.bar = kBarDma;
  r.transaction.origin = Origin::Function;
  r.transaction.status = Status::CA;
  r.finding = "to the device, which is against the direction of 0x1000+0x40";
  DetailModel m = model_of(r);
  CHECK(m.outcome.find("Completer Abort, refused: to the device, which is against") == 0);
  CHECK(m.finding.empty());
  r = row(Kind::MemRead, 4, 1);
  r.finding = "no answer came while the driver could wait";
  m = model_of(r);
  CHECK(m.outcome == "fake0 answered after 2.500 µs");
  CHECK(m.finding == "no answer came while the driver could wait");
}

TEST_CASE("a hold is not counted as time that the device took") {
  auto r = row(Kind::MemRead, 4, 1);
  r.transaction.done_ns = 2'000'001'000;
  std::vector<TraceRow> later{r};
  for (const auto& [what, at] :
       {std::pair(Control::Stop, 1500ull), std::pair(Control::Release, 1'999'999'500ull)}) {
    TraceRow c;
    c.transaction.kind = Kind::Control;
    c.transaction.offset = static_cast<std::uint64_t>(what);
    c.transaction.value = r.transaction.seq;
    c.transaction.t_ns = at;
    later.push_back(c);
  }
  CHECK(detail_model(*test::FakeTarget().snapshot(), r, later).outcome ==
        "fake0 answered after 2.000 µs, held for 1.999998 s before");
}

TEST_CASE("what is held shows the value that somebody has changed at the stop") {
  test::FakeTarget target;
  target.edit(0x5, [](auto) {});
  auto r = row(Kind::MemWrite, 4, 0x803);
  r.transaction.seq = target.snapshot()->stop->transaction.seq;
  r.transaction.status = Status::Pending;
  const auto m = detail_model(*target.snapshot(), r);
  CHECK(m.value == "0x00000005");
  CHECK(m.edits ==
        std::vector<std::string>{"Sent 0x00000803, delivered 0x00000005  (by hand at a stop)"});
}
