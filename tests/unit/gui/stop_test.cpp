#include "inspector-ui/models/stop.hpp"

#include <algorithm>

#include "catch.hpp"
#include "inspector-ui/models/rules.hpp"
#include "inspector-ui/models/transactions.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

TEST_CASE("a held write shows what the register holds now and what it becomes, field by field") {
  test::FakeTarget target;
  const StopModel m = stop_model(*target.snapshot());
  CHECK(m.headline == "write CONTROL");
  CHECK(m.phase == "Held before fake0 sees it");
  REQUIRE(m.has_value);
  REQUIRE(m.has_old);
  CHECK(m.old_text == "0x00000000");
  CHECK(m.new_text == "0x00000803");
  const auto mode = std::ranges::find(m.fields, "MODE", &StopField::name);
  REQUIRE(mode != m.fields.end());
  CHECK(mode->old_value == "0 slow");
  CHECK(mode->new_value == "1 fast");
  CHECK(mode->changes);
  CHECK(mode->bits == "2:1");
}

TEST_CASE("an edited value says what the driver had sent") {
  test::FakeTarget target;
  target.edit(0x5, [](auto) {});
  const StopModel m = stop_model(*target.snapshot());
  CHECK(m.new_text == "0x00000005");
  CHECK(m.edited.find("0x00000803") != std::string::npos);
}

TEST_CASE("a stop that lasts says for how long, and that a real kernel's timeouts run on") {
  test::FakeTarget target;
  CHECK(stop_model(*target.snapshot()).held.empty());
  target.change([](Snapshot& s) { s.stop->since -= std::chrono::seconds(65); });
  CHECK(stop_model(*target.snapshot()).held == "Held for 65 s");
  target.change([](Snapshot& s) { s.host = "kmod"; });
  CHECK(stop_model(*target.snapshot()).held ==
        "Held for 65 s; the kernel's and the driver's timeouts run on");
  target.change([](Snapshot& s) { s.host = "trace"; });
  CHECK(stop_model(*target.snapshot()).held.empty());
}

TEST_CASE("a read held before delivery has no value to show or edit") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    s.stop->transaction.kind = Kind::MemRead;
    s.stop->transaction.size = 2;  // what it would be is told of whole registers only
  });
  StopModel m = stop_model(*target.snapshot());
  CHECK_FALSE(m.has_value);
  CHECK_FALSE(m.foreseen);
  CHECK(m.fields.empty());
  CHECK_FALSE(m.waiting.empty());
  target.change([](Snapshot& s) { s.stop->phase = Phase::After; });
  m = stop_model(*target.snapshot());
  CHECK(m.has_value);
  CHECK(m.phase == "Held after fake0 answered, before the driver sees it");
}

TEST_CASE("a read held before delivery shows what the answer would be, field by field") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    s.stop->transaction.kind = Kind::MemRead;
    s.stop->transaction.value = 0;
    s.functions[0].banks[0].registers[1].value = 0x0803;
  });
  const StopModel m = stop_model(*target.snapshot());
  CHECK_FALSE(m.has_value);
  CHECK_FALSE(m.has_old);
  REQUIRE(m.foreseen);
  CHECK(m.new_text == "0x00000803");
  const auto mode = std::ranges::find(m.fields, "MODE", &StopField::name);
  REQUIRE(mode != m.fields.end());
  CHECK(mode->new_value == "1 fast");
  CHECK_FALSE(mode->changes);
}

TEST_CASE("an access of part of a register shows no fields") {
  test::FakeTarget target;
  target.change([](Snapshot& s) { s.stop->transaction.size = 2; });
  CHECK(stop_model(*target.snapshot()).fields.empty());
}

TEST_CASE("a breakpoint's row says what it waits for and whether it holds now") {
  test::FakeTarget target;
  target.add_breakpoint({.expression = "write CONTROL", .phase = Phase::After, .once = true},
                        [](auto) {});
  target.change([](Snapshot& s) { s.stop->breakpoints = {1}; });
  const auto rows = breakpoint_rows(*target.snapshot());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].what == "after, once");
  CHECK(rows[0].cost.find("The driver waits for the device at BAR0+0x4..0x7") == 0);
  CHECK(rows[0].count == "0 hits");
  CHECK(rows[0].here);
}

TEST_CASE("a transaction's row decodes its value and says what is out of the ordinary") {
  test::FakeTarget target;
  TraceRow row;
  row.transaction.seq = 7;
  row.transaction.t_ns = 1'234'567'890;
  row.transaction.kind = Kind::MemWrite;
  row.transaction.bar = 0;
  row.transaction.offset = 4;
  row.transaction.size = 4;
  row.transaction.value = 0x803;
  row.transaction.status = Status::SC;
  row.edit = Edit{};
  TransactionText text = text_of(*target.snapshot(), row);
  CHECK(text.time == "1.234567");
  CHECK(text.kind == "write");
  CHECK(text.place == "CONTROL");
  CHECK(text.value == "0x00000803");
  CHECK(text.meaning == "START=1 MODE=fast COUNT=8");
  CHECK(text.flag == "edited");
  CHECK_FALSE(text.bad);
  row.transaction.offset = 5;
  row.transaction.size = 1;
  row.transaction.value = 0x8;
  CHECK(text_of(*target.snapshot(), row).meaning == "COUNT=8");
  row.transaction.status = Status::UR;
  text = text_of(*target.snapshot(), row);
  CHECK(text.flag == "UR");
  CHECK(text.bad);
}

TEST_CASE("the expression for a row names its kind and register and compiles") {
  test::FakeTarget target;
  const auto snapshot = target.snapshot();
  Transaction t = snapshot->stop->transaction;
  CHECK(expression_for_kind_and_place(*snapshot, t) == "write CONTROL");
  CHECK(expression_for_place(*snapshot, t) == "CONTROL");
  for (const Kind kind : {Kind::CfgRead, Kind::CfgWrite, Kind::MemRead, Kind::MemWrite,
                          Kind::DmaRead, Kind::DmaWrite, Kind::Irq, Kind::State, Kind::Force}) {
    t.kind = kind;
    t.bar = is_config(kind) ? kBarConfig : std::int8_t{0};
    for (const std::uint64_t offset : {4u, 0x500u}) {
      t.offset = offset;
      const std::string text = expression_for_kind_and_place(*snapshot, t);
      CAPTURE(text);
      CHECK(Expression::compile(text, snapshot->names));
      CHECK(Expression::compile(expression_for_place(*snapshot, t), snapshot->names));
    }
  }
}

TEST_CASE("a held write to a read-only register says that it stays as it is, fields and all") {
  test::FakeTarget target;
  target.hold(0, 0xdeadbeef);
  StopModel m = stop_model(*target.snapshot());
  CHECK(m.becomes == "Stays 0x010000ed (read-only)");
  CHECK(m.new_text == "0xdeadbeef");
  target.hold(8, 0x3);
  m = stop_model(*target.snapshot());
  CHECK(m.becomes == "Becomes 0x00000000 (by its access rules)");
  const auto done = std::ranges::find(m.fields, "DONE", &StopField::name);
  REQUIRE(done != m.fields.end());
  CHECK(done->new_value == "0");
  CHECK(done->changes);
  target.hold(0x700, 1);
  CHECK(stop_model(*target.snapshot()).becomes == "Ignored: no register");
  target.hold(4, 0x803);
  CHECK(stop_model(*target.snapshot()).becomes.empty());
}

TEST_CASE("a stop after a refused DMA says who refused it, and why") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    s.stop->phase = Phase::After;
    s.stop->transaction.kind = Kind::DmaRead;
    s.stop->transaction.bar = kBarDma;
    s.stop->transaction.origin = Origin::Function;
    s.stop->transaction.status = Status::UR;
    s.stop->refusal = "COMMAND.BME is 0";
  });
  const StopModel m = stop_model(*target.snapshot());
  CHECK(m.phase == "Held after the host refused it");
  CHECK(m.refused == "Refused: COMMAND.BME is 0; unsupported request (UR)");
}
