// A replay by way of a bus: a bus in memory that carries faithfully, or does not.
#include <map>

#include "catch.hpp"
#include "core/replay/replay.hpp"
#include "core/target/session.hpp"
#include "devices/edu/edu_registers.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

// What a test looks at, and what is wrong with the bus.
struct Seen {
  std::uint64_t flip_write = 0, flip_read = 0;  // bits, of FACTORIAL
  bool lose_everything = false;
  bool no_memory = false;
  std::vector<Transaction> made;
  std::vector<std::uint64_t> completed;  // tokens
  std::uint16_t command = 0;
  std::map<std::uint64_t, std::vector<std::byte>> memory;  // by IOVA, as placed
};

class MemoryBus final : public AccessBus {
 public:
  explicit MemoryBus(Seen& seen) : seen_(seen) {}

  Result<Arrived> make(const Transaction& access) override {
    if (seen_.lose_everything) return fail("it did not come out of the bus");
    seen_.made.push_back(access);
    Arrived arrived{.t = access, .token = seen_.made.size()};
    if (is_factorial(access) && !is_read(access.kind)) arrived.t.value ^= seen_.flip_write;
    if (is_read(access.kind)) arrived.t.value = 0;
    return arrived;
  }
  Result<std::uint64_t> complete(const Arrived& arrived, std::uint64_t value,
                                 Status status) override {
    seen_.completed.push_back(arrived.token);
    if (!is_read(arrived.t.kind)) return 0;
    if (status != Status::SC) return mask_of_size(arrived.t.size);
    return is_factorial(arrived.t) ? value ^ seen_.flip_read : value;
  }
  Result<void> set_up(std::uint8_t, std::span<const std::byte> config) override {
    seen_.command = std::to_integer<std::uint16_t>(config[cfg::kCommand]);
    return {};
  }
  bool place(std::uint8_t, std::uint64_t iova, std::span<const std::byte> bytes) override {
    if (seen_.no_memory) return false;
    seen_.memory[iova].assign(bytes.begin(), bytes.end());
    return true;
  }
  bool look(std::uint8_t, std::uint64_t iova, std::span<std::byte> bytes) const override {
    const auto found = seen_.memory.find(iova);
    if (found == seen_.memory.end() || found->second.size() < bytes.size()) return false;
    std::copy_n(found->second.begin(), bytes.size(), bytes.begin());
    return true;
  }

 private:
  static bool is_factorial(const Transaction& t) {
    return is_memory(t.kind) && t.bar == 0 && t.offset == edu::kFactorial.offset;
  }
  Seen& seen_;
};

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
