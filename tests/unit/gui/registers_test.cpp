#include "inspector-ui/models/registers.hpp"

#include <algorithm>

#include "catch.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

const RegisterRow* find(const std::vector<RegisterRow>& rows, std::string_view id) {
  const auto at = std::ranges::find(rows, id, &RegisterRow::id);
  return at != rows.end() ? &*at : nullptr;
}

std::vector<RegisterRow> rows_of(const test::FakeTarget& target, std::string search = {},
                                 std::set<std::string> open = {}, std::uint64_t since = 1) {
  return register_rows(*target.snapshot(), {std::move(search), &open, since});
}

const Register& control() {
  return *test::fake_map().registers[1];
}

}  // namespace

TEST_CASE("a register's row has its name, offset, hex value and decoded fields") {
  test::FakeTarget target;
  target.change([](Snapshot& s) { s.functions[0].banks[0].registers[1].value = 0x0803; });
  const auto rows = rows_of(target);
  const RegisterRow* row = find(rows, "CONTROL");
  REQUIRE(row != nullptr);
  CHECK(row->where == "0x004");
  CHECK(row->value == "0x00000803");
  CHECK(row->meaning == "START=1 MODE=fast COUNT=8");
  CHECK(row->expandable);
  CHECK(find(rows, "CONTROL.MODE") == nullptr);
}

TEST_CASE("an open register shows its fields with bits, access and the name of their value") {
  test::FakeTarget target;
  target.change([](Snapshot& s) { s.functions[0].banks[0].registers[1].value = 0x0803; });
  const auto rows = rows_of(target, "", {"CONTROL"});
  const RegisterRow* field = find(rows, "CONTROL.MODE");
  REQUIRE(field != nullptr);
  CHECK(field->where == "2:1");
  CHECK(field->access == "RW");
  CHECK(field->value == "1  fast");
  CHECK(field->meaning == "bursts");
  CHECK(field->depth == 1);
}

TEST_CASE("an array is one row until it is opened") {
  test::FakeTarget target;
  CHECK(find(rows_of(target), "SCRATCH[2]") == nullptr);
  const auto rows = rows_of(target, "", {"SCRATCH"});
  const RegisterRow* element = find(rows, "SCRATCH[2]");
  REQUIRE(element != nullptr);
  CHECK(element->where == "0x030");
  CHECK(find(rows, "ADDRESS")->value == "0x0000000000000000");
}

TEST_CASE("a search finds registers by name and offset, and opens those whose field matches") {
  test::FakeTarget target;
  CHECK(rows_of(target, "scratch[3]").empty());  // arrays are found by their own name
  CHECK(find(rows_of(target, "scratch"), "SCRATCH[3]") != nullptr);
  CHECK(find(rows_of(target, "0x40"), "ADDRESS") != nullptr);
  const auto rows = rows_of(target, "error");
  CHECK(find(rows, "STATUS.ERROR") != nullptr);
  CHECK(find(rows, "STATUS.BUSY") == nullptr);
  CHECK(find(rows, "CONTROL") == nullptr);
}

TEST_CASE("a register is marked as changed only from the given transaction on") {
  test::FakeTarget target;
  CHECK(find(rows_of(target, "", {}, 5), "STATUS")->changed);
  CHECK_FALSE(find(rows_of(target, "", {}, 6), "STATUS")->changed);
  CHECK_FALSE(find(rows_of(target, "", {}, 1), "ID")->changed);  // never changed
}

TEST_CASE("changes are marked since the stop before this one") {
  ChangeMark mark;
  Snapshot s;
  s.state = RunState::Stopped;
  s.stop.emplace();
  s.stop->transaction.seq = 10;
  mark.update(s);
  CHECK(mark.since() == 1);
  s.stop->transaction.seq = 14;  // held before delivery: 10 acted meanwhile
  mark.update(s);
  CHECK(mark.since() == 10);
  mark.update(s);  // the same stop: a poke changes nothing of it
  CHECK(mark.since() == 10);
  s.state = RunState::Running;
  s.stop.reset();
  mark.update(s);
  CHECK(mark.since() == 10);
  s.state = RunState::Stopped;
  s.stop.emplace();
  s.stop->transaction.seq = 20;
  s.stop->phase = Phase::After;
  mark.update(s);
  CHECK(mark.since() == 14);
  s.stop->transaction.seq = 22;  // 20 had acted before the stop after it
  mark.update(s);
  CHECK(mark.since() == 21);
}

TEST_CASE("a poke of one field keeps the others and sends no 1 to fields that act on it") {
  // START is RW1S: writing back the 1 that is read would start again.
  CHECK(value_for_poke(control(), 0x0803, *control().find("COUNT"), 0x20) == 0x2002);
  CHECK(value_for_poke(control(), 0x0802, *control().find("START"), 1) == 0x0803);
}

TEST_CASE("with several functions each has a row and its name stands before the registers") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    auto names = std::make_shared<Names>(*s.names);
    names->functions.push_back(names->functions[0]);
    names->functions[1].instance = "fake1";
    s.names = names;
    s.functions.push_back(s.functions[0]);
    s.functions[1].instance = "fake1";
  });
  auto rows = rows_of(target);
  REQUIRE(find(rows, "fake1") != nullptr);
  REQUIRE(find(rows, "fake1:STATUS") != nullptr);
  CHECK(find(rows, "fake1:STATUS")->function == 1);
  rows = rows_of(target, "", {"-fake0"});
  CHECK(find(rows, "fake0:STATUS") == nullptr);
  CHECK(find(rows, "fake1:STATUS") != nullptr);
}

TEST_CASE("a recording's row says where its value is the declared one and no fact") {
  test::FakeTarget target;
  target.change([](Snapshot& s) {
    s.host = "trace";
    s.functions[0].banks[0].registers[0].recorded = 0;
    s.functions[0].banks[0].registers[1].recorded = 0xff00;  // COUNT
  });
  const auto rows = rows_of(target, "", {"CONTROL"});
  CHECK(find(rows, "ID")->assumed == "reset");
  CHECK(find(rows, "CONTROL")->assumed == "partly");
  CHECK(find(rows, "CONTROL.MODE")->assumed == "reset");
  CHECK(find(rows, "CONTROL.COUNT")->assumed.empty());
  CHECK(find(rows, "STATUS")->assumed.empty());
}
