// SVD files that are wrong or mean harm: each is refused with its line and the reason.
#include <sys/resource.h>

#include <random>

#include "catch.hpp"
#include "core/registers/svd.hpp"
#include "core/registers/svd_values.hpp"

using namespace pcilens;

namespace {

// One peripheral P with these registers; they begin on line 3.
std::string chip(const std::string& registers) {
  return "<device><name>X</name><peripherals>\n"
         "<peripheral><name>P</name><baseAddress>0</baseAddress><registers>\n" +
         registers + "\n</registers></peripheral></peripherals></device>\n";
}

std::string reg(const std::string& name, const std::string& offset, const std::string& more = "") {
  return "<register><name>" + name + "</name><addressOffset>" + offset + "</addressOffset>" + more +
         "</register>\n";
}

std::string field(const std::string& name, const std::string& range) {
  return "<field><name>" + name + "</name><bitRange>" + range + "</bitRange></field>";
}

std::string error_of(const std::string& xml) {
  const auto read = read_svd(xml, "x.svd");
  return read ? "accepted" : read.error().message;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

void expect(const std::string& xml, const std::string& line, const std::string& reason) {
  const std::string error = error_of(xml);
  INFO(error);
  CHECK(error.rfind("x.svd:" + line + ": ", 0) == 0);
  CHECK(error.find(reason) != std::string::npos);
  CHECK(error.find('\n') == std::string::npos);
  CHECK(error.size() < 400);
}

long peak_kilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("a plain register is accepted, so that what follows is refused for its own reason") {
  CHECK(error_of(chip(reg("A", "0"))) == "accepted");
}

TEST_CASE("an SVD file with a document type or entities is refused") {
  const std::string bomb =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE device [\n<!ENTITY a \"ha\">\n<!ENTITY b "
      "\"&a;&a;&a;&a;\">\n]>\n" +
      chip(reg("A", "0", "<description>&b;</description>"));
  expect(bomb, "2", "document type or entity");
  expect("<device>\n\n<!entity x SYSTEM \"file:///etc/passwd\"></device>", "3", "entity");
  expect("<!-- a comment\n -->\n<!DocType device>", "3", "document type");
}

TEST_CASE("an SVD file that is no XML or no SVD is refused") {
  expect("", "1", "");
  expect("<device>\n<name>X</name>\n<peripherals>", "3", "no well-formed XML");
  expect("<svg/>", "1", "no <device>");
  expect("<device><name>X</name></device>", "1", "no <peripheral>");
  expect(std::string("\0\0\0\0", 4), "1", "");
}

TEST_CASE("an SVD file that is nested too deep is refused") {
  expect(repeated("<a>", 200'000) + repeated("</a>", 200'000), "1", "nested more than");
  const std::string clusters =
      repeated("<cluster><name>C</name><addressOffset>0</addressOffset>", 13) + reg("A", "0") +
      repeated("</cluster>", 13);
  expect(chip(clusters), "3", "clusters inside each other");
}

TEST_CASE("an SVD file with too many elements is refused before they cost memory") {
  const long before = peak_kilobytes();
  expect("<device>" + repeated("<a/>", 2'000'001) + "</device>", "1", "two million tags");
  // As text of an attribute, where only a lenient parser sees them.
  expect("<device a=\"<!--" + repeated("<a>", 2'000'001) + "-->\"></device>", "1",
         "two million tags");
  expect("<device" + repeated(" a=''", 1'000'001) + "/>", "1", "million attributes");
  expect(std::string((32u << 20) + 1, ' '), "1", "32 MiB");
  CHECK(peak_kilobytes() - before < 200'000);
}

TEST_CASE("registers that overlap are refused") {
  expect(chip(reg("A", "0") + reg("B", "2", "<size>16</size>")), "4", "overlap");
  expect(chip(reg("A[%s]", "0", "<dim>4</dim><dimIncrement>4</dimIncrement>") + reg("B", "8")), "4",
         "overlap");
  expect(chip(reg("A", "0") + reg("A", "4")), "4", "same name");
}

TEST_CASE("fields that overlap, lie outside or have one name are refused") {
  const auto with = [](const std::string& fields) {
    return chip("\n" + reg("A", "0", "\n<fields>" + fields + "</fields>"));
  };
  expect(with(field("F", "[32:30]")), "5", "outside");
  expect(with(field("F", "[0:3]")), "5", "outside");
  expect(with(field("F", "[18446744073709551615:0]")), "5", "outside");
  expect(with(field("F", "[4:0]") + "\n" + field("G", "[7:4]")), "6", "overlap");
  expect(with(field("F", "[0:0]") + "\n" + field("F", "[1:1]")), "6", "two fields are called");
  expect(with(field("F", "7:0")), "5", "bitRange");
  expect(with("<field><name>F</name></field>"), "5", "no <bitOffset>");
  expect(with("<field><name>F</name><bitOffset>0</bitOffset><bitWidth>0</bitWidth></field>"), "5",
         "bitWidth");
  expect(with("<field><name>F%s</name><bitRange>[0:0]</bitRange><dim>64</dim>"
              "<dimIncrement>1</dimIncrement></field>"),
         "5", "outside");
  expect(with("<field><name>F</name><bitRange>[1:0]</bitRange><enumeratedValues>\n"
              "<enumeratedValue><name>E</name><value>4</value></enumeratedValue>"
              "</enumeratedValues></field>"),
         "6", "no number of its 2 bits");
}

TEST_CASE("a dim that is too large, or that multiplies too far, is refused") {
  const auto dim = [](const std::string& count) {
    return "<dim>" + count + "</dim><dimIncrement>4</dimIncrement>";
  };
  expect(chip(reg("A[%s]", "0", dim("65537"))), "3", "a dim of 65537");
  expect(chip(reg("A[%s]", "0", dim("18446744073709551615"))), "3", "a dim of");
  expect(chip(reg("A[%s]", "0", dim("0"))), "3", "a dim of 0");
  expect(chip(reg("A", "0", dim("4"))), "3", "no %s");
  expect(chip(reg("A%s", "0")), "3", "no <dim>");
  expect(chip(reg("A%s", "0", dim("4") + "<dimIndex>A,B</dimIndex>")), "3", "dimIndex");
  std::string nested = reg("A%s", "0", dim("60000"));
  for (const char* name : {"B%s", "C%s", "D%s"})
    nested = "<cluster>" + dim("60000") + "<name>" + name +
             "</name><addressOffset>0</addressOffset>" + nested + "</cluster>";
  expect(chip(nested), "3", "more registers than a chip");
  std::string empty;
  for (int i = 0; i < 8; ++i)
    empty = "<cluster>" + dim("60000") + "<name>B%s</name><addressOffset>0</addressOffset>" +
            empty + "</cluster>";
  CHECK(error_of(chip(empty)).find("multiply") != std::string::npos);
}

TEST_CASE("derivedFrom in a circle, to nothing or without end is refused") {
  expect(chip("<register derivedFrom=\"A\"><name>A</name></register>"), "3", "no register");
  expect(chip("<register derivedFrom=\"B\"><name>A</name></register>\n"
              "<register derivedFrom=\"A\"><name>B</name></register>"),
         "4", "derived from itself");
  expect(chip("<register derivedFrom=\"P.Q.R\"><name>A</name></register>"), "3", "no register");
  std::string chain = reg("R0", "0");
  for (int i = 1; i < 40; ++i)
    chain += "<register derivedFrom=\"R" + std::to_string(i - 1) + "\"><name>R" +
             std::to_string(i) + "</name><addressOffset>" + std::to_string(i * 4) +
             "</addressOffset></register>";
  CHECK(error_of(chip(chain)).find("derived over more than") != std::string::npos);
  // Each cluster holds ten copies of the one before: 10^9 registers of one line each.
  std::string clusters =
      "<cluster><name>C0</name><addressOffset>0</addressOffset>" + reg("R", "0") + "</cluster>";
  for (int i = 1; i < 10; ++i) {
    clusters += "<cluster><name>C" + std::to_string(i) + "</name><addressOffset>0</addressOffset>";
    for (int j = 0; j < 10; ++j)
      clusters += "<cluster derivedFrom=\"P.C" + std::to_string(i - 1) + "\"><name>D" +
                  std::to_string(j) + "</name></cluster>";
    clusters += "</cluster>\n";
  }
  CHECK(error_of(chip(clusters)) != "accepted");
}

TEST_CASE("missing or unusable names and numbers are refused") {
  expect(chip("<register><addressOffset>0</addressOffset></register>"), "3", "no <name>");
  expect(chip("<register><name>A</name></register>"), "3", "no <addressOffset>");
  expect(chip(reg("A B", "0")), "3", "printable");
  expect(chip(reg("\x1b[2J", "0")), "3", "printable");
  expect(chip(reg(std::string(129, 'A'), "0")), "3", "printable");
  expect(chip(reg("A", "zero")), "3", "is no number");
  expect(chip(reg("A", "0x1FFFFFFFFFFFFFFFF")), "3", "is no number");
  expect(chip(reg("A", "-4")), "3", "is no number");
  expect(chip(reg("A", "0x200000000")), "3", "beyond 4 GiB");
  expect(chip(reg("A", "1")), "3", "no multiple of its width");
  expect(chip(reg("A", "0", "<size>24</size>")), "3", "a size of 24 bits");
  expect(chip(reg("A", "0", "<access>rw</access>")), "3", "access");
  expect("<device><peripherals>\n<peripheral><name>P</name></peripheral></peripherals></device>",
         "2", "no <baseAddress>");
}

TEST_CASE("any damage to an SVD file is an error or a well-formed map, never a crash") {
  const std::string good =
      chip(reg("A[%s]", "0",
               "<dim>4</dim><dimIncrement>4</dimIncrement><fields>" + field("F", "[3:0]") +
                   "</fields>") +
           "<cluster><name>C[%s]</name><dim>2</dim><dimIncrement>8</dimIncrement>"
           "<addressOffset>0x20</addressOffset>" +
           reg("B", "0") +
           "<register derivedFrom=\"B\"><name>D</name><addressOffset>4</addressOffset>"
           "</register></cluster>");
  REQUIRE(error_of(good) == "accepted");
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bad = good;
    for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
      const std::size_t at = random() % bad.size(), n = random() % 20;
      switch (random() % 4) {
        case 0: bad.erase(at, n); break;
        case 1: bad[at] = static_cast<char>(random()); break;
        case 2: bad.insert(at, bad.substr(random() % bad.size(), n)); break;
        default: bad.resize(at + 1);
      }
    }
    const auto read = read_svd(bad, "x.svd");
    if (!read) {
      ++refused;
      REQUIRE(read.error().message.rfind("x.svd:", 0) == 0);
      continue;
    }
    for (const SvdPeripheral& p : read->peripherals) REQUIRE(well_formed(p.map->map()));
  }
  CHECK(refused > 1000);
}

TEST_CASE("numbers are read as CMSIS-SVD writes them") {
  CHECK(svd::number(" 12 ") == 12u);
  CHECK(svd::number("+0x1F") == 31u);
  CHECK(svd::number("#101") == 5u);
  CHECK(svd::number("0b11") == 3u);
  CHECK(svd::number("010") == 10u);
  CHECK(svd::number("4k") == 4096u);
  CHECK(svd::number("0xFFFFFFFFFFFFFFFF") == ~0ull);
  for (const char* bad : {"", "0x", "#", "1 2", "0x1H", "18446744073709551616", "-1", "++1",
                          "20000000000t", "k", "1x"})
    CHECK_FALSE(svd::number(bad).has_value());
}

TEST_CASE("a text becomes one line of valid UTF-8") {
  CHECK(svd::one_line("  a\r\n\t b  ") == "a b");
  CHECK(svd::one_line("\x1b[31m\xff\xc3\xa9") == "?[31m?\xc3\xa9");
  CHECK(svd::one_line(std::string(299, 'x') + "\xc3\xa9") == std::string(299, 'x'));
  CHECK(svd::one_line("").empty());
}
