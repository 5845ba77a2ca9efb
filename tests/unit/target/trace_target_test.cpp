// A trace walked through like the driver that it recorded.
#include "core/target/trace_target.hpp"

#include <filesystem>

#include "catch.hpp"
#include "devices/edu/edu_registers.hpp"
#include "session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

// What edu's example driver did, from its first line to its end, and the live state at that end.
struct Recorded {
  Recorded() {
    const auto live = open_edu(file.path(), false);
    REQUIRE(reaches(*live, RunState::Ended));
    last = live->snapshot();
  }
  std::unique_ptr<Target> open() const {
    auto target = TraceTarget::open(file.path());
    REQUIRE(target.has_value());
    return std::move(*target);
  }

  TraceFile file;
  std::shared_ptr<const Snapshot> last;
};

void run_on(Target& target) {
  go(target);
  REQUIRE(eventually([&] { return target.snapshot()->state != RunState::Running; }));
}

void step(Target& target, Step::Until until) {
  REQUIRE(ask<void>([&](auto done) { target.step({.until = until}, done); }).has_value());
}

std::uint64_t value_of(const Target& target, const Register& reg) {
  const auto s = target.snapshot();
  const auto& map = s->names->bar(0, 0)->map();
  std::size_t at = 0;
  for (const Register* r : map.registers) {
    if (r->offset == reg.offset) return s->functions.at(0).banks.at(0).registers.at(at).value;
    at += r->count;
  }
  FAIL("no such register");
  return 0;
}

}  // namespace

TEST_CASE("a recording stands at the driver's first access to a BAR") {
  const Recorded recorded;
  const auto target = recorded.open();
  const auto s = target->snapshot();
  REQUIRE(s->stop);
  CHECK(s->state == RunState::Stopped);
  CHECK(s->stop->transaction.kind == Kind::MemRead);
  CHECK(s->stop->transaction.offset == edu::kId.offset);
  CHECK(s->functions.at(0).instance == "edu0");
  CHECK(s->seq == recorded.last->seq);
}

TEST_CASE("a recording runs to a breakpoint, and its registers are those of that moment") {
  const Recorded recorded;
  const auto target = recorded.open();
  break_at(*target, "write FACTORIAL");
  run_on(*target);
  const auto s = target->snapshot();
  REQUIRE(s->stop);
  CHECK(s->stop->transaction.offset == edu::kFactorial.offset);
  CHECK(s->stop->reason.find("breakpoint 1: write FACTORIAL") == 0);
  CHECK(s->breakpoints.at(0).hits == 1);
  const auto asked = s->stop->transaction.value;
  CHECK(value_of(*target, edu::kFactorial) == asked);
  step(*target, Step::Until::Interrupt);
  REQUIRE(target->snapshot()->stop);
  CHECK(target->snapshot()->stop->transaction.kind == Kind::Irq);
  std::uint64_t factorial = 1;
  for (std::uint64_t i = 2; i <= asked; ++i) factorial *= i;
  CHECK(value_of(*target, edu::kFactorial) == (factorial & 0xffffffff));
}

TEST_CASE("at the end of a recording the registers are as they were live") {
  const Recorded recorded;
  const auto target = recorded.open();
  run_on(*target);
  const auto s = target->snapshot();
  CHECK(s->state == RunState::Ended);
  const auto& live = recorded.last->functions.at(0).banks.at(0).registers;
  const auto& now = s->functions.at(0).banks.at(0).registers;
  REQUIRE(now.size() == live.size());
  const auto& map = s->names->bar(0, 0)->map();
  std::size_t at = 0;
  for (const Register* r : map.registers)
    for (std::uint32_t i = 0; i < r->count; ++i, ++at) {
      INFO(r->name);
      CHECK(now[at].value == live[at].value);
    }
}

TEST_CASE("each step in a recording goes to the driver's next access, as its numbers say") {
  const Recorded recorded;
  const auto target = recorded.open();
  std::uint64_t before = target->snapshot()->stop->transaction.seq;
  for (int i = 0; i < 5; ++i) {
    step(*target, Step::Until::NextAccess);
    const auto s = target->snapshot();
    REQUIRE(s->stop);
    CHECK(s->stop->transaction.seq > before);
    CHECK(s->stop->transaction.origin == Origin::Driver);
    before = s->stop->transaction.seq;
  }
}

TEST_CASE("a recording goes back, and a breakpoint passed before stops it again") {
  const Recorded recorded;
  const auto target = recorded.open();
  break_at(*target, "irq");
  run_on(*target);
  REQUIRE(target->snapshot()->stop);
  const auto first = target->snapshot()->stop->transaction.seq;
  run_on(*target);
  REQUIRE(target->snapshot()->stop);
  CHECK(target->snapshot()->stop->transaction.seq > first);
  REQUIRE(ask<void>([&](auto done) { target->go_to(first - 1, done); }).has_value());
  CHECK(target->snapshot()->stop->transaction.seq == first - 1);
  run_on(*target);
  CHECK(target->snapshot()->stop->transaction.seq == first);
  REQUIRE(ask<void>([&](auto done) { target->restart(done); }).has_value());
  CHECK(target->snapshot()->stop->transaction.offset == edu::kId.offset);
}

TEST_CASE("a change of a value is seen across the place where a recording was moved to") {
  const Recorded recorded;
  const auto target = recorded.open();
  run_on(*target);  // past everything
  REQUIRE(ask<void>([&](auto done) { target->go_to(1, done); }).has_value());
  break_at(*target, "state STATUS.COMPUTING 0->1");
  run_on(*target);
  REQUIRE(target->snapshot()->stop);
  CHECK(target->snapshot()->stop->transaction.offset == edu::kStatus.offset);
}

TEST_CASE("a recording refuses what would change it, and says what to do instead") {
  const Recorded recorded;
  const auto target = recorded.open();
  const auto size = std::filesystem::file_size(recorded.file.path());
  const Place place{.function = 0, .bar = 0, .offset = 8, .size = 4};
  CHECK(ask<void>([&](auto done) { target->poke_write(place, 1, done); }).error().message ==
        "this is a recording, which cannot be written to; \"pcilens replay\" sends it to a device");
  CHECK_FALSE(ask<void>([&](auto done) { target->edit(1, done); }).has_value());
  CHECK_FALSE(ask<void>([&](auto done) { target->force(place, 1, done); }).has_value());
  CHECK(ask<void>([&](auto done) { target->go_to(1ull << 40, done); }).has_value());
  CHECK(target->snapshot()->state == RunState::Ended);
  CHECK(std::filesystem::file_size(recorded.file.path()) == size);
}

TEST_CASE("what is no trace is refused as a recording in one sentence") {
  const auto none = TraceTarget::open("/etc/hostname");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message.find("/etc/hostname") == 0);
}

TEST_CASE("a recording knows what was mapped at the moment where it stands") {
  using Mappings = std::vector<DmaMapping>;
  const Recorded recorded;
  const auto target = recorded.open();
  const auto mapped = [&] {
    auto all = ask<Mappings>([&](auto done) { target->dma_mappings(done); });
    REQUIRE(all.has_value());
    return *all;
  };
  CHECK(mapped().empty());
  break_at(*target, "write DMA_CMD");
  run_on(*target);
  REQUIRE(target->snapshot()->stop);
  REQUIRE(mapped().size() == 2);
  CHECK(mapped()[0].by == "copy_there_and_back");
  CHECK(mapped()[0].seq < target->snapshot()->stop->transaction.seq);
  REQUIRE(ask<void>([&](auto done) { target->go_to(recorded.last->seq, done); }).has_value());
  CHECK(mapped().empty());
}
