// Recordings of real sessions replayed to fresh functions.
#include "core/replay/replay.hpp"

#include <atomic>

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
    return make_function(built_in("edu"), changed);
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

// More than a replay reads ahead: what was held is found again all the same.
TEST_CASE("a stop in which much was made by hand replays without divergence") {
  constexpr int kMany = 40'000;
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    break_at(*target, "dma_write");
    go(*target);
    REQUIRE(eventually([&] {
      const auto s = target->snapshot();
      return s->stop && s->stop->transaction.kind == Kind::DmaWrite;
    }));
    std::atomic<int> left{kMany};
    for (int i = 0; i < kMany; ++i)
      target->poke_read({.bar = 0, .offset = edu::kId.offset},
                        [&](const Result<std::uint64_t>&) { --left; });
    REQUIRE(eventually([&] { return left == 0; }));
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
  }
  const ReplayResult result = replay(file.path());
  CHECK(result.divergences == 0);
  CHECK(result.stimuli > kMany);
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

TEST_CASE("bytes forced into a memory region are read there, and replay") {
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    const Place middle{.bar = 0, .offset = edu::kBuffer.offset + 0x14, .size = 4};
    REQUIRE(ask<void>([&](auto done) { target->force(middle, 0x11223344, done); }).has_value());
    // One byte of it and its neighbour, across the boundary of two dwords.
    const Place across{.bar = 0, .offset = edu::kBuffer.offset + 0x17, .size = 2};
    REQUIRE(ask<void>([&](auto done) { target->force(across, 0xaabb, done); }).has_value());
    const auto reads = [&](std::uint64_t offset, std::uint32_t size) {
      const auto value = ask<std::uint64_t>([&](auto done) {
        target->poke_read({.bar = 0, .offset = edu::kBuffer.offset + offset, .size = size}, done);
      });
      REQUIRE(value.has_value());
      return *value;
    };
    CHECK(reads(0x10, 8) == 0xbb22334400000000);
    CHECK(reads(0x18, 1) == 0xaa);
    CHECK(reads(0x19, 1) == 0);
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
  }
  CHECK(replay(file.path()).divergences == 0);
}

TEST_CASE("a DMA write that is held carries the bytes it was sent with, and replays") {
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    break_at(*target, "dma_write");
    go(*target);
    REQUIRE(eventually([&] {
      const auto s = target->snapshot();
      return s->stop && s->stop->transaction.kind == Kind::DmaWrite;
    }));
    const Place source{.bar = 0, .offset = edu::kBuffer.offset, .size = 4};
    REQUIRE(ask<void>([&](auto done) { target->force(source, 0xdeadbeef, done); }).has_value());
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
    // Its driver compares what came back with what it sent.
    CHECK(target->snapshot()->driver.find("differs") == std::string::npos);
  }
  CHECK(replay(file.path()).divergences == 0);
}

TEST_CASE("a recording that ends in a stop replays up to it, and what was done in the stop") {
  for (const auto& [expression, phase] :
       {std::pair("write FACTORIAL", Phase::Before), std::pair("write FACTORIAL", Phase::After),
        std::pair("write DMA_CMD", Phase::Before), std::pair("dma_read", Phase::Before),
        std::pair("dma_read", Phase::After), std::pair("dma_write", Phase::Before),
        std::pair("irq", Phase::Before), std::pair("irq", Phase::After),
        std::pair("timer", Phase::Before), std::pair("read FACTORIAL", Phase::After)}) {
    INFO(expression << (phase == Phase::Before ? "" : " after"));
    TraceFile file;
    {
      auto target = open_edu(file.path());
      REQUIRE(reaches(*target, RunState::Stopped));
      break_at(*target, expression, phase);
      go(*target);
      REQUIRE(eventually([&] {
        const auto s = target->snapshot();
        return s->stop && !s->stop->breakpoints.empty();
      }));
      REQUIRE(ask<void>([&](auto done) {
                target->poke_write({.bar = 0, .offset = edu::kLiveness.offset}, 0x55, done);
              }).has_value());
      // All is in the file once it answers.
      REQUIRE(ask<TracePage>([&](auto done) { target->trace_page({}, done); }).has_value());
      const ReplayResult result = replay(file.path());
      CHECK(result.divergences == 0);
      CHECK(result.compared > 5);
    }
    CHECK(replay(file.path()).divergences == 0);
  }
}
