#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

namespace {

TraceRow row(Kind kind, std::uint64_t offset, std::uint64_t value, Status status = Status::SC) {
  TraceRow r;
  r.transaction.kind = kind;
  r.transaction.bar = is_config(kind) ? kBarConfig : 0;
  r.transaction.offset = offset;
  r.transaction.size = 4;
  r.transaction.value = value;
  r.transaction.status = status;
  return r;
}

}  // namespace

TEST_CASE("transactions shows names, values and fields, newest last") {
  Desk desk;
  desk.target.add_row(row(Kind::MemRead, 8, 0x1));
  desk.target.add_row(row(Kind::CfgRead, 0, 0x11e81234));
  const std::string text = desk.said("transactions");
  INFO(text);
  CHECK(has(text, "BUSY=1 DONE=0"));
  CHECK(has(text, "config read"));
  CHECK(text.find("STATUS") < text.find("config read"));
}

TEST_CASE("transactions says how to see more, and how many there were to match") {
  Desk desk;
  for (int i = 0; i < 5; ++i) desk.target.add_row(row(Kind::MemRead, 8, 0));
  CHECK(has(desk.said("transactions last 2"), "\"transactions last 10\""));
  CHECK(has(desk.said("transactions irq"), "none of 6 transactions matches irq"));
  CHECK(has(desk.said("transactions since 1 last 2"), "\"transactions since 3\""));
  CHECK(has(desk.said("transactions last 0"), "1 to 1000000"));
}

TEST_CASE("a failed transaction shows its status") {
  Desk desk;
  desk.target.add_row(row(Kind::MemRead, 0x700, ~0u, Status::UR));
  CHECK(has(desk.said("transactions"), "UR"));
}

TEST_CASE("show takes the number as screens write it") {
  Desk desk;
  desk.target.add_row(row(Kind::MemRead, 8, 0x2));
  const std::string text = desk.said("show #2");
  INFO(text);
  CHECK(has(text, "#2 read STATUS"));
  CHECK(has(text, "successful (SC)"));
  CHECK(has(text, "DONE"));
  CHECK(has(desk.said("show 99"), "there is no transaction #99; the newest is #2"));
}

TEST_CASE("show lists what a transaction caused") {
  Desk desk;
  desk.target.add_row(row(Kind::MemWrite, 4, 1));
  TraceRow irq = row(Kind::Irq, 0, 0);
  irq.transaction.bar = kBarInterrupt;
  irq.transaction.origin = Origin::Function;
  irq.transaction.cause = 2;
  desk.target.add_row(irq);
  const std::string text = desk.said("show 2");
  CHECK(has(text, "what it made the device do"));
  CHECK(has(text, "vector 0"));
}

TEST_CASE("where shows the stack and marks the accessing instruction") {
  Desk desk;
  const std::string text = desk.said("where");
  CHECK(has(text, "fake_probe+0x12c"));
  CHECK(has(text, "devices/fake/fake_driver.cpp:71"));
  CHECK(has(text, "→  fake_start_transfer+0x31"));
}

TEST_CASE("config shows the header and each capability decoded, or raw") {
  Desk desk;
  const std::string text = desk.said("config");
  CHECK(has(text, "COMMAND"));
  CHECK(has(text, "0x1234"));
  CHECK(has(desk.said("config raw"), "00: 34 12 e8 11"));
  CHECK(has(desk.said("config fake9"), "there are fake0"));
}

TEST_CASE("functions and info say what is there") {
  Desk desk;
  CHECK(has(desk.said("functions"), "BAR0 4 KiB at 0xfe000000"));
  const std::string text = desk.said("info");
  CHECK(has(text, "stopped at #1, write of CONTROL"));
  CHECK(has(text, "/tmp/fake.db"));
  CHECK(has(desk.json("info"), "\"state\":\"stopped\""));
}

TEST_CASE("expect is silent when it is so and differs when it is not") {
  Desk desk;
  CHECK(desk.said("expect stopped").empty());
  CHECK(desk.said("expect STATUS=0x2").empty());
  CHECK(desk.said("expect STATUS.DONE = 1").empty());
  CHECK(desk.said("expect STATUS.DONE == 1").empty());
  const auto wrong = desk.type("expect STATUS.DONE=0");
  REQUIRE(wrong);
  CHECK(wrong->differs);
  CHECK(has(render(*wrong, {.width = 0}), "STATUS.DONE is 1, expected 0"));
  CHECK(desk.type("expect running")->differs);
  CHECK(has(desk.said("expect hungry"), "error: expect: \"hungry\" is neither a state"));
  CHECK(has(desk.said("expect NOPE=1"), "error: there is no register"));
}

TEST_CASE("help lists every console command and explains one with examples") {
  Desk desk;
  const std::string all = desk.said("help");
  for (const Command& c : CommandTable::standard().commands())
    if ((c.where & kConsole) != 0) CHECK(has(all, c.summary));
  const std::string one = desk.said("help break");
  CHECK(has(one, "break EXPRESSION [after]"));
  CHECK(has(one, "break irq once"));
}

TEST_CASE("an empty line and a comment do nothing, quit asks to leave") {
  Desk desk;
  CHECK(desk.said("").empty());
  CHECK(desk.said("   # a remark").empty());
  CHECK(desk.said("quit").empty());
  CHECK(desk.quit);
}

TEST_CASE("what the kernel complained about is in info, and its log is asked of the target") {
  Desk desk;
  CHECK(has(desk.said("log"), "error: there is no kernel's log here"));
  CHECK_FALSE(has(desk.said("info"), "kernel complains"));
  desk.target.change([](Snapshot& s) { s.complaints = {"WARNING: one", "BUG: two"}; });
  CHECK(has(desk.said("info"), "BUG: two (the last of 2); \"log\" shows what it said"));
  CHECK(has(desk.json("info"), R"("complaints":["WARNING: one","BUG: two"])"));
}

TEST_CASE("wait bound tells which driver has which function, or why none has") {
  Desk desk;
  CHECK(has(desk.said("wait bound 1ms"), "error: wait: nobody knows here"));
  desk.target.change([](Snapshot& s) {
    s.state = RunState::Running;
    s.stop.reset();
    s.binding = Binding::Probing;
  });
  CHECK(has(desk.said("info"), "is being loaded"));
  CHECK(has(desk.said("wait bound 1ms"), "error: wait: the driver has not bound after"));
  desk.target.change([](Snapshot& s) {
    s.binding = Binding::Bound;
    s.binding_text = "nvme 10000:00:00.0";
  });
  CHECK(has(desk.said("wait bound"), "bound: nvme 10000:00:00.0"));
  CHECK(has(desk.json("info"), R"("binding":"bound","binding_text":"nvme 10000:00:00.0")"));
}

TEST_CASE("nobody waits for a driver that the kernel did not take") {
  Desk desk;
  desk.target.change([](Snapshot& s) {
    s.state = RunState::Running;
    s.stop.reset();
    s.binding = Binding::NotLoaded;
    s.binding_text = "mine could not be loaded";
  });
  CHECK(has(desk.said("wait stop 600s"), "nothing is going to come: mine could not be loaded"));
  CHECK(has(desk.said("wait bound 600s"), "error: wait: mine could not be loaded"));
  CHECK(has(desk.said("info"), "mine could not be loaded"));
}

TEST_CASE("a link that is no more ends a wait with its reason, and nothing can be run on it") {
  Desk desk;
  desk.target.change([](Snapshot& s) {
    s.state = RunState::Ended;
    s.gone = true;
    s.stop.reset();
    s.driver = "the guest is dead";
  });
  CHECK(desk.said("wait end") == "error: wait: the guest is dead");
  CHECK(has(desk.said("run"), "the link is no more"));
}

TEST_CASE("what has no effect is noted in a list of transactions") {
  Desk desk;
  desk.target.add_row(row(Kind::MemWrite, 0, 0xdeadbeef));
  desk.target.add_row(row(Kind::MemRead, 0x700, 0));
  const std::string text = desk.said("transactions");
  INFO(text);
  CHECK(has(text, "ignored: read-only"));
  CHECK(has(text, "ignored: no register"));
}

TEST_CASE("a transaction's JSON has its status, size and cause") {
  Desk desk;
  auto r = row(Kind::MemRead, 8, 1, Status::UR);
  r.transaction.cause = 7;
  desk.target.add_row(r);
  const std::string json = desk.json("transactions");
  INFO(json);
  CHECK(has(json,
            "\"status\":\"UR\",\"answered_by\":\"function\",\"bar\":0,\"offset\":8,"
            "\"size\":4,\"cause\":7"));
}

TEST_CASE("show says of a refused DMA why, and that no function answered it") {
  Desk desk;
  auto r = row(Kind::DmaRead, 0x1000, 0, Status::UR);
  r.transaction.bar = kBarDma;
  r.transaction.origin = Origin::Function;
  r.finding = "unmapped at #172 by mine_probe";
  desk.target.add_row(r);
  const std::string text = desk.said("show 2");
  INFO(text);
  CHECK(has(text, "unsupported request (UR)"));
  CHECK(has(text, "refused  unmapped at #172 by mine_probe"));
  CHECK_FALSE(has(text, "answered by"));
}

TEST_CASE("show has the value that a stop is about to deliver, and what was sent") {
  Desk desk;
  auto held = row(Kind::MemWrite, 4, 0x803, Status::Pending);
  desk.target.add_row(held);
  const auto seq = desk.target.snapshot()->seq;
  desk.target.change([&](Snapshot& s) { s.stop->transaction.seq = seq; });
  CHECK(has(desk.said("edit 0x5"), "0x00000005"));
  const std::string text = desk.said(fmt::format("show {}", seq));
  INFO(text);
  CHECK(has(text, "value   0x00000005"));
  CHECK(has(text, "by hand: sent 0x00000803, delivered 0x00000005"));
  CHECK(has(text, "held, pending"));
}

TEST_CASE("show tells how long of its time a transaction was held") {
  Desk desk;
  auto r = row(Kind::MemRead, 8, 1);
  r.transaction.t_ns = 1000;
  r.transaction.done_ns = 4'000'001'000;
  desk.target.add_row(r);
  const auto seq = desk.target.snapshot()->seq;
  const auto control = [&](Control what, std::uint64_t at) {
    TraceRow c;
    c.transaction.kind = Kind::Control;
    c.transaction.offset = static_cast<std::uint64_t>(what);
    c.transaction.value = seq;
    c.transaction.t_ns = at;
    c.transaction.status = Status::SC;
    desk.target.add_row(c);
  };
  control(Control::Stop, 2000);
  control(Control::Release, 4'000'000'000);
  const std::string text = desk.said(fmt::format("show {}", seq));
  INFO(text);
  CHECK(has(text, "took 4.000000 s, 3.999998 s of it held"));
}

TEST_CASE("mappings lists what is mapped, since when and by whom") {
  Desk desk;
  desk.target.mappings = {{.function = 0,
                           .iova = 0x1000,
                           .size = 64,
                           .direction = DmaDirection::ToDevice,
                           .seq = 42,
                           .t_ns = 1'500'000,
                           .by = "mine_probe"}};
  const std::string text = desk.said("mappings");
  INFO(text);
  for (const char* part : {"0x1000", "64", "to the device", "#42", "1.500 ms", "mine_probe"})
    CHECK(has(text, part));
  CHECK(has(desk.json("mappings"), "\"iova\":4096,\"size\":64"));
  desk.target.mappings.clear();
  CHECK(has(desk.said("mappings"), "nothing is mapped"));
}
