#include "inspector-ui/commands/words.hpp"

#include "catch.hpp"
#include "inspector-ui/commands/place.hpp"

using namespace pcilens;
using namespace pcilens::ui;

namespace {

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  const auto words = split_words(line);
  if (!words) return {words.error().message};
  for (const Word& w : *words) out.push_back(w.text);
  return out;
}

}  // namespace

TEST_CASE("blanks part words and quotes keep them together") {
  CHECK(words_of("  write \t CMD 0x1 ") == std::vector<std::string>{"write", "CMD", "0x1"});
  CHECK(words_of("break \"write CMD\" once") ==
        std::vector<std::string>{"break", "write CMD", "once"});
  CHECK(words_of("").empty());
}

TEST_CASE("a # begins a comment, unless the number of a transaction follows") {
  CHECK(words_of("# nothing here").empty());
  CHECK(words_of("#nothing here").empty());
  CHECK(words_of("step # and look") == std::vector<std::string>{"step"});
  CHECK(words_of("show #42") == std::vector<std::string>{"show", "#42"});
}

TEST_CASE("a quote that is not closed is an error with its column") {
  const auto words = split_words("break \"write CMD");
  REQUIRE_FALSE(words);
  CHECK(words.error().message.find("column 7") != std::string::npos);
}

TEST_CASE("a mistyped name finds the nearest one") {
  CHECK(nearest("registres", {"run", "registers", "reset"}) == "registers");
  CHECK(nearest("xyzzy", {"run", "registers", "reset"}).empty());
}

TEST_CASE("numbers are decimal, hexadecimal or binary, with _ between digits") {
  CHECK(parse_value("16").value() == 16);
  CHECK(parse_value("0x10").value() == 16);
  CHECK(parse_value("0b1_0000").value() == 16);
  CHECK(parse_value("0xffff_ffff_ffff_ffff").value() == ~0ull);
  CHECK(parse_value("#42").value() == 42);
  CHECK_FALSE(parse_value("0x1_0000_0000_0000_0000"));
  for (const char* wrong : {"", "x", "0x", "12z", "-1", "1.5"}) CHECK_FALSE(parse_value(wrong));
}

TEST_CASE("a duration has a unit, and seconds without one") {
  CHECK(parse_duration("500ms").value() == 500'000'000);
  CHECK(parse_duration("2s").value() == 2'000'000'000);
  CHECK(parse_duration("2").value() == 2'000'000'000);
  CHECK(parse_duration("1min").value() == 60'000'000'000);
  CHECK(parse_duration("1.5us").value() == 1'500);
  for (const char* wrong : {"", "ms", "-1s", "5 parsecs", "1e300s"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("times are shown in the unit that reads best") {
  CHECK(format_time(999) == "999 ns");
  CHECK(format_time(1'500) == "1.500 µs");
  CHECK(format_time(1'234'567) == "1.235 ms");
  CHECK(format_time(2'000'000'000) == "2.000000 s");
}
