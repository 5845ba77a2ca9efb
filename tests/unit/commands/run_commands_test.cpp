#include "catch.hpp"
#include "fixture.hpp"
#include "inspector-ui/commands/describe.hpp"

using namespace example;

TEST_CASE("run lets go of what is held, and only of that") {
  Desk desk;
  CHECK(desk.said("run").empty());
  CHECK(desk.last_call() == "resume");
  CHECK(has(desk.said("run"), "error: run: the driver is running already; \"pause\" holds it"));
}

TEST_CASE("pause is refused while something is held") {
  Desk desk;
  CHECK(has(desk.said("pause"), "held already; \"run\""));
  desk.said("run");
  CHECK(desk.said("pause").empty());
  CHECK(desk.target.snapshot()->state == RunState::Paused);
}

TEST_CASE("what cannot run any more says that restart begins again") {
  Desk desk;
  desk.target.change([](Snapshot& s) { s.state = RunState::Ended; });
  for (const char* line : {"run", "step", "pause"}) CHECK(has(desk.said(line), "\"restart\""));
  CHECK(has(desk.said("restart"), "begun again"));
  CHECK(desk.last_call() == "restart");
}

TEST_CASE("step until and step how exclude each other") {
  Desk desk;
  CHECK(has(desk.said("step irq until write STATUS"), "exclude each other"));
}

TEST_CASE("wait says what came instead") {
  Desk desk;
  CHECK(desk.said("wait stop").empty());
  CHECK(has(desk.said("wait end 1ms"), "before the end"));
  desk.target.change([](Snapshot& s) {
    s.state = RunState::Running;
    s.stop.reset();
  });
  CHECK(has(desk.said("wait stop 1ms"), "still running"));
  desk.target.change([](Snapshot& s) { s.state = RunState::Ended; });
  CHECK(desk.said("wait end").empty());
  CHECK(has(desk.said("wait stop"), "ended without a stop"));
}

TEST_CASE("reset names the function it cannot find") {
  Desk desk;
  CHECK(has(desk.said("reset"), "fake0 was reset (flr)"));
  CHECK(has(desk.said("reset hotplug fake0"), "hotplug"));
  CHECK(has(desk.said("reset flr fake7"),
            "there is no function \"fake7\"; \"functions\" lists them"));
}

TEST_CASE("a stop says what is held, by whom, the old and new value and what to type next") {
  Desk desk;
  const std::string text = render(describe_stop(*desk.target.snapshot(), true), {.width = 0});
  INFO(text);
  for (const char* part :
       {"write of CONTROL", "before the device sees it", "first access",
        "by the driver (thread fake-driver, 4711)", "BAR0+0x4, 4 bytes", "0x00000000 → 0x00000803",
        "START", "0 → 1", "slow (0) → fast (1)", "next: run, step, edit VALUE"})
    CHECK(has(text, part));
  CHECK_FALSE(has(text, "RSVD"));
  CHECK_FALSE(has(render(describe_stop(*desk.target.snapshot(), false), {.width = 0}), "next:"));
}

TEST_CASE("a stop's JSON has its place, value and phase") {
  Desk desk;
  const std::string json = stop_json(*desk.target.snapshot());
  for (const char* part : {"\"seq\":1,", "\"place\":\"CONTROL\"", "\"value\":2051",
                           "\"phase\":\"before\"", "\"kind\":\"mem_write\""})
    CHECK(has(json, part));
}

TEST_CASE("a stop says what a register becomes by its access rules") {
  Desk desk;
  const auto said = [&](std::uint64_t offset, std::uint64_t value) {
    desk.target.hold(offset, value);
    return render(describe_stop(*desk.target.snapshot(), false), {.width = 0});
  };
  const std::string id = said(0, 0xdeadbeef);
  INFO(id);
  CHECK(has(id, "0xdeadbeef written: stays 0x010000ed (read-only)"));
  CHECK_FALSE(has(id, "→"));
  const std::string status = said(8, 0x3);  // BUSY is read-only, a 1 clears DONE
  INFO(status);
  CHECK(has(status, "0x00000003 written: becomes 0x00000000 (by its access rules)"));
  CHECK(has(status, "1 → 0"));
  CHECK(has(said(0x700, 5), "0x00000005  ignored: no register"));
  CHECK(has(said(4, 0x803), "0x00000000 → 0x00000803"));
}

TEST_CASE("a stop after what was refused says so, and why") {
  Desk desk;
  desk.target.change([](Snapshot& s) {
    Stop& stop = *s.stop;
    stop.phase = Phase::After;
    stop.transaction.kind = Kind::DmaWrite;
    stop.transaction.bar = kBarDma;
    stop.transaction.origin = Origin::Function;
    stop.transaction.status = Status::UR;
    stop.refusal = "unmapped at #172 by mine_probe";
  });
  const std::string text = render(describe_stop(*desk.target.snapshot(), false), {.width = 0});
  INFO(text);
  CHECK(has(text, "held after the host refused it"));
  CHECK(has(text, "refused: unmapped at #172 by mine_probe  status unsupported request (UR)"));
  const std::string json = stop_json(*desk.target.snapshot());
  CHECK(has(json, "\"status\":\"UR\",\"refusal\":\"unmapped at #172 by mine_probe\""));
  desk.target.change([](Snapshot& s) { s.stop->transaction.status = Status::SC; });
  CHECK(has(render(describe_stop(*desk.target.snapshot(), false), {.width = 0}),
            "held after it reached the host"));
}
