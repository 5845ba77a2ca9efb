#include <fmt/format.h>

#include "inspector-ui/models/rules.hpp"
#include "inspector-ui/terminal/full_screen/panes.hpp"

namespace pcilens::ui {
namespace {

class RulesPane final : public Pane {
 public:
  std::string title(const Desk&) const override { return "Breakpoints and faults"; }

  void draw(Curses& curses, Desk& desk, const Area& area, bool focus) override {
    rules_.clear();
    Table table;
    table.columns = {{"", "", true}, {"", "", false, true}, {"", ""}, {"", "", false, true}};
    const auto add = [&](const gui::RuleRow& r, bool fault) {
      rules_.push_back({r.number, fault, r.enabled});
      const Style style = r.here ? Style::Changed : r.enabled ? Style::Plain : Style::Dim;
      table.rows.push_back({{fmt::format("{}{}", fault ? "fault " : "", r.number), Style::Dim},
                            {r.expression, style},
                            {r.what, Style::Dim},
                            {r.enabled ? r.count : "off", Style::Dim}});
    };
    for (const auto& r : gui::breakpoint_rows(*desk.snapshot)) add(r, false);
    for (const auto& r : gui::fault_rows(*desk.snapshot)) add(r, true);
    if (rules_.empty()) {
      curses.text(area.y, area.x, area.width, "none; F9 on a register, or \"break write NAME\"",
                  Style::Dim);
      return;
    }
    list_.fit(static_cast<int>(rules_.size()), area.height);
    const auto lines = lay_out(Output(std::move(table)), static_cast<unsigned>(area.width));
    for (int i = 0; i < area.height && list_.top + i < static_cast<int>(lines.size()); ++i)
      curses.line(area.y + i, area.x, area.width, lines[static_cast<std::size_t>(list_.top + i)],
                  focus && list_.top + i == list_.selected);
  }

  bool handle(Desk& desk, const Input& input) override {
    if (list_.handle(input, static_cast<int>(rules_.size()))) return true;
    if (rules_.empty()) return false;
    const Rule& rule = rules_[static_cast<std::size_t>(list_.selected)];
    const std::string which = fmt::format("{}{}", rule.fault ? "fault " : "", rule.number);
    if (input.type == Input::Type::Text && input.text == " ")
      desk.run((rule.enabled ? "disable " : "enable ") + which);
    else if (input.type == Input::Type::Key && input.key == plain(KeyCode::Delete))
      desk.run("delete " + which);
    else
      return false;
    return true;
  }

 private:
  struct Rule {
    std::uint32_t number;
    bool fault, enabled;
  };
  std::vector<Rule> rules_;
  ListView list_;
};

}  // namespace

std::unique_ptr<Pane> make_rules_pane() {
  return std::make_unique<RulesPane>();
}

}  // namespace pcilens::ui
