// A replay by way of a bus: a bus in memory that carries faithfully, or does not.
#include "catch.hpp"
#include "core/replay/replay.hpp"
#include "core/target/session.hpp"
#include "replay/memory_bus.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

Result<ReplayResult> through(const std::string& path, Seen& seen) {
  auto trace = TraceReader::open(path);
  REQUIRE(trace.has_value());
  const auto make = [](const TraceFunction&) -> Result<std::unique_ptr<Function>> {
    return make_function(built_in("edu"), {});
  };
  ReplayOptions options{.list = 10};
  options.bus = [&seen](const Link&) -> Result<std::unique_ptr<AccessBus>> {
    return std::make_unique<MemoryBus>(seen);
  };
  return replay_to_functions(**trace, make, options);
}

std::uint64_t because_of_the_bus(const ReplayResult& result) {
  return result.by_reason[static_cast<std::size_t>(Reason::Bus)];
}

void record(const TraceFile& file) {
  auto target = open_edu(file.path(), false);
  REQUIRE(reaches(*target, RunState::Ended));
}

}  // namespace

TEST_CASE("a recorded run replays over a bus that carries faithfully") {
  TraceFile file;
  record(file);
  Seen seen;
  const auto result = through(file.path(), seen);
  REQUIRE(result.has_value());
  CHECK(result->divergences == 0);
  CHECK(result->on_bus == seen.made.size());
  CHECK(seen.made.size() > 20);
  CHECK(seen.completed.size() == seen.made.size());
  CHECK((seen.command & cfg::kCommandMemory) != 0);
  CHECK(seen.memory.size() >= 1);  // what edu's DMA read and wrote
}

TEST_CASE("over a bus go the driver's accesses, in their order, and no enumeration") {
  TraceFile file;
  record(file);
  Seen seen;
  const auto result = through(file.path(), seen);
  REQUIRE(result.has_value());
  REQUIRE_FALSE(seen.made.empty());
  CHECK(is_memory(seen.made.front().kind));
  CHECK(std::is_sorted(seen.made.begin(), seen.made.end(),
                       [](const auto& a, const auto& b) { return a.seq < b.seq; }));
  for (const Transaction& t : seen.made) {
    CHECK(t.origin == Origin::Driver);
    const bool address = is_config(t.kind) && t.offset >= cfg::kBar0 && t.offset < cfg::kBar0 + 24;
    CHECK_FALSE(address);
  }
  CHECK(result->at_link > 0);
}

TEST_CASE("a function that was taken away, or replaced, is so over a bus too") {
  const auto action = GENERATE("remove", "replug");
  TraceFile file;
  {
    auto target = open_edu(file.path());
    REQUIRE(reaches(*target, RunState::Stopped));
    auto rule = parse_fault_action(action, {.expression = "write FACTORIAL"});
    REQUIRE(rule.has_value());
    REQUIRE(ask<std::uint32_t>([&](auto done) { target->add_fault(*rule, done); }).has_value());
    go(*target);
    REQUIRE(reaches(*target, RunState::Ended));
  }
  Seen seen;
  const auto result = through(file.path(), seen);
  REQUIRE(result.has_value());
  CHECK(result->divergences == 0);
  CHECK_FALSE(seen.made.empty());
}

TEST_CASE("a write that the bus changes is its divergence, and the function gets what came") {
  TraceFile file;
  record(file);
  Seen seen;
  seen.flip_write = 1;
  const auto result = through(file.path(), seen);
  REQUIRE(result.has_value());
  CHECK(because_of_the_bus(*result) >= 1);
  CHECK(result->listed.front().reason == Reason::Bus);
  CHECK(result->listed.front().place == "FACTORIAL");
  CHECK(result->divergences > because_of_the_bus(*result));  // another factorial
}

TEST_CASE("a read's answer that the bus changes is its divergence and no other") {
  TraceFile file;
  record(file);
  Seen seen;
  seen.flip_read = 0x100;
  const auto result = through(file.path(), seen);
  REQUIRE(result.has_value());
  CHECK(result->divergences >= 1);
  CHECK(result->divergences == because_of_the_bus(*result));
}

TEST_CASE("an access that does not come out of the bus ends the replay with an error") {
  TraceFile file;
  record(file);
  Seen seen;
  seen.lose_everything = true;
  const auto result = through(file.path(), seen);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message == "it did not come out of the bus");
}

TEST_CASE("a bus without room for recorded memory ends the replay with an error") {
  TraceFile file;
  record(file);
  Seen seen;
  seen.no_memory = true;
  const auto result = through(file.path(), seen);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("no room") != std::string::npos);
}
