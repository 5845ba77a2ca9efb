// Stops and delays in awkward places: what else happens meanwhile must find the link whole.
#include <algorithm>

#include "link/link_fixture.hpp"

using namespace road;

TEST_CASE("a reset during a stop at a timer ends the task that waited for it") {
  Road road;
  road.break_at("timer");
  road.write(kCommand, kTimer);
  REQUIRE(road.stopped());
  road.command([](Link& l) {
    l.reset_function({.value = static_cast<std::uint64_t>(ResetKind::Flr), .origin = Origin::Poke});
  });
  road.resume();
  road.set_up();
  road.write(kPlain, 7);
  CHECK(road.read(kPlain) == 7);
  CHECK(road.read(kCount) == 0);
  CHECK(road.host.interrupts == 0);
}

TEST_CASE("a breakpoint, and each step that may, stops at a timer or an input") {
  const auto stops_at = [](Road& road, Command command, Kind kind) {
    std::thread driver([&] { road.write(kCommand, command); });
    const bool stopped = road.stopped();
    if (stopped) CHECK(road.command([](Link& l) { return l.stop()->transaction.kind; }) == kind);
    road.resume();
    driver.join();
    return stopped;
  };
  for (const auto& [command, kind, name] :
       {std::tuple(kTimer, Kind::Timer, "timer 1"), std::tuple(kInput, Kind::Input, "input 1")}) {
    Road road;
    road.break_at(name);
    CHECK(stops_at(road, command, kind));
  }
  for (const auto& [command, kind, name] :
       {std::tuple(kTimer, Kind::Timer, "timer"), std::tuple(kInput, Kind::Input, "input")}) {
    Road road;
    road.command([&, text = name](Link& l) {
      return l.step({.until = Step::Until::Expression, .expression = text});
    });
    CHECK(stops_at(road, command, kind));
  }
  for (const auto& [command, kind] :
       {std::pair(kTimer, Kind::Timer), std::pair(kInput, Kind::Input)}) {
    Road road;
    road.break_at("write COMMAND");
    std::thread driver([&, command = command] { road.write(kCommand, command); });
    REQUIRE(road.stopped());
    road.command([](Link& l) { return l.step({.until = Step::Until::Any}); });
    CHECK(Road::soon([&, kind = kind] {
      return road.command([&](Link& l) { return l.stop() && l.stop()->transaction.kind == kind; });
    }));
    road.resume();
    driver.join();
  }
}

TEST_CASE("a reset during a stop at an input ends the task that waited for it") {
  Road road;
  road.break_at("input");
  std::thread driver([&] { road.write(kCommand, kInput); });
  REQUIRE(road.stopped());
  road.command([](Link& l) {
    l.reset_function({.value = static_cast<std::uint64_t>(ResetKind::Flr), .origin = Origin::Poke});
  });
  road.resume();
  driver.join();
  road.set_up();
  CHECK(road.read(kCount) == 0);
}

TEST_CASE("a breakpoint or a step for what is never held is refused") {
  Road road;
  const auto refused = [&](const std::string& text) {
    const auto number =
        road.command([&](Link& l) { return l.add_breakpoint({.expression = text}); });
    const auto step = road.command(
        [&](Link& l) { return l.step({.until = Step::Until::Expression, .expression = text}); });
    CHECK(number.has_value() == step.has_value());
    return number ? "" : number.error().message;
  };
  CHECK(refused("reset flr") ==
        "`reset flr` matches only resets, forces or control events, and none of these is ever "
        "held; `transactions reset flr` lists them");
  CHECK_FALSE(refused("force PLAIN or control").empty());
  CHECK(refused("reset or write PLAIN").empty());
  CHECK(road.command([](Link& l) { return l.breakpoints().list().size(); }) == 1);
}

TEST_CASE("a function replaced during a stop at a timer starts anew") {
  Road road;
  road.break_at("timer");
  road.write(kCommand, kTimer);
  REQUIRE(road.stopped());
  road.command([](Link& l) { static_cast<void>(l.replug(0, std::make_unique<Busy>())); });
  road.resume();
  road.set_up();
  CHECK(road.read(kCount) == 0);
  CHECK(road.host.interrupts == 0);
}

TEST_CASE("a breakpoint on 0->1 stops again once a fresh function stands there") {
  Road road;
  road.write(kPlain, 1);
  road.command([](Link& l) { static_cast<void>(l.replug(0, std::make_unique<Busy>())); });
  road.set_up();
  road.break_at("PLAIN 0->1");
  std::thread driver([&] { road.write(kPlain, 1); });
  CHECK(road.stopped());
  road.resume();
  driver.join();
}

TEST_CASE("a breakpoint on 0->1 stops again after the driver's function level reset") {
  Road road;
  road.write(kPlain, 1);
  constexpr std::uint8_t kPciExpress = 0x10;
  const auto control = *road.link.function(0)->config().find_capability(kPciExpress) + 8;
  road.config(static_cast<std::uint16_t>(control), 1 << 15);
  road.set_up();
  road.break_at("PLAIN 0->1");
  std::thread driver([&] { road.write(kPlain, 1); });
  CHECK(road.stopped());
  road.resume();
  driver.join();
}

TEST_CASE("a function unplugged during a stop at its DMA leaves the link whole") {
  for (const Phase phase : {Phase::Before, Phase::After}) {
    for (const Command what : {kDmaRead, kDmaWrite}) {
      Road road;
      road.break_at("dma", phase);
      std::thread driver([&] { road.write(kCommand, what); });
      REQUIRE(road.stopped());
      road.command([](Link& l) { l.unplug(0, "test"); });
      road.resume();
      driver.join();
      CHECK(road.read(kPlain) == 0xffffffff);
      CHECK(road.host.interrupts == 0);
    }
  }
}

TEST_CASE("a timer that runs out during a delayed DMA does not disturb it") {
  Road road;
  REQUIRE(road.fault("dma_read", "delay 60ms"));
  road.write(kCommand, kTimer);  // runs out after 1 ms
  road.write(kCommand, kDmaRead);
  CHECK(road.read(kCount) == 2);
  CHECK(road.host.interrupts == 2);
}

TEST_CASE("a poke during a delayed DMA does not disturb it") {
  Road road;
  REQUIRE(road.fault("dma_read", "delay 100ms"));
  std::thread driver([&] { road.write(kCommand, kDmaRead); });
  std::this_thread::sleep_for(10ms);
  road.command([](Link& l) {
    l.poke({.offset = kCommand.offset,
            .value = kDmaWrite,
            .size = 4,
            .kind = Kind::MemWrite,
            .bar = 0},
           [](Result<std::uint64_t>) {});
  });
  driver.join();
  CHECK(road.read(kCount) == 2);
  CHECK(road.host.interrupts == 2);
}

TEST_CASE("commands go on while the link's own thread waits in a delay") {
  Road road;
  REQUIRE(road.fault("irq", "delay 3s"));
  road.write(kCommand, kTimer);
  std::this_thread::sleep_for(30ms);
  const auto from = std::chrono::steady_clock::now();
  CHECK(road.command([](Link& l) { return l.faults().list().size(); }) == 1);
  CHECK(std::chrono::steady_clock::now() - from < 2s);
}

TEST_CASE("a delayed transaction is not delivered while the link is paused") {
  Road road;
  REQUIRE(road.fault("write PLAIN", "delay 30ms"));
  std::thread driver([&] { road.write(kPlain, 3); });
  std::this_thread::sleep_for(10ms);
  road.command([](Link& l) { l.pause(); });
  std::this_thread::sleep_for(60ms);
  CHECK(road.command([](Link& l) { return l.function(0)->peek(0, kPlain.offset, 4); }) == 0);
  road.resume();
  driver.join();
  CHECK(road.read(kPlain) == 3);
}

TEST_CASE("of pause and run, given while a stop is on its way out, the last one counts") {
  Road road;
  road.break_at("write PLAIN");
  std::thread writer([&] { road.write(kPlain, 9); });
  REQUIRE(road.stopped());
  road.command([](Link& l) {
    REQUIRE(l.resume());
    l.pause();
    REQUIRE(l.resume());
  });
  writer.join();
  CHECK_FALSE(road.command([](Link& l) { return l.paused(); }));
}

TEST_CASE("an answer that comes while another transaction is held waits with it") {
  Road road({}, 20ms);
  road.break_at("write PLAIN");
  road.break_at("read LATE", Phase::After);
  std::uint64_t late = 0;
  std::thread reader([&] { late = road.read(kLate); });
  REQUIRE(Road::soon([&] { return road.command([](Link& l) { return l.last_seq(); }) >= 6; }));
  std::thread writer([&] { road.write(kPlain, 9); });
  REQUIRE(road.stopped());
  std::this_thread::sleep_for(40ms);
  const auto held = [&] { return road.command([](Link& l) { return l.stop(); }); };
  REQUIRE(held().has_value());
  const Kind first = held()->transaction.kind;
  road.resume();
  REQUIRE(Road::soon([&] {
    const auto now = held();
    return now && now->transaction.kind != first;
  }));
  road.resume();
  reader.join();
  writer.join();
  CHECK(late == 0x1a7e);
  CHECK(road.read(kPlain) == 9);
}

TEST_CASE("a read that waits for its answer when the function is unplugged gets all-ones") {
  Road road({}, 10s);
  std::uint64_t late = 0;
  std::thread reader([&] { late = road.read(kLate); });
  std::this_thread::sleep_for(10ms);
  road.command([](Link& l) { l.unplug(0, "test"); });
  reader.join();
  CHECK(late == 0xffffffff);
}

TEST_CASE("a poke that waits for its answer is told when the link closes") {
  std::promise<Result<std::uint64_t>> told;
  Road road({}, 10s);
  road.command([&](Link& l) {
    l.poke({.offset = kLate.offset, .size = 4, .kind = Kind::MemRead, .bar = 0},
           [&](Result<std::uint64_t> r) { told.set_value(std::move(r)); });
  });
  road.link.close();
  CHECK_FALSE(told.get_future().get().has_value());
}

TEST_CASE("a command asked for by a command of a closed link is answered") {
  Road road;
  road.link.close();
  int ran = 0;
  road.link.post([&] {
    ++ran;
    road.link.post([&] { ++ran; });
  });
  CHECK(ran == 2);
}

TEST_CASE("a link that closes while it holds lets every requester go") {
  // Who is held where: a driver in its request, the link's thread at a timer or its interrupt.
  for (const char* where : {"write COMMAND", "timer", "irq", "dma", "state"}) {
    for (const Phase phase : {Phase::Before, Phase::After}) {
      for (const Command what : {kTimer, kDmaRead, kDmaWrite, kInterrupt}) {
        Road road({}, 100us);
        road.break_at(where, phase);
        std::thread driver([&] {
          road.write(kCommand, what);
          for (int i = 0; i < 50; ++i) {
            road.write(kCommand, kInterrupt);
            road.link.request(
                {.offset = kIova, .size = 4096, .kind = Kind::DmaUnmap, .bar = kBarDma});
          }
        });
        std::this_thread::sleep_for(1ms);
        road.link.close();
        driver.join();
        CHECK(road.link.closed());
      }
    }
  }
}

TEST_CASE("a breakpoint or rule where the host lets a driver by unseen is refused") {
  Road road;
  const auto breakpoint = [&](const std::string& text) {
    return road.command([&](Link& l) { return l.add_breakpoint({.expression = text}); });
  };
  CHECK(breakpoint("write BAR0+0x1010").has_value());
  std::array<std::byte, 0x4000> memory{};
  road.host.unseen = memory;
  const auto refused = breakpoint("write BAR0+0x1010");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message ==
        "MEMORY is direct memory: the driver's accesses to it are not seen, so none can match");
  CHECK_FALSE(road.fault("read BAR0+0x1010", "all-ones").has_value());
  CHECK(breakpoint("write PLAIN").has_value());
  CHECK(breakpoint("write BAR0+0x1010 or write PLAIN").has_value());
  CHECK(breakpoint("write").has_value());
  CHECK(road.command([](Link& l) { return l.breakpoints().list().size(); }) == 4);
}

TEST_CASE("a breakpoint for one stop is gone after it") {
  Road road;
  const auto number = road.command(
      [](Link& l) { return l.add_breakpoint({.expression = "write PLAIN", .once = true}); });
  REQUIRE(number.has_value());
  std::thread driver([&] { road.write(kPlain, 1); });
  REQUIRE(road.stopped());
  CHECK(road.command([](Link& l) { return l.stop()->reason; }) == "breakpoint 1: write PLAIN");
  CHECK(road.command([](Link& l) { return l.breakpoints().list().size(); }) == 0);
  road.resume();
  driver.join();
  road.write(kPlain, 2);
  CHECK(road.read(kPlain) == 2);
}

TEST_CASE("a poke during a stop neither hits nor uses up a breakpoint") {
  Road road;
  road.break_at("write COMMAND");
  const auto once = road.command(
      [](Link& l) { return l.add_breakpoint({.expression = "write PLAIN", .once = true}); });
  REQUIRE(once.has_value());
  std::thread driver([&] { road.write(kCommand, kInterrupt); });
  REQUIRE(road.stopped());
  road.command([](Link& l) {
    l.poke({.offset = kPlain.offset, .value = 1, .size = 4, .kind = Kind::MemWrite, .bar = 0},
           [](Result<std::uint64_t>) {});
  });
  const auto* state = road.command([&](Link& l) { return l.breakpoints().find(*once); });
  REQUIRE(state != nullptr);
  CHECK(state->hits == 0);
  road.resume();
  driver.join();
}

TEST_CASE("the bytes of a DMA read that was held are recorded") {
  Road road;
  road.host.bytes.fill(std::byte{0x42});
  road.break_at("dma_read");
  std::thread driver([&] { road.write(kCommand, kDmaRead); });
  REQUIRE(road.stopped());
  road.resume();
  driver.join();
  bool found = false;
  for (const Tape::Entry& e : road.tape.entries)
    if (e.t.kind == Kind::DmaRead && !e.completion) {
      found = true;
      CHECK(e.payload == std::vector<std::byte>(64, std::byte{0x42}));
    }
  CHECK(found);
}

TEST_CASE("a poke that a rule delays during a stop ends before the stop does") {
  Road road;
  road.break_at("write PLAIN == 5");
  REQUIRE(road.fault("read LATE", "delay 20ms"));
  std::thread driver([&] { road.write(kPlain, 5); });
  REQUIRE(road.stopped());
  std::atomic<bool> poked = false;
  // Not waited for: it parks the link's thread, and with it every command but the next ones.
  road.link.post([&] {
    road.link.poke({.offset = kCount.offset, .size = 4, .kind = Kind::MemRead, .bar = 0},
                   [&](Result<std::uint64_t>) { poked = true; });
  });
  road.link.post([&] {
    road.link.poke({.offset = kLate.offset, .size = 4, .kind = Kind::MemRead, .bar = 0},
                   [](Result<std::uint64_t>) {});
  });
  REQUIRE(Road::soon([&] { return poked.load(); }));
  road.resume();
  driver.join();
  CHECK(road.read(kPlain) == 5);
}

TEST_CASE("a DMA read that failed has no bytes to edit") {
  Road road;
  road.break_at("dma_read", Phase::After);
  road.config(cfg::kCommand, cfg::kCommandMemory);
  std::thread driver([&] { road.write(kCommand, kDmaRead); });
  REQUIRE(road.stopped());
  const auto edited = road.command([](Link& l) { return l.edit(1); });
  CHECK_FALSE(edited.has_value());
  road.resume();
  driver.join();
}

TEST_CASE("an edit leaves it to the trace to tell that a rule answered") {
  Road road;
  REQUIRE(road.fault("read PLAIN", "all-ones"));
  road.break_at("read PLAIN", Phase::After);
  std::uint64_t got = 0;
  std::thread driver([&] { got = road.read(kPlain); });
  REQUIRE(road.stopped());
  REQUIRE(road.command([](Link& l) { return l.edit(7); }).has_value());
  road.resume();
  driver.join();
  CHECK(got == 7);
  CHECK(road.tape.entries.back().t.answered_by == AnsweredBy::Rule);
}

TEST_CASE("an edited DMA write carries the edit and the rest of its bytes") {
  Road road;
  road.break_at("dma_write");
  std::thread driver([&] { road.write(kCommand, kDmaWrite); });
  REQUIRE(road.stopped());
  REQUIRE(road.command([](Link& l) { return l.edit(0x1122334455667788); }).has_value());
  road.resume();
  driver.join();
  CHECK(road.host.bytes[0] == std::byte{0x88});
  CHECK(road.host.bytes[7] == std::byte{0x11});
  CHECK(road.host.bytes[8] == std::byte{0x5a});
}

TEST_CASE(
    "what a released transaction causes follows its release, also where the link stays paused") {
  Road road;
  road.break_at("write COMMAND");
  // It cannot wait: it passes the stop, and the link is paused from there on.
  const Transaction t{
      .offset = kCommand.offset, .value = kInterrupt, .size = 4, .kind = Kind::MemWrite, .bar = 0};
  const auto done = road.link.request_now(t, {.latest = std::chrono::steady_clock::now() + 5ms});
  REQUIRE(done);
  CHECK(done->answered_by == AnsweredBy::PassedStop);
  CHECK(road.command([](Link& l) { return l.paused(); }));
  const auto is_release = [](const Tape::Entry& e) {
    return e.t.kind == Kind::Control && e.t.offset == static_cast<std::uint64_t>(Control::Release);
  };
  const auto release = std::ranges::find_if(road.tape.entries, is_release);
  REQUIRE(release != road.tape.entries.end());
  const auto next = std::next(release);
  REQUIRE(next != road.tape.entries.end());
  CHECK(next->t.seq == release->t.seq + 1);
  CHECK(next->t.kind == Kind::State);
}

TEST_CASE("nothing passes a held write that was posted before it: the write goes first") {
  Road road;
  road.break_at("write PLAIN");
  const auto write = [](std::uint64_t value) {
    return Transaction{
        .offset = kPlain.offset, .value = value, .size = 4, .kind = Kind::MemWrite, .bar = 0};
  };
  std::thread driver([&] { road.link.request_now(write(1), {.posted = true}); });
  REQUIRE(road.stopped());
  std::uint64_t passed = 0;
  const auto pass = [&] {
    return road.link.pass(write(2), {}, [&](const Transaction& done) { passed = done.seq; });
  };
  CHECK_FALSE(pass());
  REQUIRE(Road::soon(pass));
  driver.join();
  CHECK(passed != 0);
  CHECK(road.command([](Link& l) { return l.paused(); }));
  CHECK(road.command([](Link& l) { return l.function(0)->peek(0, kPlain.offset, 4); }) == 2u);
}

TEST_CASE("a held write whose driver waits for it is passed, and stays held") {
  Road road;
  road.break_at("write PLAIN");
  std::thread driver([&] { road.write(kPlain, 1); });
  REQUIRE(road.stopped());
  const Transaction second{
      .offset = kPlain.offset, .value = 2, .size = 4, .kind = Kind::MemWrite, .bar = 0};
  CHECK(road.link.pass(second, {}, [](const Transaction&) {}));
  CHECK(road.stopped());
  road.resume();
  driver.join();
  CHECK(road.command([](Link& l) { return l.function(0)->peek(0, kPlain.offset, 4); }) == 1u);
}

namespace {

// The last that was recorded of transactions of a kind, while the link is stopped.
Transaction told(Road& road, Kind kind) {
  return road.command([&](Link&) {
    Transaction last;
    for (const Tape::Entry& e : road.tape.entries)
      if (e.t.kind == kind) last = e.t;
    return last;
  });
}

}  // namespace

TEST_CASE("a stop after a transaction has told its outcome already") {
  for (const bool refused : {false, true}) {
    Road road;
    if (refused) road.config(cfg::kCommand, cfg::kCommandMemory);
    road.break_at("dma", Phase::After);
    std::thread driver([&] { road.write(kCommand, kDmaRead); });
    REQUIRE(road.stopped());
    const Status status = refused ? Status::UR : Status::SC;
    CHECK(told(road, Kind::DmaRead).status == status);
    CHECK(road.command([](Link& l) { return l.stop()->transaction.status; }) == status);
    CHECK(road.command([](Link& l) { return l.stop()->refusal; }) ==
          (refused ? "COMMAND.BME is 0" : ""));
    road.resume();
    driver.join();
  }
}

TEST_CASE("a read that is changed at a stop after it is told as it was, and then as it became") {
  Road road;
  road.write(kPlain, 5);
  road.break_at("read PLAIN", Phase::After);
  std::uint64_t value = 0;
  std::thread driver([&] { value = road.read(kPlain); });
  REQUIRE(road.stopped());
  CHECK(told(road, Kind::MemRead).value == 5);
  CHECK(road.command([](Link& l) { return l.edit(6).has_value(); }));
  road.resume();
  driver.join();
  CHECK(value == 6);
  CHECK(told(road, Kind::MemRead).value == 6);
}

TEST_CASE("a stop before a transaction has not told how it ends") {
  Road road;
  road.break_at("write PLAIN");
  std::thread driver([&] { road.write(kPlain, 5); });
  REQUIRE(road.stopped());
  CHECK(told(road, Kind::MemWrite).status == Status::Pending);
  road.resume();
  driver.join();
}

TEST_CASE("a DMA that the host refuses says what its driver has mapped") {
  Road road;
  const auto map = [&](Kind kind) {
    road.link.request({.offset = 0x9000,
                       .value = static_cast<std::uint64_t>(DmaDirection::ToDevice),
                       .size = 64,
                       .kind = kind,
                       .bar = kBarDma});
  };
  map(Kind::DmaMap);
  road.break_at("dma and status != SC");
  const auto refusal = [&] {
    std::thread driver([&] { road.write(kCommand, kDmaRead); });
    REQUIRE(road.stopped());
    const auto text = road.command([](Link& l) { return l.stop()->refusal; });
    road.resume();
    driver.join();
    return text;
  };
  road.host.there = false;
  CHECK(refusal() ==
        "nothing is mapped there; the nearest is 0x9000+0x40 (mapped to the device at #4)");
  map(Kind::DmaUnmap);
  CHECK(refusal() == "nothing is mapped");
  CHECK(road.tape.findings.size() == 2);
}

TEST_CASE("what is mapped can be reached while the stop at its mapping lasts") {
  Road road;
  road.break_at("dma_map");
  std::thread driver([&] {
    road.link.request({.offset = 0x9000, .size = 64, .kind = Kind::DmaMap, .bar = kBarDma});
  });
  REQUIRE(road.stopped());
  CHECK(road.command([](Link& l) {
    return l.mappings().allows(0, 0x9000, 64, DmaDirection::Bidirectional);
  }) == Status::SC);
  road.resume();
  driver.join();
}

TEST_CASE("what a driver leaves mapped is a finding where it lets go of the function") {
  Road road;
  const auto tell = [&](Kind kind, std::uint64_t iova) {
    return road.link.request({.offset = iova, .size = 64, .kind = kind, .bar = kBarDma}).seq;
  };
  tell(Kind::DmaMap, 0x1000);
  const auto left = tell(Kind::DmaMap, 0x2000);
  tell(Kind::DmaUnmap, 0x1000);
  road.link.driver_left(0);
  REQUIRE(road.tape.findings.size() == 1);
  CHECK(road.tape.findings[0].first == left);
  // Once: not again when the next driver goes, which leaves one of its own.
  const auto next = tell(Kind::DmaMap, 0x3000);
  road.link.driver_left(0);
  road.link.driver_left(0);
  road.link.driver_left(7);
  REQUIRE(road.tape.findings.size() == 2);
  CHECK(road.tape.findings[1].first == next);
  CHECK(road.tape.findings[0].second.find("never unmapped, and its driver has let go of busy0") !=
        std::string::npos);
}
