// What the console and the window offer while an expression is typed.
#include <algorithm>

#include "expression_fixture.hpp"

using namespace example;

namespace {

bool offers(std::string_view text, std::string_view candidate) {
  const auto all = completions(text, *names());
  return std::find(all.begin(), all.end(), candidate) != all.end();
}

}  // namespace

TEST_CASE("a beginning offers registers, kinds, attributes and instances") {
  for (const char* word : {"CC", "CSTS", "STATUS", "SQ[*].TDBL", "write", "irq", "origin", "last",
                           "not", "edu0:", "nvme0:", "any"})
    CHECK(offers("", word));
  CHECK(offers("irq or CS", "CSTS"));
  CHECK(offers("not (wri", "write"));
  CHECK_FALSE(offers("CS", "CC"));
  CHECK(offers("cs", "CSTS"));
}

TEST_CASE("after a register's dot come its fields") {
  CHECK(completions("write CC.", *names()) ==
        std::vector<std::string>{"CC.CSS", "CC.EN", "CC.IOCQES", "CC.IOSQES", "CC.SHN"});
  CHECK(completions("write CC.E", *names()) == std::vector<std::string>{"CC.EN"});
  CHECK(offers("SQ[3].T", "SQ[3].TDBL"));
  CHECK(offers("SQ[3].TDBL.", "SQ[3].TDBL.TAIL"));
  CHECK(offers("COMMAND.M", "COMMAND.MEM"));
}

TEST_CASE("a prefix narrows what is offered") {
  CHECK(offers("edu0:ST", "STATUS"));
  CHECK_FALSE(offers("edu0:C", "CC"));
  CHECK(offers("config C", "COMMAND"));
  CHECK_FALSE(offers("config C", "CC"));
  CHECK(offers("config write C", "COMMAND"));
}

TEST_CASE("after an operator come the values of its left side") {
  CHECK(offers("CC.SHN == ", "NORMAL"));
  CHECK(offers("CC.SHN NONE->", "ABRUPT"));
  CHECK(offers("CC.SHN in {NONE, ", "ABRUPT"));
  CHECK(offers("edu0:DMA.DIR == T", "TO_RAM"));
  CHECK(offers("origin ", "poke"));
  CHECK(offers("status != ", "UR"));
  CHECK(offers("status in {", "UR"));
  CHECK(offers("reset ", "flr"));
  CHECK(offers("value == ", "old"));
}

TEST_CASE("after a place come its tests, after a condition what joins them") {
  CHECK(offers("CC ", "=="));
  CHECK(offers("CC.EN ch", "changes"));
  CHECK(offers("CC ", "and"));
  CHECK(offers("CC == 5 ", "or"));
  CHECK_FALSE(offers("CC == 5 ", "changes"));
  CHECK(offers("write ", "config"));
  CHECK(offers("write ", "CC"));
}

TEST_CASE("the word that is completed begins after the last separator") {
  CHECK(completion_start("write CC.E") == 6);
  CHECK(completion_start("edu0:ST") == 5);
  CHECK(completion_start("irq ") == 4);
  CHECK(completion_start("CC.SHN in NONE..AB") == 16);
}

TEST_CASE("inside a quote, or after what is wrong, nothing is offered") {
  CHECK(completions("from \"nv", *names()).empty());
  CHECK(completions("CC | ", *names()).empty());
  CHECK(completions("from ", *names()).empty());
}

TEST_CASE("what is offered at a beginning compiles or is the beginning of something that does") {
  for (const std::string& word : completions("", *names())) {
    const bool alone = Expression::compile(word, names()).has_value();
    const bool more = Expression::compile(word + " CC", names()).has_value() ||
                      Expression::compile(word + "irq", names()).has_value() ||
                      Expression::compile(word + " == 1", names()).has_value() ||
                      Expression::compile(word + " == CC", names()).has_value() ||
                      !completions(word + " ", *names()).empty();
    if (!alone && !more && word != "from" && word != "symbol") FAIL(word);
  }
}
