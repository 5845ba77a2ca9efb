// How the window's area is divided: a tree of splits whose leaves are stacks of tabs. Plain data
// that a test can read and a file can keep; dock.cpp draws it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace pcilens::gui {

struct Rect {
  float x = 0, y = 0, w = 0, h = 0;
};

enum class Axis : unsigned char { Columns, Rows };

struct SplitNode {
  // A split: two children side by side (Columns) or one above the other (Rows).
  std::unique_ptr<SplitNode> first, second;
  Axis axis = Axis::Columns;
  float share = 0.5f;  // of the area that `first` gets, 0..1
  // A leaf: the panels in it, by id, and which of them is in front.
  std::vector<std::string> tabs;
  std::size_t front = 0;

  bool leaf() const { return !first; }
};

class SplitTree {
 public:
  explicit SplitTree(std::unique_ptr<SplitNode> root = std::make_unique<SplitNode>())
      : root_(std::move(root)) {}

  SplitNode& root() { return *root_; }
  const SplitNode& root() const { return *root_; }

  // The leaf that holds a panel; null if it is not on screen.
  SplitNode* find(std::string_view panel);
  // Puts the panel in front of its stack. False if it is nowhere.
  bool bring_to_front(std::string_view panel);
  bool in_front(std::string_view panel) const;

  // Each leaf with its area, and each divider with the area of the split that it divides. `gap` is
  // the width of a divider; no leaf gets smaller than `least` while the area allows it.
  struct Visit {
    std::function<void(SplitNode&, Rect)> leaf;
    std::function<void(SplitNode&, Rect whole, Rect divider)> divider;
  };
  void lay_out(Rect area, float gap, float least, const Visit& visit);

  // One line: "columns 0.38 (rows 0.66 (registers config) (breakpoints)) (transactions)". Names in
  // one pair of brackets share a stack; a star marks the one in front.
  std::string to_text() const;
  // An error says at which column, and what was expected there.
  static Result<SplitTree> from_text(std::string_view text);

 private:
  std::unique_ptr<SplitNode> root_;
};

// "debug" (what the window opens with), "trace" or "learn"; another name gives "debug". Below 1,280
// pixels of width (at scale 1) panels that would be too narrow side by side share a stack.
SplitTree preset_layout(std::string_view name, float width);
// Which preset this is, wherever its dividers and whichever tab is in front; empty: none of them.
std::string_view preset_of(const SplitTree& tree);
// A layout from a file, made whole: panels of `known` that it does not have join the stack of one
// that comes near, names that are not known are left out. An error if nothing remains.
Result<SplitTree> restored_layout(std::string_view text, const std::vector<std::string>& known);

}  // namespace pcilens::gui
