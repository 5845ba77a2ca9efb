#include "inspector-ui/models/split_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pcilens::gui {
namespace {

SplitNode* find_in(SplitNode& node, std::string_view panel) {
  if (!node.leaf()) {
    if (SplitNode* found = find_in(*node.first, panel)) return found;
    return find_in(*node.second, panel);
  }
  return std::ranges::find(node.tabs, panel) != node.tabs.end() ? &node : nullptr;
}

void lay_out_in(SplitNode& node, Rect area, float gap, float least, const SplitTree::Visit& visit) {
  if (node.leaf()) {
    visit.leaf(node, area);
    return;
  }
  const bool columns = node.axis == Axis::Columns;
  const float room = std::max(0.0f, (columns ? area.w : area.h) - gap);
  const float smallest = std::min(least, room / 2);
  const float first = std::floor(std::clamp(room * node.share, smallest, room - smallest));
  Rect a = area, divider = area, b = area;
  if (columns) {
    a.w = first;
    divider.x = area.x + first;
    divider.w = gap;
    b.x = divider.x + gap;
    b.w = room - first;
  } else {
    a.h = first;
    divider.y = area.y + first;
    divider.h = gap;
    b.y = divider.y + gap;
    b.h = room - first;
  }
  if (visit.divider) visit.divider(node, area, divider);
  lay_out_in(*node.first, a, gap, least, visit);
  lay_out_in(*node.second, b, gap, least, visit);
}

void write(const SplitNode& node, std::string& out) {
  if (!node.leaf()) {
    out += fmt::format("{} {:.3g} ", node.axis == Axis::Columns ? "columns" : "rows", node.share);
    for (const auto* child : {node.first.get(), node.second.get()}) {
      if (!child->leaf()) out += '(';
      write(*child, out);
      if (!child->leaf()) out += ')';
      if (child == node.first.get()) out += ' ';
    }
    return;
  }
  out += '(';
  for (std::size_t i = 0; i < node.tabs.size(); ++i) {
    if (i != 0) out += ' ';
    out += node.tabs[i];
    if (i == node.front && node.tabs.size() > 1) out += '*';
  }
  out += ')';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::unique_ptr<SplitNode>> whole() {
    auto node = split_or_stack(0);
    if (node && !at_end()) return wrong("the end");
    return node;
  }

 private:
  static constexpr int kDeepest = 16;

  Result<std::unique_ptr<SplitNode>> split_or_stack(int depth) {
    if (depth > kDeepest) return wrong("fewer splits inside each other");
    if (peek() == '(') {
      const std::size_t before = at_;
      ++at_;
      const std::string_view w = word();
      at_ = before;
      if (w != "columns" && w != "rows") return stack();
      ++at_;
      auto inner = split(depth);
      if (!inner) return inner;
      if (peek() != ')') return wrong("\")\"");
      ++at_;
      return inner;
    }
    return split(depth);
  }

  Result<std::unique_ptr<SplitNode>> split(int depth) {
    auto node = std::make_unique<SplitNode>();
    const std::string_view axis = word();
    if (axis != "columns" && axis != "rows") return wrong("\"columns\" or \"rows\"");
    node->axis = axis == "columns" ? Axis::Columns : Axis::Rows;
    const std::string_view share = word();
    const auto [end, error] =
        std::from_chars(share.data(), share.data() + share.size(), node->share);
    if (error != std::errc() || end != share.data() + share.size() || !(node->share > 0.0f) ||
        !(node->share < 1.0f))
      return wrong("a share between 0 and 1");
    for (auto* child : {&node->first, &node->second}) {
      auto made = split_or_stack(depth + 1);
      if (!made) return made;
      *child = std::move(*made);
    }
    return node;
  }

  Result<std::unique_ptr<SplitNode>> stack() {
    auto node = std::make_unique<SplitNode>();
    ++at_;
    while (peek() != ')') {
      std::string_view name = word();
      if (name.empty()) return wrong("the name of a panel or \")\"");
      if (name.back() == '*') {
        name.remove_suffix(1);
        node->front = node->tabs.size();
      }
      node->tabs.emplace_back(name);
    }
    ++at_;
    return node;
  }

  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool at_end() { return peek() == '\0'; }
  std::string_view word() {
    peek();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '(' && text_[at_] != ')') ++at_;
    return text_.substr(begin, at_ - begin);
  }
  tl::unexpected<Error> wrong(std::string_view expected) {
    return fail(fmt::format("layout, column {}: expected {}", at_ + 1, expected));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

SplitNode* SplitTree::find(std::string_view panel) {
  return find_in(*root_, panel);
}

bool SplitTree::bring_to_front(std::string_view panel) {
  SplitNode* leaf = find(panel);
  if (leaf == nullptr) return false;
  leaf->front = static_cast<std::size_t>(std::ranges::find(leaf->tabs, panel) - leaf->tabs.begin());
  return true;
}

bool SplitTree::in_front(std::string_view panel) const {
  const SplitNode* leaf = find_in(*root_, panel);
  return leaf != nullptr && leaf->front < leaf->tabs.size() && leaf->tabs[leaf->front] == panel;
}

void SplitTree::lay_out(Rect area, float gap, float least, const Visit& visit) {
  lay_out_in(*root_, area, gap, least, visit);
}

std::string SplitTree::to_text() const {
  std::string out;
  write(*root_, out);
  return out;
}

Result<SplitTree> SplitTree::from_text(std::string_view text) {
  auto root = Parser(text).whole();
  if (!root) return tl::unexpected(root.error());
  return SplitTree(std::move(*root));
}

namespace {

struct Preset {
  std::string_view name, wide, narrow;
};
constexpr Preset kPresets[] = {
    {"debug",
     "columns 0.34 (rows 0.62 (registers* config memory) (breakpoints))"
     " (rows 0.47 (columns 0.5 (stop) (code))"
     " (columns 0.66 (transactions* commands console) (detail)))",
     "columns 0.42 (rows 0.6 (registers* config memory) (breakpoints))"
     " (rows 0.5 (stop* code detail) (transactions* commands console))"},
    {"trace",
     "columns 0.66 (rows 0.74 (transactions* commands) (console* breakpoints))"
     " (rows 0.6 (detail* memory code) (registers* config stop))",
     "rows 0.62 (transactions* commands console)"
     " (columns 0.5 (detail* memory code) (registers* config stop breakpoints))"},
    {"learn",
     "columns 0.5 (rows 0.36 (stop) (rows 0.5 (code) (registers* config memory)))"
     " (rows 0.5 (detail* breakpoints console) (transactions* commands))",
     "columns 0.5 (rows 0.5 (code* stop) (registers* config memory breakpoints))"
     " (rows 0.5 (detail* console) (transactions* commands))"},
};

// The same panels in the same places.
bool same_places(const SplitNode& a, const SplitNode& b) {
  if (a.leaf() || b.leaf()) return a.leaf() && b.leaf() && a.tabs == b.tabs;
  return a.axis == b.axis && same_places(*a.first, *b.first) && same_places(*a.second, *b.second);
}

}  // namespace

std::string_view preset_of(const SplitTree& tree) {
  for (const Preset& preset : kPresets)
    for (const std::string_view text : {preset.wide, preset.narrow})
      if (same_places(tree.root(), SplitTree::from_text(text)->root())) return preset.name;
  return {};
}

SplitTree preset_layout(std::string_view name, float width) {
  const Preset* chosen = kPresets;
  for (const Preset& preset : kPresets)
    if (preset.name == name) chosen = &preset;
  auto tree = SplitTree::from_text(width < 1280 ? chosen->narrow : chosen->wide);
  return std::move(*tree);
}

namespace {

void keep_known(std::unique_ptr<SplitNode>& node, const std::vector<std::string>& known,
                std::vector<std::string>& seen) {
  if (node->leaf()) {
    std::vector<std::string> tabs;
    std::size_t front = 0;
    for (std::size_t i = 0; i < node->tabs.size(); ++i) {
      const std::string& tab = node->tabs[i];
      if (std::ranges::find(known, tab) == known.end() ||
          std::ranges::find(seen, tab) != seen.end())
        continue;
      if (i == node->front) front = tabs.size();
      seen.push_back(tab);
      tabs.push_back(tab);
    }
    node->tabs = std::move(tabs);
    node->front = front;
    return;
  }
  keep_known(node->first, known, seen);
  keep_known(node->second, known, seen);
  const auto empty = [](const SplitNode& n) { return n.leaf() && n.tabs.empty(); };
  if (empty(*node->first))
    node = std::unique_ptr<SplitNode>(node->second.release());
  else if (empty(*node->second))
    node = std::unique_ptr<SplitNode>(node->first.release());
}

}  // namespace

Result<SplitTree> restored_layout(std::string_view text, const std::vector<std::string>& known) {
  auto root = Parser(text).whole();
  if (!root) return tl::unexpected(root.error());
  std::vector<std::string> seen;
  keep_known(*root, known, seen);
  if (seen.empty()) return fail("the layout has no panel that this pcilens knows");
  SplitTree tree(std::move(*root));
  for (const std::string& panel : known) {
    if (std::ranges::find(seen, panel) != seen.end()) continue;
    SplitNode* home = tree.find(seen.front());
    home->tabs.push_back(panel);
  }
  return tree;
}

}  // namespace pcilens::gui
