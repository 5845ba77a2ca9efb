// What a screen may look at in a session without making a transaction: memory, code, counts,
// commands; here and over a socket.
#include <algorithm>

#include "catch.hpp"
#include "core/target/remote.hpp"
#include "devices/edu/edu_registers.hpp"
#include "target/session_fixture.hpp"

using namespace pcilens;
using namespace pcilens::test;

namespace {

using Mappings = std::vector<DmaMapping>;
using Bytes = std::vector<std::byte>;

// Held where the example driver starts its first DMA: it has mapped one page each way.
std::unique_ptr<Target> held_at_dma(const std::string& trace) {
  auto target = open_edu(trace);
  REQUIRE(reaches(*target, RunState::Stopped));
  break_at(*target, "write DMA_CMD");
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.offset == edu::kDmaCommand.offset;
  }));
  return target;
}

Mappings mappings(Target& target) {
  auto found = ask<Mappings>([&](auto done) { target.dma_mappings(done); });
  REQUIRE(found.has_value());
  return *found;
}

Result<Bytes> look(Target& target, std::uint64_t iova, std::uint32_t size) {
  return ask<Bytes>([&](auto done) { target.dma_look(0, iova, size, done); });
}

MatchCount count_all(Target& target, const std::string& expression) {
  for (;;) {
    const auto count = ask<MatchCount>([&](auto done) { target.count_matches(expression, done); });
    REQUIRE(count.has_value());
    if (count->looked_at >= count->of) return *count;
  }
}

}  // namespace

TEST_CASE("what a driver has mapped can be seen and looked at, whatever the direction") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const std::uint64_t seq = target->snapshot()->seq;
  const Mappings found = mappings(*target);
  REQUIRE(found.size() == 2);
  CHECK(found[0].direction == DmaDirection::ToDevice);
  CHECK(found[1].direction == DmaDirection::FromDevice);
  CHECK(found[0].size == 4096);
  const auto bytes = look(*target, found[0].iova + 3, 4);
  REQUIRE(bytes.has_value());
  // The driver fills byte i with 7 * i.
  CHECK(*bytes == Bytes{std::byte{21}, std::byte{28}, std::byte{35}, std::byte{42}});
  CHECK(look(*target, found[1].iova, 16).has_value());
  CHECK(target->snapshot()->seq == seq);
}

TEST_CASE("a look past a mapping's end gives what is there, and outside says so") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const DmaMapping first = mappings(*target).front();
  const auto bytes = look(*target, first.iova + 4090, 100);
  REQUIRE(bytes.has_value());
  CHECK(bytes->size() == 6);
  const auto outside = look(*target, 0x40, 4);
  REQUIRE_FALSE(outside.has_value());
  CHECK(outside.error().message == "IOVA 0x40: nothing is mapped there now");
}

TEST_CASE("a stop shows the example driver's own stack and the call that makes the access") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const auto seq = target->snapshot()->stop->transaction.seq;
  const auto view = ask<CodeView>([&](auto done) { target->code_at(seq, done); });
  REQUIRE(view.has_value());
  REQUIRE(view->stack.size() >= 2);
  // The innermost function is the one that writes the command; drive() called it.
  CHECK(view->stack.back().symbol.find("edu::drive") != std::string::npos);
  const auto accessing = std::count_if(view->instructions.begin(), view->instructions.end(),
                                       [](const auto& i) { return i.accessing; });
  CHECK(accessing == 1);
  for (const auto& i : view->instructions)
    if (i.accessing) CHECK(i.text.find("call") == 0);
  if (view->source.empty()) return;  // built without debug information
  CHECK(view->stack.front().file.ends_with("edu_driver.cpp"));
  for (const auto& line : view->source)
    if (line.accessing) CHECK(line.line == view->stack.front().line);
}

TEST_CASE("an access of before keeps its stack") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const auto page = ask<TracePage>([&](auto done) {
    TraceRequest request;
    request.filter = "write FACTORIAL";
    target->trace_page(request, done);
  });
  REQUIRE(page.has_value());
  REQUIRE_FALSE(page->rows.empty());
  const auto seq = page->rows.front().transaction.seq;
  const auto view = ask<CodeView>([&](auto done) { target->code_at(seq, done); });
  REQUIRE(view.has_value());
  REQUIRE_FALSE(view->stack.empty());
  CHECK_FALSE(view->instructions.empty());
}

TEST_CASE("an expression is counted over the trace so far, and a wrong one refused") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  CHECK(count_all(*target, "write FACTORIAL").matches == 1);
  CHECK(count_all(*target, "write DMA_CMD").matches == 0);  // it is held, not delivered
  const auto wrong =
      ask<MatchCount>([&](auto done) { target->count_matches("write NOTHING", done); });
  CHECK_FALSE(wrong.has_value());
}

TEST_CASE("a device without a protocol has no commands, and says that it has none") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const auto page = ask<CommandPage>([&](auto done) { target->commands({}, done); });
  REQUIRE(page.has_value());
  CHECK_FALSE(page->protocol);
}

TEST_CASE("memory, code and counts are looked at over a socket as they are here") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const std::string path = file.path() + ".sock";
  auto server = TargetServer::on_socket(*target, path, {});
  REQUIRE(server.has_value());
  auto remote = connect_target(path);
  REQUIRE(remote.has_value());
  const Mappings here = mappings(*target), there = mappings(**remote);
  REQUIRE(there.size() == here.size());
  CHECK(there[1].iova == here[1].iova);
  CHECK(there[1].direction == here[1].direction);
  CHECK(*look(**remote, here[0].iova, 64) == *look(*target, here[0].iova, 64));
  CHECK(count_all(**remote, "write FACTORIAL").matches == 1);
  const auto seq = target->snapshot()->stop->transaction.seq;
  const auto view = ask<CodeView>([&](auto done) { (*remote)->code_at(seq, done); });
  REQUIRE(view.has_value());
  CHECK_FALSE(view->instructions.empty());
}

TEST_CASE("a mapping says since when it is there, by which function of the driver") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const Mappings found = mappings(*target);
  REQUIRE(found.size() == 2);
  CHECK(found[0].by == "copy_there_and_back");
  const auto page = ask<TracePage>(
      [&](auto done) { target->trace_page({.from = found[0].seq, .limit = 1}, done); });
  REQUIRE(page.has_value());
  REQUIRE(page->rows.size() == 1);
  CHECK(page->rows[0].transaction.kind == Kind::DmaMap);
  CHECK(page->rows[0].transaction.offset == found[0].iova);
  CHECK(page->rows[0].transaction.t_ns == found[0].t_ns);
  CHECK(page->rows[0].thread == "driver");
}

TEST_CASE("the code of what a device did is that of the access which made it do so") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  const auto seq = target->snapshot()->stop->transaction.seq;
  break_at(*target, "dma_read");
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.kind == Kind::DmaRead;
  }));
  const auto held = target->snapshot()->stop->transaction.seq;
  const auto view = ask<CodeView>([&](auto done) { target->code_at(held, done); });
  REQUIRE(view.has_value());
  CHECK(view->of == seq);  // by way of a timer
  REQUIRE_FALSE(view->stack.empty());
  CHECK(view->stack.back().symbol.find("edu::drive") != std::string::npos);
  // A poke is nobody's code.
  const auto last = target->snapshot()->seq;
  REQUIRE(ask<std::uint64_t>([&](auto done) {
            target->poke_read({.bar = 0, .offset = edu::kId.offset}, done);
          }).has_value());
  const auto none = ask<CodeView>([&](auto done) { target->code_at(last + 1, done); });
  REQUIRE(none.has_value());
  CHECK(none->of == 0);
  CHECK(none->stack.empty());
}

TEST_CASE("why a DMA was refused is at the stop and with its row, over a socket too") {
  TraceFile file;
  auto target = held_at_dma(file.path());
  REQUIRE(ask<void>([&](auto done) {
            target->poke_write({.bar = kBarConfig, .offset = 4, .size = 2}, 2, done);
          }).has_value());
  break_at(*target, "status != SC");
  go(*target);
  REQUIRE(eventually([&] {
    const auto s = target->snapshot();
    return s->stop && s->stop->transaction.kind == Kind::DmaRead;
  }));
  const std::string path = file.path() + ".sock";
  auto server = TargetServer::on_socket(*target, path, {});
  REQUIRE(server.has_value());
  auto remote = connect_target(path);
  REQUIRE(remote.has_value());
  for (Target* side : {target.get(), remote->get()}) {
    const auto s = side->snapshot();
    REQUIRE(s->stop);
    CHECK(s->stop->phase == Phase::After);
    CHECK(s->stop->transaction.status == Status::UR);
    CHECK(s->stop->refusal == "COMMAND.BME is 0");
    const auto page = ask<TracePage>(
        [&](auto done) { side->trace_page({.from = s->stop->transaction.seq, .limit = 1}, done); });
    REQUIRE(page.has_value());
    CHECK(page->rows[0].transaction.status == Status::UR);
    CHECK(page->rows[0].finding == "COMMAND.BME is 0");
    const auto view =
        ask<CodeView>([&](auto done) { side->code_at(s->stop->transaction.seq, done); });
    REQUIRE(view.has_value());
    CHECK(view->of != 0);
    CHECK(mappings(*side)[0].by == "copy_there_and_back");
  }
}
