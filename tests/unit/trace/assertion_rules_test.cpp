// What each rule says of a run: held or not, and which transactions decide.
#include "trace/assertion_fixture.hpp"

using namespace example;

namespace {

constexpr std::uint64_t kCcAt = 0x14, kCstsAt = 0x1c, kAqaAt = 0x24, kSq0At = 0x1000;

// AQA, enable, two looks at CSTS, a doorbell, an interrupt.
Run bring_up() {
  Run run;
  run.write(kAqaAt, 0x1f001f).write(kCcAt, 0x460001).read(kCstsAt, 0).read(kCstsAt, 1);
  run.write(kSq0At, 1).irq(0);
  return run;
}

}  // namespace

TEST_CASE("must holds with the first match, and fails where nothing matched") {
  const auto held = bring_up().check("must read CSTS");
  CHECK(held.held);
  CHECK_FALSE(held.vacuous);
  CHECK(seqs(held) == Seqs{3});
  CHECK(held.why == "2 matches in 6 transactions");
  const auto failed = bring_up().check("must irq 3");
  CHECK_FALSE(failed.held);
  CHECK(failed.shown.empty());
  CHECK(failed.why == "nothing matched in 6 transactions");
}

TEST_CASE("a number of times is exact, or the least, or the most") {
  const Run run = bring_up();
  CHECK(run.check("must read CSTS 2 times").held);
  CHECK(run.check("must read CSTS exactly 2 times").held);
  CHECK(run.check("must irq once").held);
  CHECK(run.check("must irq at least once").held);
  CHECK(run.check("must read CSTS at least 2 times").held);
  CHECK(run.check("must read CSTS at most 2 times").held);
  CHECK(run.check("must irq 3 at most 2 times").held);
  CHECK_FALSE(run.check("must irq 3 at least once").held);

  const auto many = run.check("must read CSTS once");
  CHECK_FALSE(many.held);
  CHECK(seqs(many) == Seqs{4});
  CHECK(many.why == "2 matches in 6 transactions, 1 too many");
  const auto few = run.check("must read CSTS at least 4 times");
  CHECK_FALSE(few.held);
  CHECK(seqs(few) == Seqs{4});
  CHECK(few.why == "2 matches in 6 transactions, 2 short");
}

TEST_CASE("a number before times is the count, not the end of the expression") {
  Run run;
  run.irq(3).irq(1).irq(2);
  CHECK(run.check("must irq 3 times").held);
  CHECK(run.check("must irq 3 once").held);
}

TEST_CASE("never fails with the first match") {
  CHECK(bring_up().check("never status != SC").held);
  CHECK(bring_up().check("must not irq 3").held);
  const auto failed = bring_up().check("never CSTS");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{3});
  CHECK(failed.why == "2 of 6 transactions match");
}

TEST_CASE("never finding fails with the first finding of its rule") {
  const auto report = [](const char* text, const std::vector<TraceText>& findings) {
    const auto assertions = asserted(text);
    AssertionChecker checker(assertions, names());
    for (const TraceText& finding : findings) checker.look(finding);
    return checker.report().results.at(0);
  };
  const std::vector<TraceText> findings{{3, "dma", "nothing was mapped there"},
                                        {5, "kernel", "BUG: here"},
                                        {6, "kernel", "WARNING: there"},
                                        {7, "import.elsewhere", "some"}};
  CHECK(report("never finding kernel", {}).held);
  CHECK(report("never finding unexpected-completion", findings).held);
  const auto r = report("a name: never finding kernel  # a remark", findings);
  CHECK_FALSE(r.held);
  CHECK(r.why == "the trace has 2 findings of kernel, at first: BUG: here");
  CHECK(seqs(r) == Seqs{5});
  CHECK_FALSE(report("never finding import", findings).held);
  CHECK_FALSE(report("never finding", findings).held);
  CHECK(report("never finding", findings).why.find("4 findings") != std::string::npos);
}

TEST_CASE("the past of an expression counts, as in a filter") {
  const Run run = bring_up();
  CHECK(run.check("never SQ*.TDBL and last CC.EN == 0").held);
  CHECK(run.check("must CSTS.RDY 0->1 once").held);
  CHECK(run.check("never SQ*.TDBL and last CSTS.RDY == 1").held == false);
}

TEST_CASE("before holds where a match comes before the first of the others") {
  const auto held = bring_up().check("must write AQA before CC.EN 0->1");
  CHECK(held.held);
  CHECK(seqs(held) == Seqs{1, 2});
}

TEST_CASE("before fails with the one that came first, and shows what came after it") {
  Run late;
  late.write(kCcAt, 0x460001).write(kAqaAt, 1);
  const auto failed = late.check("must write AQA before CC.EN 0->1");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{1, 2});
  CHECK(has(failed.why, "comes only after it"));

  Run missing;
  missing.write(kCcAt, 0x460001);
  CHECK(seqs(missing.check("must write AQA before CC.EN 0->1")) == Seqs{1});
}

TEST_CASE("before fails where neither came, and holds vacuously where only the first did") {
  Run nothing;
  nothing.irq(0);
  CHECK_FALSE(nothing.check("must write AQA before CC.EN 0->1").held);
  Run half;
  half.write(kAqaAt, 1);
  const auto held = half.check("must write AQA before CC.EN 0->1");
  CHECK(held.held);
  CHECK(held.vacuous);
}

TEST_CASE("a transaction is not before itself") {
  Run run;
  run.write(kAqaAt, 1).write(kAqaAt, 2);
  CHECK_FALSE(run.check("must write AQA before write AQA").held);
  CHECK_FALSE(run.check("must write AQA before each write AQA").held);
  CHECK_FALSE(run.check("must write AQA after each write AQA").held);  // nothing after the last
}

TEST_CASE("before each asks for a new match each time") {
  Run twice;
  twice.write(kAqaAt, 1).write(kCcAt, 1).write(kCcAt, 0).write(kCcAt, 1);
  CHECK(twice.check("must write AQA before CC.EN 0->1").held);
  const auto failed = twice.check("must write AQA before each CC.EN 0->1");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{2, 4});
  Run again;
  again.write(kAqaAt, 1).write(kCcAt, 1).write(kCcAt, 0).write(kAqaAt, 1).write(kCcAt, 1);
  CHECK(again.check("must write AQA before each CC.EN 0->1").held);
}

TEST_CASE("a transaction that is both serves the next one, in before each and in after each") {
  Run run;  // writes of 1 are both; the first of the others is a 3
  run.write(kAqaAt, 2).write(kAqaAt, 1).write(kAqaAt, 1);
  CHECK(run.check("must write AQA before each AQA == 1").held);
  CHECK(run.check("must AQA == 1 after each AQA == 2").held);
}

TEST_CASE("after holds with the longest wait") {
  Run run;
  run.write(kSq0At, 1).at(1000).irq(0).at(4000).write(kSq0At, 2).at(5000).irq(0).at(12'000);
  const auto held = run.check("must irq within 7us after each SQ*.TDBL");
  CHECK(held.held);
  CHECK(seqs(held) == Seqs{3, 4});
  CHECK(held.why == "after all 2; the longest wait was 7 µs");
}

TEST_CASE("after fails with the first one whose answer came too late") {
  Run run;
  run.write(kSq0At, 1).at(1000).irq(0).at(4000).write(kSq0At, 2).at(5000).irq(0).at(12'001);
  const auto failed = run.check("must irq within 7us after each SQ*.TDBL");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{3, 4});
  CHECK(has(failed.why, "came 7.001 µs after it, the limit is 7 µs"));
}

TEST_CASE("after counts transactions by their numbers") {
  const Run run = bring_up();
  CHECK(run.check("must irq within 1 transaction after each SQ*.TDBL").held);
  CHECK(run.check("must CSTS.RDY 0->1 within 2 events after each CC.EN 0->1").held);
  const auto failed = run.check("must CSTS.RDY 0->1 within 1 transactions after each CC.EN 0->1");
  CHECK_FALSE(failed.held);
  CHECK(has(failed.why, "came 2 transactions after it, the limit is 1 transaction"));
}

TEST_CASE("one answer serves all that wait for it, and the oldest waits longest") {
  Run run;
  run.write(kSq0At, 1).write(kSq0At, 2).write(kSq0At, 3).irq(0);
  CHECK(run.check("must irq within 3us after each SQ*.TDBL").held);
  const auto failed = run.check("must irq within 2us after each SQ*.TDBL");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{1, 4});
}

TEST_CASE("what still waits when the trace ends has failed, within a time or without") {
  Run run = bring_up();
  run.write(kSq0At, 2);
  for (const char* text :
       {"must irq after each SQ*.TDBL", "must irq within 1s after each SQ*.TDBL"}) {
    const auto failed = run.check(text);
    CHECK_FALSE(failed.held);
    CHECK(seqs(failed) == Seqs{7});
    CHECK(has(failed.why, "the trace ends 0 ns later"));
  }
}

TEST_CASE("after nothing holds vacuously") {
  const auto held = bring_up().check("must irq after each SQ[3].TDBL");
  CHECK(held.held);
  CHECK(held.vacuous);
}

TEST_CASE("a violation is not forgotten, whatever comes after it") {
  Run run;
  run.write(kCcAt, 1).write(kAqaAt, 1).write(kCcAt, 0).write(kAqaAt, 1).write(kCcAt, 1);
  CHECK(seqs(run.check("must write AQA before each CC.EN 0->1")) == Seqs{1, 2});
  Run slow;
  slow.write(kSq0At, 1).at(0).irq(0).at(100'000).write(kSq0At, 2).irq(0);
  CHECK(seqs(slow.check("must irq within 5us after each SQ*.TDBL")) == Seqs{1, 2});
}

TEST_CASE("an access by a function of the driver is found by its symbol") {
  Run run = bring_up();
  run.symbol = "nvme_probe";
  CHECK(run.check("must write CC from nvme_probe").held);
  CHECK_FALSE(run.check("must write CC from nvme_remove").held);
}

TEST_CASE("a pass tells how much it looked at, and what the trace lost") {
  Run run = bring_up();
  run.add(run.make(Kind::Gap, kBarNone, 0, 0, 12));
  const auto report = run.report("must irq\nnever status UR\n");
  CHECK(report.looked_at == 7);
  CHECK(report.lost == 12);
  CHECK(report.results.size() == 2);
}

TEST_CASE("an assertion can ask for what was edited") {
  Run run;
  run.write(0x1000, 1).write(0x1000, 2).irq(0);
  const std::string rule = "must write SQ[0].TDBL and edited before each irq";
  CHECK_FALSE(run.check(rule).held);
  run.all[1].edited = true;
  CHECK(run.check(rule).held);
}

namespace {

Transaction dma(Run& run, Kind kind, std::uint64_t iova, std::uint8_t function = 0) {
  Transaction t = run.make(kind, kBarDma, iova, 64, 0);
  t.function = function;
  return t;
}

}  // namespace

TEST_CASE("after each with the same asks for an answer to each place of its own") {
  Run run;
  run.add(dma(run, Kind::DmaMap, 0x1000)).add(dma(run, Kind::DmaMap, 0x2000));
  run.add(dma(run, Kind::DmaUnmap, 0x2000));
  CHECK(run.check("must dma_unmap after each dma_map").held);
  const auto leaked = run.check("must dma_unmap with the same iova after each dma_map");
  CHECK_FALSE(leaked.held);
  CHECK(seqs(leaked) == Seqs{1});
  CHECK(has(leaked.why, "no \"dma_unmap\" with the same iova came after it"));
  run.add(dma(run, Kind::DmaUnmap, 0x1000));
  const auto held = run.check("must dma_unmap with the same iova after each dma_map");
  CHECK(held.held);
  CHECK(has(held.why, "after all 2"));
  CHECK(run.check("must dma_unmap with the same iova within 3us after each dma_map").held);
  const auto late = run.check("must dma_unmap with the same iova within 2us after each dma_map");
  CHECK_FALSE(late.held);
  CHECK(seqs(late) == Seqs{1, 4});
  run.add(dma(run, Kind::DmaMap, 0x1000)).add(dma(run, Kind::DmaMap, 0x3000));
  const auto more = run.check("must dma_unmap with the same iova after each dma_map");
  CHECK(seqs(more) == Seqs{5});
  CHECK(has(more.why, "this is the first of 2"));
}

TEST_CASE("the same address of another function is another place") {
  Run run;
  run.add(dma(run, Kind::DmaMap, 0x1000, 0)).add(dma(run, Kind::DmaUnmap, 0x1000, 1));
  CHECK_FALSE(run.check("must dma_unmap with the same iova after each dma_map").held);
  CHECK(run.check("must dma_unmap with the same size after each dma_map").held);
}

TEST_CASE("before and before each with the same look at each place of its own") {
  Run run;
  run.add(dma(run, Kind::DmaMap, 0x1000)).add(dma(run, Kind::DmaRead, 0x1000));
  run.add(dma(run, Kind::DmaRead, 0x1000)).add(dma(run, Kind::DmaMap, 0x3000));
  run.add(dma(run, Kind::DmaRead, 0x2000)).add(dma(run, Kind::DmaMap, 0x2000));
  CHECK(run.check("must dma_map before dma_read").held);
  const auto failed = run.check("must dma_map with the same iova before dma_read");
  CHECK_FALSE(failed.held);
  CHECK(seqs(failed) == Seqs{5, 6});
  CHECK(has(failed.why, "with the same iova comes only after it"));
  const auto again = run.check("must dma_map with the same iova before each dma_read");
  CHECK(seqs(again) == Seqs{2, 3});
}

TEST_CASE("before each has nothing to ask where there is none, and before asks for the first") {
  Run nothing;
  nothing.irq(0);
  const auto each = nothing.check("must write AQA before each CC.EN 0->1");
  CHECK(each.held);
  CHECK(each.vacuous);
  CHECK(each.why == "\"CC.EN 0->1\": nothing matched in 1 transaction");
  CHECK_FALSE(nothing.check("must write AQA before CC.EN 0->1").held);
  Run wrong;
  wrong.write(kCcAt, 1);
  CHECK_FALSE(wrong.check("must write AQA before each CC.EN 0->1").held);
}
