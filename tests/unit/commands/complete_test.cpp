#include <algorithm>

#include "catch.hpp"
#include "fixture.hpp"

using namespace example;

namespace {

std::vector<std::string> offered(Desk& desk, std::string_view line, std::size_t* begin = nullptr) {
  const Completions found = complete_line(CommandTable::standard(), *desk.target.snapshot(), line);
  if (begin != nullptr) *begin = found.begin;
  std::vector<std::string> out;
  for (const Completion& c : found.items) out.push_back(c.text);
  return out;
}

bool offers(Desk& desk, std::string_view line, std::string_view word) {
  const auto all = offered(desk, line);
  return std::find(all.begin(), all.end(), word) != all.end();
}

}  // namespace

TEST_CASE("a beginning is completed to commands") {
  Desk desk;
  CHECK(offers(desk, "", "break"));
  CHECK(offered(desk, "regi") == std::vector<std::string>{"registers"});
  CHECK(offered(desk, "help toggl") == std::vector<std::string>{"toggle"});
}

TEST_CASE("a place is completed to registers, and after a dot to fields") {
  Desk desk;
  CHECK(offers(desk, "write CON", "CONTROL"));
  CHECK(offers(desk, "read BA", "BAR0+0x"));
  CHECK(offered(desk, "write CONTROL.M") == std::vector<std::string>{"CONTROL.MODE"});
  CHECK(offered(desk, "write control.m") == std::vector<std::string>{"CONTROL.MODE"});
  CHECK(offers(desk, "registers S", "SCRATCH[0]"));
}

TEST_CASE("a field's value is completed to its names") {
  Desk desk;
  CHECK(offered(desk, "write CONTROL.MODE ") == std::vector<std::string>{"slow", "fast"});
  CHECK(offers(desk, "edit M", "MODE="));
  CHECK(offered(desk, "edit MODE=f") == std::vector<std::string>{"MODE=fast"});
}

TEST_CASE("an expression is completed by the grammar, from where its own word begins") {
  Desk desk;
  CHECK(offers(desk, "break wri", "write"));
  CHECK(offers(desk, "break write CON", "CONTROL"));
  std::size_t begin = 0;
  const std::string line = "break not (wri";
  CHECK(offered(desk, line, &begin) == std::vector<std::string>{"write"});
  CHECK(line.substr(begin) == "wri");
  CHECK(offers(desk, "step until write CON", "CONTROL"));
  CHECK(offers(desk, "transactions read STA", "STATUS"));
}

TEST_CASE("the words that may follow are offered once") {
  Desk desk;
  CHECK(offers(desk, "break write CONTROL ", "ignore"));
  CHECK(offers(desk, "break write CONTROL after on", "once"));
  CHECK_FALSE(offers(desk, "break write CONTROL after ", "after"));
  CHECK(offers(desk, "fault read STATUS ", "=>"));
  CHECK(offers(desk, "fault read STATUS => fl", "flip"));
  CHECK(offers(desk, "step ", "irq"));
  CHECK(offers(desk, "wait ", "stop"));
}

TEST_CASE("an unknown command and an open quote offer nothing") {
  Desk desk;
  CHECK(offered(desk, "frobnicate x").empty());
  CHECK(offered(desk, "break \"wri").empty());
}
