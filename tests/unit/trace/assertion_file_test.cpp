// The lines of a file of assertions: names, remarks, and what is wrong with one, with its place.
#include <fstream>
#include <sstream>

#include "trace/assertion_fixture.hpp"

using namespace example;

TEST_CASE("names, remarks, blank lines and Windows' line ends are understood") {
  const auto all = asserted(
      "\xef\xbb\xbf# a remark\r\n"
      "\r\n"
      "it is switched on: must write CC.EN 0->1   # the rest is a remark\r\n"
      "\t never status UR\n"
      "the driver's last word: must \"timer\" == 5 # quotes hide: \"#\"\n"
      "no end of line: must irq");
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "it is switched on");
  CHECK(all[0].text == "must write CC.EN 0->1");
  CHECK(all[0].line == 3);
  CHECK(all[0].file == "up.asserts");
  CHECK(all[1].name == "never status UR");
  CHECK(all[1].line == 4);
  CHECK(all[2].name == "the driver's last word");
  CHECK(all[2].text == "must \"timer\" == 5");
  CHECK(all[3].name == "no end of line");
}

TEST_CASE("a colon belongs to the name only where a rule follows it") {
  const auto all = asserted(
      "NVMe 1.4, 3.5.1: step 2: must edu0:STATUS\n"
      "must edu0:(irq or reset)\n"
      "must \"00:02.0\":STATUS\n");
  CHECK(all[0].name == "NVMe 1.4, 3.5.1: step 2");
  CHECK(all[0].subject.text() == "edu0:STATUS");
  CHECK(all[1].subject.text() == "edu0:(irq or reset)");
  CHECK(all[2].subject.text() == "\"00:02.0\":STATUS");
}

TEST_CASE("the words of a rule mean themselves only outside parentheses and quotes") {
  const auto all = asserted("must write CC from \"before\" before irq\n");
  CHECK(all[0].rule == Assertion::Rule::Before);
  CHECK(all[0].subject.text() == "write CC from \"before\"");
  CHECK(all[0].other.text() == "irq");
}

TEST_CASE("limits have units, and are kept in nanoseconds or transactions") {
  auto a = asserted("must irq within 1.5ms after write CC").front();
  CHECK(a.rule == Assertion::Rule::After);
  CHECK(a.limit_kind == Assertion::Limit::Time);
  CHECK(a.limit == 1'500'000);
  a = asserted("must irq within 20 transactions after each write CC").front();
  CHECK(a.limit_kind == Assertion::Limit::Transactions);
  CHECK(a.limit == 20);
  a = asserted("must irq after each write CC").front();
  CHECK(a.limit_kind == Assertion::Limit::None);
}

TEST_CASE("an error has the file, the line, the column and the place") {
  CHECK(refused_file("# first\nup: must write STATSU 0->1") ==
        "up.asserts:2:16: no register STATSU on nvme0 or edu0; did you mean STATUS?\n"
        "  up: must write STATSU 0->1\n"
        "                 ^~~~~~");
  CHECK(has(refused_file("must irq before write CC.EN 0->2"), "up.asserts:1:32: "));
  CHECK(has(refused_file("mast irq"), "up.asserts:1:1: an assertion is \"must ...\""));
  CHECK(has(refused_file("bring-up: mast irq"), "up.asserts:1:1: an assertion is"));
  CHECK(has(refused_file("must irq -3"), "up.asserts:1:10: there is no '-'"));
}

TEST_CASE("the column counts characters, not bytes") {
  CHECK(has(refused_file("größer: must NOPE"), "up.asserts:1:14: "));
}

TEST_CASE("what is missing or misplaced in a rule is said there") {
  CHECK(has(refused_file("must"), "1:5: an expression is missing here"));
  CHECK(has(refused_file("never"), "1:6: an expression is missing here"));
  CHECK(has(refused_file("must before irq"), "1:6: an expression is missing here"));
  CHECK(has(refused_file("must irq before"), "1:16: an expression is missing here"));
  CHECK(has(refused_file("must irq after each"), "1:20: an expression is missing here"));
  CHECK(has(refused_file("must 3 times"), "1:6: an expression is missing here"));
  CHECK(has(refused_file("must irq before reset after write CC"), "1:23: one assertion has"));
  CHECK(has(refused_file("must irq within 5ms"), "1:10: \"within\" what?"));
  CHECK(has(refused_file("must irq within 5ms before write CC"), "1:10: \"within\" goes with"));
  CHECK(has(refused_file("must irq after each write CC within 5ms"), "1:30: \"within\" stands"));
  CHECK(has(refused_file("never irq before write CC"), "1:11: \"before\" goes with \"must\""));
  CHECK(has(refused_file("must irq at least often"), "1:10: how often stands at the end"));
  CHECK(has(refused_file("must irq 0 times"), "1:10: 0 times is \"never\""));
}

TEST_CASE("a finding has one rule") {
  CHECK(refused_file("never finding kernel or dma").find("up.asserts:1:15: after") == 0);
}

TEST_CASE("with the same takes an attribute that both sides can have") {
  const auto a = asserted("must irq with the same vector within 5ms after each irq").front();
  CHECK(a.rule == Assertion::Rule::After);
  CHECK(a.same == expression::Attribute::Vector);
  CHECK(a.subject.text() == "irq");
  CHECK(a.limit == 5'000'000);
  CHECK(has(refused_file("must irq with the same iova after each dma_map"),
            "1:24: \"irq\" matches nothing that has one"));
  CHECK(has(refused_file("must irq with the same size after each irq"), "matches nothing"));
  CHECK(has(refused_file("must irq with the same status after each irq"), "takes one of iova"));
  CHECK(has(refused_file("must irq with the vector after each irq"), "takes one of iova"));
  CHECK(has(refused_file("must irq after each irq with the same vector"), "stands behind"));
  CHECK(has(refused_file("must irq with the same vector"), "goes with \"before\" and \"after\""));
  CHECK(has(refused_file("never irq with the same vector"), "\"with\" goes with \"must\""));
}

TEST_CASE("a limit without a unit, with a wrong one or of nothing is refused") {
  for (const char* limit : {"5", "5k", "5 ms", "ms", "0 transactions", "5ms transactions", ""})
    CHECK(has(refused_file("must irq within " + std::string(limit) + " after each write CC"),
              "\"within\" takes a time"));
}

TEST_CASE("a file without an assertion is refused, since it would always hold") {
  CHECK(has(refused_file(""), "there is no assertion in it"));
  CHECK(has(refused_file("# only a remark\n\n"), "there is no assertion in it"));
}

TEST_CASE("hostile files are refused, and cost nothing") {
  CHECK(has(refused_file(std::string(2u << 20, 'x')), "are no file of assertions"));
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "must irq\n";
  CHECK(has(refused_file(many), "up.asserts:1001:1: more than 1000 assertions"));
  CHECK(has(refused_file("must " + std::string(100, '(') + "irq"), "up.asserts:1:"));
  CHECK(has(refused_file(std::string("must irq \0 \x1b[2J", 15)), "up.asserts:1:10: "));
  CHECK(has(refused_file("must \"irq"), "never closed"));
  CHECK(has(refused_file("must " + std::string(5000, 'a')), "bytes long"));
}

TEST_CASE("the examples of docs/ci.md are accepted") {
  std::ifstream file(PCILENS_SOURCE_DIR "/docs/ci.md");
  REQUIRE(file);
  bool inside = false;
  std::string examples;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```"))
      inside = line == "```asserts";
    else if (inside)
      examples += line + "\n";
  }
  CHECK(asserted(examples).size() > 10);
}
