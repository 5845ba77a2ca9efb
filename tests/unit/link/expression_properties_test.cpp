// What must hold for every expression and every event: tried on many, from a fixed seed.
#include <random>

#include "expression_fixture.hpp"

using namespace example;

namespace {

using Random = std::mt19937_64;

template <typename T, std::size_t N>
const T& pick(Random& random, const T (&from)[N]) {
  return from[random() % N];
}

std::string condition(Random& random) {
  static const char* const kConditions[] = {"CC.EN 0->1",
                                            "CC",
                                            "write CC",
                                            "read CSTS",
                                            "CSTS.RDY 0->1",
                                            "CSTS.RDY == 1",
                                            "INTMC ->1",
                                            "CC == 0x460001",
                                            "CC & 0xf0 == 0x40",
                                            "CC.SHN in {NORMAL, ABRUPT}",
                                            "CC.SHN changes",
                                            "ASQ changes",
                                            "SQ*.TDBL",
                                            "SQ[1..2].TDBL == 1",
                                            "GPR[3]",
                                            "GPR > 2",
                                            "CQ*.HDBL",
                                            "STATUS.COMPUTING == 0",
                                            "edu0:STATUS",
                                            "edu0:DMA.DIR == TO_RAM",
                                            "BAR0",
                                            "BAR0+0x14 == 1",
                                            "BAR0[0x10..0x1f]",
                                            "config",
                                            "COMMAND.MEM 0->1",
                                            "config STATUS",
                                            "config[0..7]",
                                            "irq",
                                            "irq 3",
                                            "vector in 1..2",
                                            "vector != 2",
                                            "dma",
                                            "dma_read",
                                            "iova in 0x10..0x1f",
                                            "iova > 4",
                                            "iova < 0x40",
                                            "offset in 0x10..0x17",
                                            "offset <= 0x14",
                                            "offset & 4",
                                            "bar == 0",
                                            "bar != 0",
                                            "kind == irq",
                                            "function == 1",
                                            "function nvme0",
                                            "edu0:irq",
                                            "nvme0:(write or reset)",
                                            "BAR0:any",
                                            "state CSTS",
                                            "force",
                                            "reset",
                                            "reset flr",
                                            "timer 1",
                                            "input",
                                            "gap",
                                            "origin poke",
                                            "status UR",
                                            "status != SC",
                                            "latency > 100",
                                            "value == 1",
                                            "value != old",
                                            "value changes",
                                            "old == 0",
                                            "size == 8",
                                            "seq > 100",
                                            "cpu == 1",
                                            "any",
                                            "last CC.EN == 1",
                                            "last CSTS == 0",
                                            "from probe",
                                            "symbol \"p*\"",
                                            "value == last CC",
                                            "answered_by shadow",
                                            "read and value == 1",
                                            "value in {0, 1, 5..9}"};
  // Neighbours that one wide access touches together.
  static const char* const kNeighbours[] = {"INTMC",
                                            "CC",
                                            "CSTS",
                                            "BAR0+0x10",
                                            "BAR0+0x18",
                                            "offset in 0x10..0x13",
                                            "write INTMC == 1",
                                            "offset in 0x18..0x1f",
                                            "GPR[0]",
                                            "GPR[3..4]",
                                            "GPR[2]",
                                            "iova in 0x18..0x1f",
                                            "AQA changes",
                                            "iova in 0x10..0x11",
                                            "SQ[0].TDBL",
                                            "CQ[0].HDBL",
                                            "SQ[1].TDBL",
                                            "config[0..1]",
                                            "COMMAND"};
  return random() % 2 == 0 ? pick(random, kNeighbours) : pick(random, kConditions);
}

std::string expression(Random& random, int depth) {
  if (depth == 0 || random() % 4 == 0) return condition(random);
  switch (random() % 5) {
    case 0: return "not (" + expression(random, depth - 1) + ")";
    case 1:
    case 2:
      return "(" + expression(random, depth - 1) + " and " + expression(random, depth - 1) + ")";
    default:
      return "(" + expression(random, depth - 1) + " or " + expression(random, depth - 1) + ")";
  }
}

// An event as the link makes it: each kind with the bar that it has.
Transaction event(Random& random, std::uint64_t seq) {
  Transaction t;
  t.seq = seq;
  t.t_ns = seq * 100;
  t.kind = static_cast<Kind>(random() % kKinds);
  t.function = static_cast<std::uint8_t>(random() % 3);
  t.cpu = static_cast<std::uint16_t>(random() % 2);
  t.origin = static_cast<Origin>(random() % 5);
  t.value = random() % 3;
  if (random() % 4 == 0) t.value = random();
  const bool state = t.kind == Kind::State || t.kind == Kind::Force;
  if (is_memory(t.kind) || state) {
    t.bar = static_cast<std::int8_t>(random() % 8 == 0 ? random() % 6 : 0);
    static const std::uint64_t kAround[] = {0, 0x10, 0x18, 0x28, 0x84, 0x94, 0x1000, 0x1010};
    t.offset = pick(random, kAround) + random() % 8;
    static const std::uint32_t kSizes[] = {1, 2, 4, 8, 8, 16, 64};
    t.size = pick(random, kSizes);
    t.value &= mask_of_size(t.size);
  } else if (is_config(t.kind)) {
    t.bar = kBarConfig;
    t.offset = random() % 8;
    t.size = 1u << random() % 3;
    t.value &= mask_of_size(t.size);
  } else if (is_dma(t.kind) || t.kind == Kind::DmaMap || t.kind == Kind::DmaUnmap) {
    t.bar = kBarDma;
    t.offset = random() % 0x40;
    t.size = static_cast<std::uint32_t>(random() % 40);
  } else if (t.kind == Kind::Irq) {
    t.bar = kBarInterrupt;
    t.offset = random() % 5;
  } else {
    t.offset = random() % 3;
  }
  t.status = random() % 8 == 0 ? Status::UR : Status::SC;
  t.done_ns = t.t_ns + random() % 200;
  return t;
}

bool within(const Reach& reach, const Transaction& t) {
  const std::uint32_t bit = 1u << static_cast<unsigned>(t.kind);
  if ((reach.kinds & bit) == 0) return false;
  if (reach.everywhere) return true;
  for (const Reach::Range& r : reach.ranges) {
    if ((r.kinds & bit) == 0 || r.bar != t.bar) continue;
    if (r.function >= 0 && r.function != t.function) continue;
    const std::uint64_t size = std::max(t.size, 1u);
    if (t.offset < r.end && t.offset + size > r.begin) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("what matches lies within the reach, and Before never says other than After") {
  Random random(20261122);
  std::size_t matched = 0, ranged = 0, decided_before = 0;
  for (int round = 0; round < 8000; ++round) {
    const std::string text = expression(random, 3);
    const Expression e = compiled(text);
    ranged += !e.reach().everywhere;
    Road road;
    for (std::uint64_t seq = 1; seq <= 150; ++seq) {
      const Transaction t = event(random, seq);
      road.symbol = random() % 2 == 0 ? "probe" : "";
      const Verdict after = road.verdict(e, t);
      Transaction request = t;
      request.status = Status::Pending;
      request.done_ns = 0;
      if (is_read(t.kind)) request.value = random();
      const Verdict before = road.verdict(e, request, Phase::Before);
      if (before != Verdict::Unknown && before != after)
        FAIL(text << ": before and after differ at " << name_of(t.kind) << " bar " << int(t.bar)
                  << " offset " << t.offset << " size " << t.size);
      if (before == Verdict::Yes && e.needs_completion())
        FAIL(text << " needs the completion, yet matches before it");
      if (after == Verdict::Yes && !within(e.reach(), t))
        FAIL(text << ": outside the reach: " << name_of(t.kind) << " bar " << int(t.bar)
                  << " offset " << t.offset << " size " << t.size);
      matched += after == Verdict::Yes;
      decided_before += before != Verdict::Unknown;
      road.pass(t);
    }
  }
  // The test has to have tried something.
  CHECK(matched > 50000);
  CHECK(decided_before > 200000);
  CHECK(ranged > 500);
}

TEST_CASE("an expression and its negation never both match") {
  Random random(7);
  for (int round = 0; round < 1000; ++round) {
    const std::string text = expression(random, 3);
    const Expression yes = compiled(text), no = compiled("not (" + text + ")");
    Road road;
    for (std::uint64_t seq = 1; seq <= 50; ++seq) {
      const Transaction t = event(random, seq);
      const Verdict a = road.verdict(yes, t), b = road.verdict(no, t);
      const bool opposed = (a == Verdict::Yes && b == Verdict::No) ||
                           (a == Verdict::No && b == Verdict::Yes) ||
                           (a == Verdict::Unknown && b == Verdict::Unknown);
      if (!opposed) FAIL(text);
      road.pass(t);
    }
  }
}

TEST_CASE("the reach of a register condition is its bytes, on its function, for its kinds") {
  const Expression e = compiled("CC.EN 0->1");
  const Reach& reach = e.reach();
  CHECK_FALSE(reach.everywhere);
  CHECK(reach.kinds == 1u << unsigned(Kind::MemWrite));
  REQUIRE(reach.ranges.size() == 1);
  CHECK(reach.ranges[0].function == kNvme0);
  CHECK(reach.ranges[0].bar == 0);
  CHECK(reach.ranges[0].begin == 0x14);
  CHECK(reach.ranges[0].end == 0x18);
}

TEST_CASE("a conjunction reaches no further than its narrowest side") {
  const Expression e = compiled("origin driver and CC and value != 0 and from probe");
  REQUIRE(e.reach().ranges.size() == 1);
  CHECK(e.reach().ranges[0].begin == 0x14);
  CHECK(compiled("irq and CC").reach().kinds == 0);
}

TEST_CASE("events without a register widen the reach only by their own kinds") {
  const Expression e = compiled("irq or CC.EN 0->1");
  CHECK_FALSE(e.reach().everywhere);
  for (const Reach::Range& r : e.reach().ranges)
    if (r.bar == 0) CHECK((r.end == 0x18 && r.kinds == 1u << unsigned(Kind::MemWrite)));
  CHECK(compiled("irq").reach().everywhere);
  CHECK(compiled("irq").reach().kinds == 1u << unsigned(Kind::Irq));
}
