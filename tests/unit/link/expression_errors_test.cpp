// What an expression that cannot be is told: where, what, and what to do.
#include "expression_fixture.hpp"

using namespace example;

TEST_CASE("an error names the column and draws a caret under the place") {
  CHECK(refused("STATSU 0->1") ==
        "column 1: no register STATSU on nvme0 or edu0; did you mean STATUS?\n"
        "  STATSU 0->1\n"
        "  ^~~~~~");
  CHECK(refused("write CC and CC.ENA == 1") ==
        "column 14: CC has no field ENA; did you mean EN?\n"
        "  write CC and CC.ENA == 1\n"
        "               ^~~~~~");
  CHECK(refused("CC ==") ==
        "column 6: the text ends here; expected a value\n"
        "  CC ==\n"
        "       ^");
}

TEST_CASE("the column counts characters, not bytes") {
  CHECK(has(refused("\"\u00e4\u00e4\" == 1 )"), "column 1:"));
  CHECK(has(refused("from \"\u00e4\u00e4\" )"), "column 11:"));
}

TEST_CASE("near misses are suggested") {
  CHECK(has(refused("cc"), "did you mean CC?"));
  CHECK(has(refused("edu0:STATSU"), "no register STATSU on edu0; did you mean STATUS?"));
  CHECK(has(refused("edu:STATUS"), "no function edu on this link; did you mean edu0:?"));
  CHECK(has(refused("config COMAND"), "did you mean COMMAND?"));
  CHECK(has(refused("origin poek"), "did you mean poke?"));
  CHECK(has(refused("CC.SHN == NORMALL"), "did you mean NORMAL?"));
  CHECK(has(refused("SQ[3].TDLB"), "did you mean SQ"));
  CHECK(has(refused("wirte CC"), "did you mean write?"));
  CHECK(has(refused("lateny > 5"), "did you mean latency?"));
}

TEST_CASE("what can never match is refused") {
  CHECK(has(refused("CC.EN == 2"), "0x2 does not fit CC.EN; its largest value is 0x1"));
  CHECK(has(refused("CC.EN 0->2"), "does not fit"));
  CHECK(has(refused("CC & 0xf0 == 0x41"), "outside the mask"));
  CHECK(has(refused("CC & 0 == 0"), "no bits"));
  CHECK(has(refused("GPR[8]"), "GPR has the elements 0..7"));
  CHECK(has(refused("CC[1]"), "takes no index"));
  CHECK(has(refused("value in 5..3"), "empty"));
  CHECK(has(refused("config CC"), "no config register CC"));
  CHECK(has(refused("dma CC"), "DMA has no register"));
  CHECK(has(refused("mem_write COMMAND"), "config space"));
  CHECK(has(refused("irq CC"), "irq has no register"));
  CHECK(has(refused("config[0x1000]"), "config space ends at 0x1000"));
}

TEST_CASE("wrong grammar is told in the grammar's words") {
  CHECK(has(refused("irq write"), "put `and` or `or` before write"));
  CHECK(has(refused("read write CC"), "exclude each other"));
  CHECK(has(refused("(irq"), "expected `)`"));
  CHECK(has(refused("irq)"), "closes none"));
  CHECK(has(refused("5 == value"), "begins with what is compared"));
  CHECK(has(refused("value"), "expected a comparison"));
  CHECK(has(refused("CC | 5"), "there is no '|'"));
  CHECK(has(refused("value == -1"), "there is no '-'"));
  CHECK(has(refused("irq and"), "expected a condition"));
  CHECK(has(refused("and"), "expected a condition"));
  CHECK(has(refused("\"CC"), "never closed"));
  CHECK(has(refused("SQ[3"), "never closed"));
  CHECK(has(refused("value == 0xfg"), "no number of base 16"));
  CHECK(has(refused("value == 12ab"), "no number"));
  CHECK(has(refused("value == 99999999999999999999"), "does not fit 64 bits"));
  CHECK(has(refused("status < UR"), "not an order"));
  CHECK(has(refused("read from BAR0+4"), "write `read BAR0`"));
  CHECK(has(refused("iova 0->1"), "no old value"));
  CHECK(has(refused("CC.EN ->"), "as in 0->1"));
  CHECK(has(refused("CC+4"), "+ stands only after BAR0"));
  CHECK(has(refused("last GPR == 1"), "one register"));
  CHECK(has(refused("BAR0[0..0xff] == 1"), "no one value"));
  CHECK(has(refused("#"), "no meaning"));
}

TEST_CASE("a link without register maps says how to name a place") {
  auto bare = std::make_shared<Names>();
  bare->functions.push_back({"function0", "00:04.0", {}});
  const auto e = Expression::compile("CC", bare);
  REQUIRE_FALSE(e);
  CHECK(has(e.error().message, "no register names are known, write BAR0+0x1c instead"));
  CHECK(Expression::compile("BAR0+0x1c == 5", bare));
  CHECK(Expression::compile("COMMAND.MEM 0->1", bare));
  CHECK(Expression::compile("irq", nullptr));
}

TEST_CASE("hostile texts are refused, quickly") {
  CHECK(has(refused(std::string(5000, ' ')), "5000 bytes long"));
  CHECK(has(refused(std::string(2000, '(')), "nested deeper"));
  std::string nots, conditions = "irq", prefixes;
  for (int i = 0; i < 800; ++i) nots += "not ";
  for (int i = 0; i < 800; ++i) conditions += "||i";
  for (int i = 0; i < 800; ++i) prefixes += "BAR0:";
  CHECK(has(refused(nots + "irq"), "nested deeper"));
  CHECK(has(refused(prefixes + "CC"), "nested deeper"));
  std::string many = "irq";
  for (int i = 0; i < 600; ++i) many += "||irq";
  CHECK(has(refused(many), "more than 512 conditions"));
  CHECK(has(refused(std::string(200, 'A')), "a name of 200 bytes"));
  CHECK(has(refused("from " + std::string(200, '*')), "a name of 200 bytes"));
  // Control characters of a hostile text do not reach the terminal.
  const std::string message = refused("\x1b[2J");
  CHECK(message.find('\x1b') == std::string::npos);
  CHECK(refused(std::string(3000, ' ') + "wrong").size() < 400);
  // Nor bytes that are no UTF-8: the message may become JSON.
  CHECK(has(refused("irq \x94 1"), "column 5: '?' has no meaning"));
  CHECK(has(refused("irq \xe4\xb8"), "irq ??"));
}
