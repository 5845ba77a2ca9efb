#include "inspector-ui/models/config.hpp"

#include <algorithm>

#include "catch.hpp"
#include "inspector-ui/models/palette.hpp"
#include "tests/gui/fake_target.hpp"

using namespace pcilens;
using namespace pcilens::gui;

namespace {

const ConfigRow* find(const std::vector<ConfigRow>& rows, std::string_view name) {
  const auto at = std::ranges::find(rows, name, &ConfigRow::name);
  return at != rows.end() ? &*at : nullptr;
}

}  // namespace

TEST_CASE("config space is listed as header and capabilities in the order of the chain") {
  test::FakeTarget target;
  const auto rows = config_rows(target.snapshot()->functions[0], {}, {});
  std::vector<std::string> heads;
  for (const ConfigRow& row : rows)
    if (row.kind == ConfigRow::Kind::Capability) heads.push_back(row.name);
  REQUIRE(heads.size() == 4);
  CHECK(heads[0] == "Header");
  CHECK(heads[1] == "PM");
  CHECK(heads[2] == "MSI");
}

TEST_CASE("a BAR's row says its size and address") {
  test::FakeTarget target;
  const auto rows = config_rows(target.snapshot()->functions[0], {}, {});
  const ConfigRow* bar = find(rows, "BAR0");
  REQUIRE(bar != nullptr);
  CHECK(bar->meaning == "4 KiB at 0xfe000000");
}

TEST_CASE("a folded capability hides its registers, an open register shows its fields") {
  test::FakeTarget target;
  const auto& f = target.snapshot()->functions[0];
  CHECK(find(config_rows(f, {}, {"header"}), "COMMAND") == nullptr);
  const auto rows = config_rows(f, {"COMMAND"}, {});
  REQUIRE(find(rows, "COMMAND") != nullptr);
  CHECK(std::ranges::any_of(rows, [](const ConfigRow& r) {
    return r.kind == ConfigRow::Kind::Field && r.id.starts_with("COMMAND.") && r.value == "1";
  }));
}

TEST_CASE("the palette finds an action by part of its label and a command by its line") {
  test::FakeTarget target;
  const auto& table = ui::CommandTable::standard();
  auto items = palette_items(table, *target.snapshot(), "next acc");
  REQUIRE_FALSE(items.empty());
  CHECK(items[0].title == "Step to next access");
  CHECK(items[0].detail == "F10");
  items = palette_items(table, *target.snapshot(), "break write CONTR");
  REQUIRE(items.size() >= 2);
  CHECK(items[0].runs);
  CHECK(items[0].line == "break write CONTR");
  CHECK(std::ranges::any_of(
      items, [](const PaletteItem& i) { return i.line.starts_with("break write CONTROL"); }));
}

TEST_CASE("the palette says why an action cannot be run now") {
  test::FakeTarget target;
  const auto items = palette_items(ui::CommandTable::standard(), *target.snapshot(), "Pause");
  REQUIRE_FALSE(items.empty());
  CHECK_FALSE(items[0].why_not.empty());
}
