// Recordings of real sessions replayed to fresh functions.
#include "core/replay/replay.hpp"

#include "catch.hpp"
#include "core/target/session.hpp"
#include "devices/edu/edu_registers.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

ReplayResult replay(const std::string& path, const DeviceOptions& changed = {}) {
  auto trace = TraceReader::open(path);
  REQUIRE(trace.has_value());
  const auto make = [&](const TraceFunction&) -> Result<std::unique_ptr<Function>> {
    return make_function(*built_in_devices()[0], changed);
  };
  auto result = replay_to_functions(**trace, make, {.list = 10});
  REQUIRE(result.has_value());
  for (const Divergence& d : result->listed)
    UNSCOPED_INFO("seq " << d.seq << " " << d.place << ": expected " << d.expected << ", got "
                         << d.got);
  return *result;
}

}  // namespace

TEST_CASE("a recorded run replays without divergence, twenty times") {
  TraceFile file;
  {
    auto target = open_edu(file.path(), false);
    REQUIRE(reaches(*target, RunState::Ended));
  }
  for (int i = 0; i < 20; ++i) {
    const ReplayResult result = replay(file.path());
    CHECK(result.divergences == 0);
    CHECK(result.stimuli > 40);
    CHECK(result.compared > 40);
  }
}

TEST_CASE("a run with stops, edits, pokes and forces replays without divergence") {
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    break_at(*target, "write FACTORIAL");
    break_at(*target, "dma_write");
    break_at(*target, "read FACTORIAL", Phase::After);
    go(*target);
    REQUIRE(eventually([&] {
      const auto s = target->snapshot();
      return s->stop && s->stop->transaction.kind == Kind::MemWrite;
    }));
    // Changed, and something made by hand while it is held: the poke reaches the function first.
    REQUIRE(ask<void>([&](auto done) { target->edit(10 ^ 0, done); }).has_value());
    REQUIRE(ask<void>([&](auto done) {
              target->poke_write({.bar = 0, .offset = edu::kLiveness.offset}, 0x55, done);
            }).has_value());
    REQUIRE(ask<void>([&](auto done) {
              target->force({.bar = 0, .offset = edu::kDmaCount.offset, .size = 8}, 77, done);
            }).has_value());
    go(*target);
    REQUIRE(eventually([&] {
      const auto s = target->snapshot();
      return s->stop && s->stop->phase == Phase::After;
    }));
    REQUIRE(ask<void>([&](auto done) { target->edit(3628800, done); }).has_value());
    go(*target);
    REQUIRE(eventually([&] {
      const auto s = target->snapshot();
      return s->stop && s->stop->transaction.kind == Kind::DmaWrite;
    }));
    REQUIRE(ask<void>([&](auto done) {
              target->poke_write({.bar = 0, .offset = edu::kLiveness.offset}, 0xaa, done);
            }).has_value());
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
    CHECK(target->snapshot()->driver == "the driver has finished");
  }
  CHECK(replay(file.path()).divergences == 0);
}

TEST_CASE("a run after a restart replays without divergence") {
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    REQUIRE(ask<void>([&](auto done) { target->restart(done); }).has_value());
    REQUIRE(eventually([&] { return target->snapshot()->stop.has_value(); }));
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
  }
  CHECK(replay(file.path()).divergences == 0);
}
