// A whole session on the sim host: held, changed, stepped, poked, forced, made wrong.
#include <future>
#include <thread>

#include "catch.hpp"
#include "core/trace/reader.hpp"
#include "devices/bochs/bochs_registers.hpp"
#include "devices/edu/edu_registers.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

Place place_of(const Register& r) {
  return {.function = 0, .bar = 0, .offset = r.offset, .size = r.width};
}

std::uint64_t peek(const Target& target, const Register& r) {
  const auto snapshot = target.snapshot();
  const auto& bank = snapshot->functions.at(0).banks.at(0);
  for (std::size_t i = 0; i < std::size(edu::kRegisters); ++i)
    if (edu::kRegisters[i] == &r) return bank.registers.at(i).value;
  FAIL("no such register");
  return 0;
}

}  // namespace

TEST_CASE("a session holds the driver at its first BAR access") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  const auto stop = target->snapshot()->stop;
  REQUIRE(stop.has_value());
  CHECK(stop->transaction.kind == Kind::MemRead);
  CHECK(stop->transaction.bar == 0);
  CHECK(stop->transaction.offset == edu::kId.offset);
}

TEST_CASE("a driver that is not held brings edu up to its end") {
  TraceFile file;
  auto target = open_edu(file.path(), false);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK(target->snapshot()->driver == "the driver has finished");
}

TEST_CASE("a breakpoint on a register write stops before the function sees it") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  break_at(*target, "write FACTORIAL");
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.offset == edu::kFactorial.offset;
  }));
  CHECK(target->snapshot()->stop->transaction.value == 10);
  CHECK(peek(*target, edu::kFactorial) == 0);
}

TEST_CASE("a value changed in flight is what the function computes with") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  break_at(*target, "write FACTORIAL");
  break_at(*target, "read FACTORIAL", Phase::After);
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.kind == Kind::MemWrite;
  }));
  REQUIRE(ask<void>([&](auto done) { target->edit(5, done); }).has_value());
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->phase == Phase::After;
  }));
  CHECK(target->snapshot()->stop->transaction.value == 120);
}

TEST_CASE("an answer changed at a stop is what the driver gets") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  break_at(*target, "read ID", Phase::After);
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->phase == Phase::After;
  }));
  REQUIRE(ask<void>([&](auto done) { target->edit(0x01000000, done); }).has_value());
  go(*target);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK(target->snapshot()->driver == "the driver gave up: edu: ID does not end in 0xed");
}

TEST_CASE("a step ends at the next access") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  const auto first = target->snapshot()->stop->transaction.seq;
  REQUIRE(ask<void>([&](auto done) { target->step({}, done); }).has_value());
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.seq != first;
  }));
  CHECK(target->snapshot()->stop->transaction.offset == edu::kLiveness.offset);
  CHECK(target->snapshot()->stop->transaction.kind == Kind::MemWrite);
}

TEST_CASE("a step until an interrupt ends at the interrupt") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<void>([&](auto done) {
            target->step({.until = Step::Until::Interrupt}, done);
          }).has_value());
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.kind == Kind::Irq;
  }));
  CHECK((peek(*target, edu::kIrqStatus) & edu::kFactorialReady) != 0);
}

TEST_CASE("a poke during a stop runs its handler at once") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<void>([&](auto done) {
            target->poke_write(place_of(edu::kLiveness), 0x0f0f0f0f, done);
          }).has_value());
  const auto value =
      ask<std::uint64_t>([&](auto done) { target->poke_read(place_of(edu::kLiveness), done); });
  REQUIRE(value.has_value());
  CHECK(*value == 0xf0f0f0f0);
  CHECK(target->snapshot()->state == RunState::Stopped);
}

TEST_CASE("a forced register keeps what no write could set") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<void>([&](auto done) {
            target->force(place_of(edu::kIrqStatus), 0x101, done);
          }).has_value());
  CHECK(peek(*target, edu::kIrqStatus) == 0x101);
}

TEST_CASE("a poke outside every register says where and why") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  const auto result = ask<std::uint64_t>([&](auto done) {
    target->poke_read({.function = 0, .bar = 0, .offset = 0x200000, .size = 4}, done);
  });
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("0x200000") != std::string::npos);
}

TEST_CASE("a lost interrupt makes the driver give up") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<std::uint32_t>([&](auto done) {
            target->add_fault({.expression = "irq", .action = FaultAction::Drop}, done);
          }).has_value());
  go(*target);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK(target->snapshot()->driver.find("no interrupt came") != std::string::npos);
}

TEST_CASE("a flipped bit in a read reaches the driver and not the function") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<std::uint32_t>([&](auto done) {
            target->add_fault(
                {.expression = "read LIVENESS", .action = FaultAction::FlipBits, .amount = 1},
                done);
          }).has_value());
  go(*target);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK(target->snapshot()->driver.find("LIVENESS") != std::string::npos);
  CHECK(peek(*target, edu::kLiveness) == 0xedcba987);
}

TEST_CASE("a function removed by a rule reads as all-ones") {
  TraceFile file;
  auto target = open_edu(file.path());
  REQUIRE(reaches(*target, RunState::Stopped));
  REQUIRE(ask<std::uint32_t>([&](auto done) {
            target->add_fault(
                {.expression = "write LIVENESS", .action = FaultAction::SurpriseRemove}, done);
          }).has_value());
  go(*target);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK_FALSE(target->snapshot()->functions.at(0).plugged);
  const auto page =
      ask<TracePage>([&](auto done) { target->trace_page({.filter = "read LIVENESS"}, done); });
  REQUIRE(page.has_value());
  REQUIRE(page->rows.size() == 1);
  CHECK(page->rows[0].transaction.value == 0xffffffff);
  CHECK(page->rows[0].transaction.status == Status::UR);
}

TEST_CASE("a pause holds delivery and a resume lets it go on") {
  TraceFile file;
  auto target = open_edu(file.path(), true, {{"factorial_us", "200000"}});
  REQUIRE(reaches(*target, RunState::Stopped));
  go(*target);
  REQUIRE(ask<void>([&](auto done) { target->pause(done); }).has_value());
  CHECK(target->snapshot()->state == RunState::Paused);
  // The release and the pause themselves are told in the trace.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto seq = target->snapshot()->seq;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(target->snapshot()->seq == seq);
  go(*target);
  REQUIRE(reaches(*target, RunState::Ended));
  CHECK(target->snapshot()->driver == "the driver has finished");
}

TEST_CASE("a restart runs the driver again from its first access") {
  TraceFile file;
  auto target = open_edu(file.path(), true);
  REQUIRE(reaches(*target, RunState::Stopped));
  break_at(*target, "write FACTORIAL");
  REQUIRE(ask<void>([&](auto done) { target->restart(done); }).has_value());
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.offset == edu::kId.offset;
  }));
  CHECK(target->snapshot()->breakpoints.size() == 1);
}

TEST_CASE("what is asked while a restart is under way is asked of the new run") {
  TraceFile file;
  auto target = open_edu(file.path(), false);
  REQUIRE(reaches(*target, RunState::Ended));
  for (int round = 0; round < 20; ++round) {
    std::promise<Result<void>> restarted;
    target->restart([&](Result<void> result) { restarted.set_value(std::move(result)); });
    REQUIRE(ask<void>([&](auto done) { target->pause(done); }).has_value());
    REQUIRE(restarted.get_future().get().has_value());
    REQUIRE(target->snapshot()->state == RunState::Paused);
    REQUIRE(ask<std::uint64_t>([&](auto done) {
              target->poke_read({.bar = kBarConfig, .offset = 0, .size = 4}, done);
            }).has_value());
  }
  target.reset();
  auto reader = TraceReader::open(file.path());
  REQUIRE(reader.has_value());
  const auto findings = (*reader)->findings();
  REQUIRE(findings.has_value());
  CHECK(findings->empty());
}

TEST_CASE("the trace shows every access with its register and its place in the driver") {
  TraceFile file;
  auto target = open_edu(file.path(), false);
  REQUIRE(reaches(*target, RunState::Ended));
  const auto page =
      ask<TracePage>([&](auto done) { target->trace_page({.filter = "write DMA_CMD"}, done); });
  REQUIRE(page.has_value());
  REQUIRE(page->rows.size() == 2);
  CHECK(page->rows[0].transaction.value == 5);
  const auto code =
      ask<CodeView>([&](auto done) { target->code_at(page->rows[0].transaction.seq, done); });
  REQUIRE(code.has_value());
  REQUIRE_FALSE(code->stack.empty());
  CHECK(code->stack[0].symbol.find("copy_once") != std::string::npos);
}

TEST_CASE("registers of two bytes side by side have each its own last writer") {
  TraceFile file;
  auto target = open_device("bochs", file.path(), false);
  REQUIRE(reaches(*target, RunState::Ended));
  const auto snapshot = target->snapshot();
  const auto written = [&](const Register& r) -> std::uint64_t {
    for (const auto& bank : snapshot->functions.at(0).banks)
      for (std::size_t i = 0, element = 0; bank.bar == 2 && i < std::size(bochs::kRegisters); ++i) {
        if (bochs::kRegisters[i] == &r) return bank.registers.at(element).changed_seq;
        element += bochs::kRegisters[i]->count;
      }
    return ~0ull;
  };
  INFO("the driver writes XRES, YRES, BPP, and never ID or BANK");
  CHECK(written(bochs::kId) == 0);
  CHECK(written(bochs::kBank) == 0);
  CHECK(written(bochs::kXres) + 1 == written(bochs::kYres));
  CHECK(written(bochs::kYres) + 1 == written(bochs::kBpp));
}
