#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

TEST_CASE("break sets what was typed and says where the driver waits for it") {
  Desk desk;
  const std::string text = desk.said("break write CONTROL after ignore 2");
  CHECK(has(text, "breakpoint 1: write CONTROL after ignore 2"));
  CHECK(has(text, "makes the driver wait at BAR0+0x4..0x7"));
  CHECK(has(desk.said("breakpoints"), "elsewhere its writes are posted"));
  const auto s = desk.target.snapshot();
  REQUIRE(s->breakpoints.size() == 1);
  CHECK(s->breakpoints[0].breakpoint.phase == Phase::After);
  CHECK(s->breakpoints[0].breakpoint.ignore == 2);
}

TEST_CASE("an expression's error comes through as it is") {
  Desk desk;
  CHECK(has(desk.said("break write nothing"), "did you mean CONTROL?"));
}

TEST_CASE("breakpoints lists them, and says how to make one where there is none") {
  Desk desk;
  CHECK(has(desk.said("breakpoints"), "\"break write NAME\""));
  desk.said("break irq once");
  desk.said("disable 1");
  const std::string text = desk.said("breakpoints");
  CHECK(has(text, "irq once"));
  CHECK(has(text, "disabled"));
  CHECK(desk.json("breakpoints") ==
        "[{\"number\":1,\"expression\":\"irq once\",\"state\":\"disabled\",\"hits\":0,"
        "\"synchronous\":\"BAR0+0x4..0x7\"}]");
}

TEST_CASE("enable, disable and delete name the number that is not there") {
  Desk desk;
  CHECK(has(desk.said("delete 1"), "there is no breakpoint 1"));
  desk.said("break irq");
  CHECK(has(desk.said("delete 7"), "there is no breakpoint 7; \"breakpoints\" lists them"));
  CHECK(has(desk.said("enable fault 1"), "there is no fault rule 1; \"faults\" lists them"));
  CHECK(has(desk.said("delete 1"), "breakpoint 1 deleted"));
  CHECK(desk.target.snapshot()->breakpoints.empty());
}

TEST_CASE("all means breakpoints and fault rules") {
  Desk desk;
  desk.said("break irq");
  desk.said("fault read STATUS => all-ones");
  CHECK(has(desk.said("delete all"), "1 breakpoint and 1 fault rule deleted"));
  CHECK(desk.target.snapshot()->faults.empty());
  // A script that tidies up goes on where a breakpoint for "once" is gone already.
  CHECK(has(desk.said("delete all"), "0 breakpoints and 0 fault rules deleted"));
}

TEST_CASE("toggle sets and removes the breakpoint of the selected register") {
  Desk desk;
  desk.selected = "STATUS";
  CHECK(has(desk.said("toggle"), "breakpoint 1: STATUS"));
  CHECK(has(desk.said("toggle"), "breakpoint 1 on STATUS is gone"));
  CHECK(has(desk.said("toggle CONTROL.START"), "breakpoint 2: CONTROL.START"));
}

TEST_CASE("toggle without a selection takes the register at the stop") {
  Desk desk;
  CHECK(has(desk.said("toggle"), "breakpoint 1: CONTROL"));
}

TEST_CASE("a fault rule keeps its action, its skip and its times") {
  Desk desk;
  CHECK(has(desk.said("fault read STATUS => flip 0x1 skip 1 times 3"),
            "read STATUS => flip 0x1 skip 1 times 3"));
  const auto s = desk.target.snapshot();
  REQUIRE(s->faults.size() == 1);
  CHECK(s->faults[0].fault.action == FaultAction::FlipBits);
  CHECK(s->faults[0].fault.amount == 1);
  CHECK(s->faults[0].fault.skip == 1);
  CHECK(s->faults[0].fault.times == 3);
  CHECK(has(desk.said("faults"), "read STATUS => flip 0x1"));
}

TEST_CASE("a fault action that does not exist lists those that do") {
  Desk desk;
  const std::string text = desk.said("fault read STATUS => explode");
  CHECK(has(text, "explode"));
  CHECK(has(text, "all-ones"));
  CHECK(desk.target.snapshot()->faults.empty());
}
