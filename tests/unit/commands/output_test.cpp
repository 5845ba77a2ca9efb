#include "inspector-ui/commands/output.hpp"

#include "catch.hpp"

using namespace pcilens::ui;

namespace {

Table sample() {
  Table t;
  t.columns = {{"name", "name"}, {"value", "value", true}, {"note", "note", false, true}};
  t.rows = {{{"A", Style::Name}, {"1", Style::Value, "1"}, {"short"}},
            {{"LONGER"}, {"255", Style::Value, "255"}, {"a note that goes on for quite a while"}}};
  return t;
}

}  // namespace

TEST_CASE("columns are aligned, numbers at the right, nothing behind the last word") {
  CHECK(render(Output(sample()), {.width = 0}) ==
        "name    value  note\n"
        "A           1  short\n"
        "LONGER    255  a note that goes on for quite a while\n");
}

TEST_CASE("a table too wide for the terminal is cut in its stretching column") {
  const std::string text = render(Output(sample()), {.width = 30});
  CHECK(text ==
        "name    value  note\n"
        "A           1  short\n"
        "LONGER    255  a note that go…\n");
}

TEST_CASE("a line is cut at the terminal's width, counted in characters") {
  CHECK(render(Line("äöü→■äöü"), {.width = 5}) == "äöü→…\n");
  CHECK(render(Line("12345"), {.width = 5}) == "12345\n");
}

TEST_CASE("a line is folded between words, and what follows stands further in") {
  Line line;
  line.add("■ ", Style::Bad).add("#19 write of ").add("FACTORIAL", Style::Name);
  line.add(" held before the device sees it");
  std::string text;
  for (const Line& one : folded(line, 24)) text += render(Output(one), {.width = 24});
  CHECK(text ==
        "■ #19 write of FACTORIAL\n"
        "  held before the device\n"
        "  sees it\n");
  CHECK(folded(Line("  short"), 24).size() == 1);
  CHECK(render(Output(folded(Line("averylongwordthatisnotbroken x"), 10)[0]), {.width = 0}) ==
        "averylong…\n");
}

TEST_CASE("colours are escapes around the words, and only where asked for") {
  CHECK(render(Line("x", Style::Bad), {.width = 0, .colour = true}) == "\033[31mx\033[0m\n");
  CHECK(render(Line("x", Style::Bad), {.width = 0}) == "x\n");
}

TEST_CASE("an empty table says what to do") {
  Table t;
  t.empty = "nothing yet; type more";
  CHECK(render(Output(t), {.width = 0}) == "nothing yet; type more\n");
  CHECK(render_json(Output(t)) == "[]");
}

TEST_CASE("a table is a JSON array of objects, text a JSON string") {
  CHECK(render_json(Output(sample())) ==
        "[{\"name\":\"A\",\"value\":1,\"note\":\"short\"},"
        "{\"name\":\"LONGER\",\"value\":255,\"note\":\"a note that goes on for quite a while\"}]");
  CHECK(render_json(Output(Line("say \"hi\"\n\\"))) == "{\"text\":\"say \\\"hi\\\"\\n\\\\\"}");
  CHECK(json_string("\x01") == "\"\\u0001\"");
}

TEST_CASE("of a column that keeps its end, the end stays when it is cut") {
  Table table;
  table.columns = {{"", "a"}, {"", "b", false, true}};
  table.columns[1].keep_end = true;
  table.rows = {{{"x"}, {"/a/long/path/to/driver.c:123"}}};
  CHECK(render(Output(table), {.width = 20}) == "x  …/to/driver.c:123\n");
}

TEST_CASE("a column for JSON alone takes no room on a screen") {
  Table table;
  table.columns = {{"a", "a"}, {"", "b"}, {"c", "c"}};
  table.columns[1].json_only = true;
  table.rows = {{{"1"}, {"2"}, {"3"}}};
  CHECK(render(Output(table), {.width = 0}) == "a  c\n1  3\n");
  CHECK(render_json(Output(table)) == R"([{"a":"1","b":"2","c":"3"}])");
}
