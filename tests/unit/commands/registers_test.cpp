#include "catch.hpp"
#include "fixture.hpp"
#include "inspector-ui/commands/place.hpp"

using namespace example;

TEST_CASE("a place is a register, a field, an element, a BAR's or config space's offset") {
  Desk desk;
  const auto s = desk.target.snapshot();
  CHECK(find_place(*s, "STATUS")->place.offset == 8);
  CHECK(find_place(*s, "status")->name == "STATUS");
  CHECK(find_place(*s, "CONTROL.MODE")->field->low == 1);
  CHECK(find_place(*s, "SCRATCH[2]")->place.offset == 0x30);
  CHECK(find_place(*s, "ADDRESS")->place.size == 8);
  CHECK(find_place(*s, "fake0:STATUS")->place.offset == 8);
  CHECK(find_place(*s, "BAR0+0x8")->name == "STATUS");
  const auto raw = find_place(*s, "BAR0+0x9:1");
  CHECK(raw->name == "BAR0+0x9");
  CHECK(raw->place.size == 1);
  CHECK(find_place(*s, "config+0x4:2")->name == "COMMAND");
  CHECK(find_place(*s, "COMMAND")->place.bar == kBarConfig);
  // A register's name is taken before config space's.
  CHECK(find_place(*s, "config.STATUS")->place.offset == 6);
}

TEST_CASE("a place that does not exist names the nearest or the way to see them") {
  Desk desk;
  const auto s = desk.target.snapshot();
  const auto message = [&](std::string_view text) { return find_place(*s, text).error().message; };
  CHECK(has(message("STATSU"), "did you mean STATUS?"));
  CHECK(has(message("CONTROL.NOPE"), "its fields are START, MODE, COUNT, RSVD"));
  CHECK(has(message("ID.X"), "has no fields"));
  CHECK(has(message("BAR0+zz"), "is not an offset"));
  CHECK(has(message("BAR0+0x0:3"), "1, 2, 4 or 8"));
  CHECK(has(message("SCRATCH[9]"), "no register"));
}

TEST_CASE("registers shows values, fields and who changed them last") {
  Desk desk;
  const std::string text = desk.said("registers");
  INFO(text);
  CHECK(has(text, "STATUS"));
  CHECK(has(text, "0x010000ed"));
  CHECK(has(text, "BUSY=0 DONE=1 ERROR=0"));
  CHECK(has(text, "#5 function"));
  CHECK(has(desk.said("registers SCR*"), "SCRATCH[3]"));
  CHECK_FALSE(has(desk.said("registers SCR*"), "STATUS"));
  CHECK(has(desk.said("registers CONTROL"), "Starts transfers. (Fake 1.0, 2.2)"));
  CHECK(desk.target.calls().empty());
}

TEST_CASE("registers of a recording marks what it has not told of") {
  Desk desk;
  CHECK_FALSE(has(desk.said("registers"), "reset"));
  desk.target.change([](Snapshot& s) {
    s.host = "trace";
    s.functions[0].banks[0].registers[0].recorded = 0;
    s.functions[0].banks[0].registers[1].recorded = 0xff00;  // COUNT
  });
  const std::string text = desk.said("registers");
  INFO(text);
  CHECK(has(text, "not in the recording so far"));
  const auto line = [&](std::string_view name) {
    const auto at = text.find(name);
    return text.substr(at, text.find('\n', at) - at);
  };
  CHECK(has(line("ID "), "reset"));
  CHECK(has(line("CONTROL "), "partly"));
  CHECK_FALSE(has(line("STATUS "), "reset"));
  CHECK(has(desk.json("registers"), "\"assumed\":\"reset\""));
  CHECK(has(desk.said("registers CONTROL"), "0  reset"));
  CHECK(desk.type("expect ID=0x010000ed")->differs);
  CHECK(desk.type("expect CONTROL.COUNT=0")->differs == false);
}

TEST_CASE("registers as JSON has numbers") {
  Desk desk;
  CHECK(has(desk.json("registers"), "{\"name\":\"ID\",\"offset\":0,\"value\":16777453,"));
}

TEST_CASE("decode takes a value apart without a target's help") {
  Desk desk;
  const std::string text = desk.said("decode CONTROL 0x0803");
  CHECK(has(text, "fast (1)"));
  CHECK(has(text, "Begins the transfer."));
  CHECK(has(desk.said("decode CONTROL 0x100000000"), "does not fit CONTROL"));
  CHECK(has(desk.said("decode ID 1"), "no fields"));
}

TEST_CASE("read and write are pokes of the register's width") {
  Desk desk;
  CHECK(has(desk.said("read ID"), "ID = 0x010000ed"));
  CHECK(desk.last_call() == "poke_read BAR0+0x0");
  CHECK(has(desk.said("write CONTROL 0x7"), "wrote 0x00000007 to CONTROL"));
  CHECK(desk.last_call() == "poke_write BAR0+0x4 0x7");
  CHECK(has(desk.said("read STATUS.DONE"), "STATUS.DONE = 1"));
}

TEST_CASE("writing a field keeps the others, and writes 0 where a 1 would act") {
  Desk desk;
  desk.said("write CONTROL 0x0701");
  CHECK(has(desk.said("write CONTROL.MODE fast"),
            "wrote fast (1) to CONTROL.MODE  with the rest of CONTROL: 0x00000702"));
  CHECK(desk.last_call() == "poke_write BAR0+0x4 0x702");  // START is RW1S
  desk.said("write STATUS.ERROR 3");
  CHECK(desk.last_call() == "poke_write BAR0+0x8 0x30");  // DONE is W1C
}

TEST_CASE("forcing a field keeps the others as they are") {
  Desk desk;
  CHECK(has(desk.said("force STATUS.BUSY 1"), "forced STATUS.BUSY to 1"));
  CHECK(has(desk.json("force STATUS.BUSY 1"), "\"value\":1,\"register\":\"STATUS\""));
  CHECK(desk.last_call() == "force BAR0+0x8 0x3");
}

TEST_CASE("a value that does not fit is refused with the room there is") {
  Desk desk;
  CHECK(has(desk.said("write CONTROL 0x1_0000_0000"), "it has 4 bytes"));
  CHECK(has(desk.said("write CONTROL.MODE 4"), "it has 2 bits, 0x3 at most"));
  CHECK(has(desk.said("write CONTROL.MODE medium"), "slow, fast"));
  CHECK(has(desk.said("write CONTROL 1 3"), "1, 2, 4 or 8 bytes"));
  CHECK(desk.target.calls().empty());
}

TEST_CASE("edit changes the held value, whole or by fields") {
  Desk desk;
  CHECK(has(desk.said("edit 0x5"), "→ 0x00000005"));
  CHECK(desk.last_call() == "edit 0x5");
  desk.said("edit MODE=slow COUNT=2");
  CHECK(desk.last_call() == "edit 0x201");
}

TEST_CASE("edit refuses what does not fit, what is no field, and when nothing is held") {
  Desk desk;
  CHECK(has(desk.said("edit 0x100000000"), "4 bytes"));
  CHECK(has(desk.said("edit SPEED=1"), "START, MODE, COUNT"));
  CHECK(has(desk.said("edit MODE=9"), "2 bits"));
  CHECK(has(desk.said("edit MODE=1 5"), "no FIELD=VALUE"));
  CHECK(desk.target.calls().empty());
  desk.said("run");
  CHECK(has(desk.said("edit 1"), "no transaction is held"));
}
