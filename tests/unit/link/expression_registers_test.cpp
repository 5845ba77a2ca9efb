// Conditions on registers and fields: transitions, values, arrays, accesses that do not fit.
#include "expression_fixture.hpp"

using namespace example;

TEST_CASE("a register's name alone matches every access that touches it") {
  Road road;
  CHECK(road.matches("CC", road.write(0x14, 1)));
  CHECK(road.matches("CC", road.read(0x14, 1)));
  CHECK(road.matches("CC", road.read(0x14, 1), Phase::Before));
  CHECK_FALSE(road.matches("CC", road.write(0x18, 1)));
  CHECK_FALSE(road.matches("CC", road.irq(0)));
  CHECK_FALSE(road.matches("read CC", road.write(0x14, 1)));
  CHECK(road.matches("write CC", road.write(0x14, 1)));
  CHECK(road.matches("write to CC", road.write(0x14, 1)));
  CHECK(road.matches("access CC", road.write(0x14, 1)));
}

TEST_CASE("a field's name alone matches accesses to its bytes and no others of its register") {
  Road road;
  CHECK(road.matches("CC.IOSQES", road.write(0x16, 0x46, 1)));
  CHECK_FALSE(road.matches("CC.IOSQES", road.write(0x14, 1, 1)));
}

TEST_CASE("0->1 matches the write that sets the bit, and not the next one") {
  Road road;
  const auto first = road.write(0x14, 0x460001);
  CHECK(road.matches("CC.EN 0->1", first));
  CHECK(road.matches("CC.EN 0->1", first, Phase::Before));
  road.pass(first);
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
  CHECK(road.matches("CC.EN 1->0", road.write(0x14, 0x460000)));
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460000)));
}

TEST_CASE("the first write of a register counts from its reset value") {
  Road road;
  CHECK(road.matches("CC.IOSQES 6->7", road.write(0x14, 0x470000)));
  CHECK_FALSE(road.matches("CC.IOSQES 0->7", road.write(0x14, 0x470000)));
}

TEST_CASE("an old value that nobody can know matches neither a transition nor its negation") {
  Road road;
  road.function = kEdu0;  // without a config image
  const auto t = road.config_write(4, 0x6);
  CHECK_FALSE(road.matches("config COMMAND.MEM 0->1", t));
  CHECK_FALSE(road.matches("not config COMMAND.MEM 0->1", t));
  road.pass(road.make(Kind::CfgRead, kBarConfig, 4, 2, 0));
  CHECK(road.matches("config COMMAND.MEM 0->1", t));
}

TEST_CASE("the first config write counts from the image that the function had when it appeared") {
  Road road;
  CHECK(road.matches("config COMMAND.MEM 0->1", road.config_write(4, 0x6)));
  CHECK(road.matches("COMMAND.MEM 0->1", road.config_write(4, 0x6)));
}

TEST_CASE("a transition is a write; of a field that the driver cannot write it is a read") {
  Road road;
  CHECK_FALSE(road.matches("CC.EN 0->1", road.read(0x14, 1)));
  CHECK(road.matches("read CC.EN 0->1", road.read(0x14, 1)));
  CHECK(road.matches("access CC.EN 0->1", road.read(0x14, 1)));
  CHECK(road.matches("CSTS.RDY 0->1", road.read(0x1c, 1)));
  CHECK_FALSE(road.matches("CSTS.RDY 0->1", road.read(0x1c, 0)));
  CHECK_FALSE(road.matches("CSTS.RDY 0->1", road.write(0x1c, 1)));
}

TEST_CASE("a transition ->1 is from anything else to 1, 1-> from 1 to anything else") {
  Road road;
  road.pass(road.write(0x24, 5));
  CHECK(road.matches("AQA ->1", road.write(0x24, 1)));
  CHECK_FALSE(road.matches("AQA ->5", road.write(0x24, 5)));
  CHECK(road.matches("AQA 5->", road.write(0x24, 1)));
  CHECK_FALSE(road.matches("AQA 5->", road.write(0x24, 5)));
  CHECK(road.matches("AQA 5->5", road.write(0x24, 5)));
  CHECK(road.matches("AQA changes", road.write(0x24, 6)));
  CHECK_FALSE(road.matches("AQA changes", road.write(0x24, 5)));
}

TEST_CASE("values are compared whole, by field and under a mask") {
  Road road;
  const auto t = road.write(0x14, 0x460041);
  CHECK(road.matches("CC == 0x460041", t));
  CHECK(road.matches("CC = 0x460041", t));
  CHECK(road.matches("CC.EN == 1", t));
  CHECK(road.matches("CC.IOSQES >= 6", t));
  CHECK(road.matches("CC & 0xf0 == 0x40", t));
  CHECK(road.matches("CC & 0xf0", t));
  CHECK_FALSE(road.matches("CC & 0x80", t));
  CHECK(road.matches("CC.IOSQES & 0b10 == 2", t));
  CHECK(road.matches("CC.IOSQES in {1, 5..7}", t));
  CHECK(road.matches("CC.IOSQES not in {1, 2}", t));
  CHECK(road.matches("CC.EN != 0", t));
  CHECK(road.matches("CC != old", t));
  CHECK_FALSE(road.matches("CC.IOSQES != old", t));
}

TEST_CASE("a value's name stands for its number") {
  Road road;
  CHECK(road.matches("CC.SHN == NORMAL", road.write(0x14, 0x4000)));
  CHECK(road.matches("CC.SHN NONE->ABRUPT", road.write(0x14, 0x8000)));
  CHECK(road.matches("CC.SHN in {NORMAL, ABRUPT}", road.write(0x14, 0x8000)));
  CHECK(road.matches("CC.SHN == \"NORMAL\"", road.write(0x14, 0x4000)));
}

TEST_CASE("!= holds only for accesses that touch the register, not for every other event") {
  Road road;
  CHECK(road.matches("CC.EN != 1", road.write(0x14, 0)));
  CHECK_FALSE(road.matches("CC.EN != 1", road.irq(0)));
  CHECK(road.matches("not (CC.EN == 1)", road.irq(0)));
}

TEST_CASE("one access that covers two registers matches both, each with its own bytes") {
  Road road;
  const auto t = road.write(0x10, 0x460001'00000003, 8);  // INTMC and CC
  CHECK(road.matches("INTMC == 3", t));
  CHECK(road.matches("CC == 0x460001", t));
  CHECK(road.matches("CC.EN 0->1", t));
  CHECK(road.matches("CC and INTMC", t));
  CHECK_FALSE(road.matches("CSTS", t));
  road.pass(t);
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
}

TEST_CASE("a register written in halves has its value from the half that completes it") {
  Road road;
  const auto low = road.write(0x28, 0x1000, 4), high = road.write(0x2c, 0x2, 4);
  CHECK_FALSE(road.matches("ASQ == 0x200001000", low));
  road.pass(low);
  CHECK(road.matches("ASQ == 0x200001000", high));
  CHECK(road.matches("ASQ changes", high));
  CHECK(road.matches("CC.EN 0->1", road.write(0x14, 1, 1)));
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x15, 1, 1)));
}

TEST_CASE("a read's value counts once it is completed, and only if it succeeded") {
  Road road;
  const Expression e = compiled("CSTS.RDY == 1");
  auto t = road.read(0x1c, 1);
  CHECK(road.verdict(e, t, Phase::Before) == Verdict::Unknown);
  CHECK(road.verdict(e, t) == Verdict::Yes);
  t.status = Status::UR;
  CHECK(road.verdict(e, t) == Verdict::No);
  t.status = Status::Pending;
  CHECK(road.verdict(e, t) == Verdict::Unknown);
}

TEST_CASE("a failed write leaves the old value") {
  Road road;
  auto t = road.write(0x14, 0x460001);
  t.status = Status::UR;
  road.pass(t);
  CHECK(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
}

TEST_CASE("arrays match by element, by range of elements and as a whole") {
  Road road;
  const auto t = road.write(0x1000 + 3 * 8, 7);
  CHECK(road.matches("SQ[3].TDBL", t));
  CHECK(road.matches("SQ[3].TDBL == 7", t));
  CHECK_FALSE(road.matches("SQ[2].TDBL", t));
  CHECK(road.matches("SQ*.TDBL", t));
  CHECK(road.matches("SQ[*].TDBL == 7", t));
  CHECK(road.matches("SQTDBL", t));
  CHECK(road.matches("SQTDBL[3]", t));
  CHECK(road.matches("SQ[2..3].TDBL", t));
  CHECK_FALSE(road.matches("SQ[0..2].TDBL", t));
  CHECK(road.matches("SQ[3].TDBL.TAIL == 7", t));
  CHECK_FALSE(road.matches("CQ*.HDBL", t));
  CHECK(road.matches("CQ*.HDBL", road.write(0x1000 + 3 * 8 + 4, 7)));
  CHECK(road.matches("GPR[7]", road.write(0x80 + 28, 0)));
  CHECK(road.matches("GPR == 9", road.write(0x80 + 28, 9)));
  CHECK(road.matches("INTM*", road.write(0x0c, 9)));
}

TEST_CASE("elements of an array keep their own old values") {
  Road road;
  road.pass(road.write(0x1000, 5));
  CHECK(road.matches("SQ*.TDBL 5->6", road.write(0x1000, 6)));
  CHECK_FALSE(road.matches("SQ*.TDBL 5->6", road.write(0x1008, 6)));
}

TEST_CASE("places without a name are given by BAR and offset") {
  Road road;
  CHECK(road.matches("write to BAR0+0x1c", road.write(0x1c, 0)));
  CHECK(road.matches("BAR0+0x14 == 0x460001", road.write(0x14, 0x460001)));
  CHECK(road.matches("BAR0+0x14 & 1 0->1", road.write(0x14, 0x460001)));
  CHECK(road.matches("BAR0[0x1000..0x10ff]", road.write(0x10fc, 0)));
  CHECK_FALSE(road.matches("BAR0[0x1000..0x10ff]", road.write(0x1100, 0)));
  CHECK(road.matches("BAR0", road.write(0x3ffc, 0)));
  CHECK_FALSE(road.matches("BAR1", road.write(0x3ffc, 0)));
  CHECK(road.matches("config[0x10..0x27]", road.config_write(0x10, 0, 4)));
  CHECK(road.matches("config+4", road.config_write(4, 0)));
}

TEST_CASE("config registers are found after those of BARs, and by `config` alone") {
  Road road;
  CHECK(road.matches("COMMAND", road.config_write(4, 6)));
  CHECK(road.matches("config BAR0", road.config_write(0x10, 6, 4)));
  CHECK_FALSE(road.matches("config BAR0", road.write(0x10, 6)));
  CHECK(road.matches("config write COMMAND.MEM == 1", road.config_write(4, 6)));
  CHECK(road.matches("write config COMMAND", road.config_write(4, 6)));
  CHECK(road.matches("cfg_write COMMAND", road.config_write(4, 6)));
  CHECK(road.matches("config", road.config_write(4, 6)));
  CHECK_FALSE(road.matches("config read", road.config_write(4, 6)));
  // edu0 has a register STATUS and a config register STATUS.
  road.function = kEdu0;
  CHECK_FALSE(road.matches("edu0:STATUS", road.config_write(6, 0)));
  CHECK(road.matches("edu0:config STATUS", road.config_write(6, 0)));
}

TEST_CASE("an instance before a condition takes only that function's events") {
  Road road;
  road.function = kEdu0;
  const auto edu = road.write(0x20, 0x80);
  road.function = kNvme0;
  const auto nvme = road.write(0x20, 0x80);
  CHECK(road.matches("edu0:STATUS.RAISE 0->1", edu));
  CHECK(road.matches("STATUS", edu));
  CHECK_FALSE(road.matches("STATUS", nvme));
  CHECK(road.matches("nvme0:write", nvme));
  CHECK_FALSE(road.matches("nvme0:write", edu));
  CHECK(road.matches("edu0:(irq or write)", edu));
  CHECK(road.matches("\"00:02.0\":STATUS", edu));
  CHECK(road.matches("BAR0:STATUS", edu));
  CHECK(road.matches("edu0:BAR0:STATUS", edu));
  CHECK(road.matches("edu0:BAR0+0x20", edu));
  CHECK_FALSE(road.matches("edu0:BAR0+0x20", nvme));
}

TEST_CASE("a quoted name is a register even where the word has a meaning of its own") {
  Road road;
  road.function = kEdu0;
  CHECK(road.matches("\"timer\" == 5", road.write(0x40, 5)));
  CHECK_FALSE(road.matches("timer", road.write(0x40, 5)));
}

TEST_CASE("`last` looks at what the road left in a register, whatever the event is") {
  Road road;
  CHECK_FALSE(road.matches("irq and last CC.EN == 1", road.irq(1)));
  road.pass(road.write(0x14, 0x460001));
  CHECK(road.matches("irq and last CC.EN == 1", road.irq(1)));
  CHECK(road.matches("irq and last CC.EN", road.irq(1)));
  CHECK(road.matches("last nvme0:CC == 0x460001", road.irq(1)));
  // The write itself is not yet past.
  CHECK(road.matches("last CC.EN == 1", road.write(0x14, 0)));
  road.pass(road.write(0x24, 7));
  CHECK(road.matches("SQ[0].TDBL == last AQA", road.write(0x1000, 7)));
  CHECK_FALSE(road.matches("SQ[0].TDBL == last AQA", road.write(0x1000, 8)));
}

TEST_CASE("an access of more than 8 bytes touches registers, but its values are not known") {
  Road road;
  const auto t = road.write(0, 0, 64);
  CHECK(road.matches("CC", t));
  CHECK_FALSE(road.matches("CC == 0", t));
  CHECK_FALSE(road.matches("not CC == 0", t));
  road.pass(t);
  CHECK_FALSE(road.matches("CC changes", road.write(0x14, 5)));
  CHECK_FALSE(road.matches("CC.EN == old", road.write(0x14, 5)));
}

TEST_CASE("a reset brings the reset values back") {
  Road road;
  road.pass(road.write(0x14, 0x460001));
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
  road.pass(road.make(Kind::Reset, kBarNone, 0, 0, 1));
  CHECK(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
}

TEST_CASE("a function level reset that a driver writes brings the reset values back") {
  Road road;
  const auto set = [&] { return road.matches("CC.EN 0->1", road.write(0x14, 0x460001)); };
  road.pass(road.write(0x14, 0x460001));
  road.pass(road.config_write(0x68, 0x2810));  // another bit of device control
  auto refused = road.config_write(0x68, 0xa810);
  refused.status = Status::UR;
  road.pass(refused);
  road.function = kEdu0;  // has no such capability
  road.pass(road.config_write(0x68, 0xa810));
  road.function = kNvme0;
  CHECK_FALSE(set());
  road.pass(road.config_write(0x68, 0xa810));
  CHECK(set());
  road.pass(road.write(0x14, 0x460001));
  CHECK_FALSE(set());
  road.pass(road.config_write(0x69, 0x80, 1));
  CHECK(set());
}

TEST_CASE("a fresh function in the place of another has the reset values") {
  Road road;
  const auto control = [&](Control what, std::uint8_t function) {
    auto t = road.make(Kind::Control, kBarNone, static_cast<std::uint64_t>(what), 0, 0);
    t.function = function;
    road.pass(t);
  };
  road.pass(road.write(0x14, 0x460001));
  control(Control::Pause, kNvme0);
  control(Control::Plug, kEdu0);
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
  control(Control::Plug, kNvme0);
  CHECK(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
}

TEST_CASE("after a gap old values are unknown until they are seen again") {
  Road road;
  road.pass(road.make(Kind::Gap, kBarNone, 0, 0, 12));
  CHECK_FALSE(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
  CHECK_FALSE(road.matches("CC.EN == old", road.write(0x14, 0x460001)));
  road.pass(road.read(0x14, 0x460000));
  CHECK(road.matches("CC.EN 0->1", road.write(0x14, 0x460001)));
}

TEST_CASE("changes that the device made itself are asked for by `state`") {
  Road road;
  const auto t = road.make(Kind::State, 0, 0x1c, 4, 1);
  CHECK_FALSE(road.matches("CSTS", t));
  CHECK(road.matches("state CSTS", t));
  CHECK(road.matches("state CSTS.RDY 0->1", t));
  CHECK(road.matches("state", t));
}
