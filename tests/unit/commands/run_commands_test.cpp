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
        "by the driver (thread fake-driver)", "BAR0+0x4, 4 bytes", "0x00000000 → 0x00000803",
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
