// Fault rules: how they read, where they may stand, and what they do to DMA and functions.
#include "core/link/faults.hpp"

#include "link/link_fixture.hpp"

using namespace road;

namespace {

std::string shown(const std::string& action) {
  auto fault = parse_fault_action(action, {.expression = "irq"});
  REQUIRE(fault.has_value());
  return describe(*fault);
}

}  // namespace

TEST_CASE("a delay is shown in the unit in which it is a whole number") {
  CHECK(shown("delay 5ms") == "irq => delay 5ms");
  CHECK(shown("delay 1500us") == "irq => delay 1500us");
  CHECK(shown("delay 3000us") == "irq => delay 3ms");
  CHECK(shown("delay 2s") == "irq => delay 2s");
  CHECK(shown("delay 999ns") == "irq => delay 999ns");
  CHECK(shown("delay 0ms") == "irq => delay 0ns");
}

TEST_CASE("an interrupt is repeated once to ten thousand times") {
  const auto repeats = [](const std::string& count) {
    return parse_fault_action("repeat " + count, {.expression = "irq"}).has_value();
  };
  CHECK_FALSE(repeats("0"));
  CHECK(repeats("1"));
  CHECK(repeats("10000"));
  CHECK_FALSE(repeats("10001"));
}

TEST_CASE("a rule that can do nothing where it matches is refused") {
  Road road;
  CHECK_FALSE(road.fault("timer", "drop"));
  CHECK_FALSE(road.fault("read PLAIN", "cut 4"));
  CHECK_FALSE(road.fault("read PLAIN", "repeat 2"));
  CHECK_FALSE(road.fault("irq", "flip 0x1"));
  CHECK(road.fault("write PLAIN", "all-ones").error().message ==
        "`all-ones` is for the driver's reads, and `write PLAIN` matches none of those; name "
        "others");
}

TEST_CASE("a rule for everything damages only what it can") {
  Road road;
  REQUIRE(road.fault("access or irq or dma", "cut 4"));
  REQUIRE(road.fault("access or irq or dma", "repeat 1"));
  road.write(kPlain, 5);
  CHECK(road.read(kPlain) == 5);
}

TEST_CASE("a corrupted DMA write leaves the device's own bytes alone") {
  Road road;
  REQUIRE(road.fault("dma_write", "corrupt 0xff"));
  road.write(kCommand, kDmaWrite);
  CHECK(road.host.bytes[0] == (std::byte{0x5a} ^ std::byte{0xff}));
  CHECK(road.host.bytes[1] == std::byte{0x5a});
  // The task saw its DMA succeed: damage on the way is not told.
  CHECK(road.read(kCount) == 1);
}

TEST_CASE("a corrupted DMA read is edited: memory's bytes and the device's are both recorded") {
  Road road;
  road.host.bytes[0] = std::byte{0x11};
  const auto rule = road.fault("dma_read", "corrupt 0xff");
  REQUIRE(rule);
  road.break_at("dma and edited", Phase::After);
  std::thread driver([&] { road.write(kCommand, kDmaRead); });
  CHECK(road.stopped());
  road.resume();
  driver.join();
  REQUIRE(road.tape.edits.size() == 1);
  CHECK(road.tape.edits[0].answered == 0x11);
  CHECK(road.tape.edits[0].returned == (0x11 ^ 0xff));
  CHECK(road.tape.edits[0].rule == *rule);
}

TEST_CASE("what a rule changed is edited at the stop after it, and what passed untouched is not") {
  Road road;
  REQUIRE(road.fault("write PLAIN and value == 4", "flip 0x1"));
  road.break_at("edited", Phase::After);
  road.write(kPlain, 2);
  std::thread driver([&] { road.write(kPlain, 4); });
  REQUIRE(road.stopped());
  CHECK(road.command([](Link& l) { return l.stop()->transaction.value; }) == 5);
  // Told at the stop already, where a session may end; and not once more.
  CHECK(road.command([&](Link&) { return road.tape.edits.size(); }) == 1);
  road.resume();
  driver.join();
  CHECK(road.tape.edits.size() == 1);
}

TEST_CASE("what somebody changed at a stop is edited when it is over") {
  Road road;
  road.break_at("write PLAIN");
  road.break_at("write and edited", Phase::After);
  std::thread driver([&] { road.write(kPlain, 4); });
  const auto held = [&](Phase phase) {
    return Road::soon([&] {
      return road.command([&](Link& l) { return l.stop() && l.stop()->phase == phase; });
    });
  };
  REQUIRE(held(Phase::Before));
  REQUIRE(road.command([](Link& l) { return l.edit(6); }));
  road.resume();
  REQUIRE(held(Phase::After));
  road.resume();
  driver.join();
  CHECK(road.read(kPlain) == 6);
}

TEST_CASE("a DMA write that a rule drops is lost without the device's knowing") {
  Road road;
  REQUIRE(road.fault("dma_write", "drop"));
  road.write(kCommand, kDmaWrite);
  CHECK(road.host.bytes[0] == std::byte{0});
  CHECK(road.read(kCount) == 1);
}

TEST_CASE("a cut DMA moves its first bytes and ends in CA") {
  Road road;
  REQUIRE(road.fault("dma_write", "cut 10"));
  road.write(kCommand, kDmaWrite);
  CHECK(road.host.bytes[9] == std::byte{0x5a});
  CHECK(road.host.bytes[10] == std::byte{0});
  CHECK(road.read(kCount) == 0);
}

TEST_CASE("a repeated interrupt reaches the host more than once") {
  Road road;
  REQUIRE(road.fault("irq", "repeat 3"));
  road.write(kCommand, kInterrupt);
  CHECK(road.host.interrupts == 4);
}

TEST_CASE("a function that a rule removes in its DMA is gone, and the link goes on") {
  Road road;
  REQUIRE(road.fault("dma", "remove"));
  road.write(kCommand, kDmaRead);
  CHECK(road.read(kPlain) == 0xffffffff);
  CHECK(road.host.interrupts == 0);
}

TEST_CASE("a replug puts a fresh function where the old one stood") {
  const auto fresh = [](std::uint8_t) -> Result<std::unique_ptr<Function>> {
    return std::make_unique<Busy>();
  };
  Road road({.fresh = fresh});
  road.write(kPlain, 0x77);
  const auto rule = parse_fault_action("replug", {.expression = "write COMMAND", .times = 1});
  REQUIRE(rule.has_value());
  REQUIRE(road.command([&](Link& l) { return l.add_fault(*rule); }).has_value());
  road.write(kCommand, kInterrupt);
  // As after a hot plug: nothing is set up, so BARs do not answer.
  CHECK(road.read(kPlain) == 0xffffffff);
  road.set_up();
  CHECK(road.read(kPlain) == 0);
  int unplugged = 0, plugged = 0;
  for (const Tape::Entry& e : road.tape.entries) {
    if (e.t.kind != Kind::Control) continue;
    unplugged += e.t.offset == static_cast<std::uint64_t>(Control::Unplug);
    plugged += e.t.offset == static_cast<std::uint64_t>(Control::Plug);
  }
  CHECK(unplugged == 1);
  CHECK(plugged == 1);
}

TEST_CASE("what a breakpoint can match is told in words where it has no place") {
  Road road;
  const auto where = [&](const std::string& expression) {
    const std::uint32_t number = road.break_at(expression);
    return road.command([&](Link& l) { return l.breakpoints().find(number)->synchronous; });
  };
  CHECK(where("irq") == "every interrupt");
  CHECK(where("timer") == "every timer");
  CHECK(where("dma") == "every DMA");
  CHECK(where("write PLAIN") == "BAR0+0x0..0x3");
  CHECK(where("access") == "every access");
  CHECK(where("dma_write and iova == 0xffffffffffffffff") == "DMA 0xffffffffffffffff");
}
