// Conditions on events: kinds, attributes, symbols, precedence, what is not there.
#include "core/host/host.hpp"
#include "expression_fixture.hpp"

using namespace example;

TEST_CASE("an empty expression matches everything") {
  Road road;
  CHECK(road.matches("", road.irq(0)));
  CHECK(road.matches("  ", road.write(0, 0)));
  CHECK(road.matches("any", road.write(0, 0)));
  CHECK_FALSE(road.matches("not any", road.write(0, 0)));
  const Transaction t = road.irq(0);
  CHECK(Expression().matches({t, Phase::Before, road.last, *names()}));
  CHECK(Expression().reach().everywhere);
}

TEST_CASE("kinds are written as the trace spells them, or as direction and space") {
  Road road;
  for (unsigned k = 0; k < kKinds; ++k) {
    const auto kind = static_cast<Kind>(k);
    const Transaction t = road.make(kind, kBarNone, 0, 0, 0);
    for (unsigned other = 0; other < kKinds; ++other)
      CHECK(road.matches(name_of(static_cast<Kind>(other)), t) == (k == other));
    CHECK(road.matches("dma", t) == (kind == Kind::DmaRead || kind == Kind::DmaWrite));
    CHECK(road.matches("dma write", t) == (kind == Kind::DmaWrite));
    CHECK(road.matches("config", t) == (kind == Kind::CfgRead || kind == Kind::CfgWrite));
    CHECK(road.matches("memory read", t) == (kind == Kind::MemRead));
    // The host's own: DMA is asked for by its name.
    CHECK(road.matches("write", t) == (kind == Kind::CfgWrite || kind == Kind::MemWrite));
    CHECK(road.matches("read", t) == (kind == Kind::CfgRead || kind == Kind::MemRead));
    CHECK(road.matches("access", t) == (is_config(kind) || is_memory(kind)));
  }
}

TEST_CASE("interrupts match by vector") {
  Road road;
  CHECK(road.matches("irq", road.irq(3)));
  CHECK(road.matches("irq 3", road.irq(3)));
  CHECK_FALSE(road.matches("irq 0", road.irq(3)));
  CHECK(road.matches("vector == 3", road.irq(3)));
  CHECK(road.matches("vector 3", road.irq(3)));
  CHECK(road.matches("vector in 2..4", road.irq(3)));
  CHECK(road.matches("irq and vector & 1", road.irq(3)));
}

TEST_CASE("a comparison of what an event has not got is false, whichever the operator") {
  Road road;
  CHECK(road.matches("vector != 3", road.irq(4)));
  CHECK_FALSE(road.matches("vector != 3", road.write(3, 0)));
  CHECK_FALSE(road.matches("vector == 3", road.write(3, 0)));
  CHECK(road.matches("not vector == 3", road.write(3, 0)));
  CHECK_FALSE(road.matches("iova >= 0", road.write(3, 0)));
}

TEST_CASE("a range of IOVA or offset asks what the access touches") {
  Road road;
  const auto t = road.make(Kind::DmaWrite, kBarDma, 0xf00, 0x200, 0);
  CHECK(road.matches("iova in 0x1000..0x1fff", t));
  CHECK_FALSE(road.matches("iova >= 0x1000", t));
  CHECK_FALSE(road.matches("iova in 0x1100..0x1fff", t));
  CHECK_FALSE(road.matches("iova not in 0x1000..0x1fff", t));
  CHECK(road.matches("offset in 0x12..0x12", road.write(0x10, 0)));
  CHECK(road.matches("offset == 0x10", road.write(0x10, 0)));
}

TEST_CASE("numbers of an event are compared by name") {
  Road road;
  auto t = road.write(0x14, 0x1234, 4);
  t.cpu = 3;
  t.thread = 4711;
  t.cause = 17;
  CHECK(road.matches("value == 0x1234", t));
  CHECK(road.matches("value & 0xff == 0x34", t));
  CHECK(road.matches("value >= 4k", road.write(0, 4096)));
  CHECK(road.matches("size == 4", t));
  CHECK(road.matches("size 4", t));
  CHECK(road.matches("bar == 0", t));
  CHECK(road.matches("cpu == 3 and thread == 4711 and cause == 17", t));
  CHECK(road.matches("seq >= 1", t));
  CHECK(road.matches("time in 0..1ms", t));
  CHECK(road.matches("latency == 250ns", t));
  CHECK(road.matches("latency < 0.5us", t));
  CHECK(road.matches("value == 0b1_0010_0011_0100", t));
}

TEST_CASE("values that have names are compared by them") {
  Road road;
  auto t = road.read(0x14, 0);
  t.status = Status::UR;
  t.origin = Origin::Poke;
  t.answered_by = AnsweredBy::Shadow;
  CHECK(road.matches("status UR", t));
  CHECK(road.matches("status == ur", t));
  CHECK(road.matches("status != SC", t));
  CHECK(road.matches("origin poke", t));
  CHECK(road.matches("origin in {poke, lesson}", t));
  CHECK_FALSE(road.matches("origin driver", t));
  CHECK(road.matches("answered_by shadow", t));
  CHECK(road.matches("kind == mem_read", t));
  CHECK(road.matches("function nvme0", t));
  CHECK(road.matches("function == 0", t));
  CHECK_FALSE(road.matches("function edu0", t));
}

TEST_CASE("old is the value of the accessed bytes before") {
  Road road;
  CHECK(road.matches("write CC and old == 0x460000", road.write(0x14, 1)));
  road.pass(road.write(0x14, 9));
  CHECK(road.matches("old == 9", road.write(0x14, 1)));
  CHECK(road.matches("value != old", road.write(0x14, 1)));
  CHECK(road.matches("value == old", road.write(0x14, 9)));
  CHECK(road.matches("value changes", road.write(0x14, 1)));
  CHECK(road.matches("value 9->1", road.write(0x14, 1)));
}

TEST_CASE("what only the completion tells is unknown before it") {
  Road road;
  const auto t = road.read(0x14, 5);
  for (const char* text : {"status SC", "latency > 0", "answered_by function", "value == 5",
                           "not status SC", "value != 5", "read and status SC"})
    CHECK(road.verdict(compiled(text), t, Phase::Before) == Verdict::Unknown);
  CHECK(road.verdict(compiled("write and status SC"), t, Phase::Before) == Verdict::No);
  CHECK(road.verdict(compiled("read or status SC"), t, Phase::Before) == Verdict::Yes);
}

TEST_CASE("needs_completion tells whether Before can never match") {
  for (const char* text : {"status UR", "read CSTS == 1", "CSTS.RDY 0->1", "latency > 1ms",
                           "read and value == 5", "not (status SC)", "STATUS.COMPUTING == 0"})
    CHECK(compiled(text).needs_completion());
  for (const char* text : {"CC.EN 0->1", "CC == 5", "read CSTS", "irq", "", "value == 5",
                           "not (read CSTS == 1)", "write CC or status UR", "from nvme_probe"})
    CHECK_FALSE(compiled(text).needs_completion());
}

TEST_CASE("the driver's function matches by name or pattern") {
  Road road;
  const auto t = road.write(0x14, 1);
  CHECK_FALSE(road.matches("from nvme_probe", t));
  CHECK_FALSE(road.matches("not from nvme_probe", t));  // not known here
  road.symbol = "nvme_probe";
  CHECK(road.matches("from nvme_probe", t));
  CHECK(road.matches("symbol \"nvme_*\"", t));
  CHECK(road.matches("symbol == nvme_*", t));
  CHECK(road.matches("write CC from nvme_probe", t));
  CHECK(road.matches("CC.EN 0->1 from nvme_prob?", t));
  CHECK_FALSE(road.matches("from nvme_prob", t));
  CHECK(road.matches("symbol != nvme_reset", t));
  road.symbol = "nvme_probe.isra.0";
  CHECK(road.matches("from nvme_probe", t));
}

TEST_CASE("resets, timers and inputs match by what they are") {
  Road road;
  CHECK(road.matches("reset", road.make(Kind::Reset, kBarNone, 0, 0, 1)));
  CHECK(road.matches("reset flr", road.make(Kind::Reset, kBarNone, 0, 0, 1)));
  CHECK_FALSE(road.matches("reset conventional", road.make(Kind::Reset, kBarNone, 0, 0, 1)));
  CHECK(road.matches("timer 2", road.make(Kind::Timer, kBarNone, 2, 0, 0)));
  CHECK(road.matches("input 1", road.make(Kind::Input, kBarNone, 1, 0, 0)));
}

TEST_CASE("not binds before and, and before or; a mask before a comparison") {
  Road road;
  const auto w = road.write(0x14, 0x41), i = road.irq(0);
  CHECK(road.matches("irq or write and value == 0x41", w));
  CHECK(road.matches("irq or write and value == 0", i));
  CHECK_FALSE(road.matches("(irq or write) and value == 1", i));
  CHECK(road.matches("not irq and write", w));
  CHECK_FALSE(road.matches("not (irq or write)", w));
  CHECK(road.matches("!irq && write || irq", w));
  CHECK(road.matches("not write CC == 5", w));
  CHECK(road.matches("not not write", w));
}

TEST_CASE("an edited expression keeps its text and copies are alike") {
  Road road;
  Expression a = compiled("irq 3");
  Expression b = a;
  const Expression c = std::move(a);
  const Transaction t = road.irq(3);
  CHECK(b.text() == "irq 3");
  CHECK(c.matches({t, Phase::After, road.last, *names()}));
  CHECK(b.matches({t, Phase::After, road.last, *names()}));
}

TEST_CASE("edited is known when an access or DMA is over, and no number") {
  Road road;
  Transaction t = road.write(0x14, 1);
  CHECK_FALSE(road.matches("edited", t));
  CHECK(road.matches("write and not edited", t));
  t.edited = true;
  CHECK(road.matches("edited", t));
  CHECK_FALSE(road.matches("not edited", t));
  CHECK(road.verdict(compiled("edited"), t, Phase::Before) == Verdict::Unknown);
  CHECK(compiled("edited").needs_completion());
  CHECK_FALSE(compiled("write CC and not edited or irq").needs_completion());
  CHECK_FALSE(road.matches("edited", road.irq(1)));
  CHECK(has(refused("edited == 1"), "expected"));
  CHECK(has(refused("value == edited"), "edited is no number"));
}

TEST_CASE("ignored is an access that can have no effect, before it as after it") {
  Road road;
  for (const Phase phase : {Phase::Before, Phase::After}) {
    CHECK(road.matches("ignored", road.write(0x1c, 1), phase));
    CHECK(road.matches("write and ignored", road.write(0x40, 1), phase));
    CHECK_FALSE(road.matches("ignored", road.write(0x14, 1), phase));
    CHECK(road.matches("not ignored", road.write(0x14, 1), phase));
    CHECK_FALSE(road.matches("not ignored", road.write(0x1c, 1), phase));
    CHECK(road.matches("nvme0:ignored", road.read(0x1004, 0), phase));
    CHECK_FALSE(road.matches("edu0:ignored", road.read(0x1004, 0), phase));
    CHECK_FALSE(road.matches("ignored", road.config_write(0, 1), phase));
  }
  // Nothing is known of that BAR.
  Transaction t = road.write(0x40, 1);
  t.bar = 3;
  CHECK(road.verdict(compiled("ignored"), t) == Verdict::Unknown);
}

TEST_CASE("ignored costs only where there is something to ignore") {
  const Expression ignored = compiled("ignored");
  const Reach& reach = ignored.reach();
  CHECK_FALSE(reach.everywhere);
  CHECK(reach.kinds ==
        (1u << static_cast<unsigned>(Kind::MemRead) | 1u << static_cast<unsigned>(Kind::MemWrite)));
  // Of every access that is ignored, the reach has a byte.
  Road road;
  const auto reached = [&](const Transaction& t) {
    return std::ranges::any_of(reach.ranges, [&](const Reach::Range& r) {
      return r.function == t.function && r.bar == t.bar && t.offset <= r.last() &&
             t.offset + t.size > r.begin && (r.kinds >> static_cast<unsigned>(t.kind) & 1) != 0;
    });
  };
  for (road.function = 0; road.function < 2; ++road.function)
    for (std::uint64_t offset = 0; offset < 0x1100; ++offset)
      for (const std::uint32_t size : {1u, 4u, 8u})
        for (const Transaction& t : {road.read(offset, 0, size), road.write(offset, 0, size)})
          if (road.verdict(ignored, t) == Verdict::Yes) CHECK(reached(t));
  road.function = 0;
  CHECK_FALSE(reached(road.write(0x14, 1)));
  CHECK_FALSE(reached(road.write(0x1000, 1)));
}

TEST_CASE("ignored needs registers, and takes no test") {
  const auto nothing = Expression::compile("ignored", std::make_shared<Names>());
  REQUIRE_FALSE(nothing.has_value());
  CHECK(has(nothing.error().message, "no registers are known here"));
  CHECK(has(refused("ignored == 1"), "expected"));
  CHECK(has(refused("value == ignored"), "ignored is no number"));
}
