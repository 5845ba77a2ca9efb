#include "inspector-ui/models/go_to.hpp"

#include "catch.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

std::vector<GoToItem> items(std::string_view text) {
  test::FakeTarget target;
  for (int i = 0; i < 50; ++i) target.add_row({});
  return go_to_items(*target.snapshot(), text);
}

}  // namespace

TEST_CASE("letters find registers by their beginning, whatever the case") {
  const auto found = items("stat");
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].kind == GoToItem::Kind::Register);
  CHECK(found[0].name == "STATUS");
}

TEST_CASE("a decimal number is a transaction that there is") {
  const auto found = items("42");
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == GoToItem::Kind::Transaction);
  CHECK(found[0].number == 42);
  CHECK(items("4200").empty());
}

TEST_CASE("a hexadecimal number is an offset or a BAR's address, and host memory") {
  for (const char* text : {"0x8", "0xfe000008"}) {
    const auto found = items(text);
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == "STATUS");
    CHECK(found[1].kind == GoToItem::Kind::Memory);
  }
}

TEST_CASE("nothing is found for nothing") {
  CHECK(items("").empty());
  CHECK(items("  ").empty());
  CHECK(items("no such register").empty());
}
