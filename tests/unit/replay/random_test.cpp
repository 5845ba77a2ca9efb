// Whatever a driver and a person do, a recording of it replays; and what was changed in it is found
// where it was changed. The random numbers are seeded: PCILENS_SEEDS=200 tries more of them,
// PCILENS_FIRST_SEED begins elsewhere, PCILENS_KEEP names a file for a recording that diverged.
#include <array>
#include <atomic>
#include <cstdlib>
#include <random>

#include "catch.hpp"
#include "core/host/sim/device.hpp"
#include "core/replay/replay.hpp"
#include "core/trace/sqlite.hpp"
#include "devices/edu/edu_registers.hpp"
#include "replay/memory_bus.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

std::atomic<std::uint32_t> driver_seed{1};

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  template <typename T, std::size_t N>
  const T& pick(const std::array<T, N>& all) {
    return all[below(N)];
  }

 private:
  std::mt19937 engine_;
};

// Uses edu in every way, sensible and not, and takes every answer for granted.
Result<void> drive_at_random(sim::Device& device) {
  constexpr std::array<std::uint64_t, 14> kPlaces = {
      0x0, 0x4, 0x8, 0x20, 0x24, 0x60, 0x64, 0x80, 0x88, 0x90, 0x98, 0x40000, 0x40ffc, 0x70};
  constexpr std::uint32_t kPage = 4096;
  Dice dice(driver_seed);
  device.enable();
  sim::Mmio regs = device.map(0);
  if (auto vectors = device.enable_interrupts(1); !vectors) return {};
  auto memory = device.alloc_dma(kPage, DmaDirection::Bidirectional, 28);
  if (!memory) return tl::unexpected(memory.error());
  for (std::uint32_t i = 0; i < kPage; ++i) memory->bytes()[i] = std::byte(dice.below(256));
  for (int i = 0; i < 150; ++i) {
    switch (dice.below(10)) {
      case 0:
      case 1: regs.read(dice.pick(kPlaces), 1u << dice.below(4), sim::Where::current()); break;
      case 2:
      case 3:
        regs.write(dice.pick(kPlaces), 1u << dice.below(4), dice.below(0x10000),
                   sim::Where::current());
        break;
      case 4: regs.write32(edu::kFactorial.offset, dice.below(20)); break;
      case 5:
      case 6: {
        const bool to_host = dice.below(2) != 0;
        const std::uint64_t there = memory->iova() + dice.below(64);
        const std::uint64_t here = edu::kBuffer.offset + dice.below(64);
        regs.write(edu::kDmaSource, to_host ? here : there);
        regs.write(edu::kDmaDestination, to_host ? there : here);
        regs.write(edu::kDmaCount, 1 + dice.below(dice.below(4) == 0 ? 5000 : 300));
        regs.write(edu::kDmaCommand, 1 | (to_host ? 2 : 0) | (dice.below(2) << 2));
        break;
      }
      case 7: static_cast<void>(device.wait_interrupt(0, std::chrono::milliseconds(2))); break;
      case 8: device.config_read(static_cast<std::uint16_t>(dice.below(64) * 4), 4); break;
      default: device.sleep(std::chrono::microseconds(dice.below(300))); break;
    }
    if (dice.below(40) == 0) device.config_write(cfg::kCommand, 2, dice.below(8));
    if (dice.below(20) == 0) device.enable();
  }
  return {};
}

Result<std::unique_ptr<Function>> create_edu(const DeviceOptions& options) {
  return make_function(built_in("edu"), options);
}

const Device kRandom{.name = "random",
                     .summary = "edu with a driver that does anything",
                     .create = &create_edu,
                     .drive = &drive_at_random};
const detail::BuiltIn kRegistration{kRandom};

constexpr std::array<const char*, 18> kFaults = {"read LIVENESS => all-ones",
                                                 "read => flip 0x10",
                                                 "write => replace 0x0/0xf",
                                                 "read STATUS => ur",
                                                 "read FACTORIAL => ca",
                                                 "write DMA_COUNT => drop",
                                                 "irq => drop",
                                                 "irq => repeat 2",
                                                 "dma_write => cut 7",
                                                 "dma_read => cut 7",
                                                 "dma => corrupt 0x0f",
                                                 "dma_read => flip 0x3",
                                                 "access => delay 700us",
                                                 "irq => delay 400us",
                                                 "dma => delay 900us",
                                                 "read ID == 0x10000ed => flip 0x1",
                                                 "dma_write => flip 0xff",
                                                 "dma_read => drop"};
constexpr std::array<const char*, 10> kBreaks = {"write LIVENESS", "read STATUS",  "timer", "irq",
                                                 "dma_read",       "dma_write",    "state", "write",
                                                 "read",           "write DMA_CMD"};
constexpr std::array<std::uint64_t, 6> kForced = {0x4, 0x8, 0x20, 0x24, 0x90, 0x40010};

// One thing that a person may do, at whatever moment it is.
void meddle(Target& target, Dice& dice, bool removals) {
  const Place place{.function = 0, .bar = 0, .offset = dice.pick(kForced), .size = 4};
  const auto fault = [&](const std::string& rule) {
    const auto arrow = rule.find(" => ");
    auto made = parse_fault_action(
        rule.substr(arrow + 4),
        {.expression = rule.substr(0, arrow), .skip = dice.below(4), .times = 1 + dice.below(3)});
    REQUIRE(made.has_value());
    REQUIRE(ask<std::uint32_t>([&](auto done) { target.add_fault(*made, done); }).has_value());
  };
  switch (dice.below(removals ? 9 : 7)) {
    case 0:
    case 1: fault(dice.pick(kFaults)); break;
    case 2:
      static_cast<void>(ask<std::uint32_t>([&](auto done) {
        target.add_breakpoint({.expression = dice.pick(kBreaks),
                               .phase = dice.below(2) ? Phase::After : Phase::Before,
                               .ignore = dice.below(3),
                               .once = true},
                              done);
      }));
      break;
    // Not waited for: while the link runs, a breakpoint may hold them too.
    case 3: target.poke_write(place, dice.below(256), [](Result<void>) {}); break;
    case 4: target.poke_read(place, [](Result<std::uint64_t>) {}); break;
    case 5:
      static_cast<void>(ask<void>([&](auto done) { target.force(place, dice.below(256), done); }));
      break;
    case 6:
      if (dice.below(4) == 0)
        static_cast<void>(
            ask<void>([&](auto done) { target.reset_function(0, ResetKind::Flr, done); }));
      break;
    case 7: fault(dice.pick(kBreaks)[0] == 'w' ? "write => replug" : "access => replug"); break;
    default: fault(dice.below(3) == 0 ? "dma => remove" : "dma => replug"); break;
  }
}

void record(const std::string& path, std::uint32_t seed) {
  INFO("recording seed " << seed);
  constexpr int kMeddling = 3000;  // turns
  Dice dice(seed);
  driver_seed = seed * 7919 + 1;
  SessionOptions session;
  session.devices = {{"random", {}}};
  session.trace = path;
  auto target = open_session(session);
  REQUIRE(target.has_value());
  const bool removals = seed % 3 == 0;
  // A deadline that only a link that never goes on reaches, however little CPU there is.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (int turn = 0; std::chrono::steady_clock::now() < deadline; ++turn) {
    const auto now = (*target)->snapshot();
    if (now->state == RunState::Ended) break;
    if (now->stop) {
      if (turn < kMeddling && dice.below(2) != 0) meddle(**target, dice, removals);
      if (dice.below(2) != 0)
        static_cast<void>(ask<void>([&](auto done) { (*target)->edit(dice.below(256), done); }));
      static_cast<void>(ask<void>([&](auto done) { (*target)->resume(done); }));
    } else if (turn < kMeddling && dice.below(3) == 0) {
      meddle(**target, dice, removals);
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  REQUIRE(reaches(**target, RunState::Ended));
}

ReplayResult replay_to_edu(const std::string& path, Seen* bus = nullptr) {
  auto trace = TraceReader::open(path);
  REQUIRE(trace.has_value());
  ReplayOptions options{.list = 5};
  if (bus != nullptr)
    options.bus = [=](const Link&) -> Result<std::unique_ptr<AccessBus>> {
      return std::make_unique<MemoryBus>(*bus);
    };
  auto result =
      replay_to_functions(**trace, [](const TraceFunction&) { return create_edu({}); }, options);
  REQUIRE(result.has_value());
  return *result;
}

std::uint32_t seeds() {
  const char* asked = std::getenv("PCILENS_SEEDS");
  return asked == nullptr ? 9 : static_cast<std::uint32_t>(std::atoi(asked));
}

}  // namespace

TEST_CASE("whatever a driver and a person did at random replays without divergence") {
  const char* const first = std::getenv("PCILENS_FIRST_SEED");
  const std::uint32_t begin = first == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(first));
  std::uint64_t compared = 0, made = 0;
  for (std::uint32_t seed = begin; seed < begin + seeds(); ++seed) {
    TraceFile file;
    record(file.path(), seed);
    ReplayResult result = replay_to_edu(file.path());
    Seen seen;
    const char* how = "at the link";
    if (result.divergences == 0) {
      how = "over a bus";
      result = replay_to_edu(file.path(), &seen);
    }
    INFO("seed " << seed << ", " << how);
    for (const Divergence& d : result.listed) {
      UNSCOPED_INFO("seq " << d.seq << " " << d.place << ": expected " << d.expected << ", got "
                           << d.got);
      for (const std::string& line : d.before) UNSCOPED_INFO("   " << line);
    }
    if (result.divergences != 0 && std::getenv("PCILENS_KEEP") != nullptr)
      std::filesystem::copy_file(file.path(), std::getenv("PCILENS_KEEP"),
                                 std::filesystem::copy_options::overwrite_existing);
    REQUIRE(result.divergences == 0);
    CHECK(result.on_bus == seen.made.size());
    compared += result.compared;
    made += result.on_bus;
  }
  // Some end early, where a rule took the function away.
  CHECK(compared > 100ull * seeds());
  CHECK(made > 20ull * seeds());
}

TEST_CASE("a single value changed in a recording is found at its own number") {
  TraceFile file;
  record(file.path(), 4);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;  // seq, bits of the value
  {
    auto db = Database::open(file.path(), SQLITE_OPEN_READONLY);
    REQUIRE(db.has_value());
    // What the function alone decides: answers, changes of its state, interrupts, DMA writes.
    auto row = db->prepare(
        "SELECT seq, CASE WHEN kind = 6 THEN 1 ELSE min(size, 8) * 8 END FROM event e "
        "WHERE status = 0 AND answered_by = 0 AND kind IN (0, 2, 5, 6, 12) "
        "AND seq NOT IN (SELECT seq FROM edit) ORDER BY (seq * 7919) % 10007 LIMIT 100");
    REQUIRE(row.has_value());
    while (row->step() == SQLITE_ROW) places.emplace_back(row->number(0), row->number(1));
  }
  REQUIRE(places.size() >= 60);
  Dice dice(1);
  for (const auto& [seq, bits] : places) {
    const std::uint64_t flip = 1ull << dice.below(static_cast<std::uint32_t>(bits));
    const auto change = [&, seq = seq] {
      auto db = Database::open(file.path(), SQLITE_OPEN_READWRITE);
      REQUIRE(db.has_value());
      auto update =
          db->prepare("UPDATE event SET value = (value | ?1) - (value & ?1) WHERE seq = ?2");
      REQUIRE(update.has_value());
      update->bind(1, flip);
      update->bind(2, seq);
      REQUIRE(update->run() == SQLITE_OK);
    };
    change();
    const ReplayResult result = replay_to_edu(file.path());
    INFO("value of " << seq << " changed by " << flip);
    REQUIRE(result.divergences >= 1);
    CHECK(result.listed.front().seq == seq);
    change();
  }
  CHECK(replay_to_edu(file.path()).divergences == 0);
}
