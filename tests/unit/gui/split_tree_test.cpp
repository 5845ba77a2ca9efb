#include "inspector-ui/models/split_tree.hpp"

#include <map>

#include "catch.hpp"

using namespace pcilens::gui;

namespace {

std::map<std::string, Rect> areas(SplitTree& tree, Rect whole, float gap, float least) {
  std::map<std::string, Rect> out;
  tree.lay_out(
      whole, gap, least,
      {.leaf = [&](SplitNode& leaf, Rect r) { out[leaf.tabs.front()] = r; }, .divider = {}});
  return out;
}

}  // namespace

TEST_CASE("a layout written as text reads back as the same layout") {
  const std::string text = "columns 0.4 (rows 0.6 (a* b) (c)) (d)";
  const auto tree = SplitTree::from_text(text);
  REQUIRE(tree);
  CHECK(tree->to_text() == text);
}

TEST_CASE("a split shares its area and leaves the gap between") {
  auto tree = SplitTree::from_text("columns 0.25 (a) (rows 0.5 (b) (c))");
  REQUIRE(tree);
  auto r = areas(*tree, {10, 20, 408, 208}, 8, 10);
  CHECK(r["a"].x == 10);
  CHECK(r["a"].w == 100);
  CHECK(r["a"].h == 208);
  CHECK(r["b"].x == 118);
  CHECK(r["b"].w == 300);
  CHECK(r["b"].h == 100);
  CHECK(r["c"].y == 128);
}

TEST_CASE("no panel gets smaller than the least size while there is room") {
  auto tree = SplitTree::from_text("columns 0.02 (a) (b)");
  REQUIRE(tree);
  auto r = areas(*tree, {0, 0, 1000, 100}, 0, 160);
  CHECK(r["a"].w == 160);
  r = areas(*tree, {0, 0, 100, 100}, 0, 160);
  CHECK(r["a"].w == 50);
}

TEST_CASE("bringing a panel to the front leaves the other stacks alone") {
  auto tree = SplitTree::from_text("columns 0.5 (a* b) (c* d)");
  REQUIRE(tree);
  CHECK(tree->in_front("a"));
  CHECK(tree->bring_to_front("b"));
  CHECK(tree->in_front("b"));
  CHECK_FALSE(tree->in_front("a"));
  CHECK(tree->in_front("c"));
  CHECK_FALSE(tree->bring_to_front("nowhere"));
}

TEST_CASE("a damaged layout is refused with the column and what was expected") {
  for (const std::string text :
       {"", "columns", "columns 2 (a) (b)", "columns 0.5 (a)", "rows 0.5 (a) (b) (c)",
        "columns 0.5 (a) (b", "sideways 0.5 (a) (b)"}) {
    const auto tree = SplitTree::from_text(text);
    CAPTURE(text);
    REQUIRE_FALSE(tree);
    CHECK(tree.error().message.find("expected") != std::string::npos);
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "columns 0.5 (a) (";
  CHECK_FALSE(SplitTree::from_text(deep));
}

namespace {

const std::vector<std::string> kPanels = {"registers",   "config",   "memory", "stop",
                                          "code",        "commands", "detail", "transactions",
                                          "breakpoints", "console"};

}  // namespace

TEST_CASE("every preset shows every panel, wide and narrow") {
  for (const char* preset : {"debug", "trace", "learn"})
    for (const float width : {1600.0f, 1024.0f}) {
      SplitTree tree = preset_layout(preset, width);
      for (const std::string& panel : kPanels) {
        CAPTURE(preset, width, panel);
        CHECK(tree.find(panel) != nullptr);
      }
      CHECK(tree.in_front("transactions"));
    }
}

TEST_CASE("a restored layout has every panel, also those that are new since it was kept") {
  auto tree = restored_layout("columns 0.3 (registers) (transactions* stop)", kPanels);
  REQUIRE(tree);
  for (const std::string& panel : kPanels) CHECK(tree->find(panel) != nullptr);
  CHECK(tree->in_front("transactions"));
  CHECK(tree->in_front("registers"));
}

TEST_CASE("panels that are gone leave no empty place in a restored layout") {
  auto tree = restored_layout("rows 0.5 (minimap) (columns 0.5 (stop registers*) (stop))", kPanels);
  REQUIRE(tree);
  REQUIRE(tree->root().leaf());
  CHECK(tree->in_front("registers"));
  CHECK_FALSE(restored_layout("rows 0.5 (minimap) (globe)", kPanels));
}

TEST_CASE("a preset is known again whatever was dragged, and a layout of one's own is none") {
  for (const std::string_view name : {"debug", "trace", "learn"})
    for (const float width : {800.0f, 1600.0f}) {
      SplitTree tree = preset_layout(name, width);
      CHECK(preset_of(tree) == name);
      tree.root().share = 0.77f;
      tree.bring_to_front("memory");
      CHECK(preset_of(tree) == name);
    }
  CHECK(preset_of(*SplitTree::from_text("columns 0.5 (stop) (code)")).empty());
}
