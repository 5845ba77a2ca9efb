// A session of another process, over a socket: the same as one here.
#include <sys/stat.h>

#include "catch.hpp"
#include "devices/edu/edu_registers.hpp"
#include "target/remote_fixture.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

// edu, held at its first access, served, and one client that controls.
struct Served {
  TraceFile file;
  SocketFolder folder;
  std::unique_ptr<Target> local = open_edu(file.path());
  std::unique_ptr<TargetServer> server;
  std::unique_ptr<Target> remote;

  Served() {
    REQUIRE(reaches(*local, RunState::Stopped));
    auto made = TargetServer::on_socket(*local, folder.path("s"), {});
    REQUIRE(made.has_value());
    server = std::move(*made);
    remote = attach();
  }
  std::unique_ptr<Target> attach(bool control = false) {
    auto target = connect_target(folder.path("s"), {.control = control});
    REQUIRE(target.has_value());
    return std::move(*target);
  }
};

Place place_of(const Register& r) {
  return {.function = 0, .bar = 0, .offset = r.offset, .size = r.width};
}

}  // namespace

TEST_CASE("a client sees the stop, registers and config space of the session it attached to") {
  Served s;
  const auto here = s.local->snapshot(), there = s.remote->snapshot();
  REQUIRE(there->stop.has_value());
  CHECK(there->stop->transaction.seq == here->stop->transaction.seq);
  CHECK(there->stop->transaction.offset == edu::kId.offset);
  CHECK(there->stop->reason == here->stop->reason);
  CHECK(there->trace == here->trace);
  REQUIRE(there->functions.size() == 1);
  CHECK(*there->functions[0].config == *here->functions[0].config);
  CHECK(there->functions[0].bars.at(0).size == here->functions[0].bars.at(0).size);
  REQUIRE(there->functions[0].banks.size() == here->functions[0].banks.size());
  const auto& bank = there->functions[0].banks[0].registers;
  REQUIRE(bank.size() == here->functions[0].banks[0].registers.size());
  for (std::size_t i = 0; i < bank.size(); ++i)
    CHECK(bank[i].value == here->functions[0].banks[0].registers[i].value);
}

TEST_CASE("names of registers, fields and config space travel to the client") {
  Served s;
  const auto there = s.remote->snapshot()->names, here = s.local->snapshot()->names;
  const auto found = there->bar(0, 0)->find("STATUS");
  REQUIRE(found.has_value());
  CHECK(found->reg->offset == edu::kStatus.offset);
  CHECK(found->reg->fields.size() == edu::kStatus.fields.size());
  CHECK(there->config(0).items().size() == here->config(0).items().size());
  CHECK(there->config(0).first_value(0, 4) == here->config(0).first_value(0, 4));
}

TEST_CASE("a breakpoint set from afar stops the driver, and the value changed there is used") {
  Served s;
  break_at(*s.remote, "write FACTORIAL");
  break_at(*s.remote, "read FACTORIAL", Phase::After);
  CHECK(s.remote->snapshot()->breakpoints.size() == 2);
  go(*s.remote);
  REQUIRE(eventually([&] {
    const auto now = s.remote->snapshot();
    return now->stop && now->stop->transaction.offset == edu::kFactorial.offset;
  }));
  REQUIRE(ask<void>([&](auto done) { s.remote->edit(5, done); }).has_value());
  CHECK(s.remote->snapshot()->stop->edited);
  const auto held = s.remote->snapshot()->stop->transaction;
  go(*s.remote);
  REQUIRE(eventually([&] {
    const auto now = s.remote->snapshot();
    return now->stop && now->stop->phase == Phase::After;
  }));
  CHECK(s.remote->snapshot()->stop->transaction.value == 120);
  const auto page = ask<TracePage>([&](auto done) {
    s.remote->trace_page(
        {.from = held.seq, .limit = 1, .direction = TraceRequest::Direction::Forward, .filter = {}},
        done);
  });
  REQUIRE(page.has_value());
  REQUIRE(page->rows.at(0).edit);
  CHECK(page->rows[0].edit->sent == 10);
  CHECK(page->rows[0].edit->delivered == 5);
}

TEST_CASE("what a command did shows in the snapshot that is there when it answers") {
  Served s;
  for (std::uint32_t value = 1; value < 200; ++value) {
    REQUIRE(ask<void>([&](auto done) {
              s.remote->force(place_of(edu::kIrqStatus), value, done);
            }).has_value());
    const auto now = s.remote->snapshot();
    bool found = false;
    for (const auto& r : now->functions[0].banks[0].registers) found |= r.value == value;
    REQUIRE(found);
  }
}

TEST_CASE("an error of the target comes to the client as it is") {
  Served s;
  const auto add = [](Target& target) {
    return ask<std::uint32_t>(
        [&](auto done) { target.add_breakpoint({.expression = "write NOTHING"}, done); });
  };
  const auto there = add(*s.remote), here = add(*s.local);
  REQUIRE_FALSE(there.has_value());
  CHECK(there.error().message == here.error().message);
}

TEST_CASE("an access of 3 bytes is refused before the target sees it") {
  Served s;
  const auto result = ask<std::uint64_t>([&](auto done) {
    s.remote->poke_read({.function = 0, .bar = 0, .offset = 0, .size = 3}, done);
  });
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("3 bytes") != std::string::npos);
}

TEST_CASE("trace and code are answered by the serving side") {
  Served s;
  go(*s.remote);
  REQUIRE(reaches(*s.remote, RunState::Ended));
  const auto page =
      ask<TracePage>([&](auto done) { s.remote->trace_page({.filter = "dma_write"}, done); });
  REQUIRE(page.has_value());
  REQUIRE_FALSE(page->rows.empty());
  const TraceRow& row = page->rows[0];
  CHECK(row.transaction.kind == Kind::DmaWrite);
  const auto bytes = ask<std::vector<std::byte>>(
      [&](auto done) { s.remote->trace_payload(row.transaction.seq, done); });
  REQUIRE(bytes.has_value());
  CHECK(bytes->size() == row.payload_bytes);
  const auto writes =
      ask<TracePage>([&](auto done) { s.remote->trace_page({.filter = "write DMA_CMD"}, done); });
  REQUIRE(writes.has_value());
  const auto code = ask<CodeView>(
      [&](auto done) { s.remote->code_at(writes->rows.at(0).transaction.seq, done); });
  REQUIRE(code.has_value());
  CHECK(code->stack.at(0).symbol.find("copy_once") != std::string::npos);
}

TEST_CASE("a second client watches, and controls once it asks to") {
  Served s;
  auto second = s.attach();
  CHECK(second->snapshot()->state == RunState::Stopped);
  const auto refused = ask<void>([&](auto done) { second->resume(done); });
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("--control") != std::string::npos);
  CHECK(ask<TracePage>([&](auto done) { second->trace_page({}, done); }).has_value());

  auto third = s.attach(true);
  CHECK(ask<void>([&](auto done) { third->edit(0, done); }).error().message.find("--control") ==
        std::string::npos);
  CHECK(ask<void>([&](auto done) { s.remote->resume(done); }).error().message.find("--control") !=
        std::string::npos);
}

TEST_CASE("the next client controls when the one who did has left") {
  Served s;
  s.remote.reset();
  REQUIRE(eventually([&] {
    auto next = s.attach();
    return ask<void>([&](auto done) { next->pause(done); }).has_value();
  }));
}

TEST_CASE("a change made by one client shows at the others") {
  Served s;
  auto second = s.attach();
  break_at(*s.remote, "write DMA_CMD or write FACTORIAL");
  CHECK(eventually([&] { return second->snapshot()->breakpoints.size() == 1; }));
}

TEST_CASE("a character device or stream serves like a socket") {
  TraceFile file;
  auto local = open_edu(file.path());
  REQUIRE(reaches(*local, RunState::Stopped));
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  auto server = TargetServer::on_stream(*local, pair[0], {});
  REQUIRE(server.has_value());
  auto remote = connect_target(pair[1], "stream", {});
  REQUIRE(remote.has_value());
  CHECK((*remote)->snapshot()->stop->transaction.offset == edu::kId.offset);
  CHECK(ask<void>([&](auto done) { (*remote)->resume(done); }).has_value());
}
