#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

namespace {

const Command& command(std::string_view id) {
  return **CommandTable::standard().find(id);
}

Arguments parsed(std::string_view id, std::string_view text) {
  auto arguments = parse(command(id), text);
  INFO(id << " " << text << ": " << (arguments ? "" : arguments.error().message));
  REQUIRE(arguments);
  return *arguments;
}

}  // namespace

TEST_CASE("the words after an expression are read from the end of the line") {
  const auto a = parsed("break", "write CONTROL.START 0->1 after ignore 3 once");
  CHECK(a.text("expression") == "write CONTROL.START 0->1");
  CHECK(a.has("after"));
  CHECK(a.has("once"));
  CHECK_FALSE(a.has("log"));
  CHECK(a.number("ignore").value() == 3);
}

TEST_CASE("quotes keep an expression apart from the words after it") {
  CHECK(parsed("break", "\"read STATUS\" log").text("expression") == "read STATUS");
  CHECK(parsed("break", "symbol \"my once\"").text("expression") == "symbol \"my once\"");
}

TEST_CASE("a fault rule is parted at =>") {
  const auto a = parsed("fault", "read STATUS == 1 => replace 0x0/0xff skip 1 times 2");
  CHECK(a.text("expression") == "read STATUS == 1");
  CHECK(a.text("action") == "replace 0x0/0xff");
  CHECK(a.number("skip").value() == 1);
  CHECK(a.number("times").value() == 2);
}

TEST_CASE("a choice may be left out for what follows it") {
  CHECK(parsed("wait", "5s").text("timeout") == "5s");
  CHECK(parsed("wait", "stop 5s").text("what") == "stop");
  CHECK(parsed("step", "until write STATUS").text("expression") == "write STATUS");
  CHECK(parsed("step", "change").text("how") == "change");
}

TEST_CASE("what is missing or too much is named, with the usage") {
  for (const auto& [id, text, part] :
       {std::tuple{"write", "CONTROL", "value is missing"},
        std::tuple{"write", "", "place is missing"},
        std::tuple{"break", "", "expression is missing"},
        std::tuple{"break", "write CONTROL ignore", "\"ignore\" wants"},
        std::tuple{"fault", "read STATUS", "\"=>\""},
        std::tuple{"fault", "read STATUS =>", "\"=>\" wants"},
        std::tuple{"read", "STATUS 4 5", "\"5\" is too much"},
        std::tuple{"step", "backwards", "too much"},
        std::tuple{"break", "irq once once", "twice"}}) {
    const auto arguments = parse(command(id), text);
    INFO(id << " " << text);
    REQUIRE_FALSE(arguments);
    INFO(arguments.error().message);
    CHECK(has(arguments.error().message, part));
    CHECK(has(arguments.error().message, "usage: " + std::string(id)));
  }
}

TEST_CASE("usage shows choices, keywords and what may be left out") {
  CHECK(usage(command("break")) ==
        "break EXPRESSION [after] [ignore IGNORE] [once] [log] [posted]");
  CHECK(usage(command("write")) == "write PLACE VALUE [SIZE]");
  CHECK(usage(command("fault")) == "fault EXPRESSION => ACTION [skip SKIP] [times TIMES]");
  CHECK(usage(command("wait")) == "wait [stop|end|bound] [TIMEOUT]");
}

TEST_CASE("a command is found by id, alias or unique beginning") {
  const auto& table = CommandTable::standard();
  CHECK((*table.find("run"))->id == "run");
  CHECK((*table.find("c"))->id == "run");
  CHECK((*table.find("tra"))->id == "transactions");
  REQUIRE_FALSE(
      table.find("f"
                 "aul"
                 "x"));
  CHECK(has(table.find("registres").error().message, "did you mean \"registers\""));
  CHECK(has(table.find("re").error().message, "reset"));
  CHECK(has(table.find("frobnicate").error().message, "\"help\" lists them"));
}

TEST_CASE("each key belongs to one action only") {
  const auto& table = CommandTable::standard();
  for (const Command& c : table.commands())
    for (const Action& a : c.actions) {
      if (!a.key) continue;
      const auto bound = table.bound_to(a.key);
      REQUIRE(bound);
      INFO(c.id << " " << name_of(a.key));
      CHECK(bound->action == &a);
    }
  CHECK(table.bound_to(plain(KeyCode::F5))->command->id == "run");
  CHECK(table.bound_to(plain(KeyCode::F6))->command->id == "pause");
  CHECK(table.bound_to(plain(KeyCode::F9))->command->id == "toggle");
  CHECK(table.bound_to(plain(KeyCode::F10))->command->id == "step");
  CHECK(name_of(table.bound_to(shift(KeyCode::F11))->action->key) == "Shift+F11");
}

TEST_CASE("every menu entry that asks for nothing has all its arguments") {
  for (const Command& c : CommandTable::standard().commands())
    for (const Action& a : c.actions) {
      INFO(c.id << ": " << a.label);
      const auto arguments = parse(c, a.arguments);
      const bool asks = a.label.ends_with("…");
      CHECK((arguments && complete(c, *arguments)) != asks);
    }
}

TEST_CASE("every example in the help is a line that parses") {
  const auto& table = CommandTable::standard();
  unsigned examples = 0;
  for (const Command& c : table.commands()) {
    INFO(c.id);
    CHECK_FALSE(c.summary.empty());
    CHECK_FALSE(c.group.empty());
    std::string_view rest = c.help;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.starts_with("  ")) continue;
      ++examples;
      const std::string_view typed = line.substr(2);
      INFO(typed);
      const auto found = table.find(typed.substr(0, typed.find(' ')));
      REQUIRE(found);
      CHECK((*found)->id == c.id);
      CHECK(parse(**found, typed.substr(std::min(typed.find(' '), typed.size()))));
    }
  }
  CHECK(examples >= table.commands().size());
}
